import datetime

from cameo.v1 import attempt_pb2 as _attempt_pb2
from cameo.v1 import removal_pb2 as _removal_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ItemKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ITEM_KIND_UNSPECIFIED: _ClassVar[ItemKind]
    ITEM_KIND_FACE_VECTOR: _ClassVar[ItemKind]
    ITEM_KIND_VOICE_VECTOR: _ClassVar[ItemKind]
    ITEM_KIND_FACE_CROP: _ClassVar[ItemKind]
    ITEM_KIND_VOICE_CLIP: _ClassVar[ItemKind]

class CameoState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CAMEO_STATE_UNSPECIFIED: _ClassVar[CameoState]
    CAMEO_STATE_ACTIVE: _ClassVar[CameoState]
    CAMEO_STATE_PAUSED: _ClassVar[CameoState]
    CAMEO_STATE_REVOKED: _ClassVar[CameoState]
    CAMEO_STATE_DELETED: _ClassVar[CameoState]

class WhoMayUse(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WHO_MAY_USE_UNSPECIFIED: _ClassVar[WhoMayUse]
    WHO_MAY_USE_ONLY_ME: _ClassVar[WhoMayUse]
    WHO_MAY_USE_SELECTED: _ClassVar[WhoMayUse]
    WHO_MAY_USE_MUTUALS: _ClassVar[WhoMayUse]
    WHO_MAY_USE_EVERYONE: _ClassVar[WhoMayUse]

class UseCategory(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USE_CATEGORY_UNSPECIFIED: _ClassVar[UseCategory]
    USE_CATEGORY_ADVERTISING: _ClassVar[UseCategory]
    USE_CATEGORY_POLITICS: _ClassVar[UseCategory]
    USE_CATEGORY_RELIGION: _ClassVar[UseCategory]
    USE_CATEGORY_VIOLENCE: _ClassVar[UseCategory]
    USE_CATEGORY_INTIMACY: _ClassVar[UseCategory]
    USE_CATEGORY_GAMBLING: _ClassVar[UseCategory]
    USE_CATEGORY_ALCOHOL_AND_DRUGS: _ClassVar[UseCategory]
    USE_CATEGORY_SATIRE: _ClassVar[UseCategory]
    USE_CATEGORY_GENERAL: _ClassVar[UseCategory]

class PermissionAnswer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERMISSION_ANSWER_UNSPECIFIED: _ClassVar[PermissionAnswer]
    PERMISSION_ANSWER_PERMITTED: _ClassVar[PermissionAnswer]
    PERMISSION_ANSWER_NOT_CHOSEN: _ClassVar[PermissionAnswer]
    PERMISSION_ANSWER_NOT_NOW: _ClassVar[PermissionAnswer]
    PERMISSION_ANSWER_NO_LONGER: _ClassVar[PermissionAnswer]
    PERMISSION_ANSWER_PURPOSE_EXCLUDED: _ClassVar[PermissionAnswer]
    PERMISSION_ANSWER_RELATIONSHIP_UNKNOWN: _ClassVar[PermissionAnswer]
    PERMISSION_ANSWER_ATTESTATION_ENDED: _ClassVar[PermissionAnswer]
    PERMISSION_ANSWER_GENERATOR_NOT_CHOSEN: _ClassVar[PermissionAnswer]

class OutputState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTPUT_STATE_UNSPECIFIED: _ClassVar[OutputState]
    OUTPUT_STATE_DRAFT: _ClassVar[OutputState]
    OUTPUT_STATE_PUBLISHED: _ClassVar[OutputState]

class CameoEventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CAMEO_EVENT_KIND_UNSPECIFIED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_CREATED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_PERMISSION_CHANGED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_PAUSED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_REVOKED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_RESUMED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_DELETED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_USE_GRANTED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_OUTPUT_RECORDED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_CREDENTIAL_ISSUED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_CREDENTIAL_REVOKED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_OUTPUT_OVERDUE: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_GUARDIAN_LINKED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_GUARDIAN_STEPPED_DOWN: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_CHANGE_PROPOSED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_CHANGE_APPROVED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_CHANGE_REFUSED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_CHANGE_WITHDRAWN: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_REMOVAL_REQUESTED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_REMOVAL_ANSWERED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_ATTEMPT_DECIDED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_SUSPENDED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_SUSPENSION_LIFTED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_SESSION_JUDGED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_SESSION_ENDED: _ClassVar[CameoEventKind]
    CAMEO_EVENT_KIND_SESSION_EXPIRED: _ClassVar[CameoEventKind]
ITEM_KIND_UNSPECIFIED: ItemKind
ITEM_KIND_FACE_VECTOR: ItemKind
ITEM_KIND_VOICE_VECTOR: ItemKind
ITEM_KIND_FACE_CROP: ItemKind
ITEM_KIND_VOICE_CLIP: ItemKind
CAMEO_STATE_UNSPECIFIED: CameoState
CAMEO_STATE_ACTIVE: CameoState
CAMEO_STATE_PAUSED: CameoState
CAMEO_STATE_REVOKED: CameoState
CAMEO_STATE_DELETED: CameoState
WHO_MAY_USE_UNSPECIFIED: WhoMayUse
WHO_MAY_USE_ONLY_ME: WhoMayUse
WHO_MAY_USE_SELECTED: WhoMayUse
WHO_MAY_USE_MUTUALS: WhoMayUse
WHO_MAY_USE_EVERYONE: WhoMayUse
USE_CATEGORY_UNSPECIFIED: UseCategory
USE_CATEGORY_ADVERTISING: UseCategory
USE_CATEGORY_POLITICS: UseCategory
USE_CATEGORY_RELIGION: UseCategory
USE_CATEGORY_VIOLENCE: UseCategory
USE_CATEGORY_INTIMACY: UseCategory
USE_CATEGORY_GAMBLING: UseCategory
USE_CATEGORY_ALCOHOL_AND_DRUGS: UseCategory
USE_CATEGORY_SATIRE: UseCategory
USE_CATEGORY_GENERAL: UseCategory
PERMISSION_ANSWER_UNSPECIFIED: PermissionAnswer
PERMISSION_ANSWER_PERMITTED: PermissionAnswer
PERMISSION_ANSWER_NOT_CHOSEN: PermissionAnswer
PERMISSION_ANSWER_NOT_NOW: PermissionAnswer
PERMISSION_ANSWER_NO_LONGER: PermissionAnswer
PERMISSION_ANSWER_PURPOSE_EXCLUDED: PermissionAnswer
PERMISSION_ANSWER_RELATIONSHIP_UNKNOWN: PermissionAnswer
PERMISSION_ANSWER_ATTESTATION_ENDED: PermissionAnswer
PERMISSION_ANSWER_GENERATOR_NOT_CHOSEN: PermissionAnswer
OUTPUT_STATE_UNSPECIFIED: OutputState
OUTPUT_STATE_DRAFT: OutputState
OUTPUT_STATE_PUBLISHED: OutputState
CAMEO_EVENT_KIND_UNSPECIFIED: CameoEventKind
CAMEO_EVENT_KIND_CREATED: CameoEventKind
CAMEO_EVENT_KIND_PERMISSION_CHANGED: CameoEventKind
CAMEO_EVENT_KIND_PAUSED: CameoEventKind
CAMEO_EVENT_KIND_REVOKED: CameoEventKind
CAMEO_EVENT_KIND_RESUMED: CameoEventKind
CAMEO_EVENT_KIND_DELETED: CameoEventKind
CAMEO_EVENT_KIND_USE_GRANTED: CameoEventKind
CAMEO_EVENT_KIND_OUTPUT_RECORDED: CameoEventKind
CAMEO_EVENT_KIND_CREDENTIAL_ISSUED: CameoEventKind
CAMEO_EVENT_KIND_CREDENTIAL_REVOKED: CameoEventKind
CAMEO_EVENT_KIND_OUTPUT_OVERDUE: CameoEventKind
CAMEO_EVENT_KIND_GUARDIAN_LINKED: CameoEventKind
CAMEO_EVENT_KIND_GUARDIAN_STEPPED_DOWN: CameoEventKind
CAMEO_EVENT_KIND_CHANGE_PROPOSED: CameoEventKind
CAMEO_EVENT_KIND_CHANGE_APPROVED: CameoEventKind
CAMEO_EVENT_KIND_CHANGE_REFUSED: CameoEventKind
CAMEO_EVENT_KIND_CHANGE_WITHDRAWN: CameoEventKind
CAMEO_EVENT_KIND_REMOVAL_REQUESTED: CameoEventKind
CAMEO_EVENT_KIND_REMOVAL_ANSWERED: CameoEventKind
CAMEO_EVENT_KIND_ATTEMPT_DECIDED: CameoEventKind
CAMEO_EVENT_KIND_SUSPENDED: CameoEventKind
CAMEO_EVENT_KIND_SUSPENSION_LIFTED: CameoEventKind
CAMEO_EVENT_KIND_SESSION_JUDGED: CameoEventKind
CAMEO_EVENT_KIND_SESSION_ENDED: CameoEventKind
CAMEO_EVENT_KIND_SESSION_EXPIRED: CameoEventKind

class Cameo(_message.Message):
    __slots__ = ("id", "subject", "state", "who_may_use", "selected_users", "restrictions", "appearance_notes", "voice_notes", "minor_safeguards", "consent", "version", "create_time", "update_time", "reason", "pending_change", "paused_by_guardian", "suspended", "attest_time", "generators", "items", "offline_audiences")
    ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WHO_MAY_USE_FIELD_NUMBER: _ClassVar[int]
    SELECTED_USERS_FIELD_NUMBER: _ClassVar[int]
    RESTRICTIONS_FIELD_NUMBER: _ClassVar[int]
    APPEARANCE_NOTES_FIELD_NUMBER: _ClassVar[int]
    VOICE_NOTES_FIELD_NUMBER: _ClassVar[int]
    MINOR_SAFEGUARDS_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PENDING_CHANGE_FIELD_NUMBER: _ClassVar[int]
    PAUSED_BY_GUARDIAN_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_FIELD_NUMBER: _ClassVar[int]
    ATTEST_TIME_FIELD_NUMBER: _ClassVar[int]
    GENERATORS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    OFFLINE_AUDIENCES_FIELD_NUMBER: _ClassVar[int]
    id: str
    subject: str
    state: CameoState
    who_may_use: WhoMayUse
    selected_users: _containers.RepeatedScalarFieldContainer[str]
    restrictions: Restrictions
    appearance_notes: str
    voice_notes: str
    minor_safeguards: bool
    consent: Consent
    version: int
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    reason: str
    pending_change: PendingChange
    paused_by_guardian: bool
    suspended: bool
    attest_time: _timestamp_pb2.Timestamp
    generators: Generators
    items: _containers.RepeatedScalarFieldContainer[ItemKind]
    offline_audiences: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., subject: _Optional[str] = ..., state: _Optional[_Union[CameoState, str]] = ..., who_may_use: _Optional[_Union[WhoMayUse, str]] = ..., selected_users: _Optional[_Iterable[str]] = ..., restrictions: _Optional[_Union[Restrictions, _Mapping]] = ..., appearance_notes: _Optional[str] = ..., voice_notes: _Optional[str] = ..., minor_safeguards: _Optional[bool] = ..., consent: _Optional[_Union[Consent, _Mapping]] = ..., version: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., pending_change: _Optional[_Union[PendingChange, _Mapping]] = ..., paused_by_guardian: _Optional[bool] = ..., suspended: _Optional[bool] = ..., attest_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., generators: _Optional[_Union[Generators, _Mapping]] = ..., items: _Optional[_Iterable[_Union[ItemKind, str]]] = ..., offline_audiences: _Optional[_Iterable[str]] = ...) -> None: ...

class Generators(_message.Message):
    __slots__ = ("every_registered", "names")
    EVERY_REGISTERED_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    every_registered: bool
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, every_registered: _Optional[bool] = ..., names: _Optional[_Iterable[str]] = ...) -> None: ...

