import datetime

from cameo.v1 import cameo_pb2 as _cameo_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RevocationMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVOCATION_MODE_UNSPECIFIED: _ClassVar[RevocationMode]
    REVOCATION_MODE_PAUSE: _ClassVar[RevocationMode]
    REVOCATION_MODE_FOR_GOOD: _ClassVar[RevocationMode]
REVOCATION_MODE_UNSPECIFIED: RevocationMode
REVOCATION_MODE_PAUSE: RevocationMode
REVOCATION_MODE_FOR_GOOD: RevocationMode

class CreateCameoRequest(_message.Message):
    __slots__ = ("attempt_id", "consent", "request_id")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    consent: _cameo_pb2.Consent
    request_id: str
    def __init__(self, attempt_id: _Optional[str] = ..., consent: _Optional[_Union[_cameo_pb2.Consent, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetCameoRequest(_message.Message):
    __slots__ = ("cameo_id",)
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    def __init__(self, cameo_id: _Optional[str] = ...) -> None: ...

class ListCameosRequest(_message.Message):
    __slots__ = ("subject", "page_size", "page_token")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    subject: str
    page_size: int
    page_token: str
    def __init__(self, subject: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCameosResponse(_message.Message):
    __slots__ = ("cameos", "next_page_token")
    CAMEOS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    cameos: _containers.RepeatedCompositeFieldContainer[_cameo_pb2.Cameo]
    next_page_token: str
    def __init__(self, cameos: _Optional[_Iterable[_Union[_cameo_pb2.Cameo, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateCameoRequest(_message.Message):
    __slots__ = ("cameo", "update_mask")
    CAMEO_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    cameo: _cameo_pb2.Cameo
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, cameo: _Optional[_Union[_cameo_pb2.Cameo, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class CheckPermissionRequest(_message.Message):
    __slots__ = ("cameo_id", "requester", "requester_token", "purposes")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PURPOSES_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    requester: str
    requester_token: str
    purposes: _containers.RepeatedScalarFieldContainer[_cameo_pb2.UseCategory]
    def __init__(self, cameo_id: _Optional[str] = ..., requester: _Optional[str] = ..., requester_token: _Optional[str] = ..., purposes: _Optional[_Iterable[_Union[_cameo_pb2.UseCategory, str]]] = ...) -> None: ...

class CheckPermissionResponse(_message.Message):
    __slots__ = ("allowed", "answer", "cache_until")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    CACHE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    allowed: bool
    answer: _cameo_pb2.PermissionAnswer
    cache_until: _timestamp_pb2.Timestamp
    def __init__(self, allowed: _Optional[bool] = ..., answer: _Optional[_Union[_cameo_pb2.PermissionAnswer, str]] = ..., cache_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AuthorizeUseRequest(_message.Message):
    __slots__ = ("cameo_ids", "requester_token", "job_id", "purposes", "request_id")
    CAMEO_IDS_FIELD_NUMBER: _ClassVar[int]
    REQUESTER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    PURPOSES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    cameo_ids: _containers.RepeatedScalarFieldContainer[str]
    requester_token: str
    job_id: str
    purposes: _containers.RepeatedScalarFieldContainer[_cameo_pb2.UseCategory]
    request_id: str
    def __init__(self, cameo_ids: _Optional[_Iterable[str]] = ..., requester_token: _Optional[str] = ..., job_id: _Optional[str] = ..., purposes: _Optional[_Iterable[_Union[_cameo_pb2.UseCategory, str]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class AuthorizeUseResponse(_message.Message):
    __slots__ = ("grant_id", "token", "expire_time", "terms")
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    token: str
    expire_time: _timestamp_pb2.Timestamp
    terms: _containers.RepeatedCompositeFieldContainer[UseTerms]
    def __init__(self, grant_id: _Optional[str] = ..., token: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., terms: _Optional[_Iterable[_Union[UseTerms, _Mapping]]] = ...) -> None: ...

class UseTerms(_message.Message):
    __slots__ = ("cameo_id", "restrictions", "appearance_notes", "voice_notes", "minor_safeguards")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    RESTRICTIONS_FIELD_NUMBER: _ClassVar[int]
    APPEARANCE_NOTES_FIELD_NUMBER: _ClassVar[int]
    VOICE_NOTES_FIELD_NUMBER: _ClassVar[int]
    MINOR_SAFEGUARDS_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    restrictions: _cameo_pb2.Restrictions
    appearance_notes: str
    voice_notes: str
    minor_safeguards: bool
    def __init__(self, cameo_id: _Optional[str] = ..., restrictions: _Optional[_Union[_cameo_pb2.Restrictions, _Mapping]] = ..., appearance_notes: _Optional[str] = ..., voice_notes: _Optional[str] = ..., minor_safeguards: _Optional[bool] = ...) -> None: ...

class SpendGrantRequest(_message.Message):
    __slots__ = ("token", "request_id")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    token: str
    request_id: str
    def __init__(self, token: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class SpendGrantResponse(_message.Message):
    __slots__ = ("grant_id", "spend_time", "terms", "likenesses")
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    SPEND_TIME_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    LIKENESSES_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    spend_time: _timestamp_pb2.Timestamp
    terms: _containers.RepeatedCompositeFieldContainer[UseTerms]
    likenesses: _containers.RepeatedCompositeFieldContainer[DeliveredLikeness]
    def __init__(self, grant_id: _Optional[str] = ..., spend_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., terms: _Optional[_Iterable[_Union[UseTerms, _Mapping]]] = ..., likenesses: _Optional[_Iterable[_Union[DeliveredLikeness, _Mapping]]] = ...) -> None: ...

class DeliveredLikeness(_message.Message):
    __slots__ = ("cameo_id", "token", "objects")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    OBJECTS_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    token: str
    objects: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, cameo_id: _Optional[str] = ..., token: _Optional[str] = ..., objects: _Optional[_Iterable[bytes]] = ...) -> None: ...

class RecordOutputRequest(_message.Message):
    __slots__ = ("grant_id", "output")
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    output: _cameo_pb2.Output
    def __init__(self, grant_id: _Optional[str] = ..., output: _Optional[_Union[_cameo_pb2.Output, _Mapping]] = ...) -> None: ...

class ListUsesRequest(_message.Message):
    __slots__ = ("cameo_id", "page_size", "page_token")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    page_size: int
    page_token: str
    def __init__(self, cameo_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListUsesResponse(_message.Message):
    __slots__ = ("uses", "next_page_token")
    USES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    uses: _containers.RepeatedCompositeFieldContainer[_cameo_pb2.Use]
    next_page_token: str
    def __init__(self, uses: _Optional[_Iterable[_Union[_cameo_pb2.Use, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RevokeCameoRequest(_message.Message):
    __slots__ = ("cameo_id", "mode", "reason")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    mode: RevocationMode
    reason: str
    def __init__(self, cameo_id: _Optional[str] = ..., mode: _Optional[_Union[RevocationMode, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class ResumeCameoRequest(_message.Message):
    __slots__ = ("cameo_id",)
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    def __init__(self, cameo_id: _Optional[str] = ...) -> None: ...

class DeleteCameoRequest(_message.Message):
    __slots__ = ("cameo_id",)
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    def __init__(self, cameo_id: _Optional[str] = ...) -> None: ...

class WatchCameoEventsRequest(_message.Message):
    __slots__ = ("cursor",)
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    cursor: str
    def __init__(self, cursor: _Optional[str] = ...) -> None: ...