class PendingChange(_message.Message):
    __slots__ = ("number", "who_may_use", "selected_users", "restrictions", "appearance_notes", "voice_notes", "resume", "approved_by", "propose_time", "generators", "items", "offline_audiences")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    WHO_MAY_USE_FIELD_NUMBER: _ClassVar[int]
    SELECTED_USERS_FIELD_NUMBER: _ClassVar[int]
    RESTRICTIONS_FIELD_NUMBER: _ClassVar[int]
    APPEARANCE_NOTES_FIELD_NUMBER: _ClassVar[int]
    VOICE_NOTES_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    APPROVED_BY_FIELD_NUMBER: _ClassVar[int]
    PROPOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    GENERATORS_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    OFFLINE_AUDIENCES_FIELD_NUMBER: _ClassVar[int]
    number: int
    who_may_use: WhoMayUse
    selected_users: _containers.RepeatedScalarFieldContainer[str]
    restrictions: Restrictions
    appearance_notes: str
    voice_notes: str
    resume: bool
    approved_by: _containers.RepeatedScalarFieldContainer[str]
    propose_time: _timestamp_pb2.Timestamp
    generators: Generators
    items: _containers.RepeatedScalarFieldContainer[ItemKind]
    offline_audiences: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, number: _Optional[int] = ..., who_may_use: _Optional[_Union[WhoMayUse, str]] = ..., selected_users: _Optional[_Iterable[str]] = ..., restrictions: _Optional[_Union[Restrictions, _Mapping]] = ..., appearance_notes: _Optional[str] = ..., voice_notes: _Optional[str] = ..., resume: _Optional[bool] = ..., approved_by: _Optional[_Iterable[str]] = ..., propose_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., generators: _Optional[_Union[Generators, _Mapping]] = ..., items: _Optional[_Iterable[_Union[ItemKind, str]]] = ..., offline_audiences: _Optional[_Iterable[str]] = ...) -> None: ...

class Restrictions(_message.Message):
    __slots__ = ("words", "categories")
    WORDS_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    words: _containers.RepeatedScalarFieldContainer[str]
    categories: _containers.RepeatedScalarFieldContainer[UseCategory]
    def __init__(self, words: _Optional[_Iterable[str]] = ..., categories: _Optional[_Iterable[_Union[UseCategory, str]]] = ...) -> None: ...

class Consent(_message.Message):
    __slots__ = ("text_version", "locale", "agree_time", "digest", "text_sha256")
    TEXT_VERSION_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    AGREE_TIME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    TEXT_SHA256_FIELD_NUMBER: _ClassVar[int]
    text_version: str
    locale: str
    agree_time: _timestamp_pb2.Timestamp
    digest: str
    text_sha256: str
    def __init__(self, text_version: _Optional[str] = ..., locale: _Optional[str] = ..., agree_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., digest: _Optional[str] = ..., text_sha256: _Optional[str] = ...) -> None: ...

class Use(_message.Message):
    __slots__ = ("grant_id", "audience", "requester", "job_id", "purposes", "grant_time", "expire_time", "spend_time", "revoke_time", "outputs", "overdue_time")
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSES_FIELD_NUMBER: _ClassVar[int]
    GRANT_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    SPEND_TIME_FIELD_NUMBER: _ClassVar[int]
    REVOKE_TIME_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_TIME_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    audience: str
    requester: str
    job_id: str
    purposes: _containers.RepeatedScalarFieldContainer[UseCategory]
    grant_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    spend_time: _timestamp_pb2.Timestamp
    revoke_time: _timestamp_pb2.Timestamp
    outputs: _containers.RepeatedCompositeFieldContainer[Output]
    overdue_time: _timestamp_pb2.Timestamp
    def __init__(self, grant_id: _Optional[str] = ..., audience: _Optional[str] = ..., requester: _Optional[str] = ..., job_id: _Optional[str] = ..., purposes: _Optional[_Iterable[_Union[UseCategory, str]]] = ..., grant_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., spend_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoke_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outputs: _Optional[_Iterable[_Union[Output, _Mapping]]] = ..., overdue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Output(_message.Message):
    __slots__ = ("id", "grant_id", "sha256", "c2pa_manifest_id", "state", "creator", "create_time", "update_time", "platform", "removals")
    ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    C2PA_MANIFEST_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    REMOVALS_FIELD_NUMBER: _ClassVar[int]
    id: str
    grant_id: str
    sha256: str
    c2pa_manifest_id: str
    state: OutputState
    creator: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    platform: str
    removals: _containers.RepeatedCompositeFieldContainer[_removal_pb2.Removal]
    def __init__(self, id: _Optional[str] = ..., grant_id: _Optional[str] = ..., sha256: _Optional[str] = ..., c2pa_manifest_id: _Optional[str] = ..., state: _Optional[_Union[OutputState, str]] = ..., creator: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., platform: _Optional[str] = ..., removals: _Optional[_Iterable[_Union[_removal_pb2.Removal, _Mapping]]] = ...) -> None: ...

class CameoEvent(_message.Message):
    __slots__ = ("cursor", "cameo_id", "kind", "event_time", "grant_id", "output_id", "removal_id", "attempt_id", "decision", "credential_id", "session_id")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_ID_FIELD_NUMBER: _ClassVar[int]
    REMOVAL_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    cameo_id: str
    kind: CameoEventKind
    event_time: _timestamp_pb2.Timestamp
    grant_id: str
    output_id: str
    removal_id: str
    attempt_id: str
    decision: _attempt_pb2.ReviewDecision
    credential_id: str
    session_id: str
    def __init__(self, cursor: _Optional[str] = ..., cameo_id: _Optional[str] = ..., kind: _Optional[_Union[CameoEventKind, str]] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., grant_id: _Optional[str] = ..., output_id: _Optional[str] = ..., removal_id: _Optional[str] = ..., attempt_id: _Optional[str] = ..., decision: _Optional[_Union[_attempt_pb2.ReviewDecision, str]] = ..., credential_id: _Optional[str] = ..., session_id: _Optional[str] = ...) -> None: ...
