import datetime

from cameo.v1 import attempt_pb2 as _attempt_pb2
from cameo.v1 import reason_pb2 as _reason_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EvidenceKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVIDENCE_KIND_UNSPECIFIED: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_RECORDING: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_TRACKS: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_RESULT: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_RECEIPT: _ClassVar[EvidenceKind]
    EVIDENCE_KIND_CROPS: _ClassVar[EvidenceKind]

class Truth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRUTH_UNSPECIFIED: _ClassVar[Truth]
    TRUTH_BONA_FIDE: _ClassVar[Truth]
    TRUTH_ATTACK: _ClassVar[Truth]
    TRUTH_UNSURE: _ClassVar[Truth]
EVIDENCE_KIND_UNSPECIFIED: EvidenceKind
EVIDENCE_KIND_RECORDING: EvidenceKind
EVIDENCE_KIND_TRACKS: EvidenceKind
EVIDENCE_KIND_RESULT: EvidenceKind
EVIDENCE_KIND_RECEIPT: EvidenceKind
EVIDENCE_KIND_CROPS: EvidenceKind
TRUTH_UNSPECIFIED: Truth
TRUTH_BONA_FIDE: Truth
TRUTH_ATTACK: Truth
TRUTH_UNSURE: Truth

class ListAttemptsRequest(_message.Message):
    __slots__ = ("filter", "page_size", "page_token")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    filter: str
    page_size: int
    page_token: str
    def __init__(self, filter: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAttemptsResponse(_message.Message):
    __slots__ = ("attempts", "next_page_token")
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    attempts: _containers.RepeatedCompositeFieldContainer[AttemptSummary]
    next_page_token: str
    def __init__(self, attempts: _Optional[_Iterable[_Union[AttemptSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AttemptSummary(_message.Message):
    __slots__ = ("attempt_id", "subject", "verdict", "reasons", "profile", "create_time", "consensus", "decision")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CONSENSUS_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    subject: str
    verdict: _attempt_pb2.Verdict
    reasons: _containers.RepeatedScalarFieldContainer[_reason_pb2.Reason]
    profile: str
    create_time: _timestamp_pb2.Timestamp
    consensus: Consensus
    decision: _attempt_pb2.ReviewDecision
    def __init__(self, attempt_id: _Optional[str] = ..., subject: _Optional[str] = ..., verdict: _Optional[_Union[_attempt_pb2.Verdict, str]] = ..., reasons: _Optional[_Iterable[_Union[_reason_pb2.Reason, str]]] = ..., profile: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., consensus: _Optional[_Union[Consensus, _Mapping]] = ..., decision: _Optional[_Union[_attempt_pb2.ReviewDecision, str]] = ...) -> None: ...

class Consensus(_message.Message):
    __slots__ = ("settled", "disputed")
    SETTLED_FIELD_NUMBER: _ClassVar[int]
    DISPUTED_FIELD_NUMBER: _ClassVar[int]
    settled: Label
    disputed: bool
    def __init__(self, settled: _Optional[_Union[Label, _Mapping]] = ..., disputed: _Optional[bool] = ...) -> None: ...

class ReviewServiceGetAttemptRequest(_message.Message):
    __slots__ = ("attempt_id",)
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    def __init__(self, attempt_id: _Optional[str] = ...) -> None: ...

class ReviewedAttempt(_message.Message):
    __slots__ = ("attempt", "subject", "recording_sha256", "finish_time", "evidence", "labels", "consensus", "audit", "matches", "opinions", "decide_until", "browser_facts", "browser_misfits")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    RECORDING_SHA256_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    CONSENSUS_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    OPINIONS_FIELD_NUMBER: _ClassVar[int]
    DECIDE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    BROWSER_FACTS_FIELD_NUMBER: _ClassVar[int]
    BROWSER_MISFITS_FIELD_NUMBER: _ClassVar[int]
    attempt: _attempt_pb2.Attempt
    subject: str
    recording_sha256: str
    finish_time: _timestamp_pb2.Timestamp
    evidence: _containers.RepeatedCompositeFieldContainer[HeldEvidence]
    labels: _containers.RepeatedCompositeFieldContainer[Label]
    consensus: Consensus
    audit: _containers.RepeatedCompositeFieldContainer[AuditLine]
    matches: _containers.RepeatedCompositeFieldContainer[GalleryMatch]
    opinions: _containers.RepeatedCompositeFieldContainer[Opinion]
    decide_until: _timestamp_pb2.Timestamp
    browser_facts: _containers.RepeatedCompositeFieldContainer[BrowserFact]
    browser_misfits: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, attempt: _Optional[_Union[_attempt_pb2.Attempt, _Mapping]] = ..., subject: _Optional[str] = ..., recording_sha256: _Optional[str] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., evidence: _Optional[_Iterable[_Union[HeldEvidence, _Mapping]]] = ..., labels: _Optional[_Iterable[_Union[Label, _Mapping]]] = ..., consensus: _Optional[_Union[Consensus, _Mapping]] = ..., audit: _Optional[_Iterable[_Union[AuditLine, _Mapping]]] = ..., matches: _Optional[_Iterable[_Union[GalleryMatch, _Mapping]]] = ..., opinions: _Optional[_Iterable[_Union[Opinion, _Mapping]]] = ..., decide_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., browser_facts: _Optional[_Iterable[_Union[BrowserFact, _Mapping]]] = ..., browser_misfits: _Optional[_Iterable[str]] = ...) -> None: ...

class BrowserFact(_message.Message):
    __slots__ = ("name", "value", "doubt")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    DOUBT_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    doubt: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., doubt: _Optional[str] = ...) -> None: ...

class GalleryMatch(_message.Message):
    __slots__ = ("collection", "face_number", "owner", "attempt_id")
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    FACE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    collection: str
    face_number: int
    owner: str
    attempt_id: str
    def __init__(self, collection: _Optional[str] = ..., face_number: _Optional[int] = ..., owner: _Optional[str] = ..., attempt_id: _Optional[str] = ...) -> None: ...

class Opinion(_message.Message):
    __slots__ = ("number", "decision", "reason", "analyst", "create_time")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ANALYST_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    number: int
    decision: _attempt_pb2.ReviewDecision
    reason: str
    analyst: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, number: _Optional[int] = ..., decision: _Optional[_Union[_attempt_pb2.ReviewDecision, str]] = ..., reason: _Optional[str] = ..., analyst: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ApproveAttemptRequest(_message.Message):
    __slots__ = ("attempt_id", "reason", "request_id")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    reason: str
    request_id: str
    def __init__(self, attempt_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeclineAttemptRequest(_message.Message):
    __slots__ = ("attempt_id", "reason", "request_id")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    reason: str
    request_id: str
    def __init__(self, attempt_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class SuspendCameoRequest(_message.Message):
    __slots__ = ("cameo_id", "reason", "request_id")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    reason: str
    request_id: str
    def __init__(self, cameo_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class LiftSuspensionRequest(_message.Message):
    __slots__ = ("cameo_id", "reason", "request_id")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    reason: str
    request_id: str
    def __init__(self, cameo_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class Suspended(_message.Message):
    __slots__ = ("cameo_id", "suspended")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    suspended: bool
    def __init__(self, cameo_id: _Optional[str] = ..., suspended: _Optional[bool] = ...) -> None: ...

class Reviewed(_message.Message):
    __slots__ = ("attempt_id", "decision", "decide_time", "opinions")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    OPINIONS_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    decision: _attempt_pb2.ReviewDecision
    decide_time: _timestamp_pb2.Timestamp
    opinions: _containers.RepeatedCompositeFieldContainer[Opinion]
    def __init__(self, attempt_id: _Optional[str] = ..., decision: _Optional[_Union[_attempt_pb2.ReviewDecision, str]] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., opinions: _Optional[_Iterable[_Union[Opinion, _Mapping]]] = ...) -> None: ...

class HeldEvidence(_message.Message):
    __slots__ = ("kind", "size_bytes", "keep_time", "remove_time", "sha256")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEEP_TIME_FIELD_NUMBER: _ClassVar[int]
    REMOVE_TIME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    kind: EvidenceKind
    size_bytes: int
    keep_time: _timestamp_pb2.Timestamp
    remove_time: _timestamp_pb2.Timestamp
    sha256: str
    def __init__(self, kind: _Optional[_Union[EvidenceKind, str]] = ..., size_bytes: _Optional[int] = ..., keep_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., remove_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sha256: _Optional[str] = ...) -> None: ...

class AuditLine(_message.Message):
    __slots__ = ("number", "time", "who", "action", "what", "why")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    number: int
    time: _timestamp_pb2.Timestamp
    who: str
    action: str
    what: str
    why: str
    def __init__(self, number: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., who: _Optional[str] = ..., action: _Optional[str] = ..., what: _Optional[str] = ..., why: _Optional[str] = ...) -> None: ...

class GetEvidenceRequest(_message.Message):
    __slots__ = ("attempt_id", "kind", "why")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    kind: EvidenceKind
    why: str
    def __init__(self, attempt_id: _Optional[str] = ..., kind: _Optional[_Union[EvidenceKind, str]] = ..., why: _Optional[str] = ...) -> None: ...

class GetEvidenceResponse(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: EvidenceHeader
    chunk: bytes
    def __init__(self, header: _Optional[_Union[EvidenceHeader, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class EvidenceHeader(_message.Message):
    __slots__ = ("kind", "size_bytes", "sha256")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    kind: EvidenceKind
    size_bytes: int
    sha256: str
    def __init__(self, kind: _Optional[_Union[EvidenceKind, str]] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class ProfileChoice(_message.Message):
    __slots__ = ("name", "inline")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INLINE_FIELD_NUMBER: _ClassVar[int]
    name: str
    inline: str
    def __init__(self, name: _Optional[str] = ..., inline: _Optional[str] = ...) -> None: ...

class ReplayAttemptRequest(_message.Message):
    __slots__ = ("attempt_id", "profile", "why", "source")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    profile: ProfileChoice
    why: str
    source: EvidenceKind
    def __init__(self, attempt_id: _Optional[str] = ..., profile: _Optional[_Union[ProfileChoice, _Mapping]] = ..., why: _Optional[str] = ..., source: _Optional[_Union[EvidenceKind, str]] = ...) -> None: ...

class ReplayAttemptResponse(_message.Message):
    __slots__ = ("attempt_id", "before", "after", "checks", "flipped_by", "changed_digests", "reproduced", "source")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    FLIPPED_BY_FIELD_NUMBER: _ClassVar[int]
    CHANGED_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    REPRODUCED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    before: Answer
    after: Answer
    checks: _containers.RepeatedCompositeFieldContainer[CheckChange]
    flipped_by: _containers.RepeatedScalarFieldContainer[str]
    changed_digests: _containers.RepeatedScalarFieldContainer[str]
    reproduced: bool
    source: EvidenceKind
    def __init__(self, attempt_id: _Optional[str] = ..., before: _Optional[_Union[Answer, _Mapping]] = ..., after: _Optional[_Union[Answer, _Mapping]] = ..., checks: _Optional[_Iterable[_Union[CheckChange, _Mapping]]] = ..., flipped_by: _Optional[_Iterable[str]] = ..., changed_digests: _Optional[_Iterable[str]] = ..., reproduced: _Optional[bool] = ..., source: _Optional[_Union[EvidenceKind, str]] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("verdict", "reasons", "profile", "digests")
    class DigestsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    verdict: _attempt_pb2.Verdict
    reasons: _containers.RepeatedScalarFieldContainer[_reason_pb2.Reason]
    profile: str
    digests: _containers.ScalarMap[str, str]
    def __init__(self, verdict: _Optional[_Union[_attempt_pb2.Verdict, str]] = ..., reasons: _Optional[_Iterable[_Union[_reason_pb2.Reason, str]]] = ..., profile: _Optional[str] = ..., digests: _Optional[_Mapping[str, str]] = ...) -> None: ...

class CheckChange(_message.Message):
    __slots__ = ("before", "after", "changed")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    before: _attempt_pb2.Check
    after: _attempt_pb2.Check
    changed: bool
    def __init__(self, before: _Optional[_Union[_attempt_pb2.Check, _Mapping]] = ..., after: _Optional[_Union[_attempt_pb2.Check, _Mapping]] = ..., changed: _Optional[bool] = ...) -> None: ...

class Label(_message.Message):
    __slots__ = ("attempt_id", "number", "truth", "species", "note", "analyst", "create_time", "withdraw_time")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TRUTH_FIELD_NUMBER: _ClassVar[int]
    SPECIES_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    ANALYST_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    WITHDRAW_TIME_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    number: int
    truth: Truth
    species: str
    note: str
    analyst: str
    create_time: _timestamp_pb2.Timestamp
    withdraw_time: _timestamp_pb2.Timestamp
    def __init__(self, attempt_id: _Optional[str] = ..., number: _Optional[int] = ..., truth: _Optional[_Union[Truth, str]] = ..., species: _Optional[str] = ..., note: _Optional[str] = ..., analyst: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., withdraw_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WithdrawLabelRequest(_message.Message):
    __slots__ = ("attempt_id", "number")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    number: int
    def __init__(self, attempt_id: _Optional[str] = ..., number: _Optional[int] = ...) -> None: ...

class LabelAttemptRequest(_message.Message):
    __slots__ = ("attempt_id", "truth", "species", "note", "request_id")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    TRUTH_FIELD_NUMBER: _ClassVar[int]
    SPECIES_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    truth: Truth
    species: str
    note: str
    request_id: str
    def __init__(self, attempt_id: _Optional[str] = ..., truth: _Optional[_Union[Truth, str]] = ..., species: _Optional[str] = ..., note: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CompareProfilesRequest(_message.Message):
    __slots__ = ("filter", "profile", "why", "baseline")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    filter: str
    profile: ProfileChoice
    why: str
    baseline: ProfileChoice
    def __init__(self, filter: _Optional[str] = ..., profile: _Optional[_Union[ProfileChoice, _Mapping]] = ..., why: _Optional[str] = ..., baseline: _Optional[_Union[ProfileChoice, _Mapping]] = ...) -> None: ...

class CompareProfilesResponse(_message.Message):
    __slots__ = ("progress", "difference", "attempts")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    progress: ComparisonProgress
    difference: Difference
    attempts: ComparedAttempts
    def __init__(self, progress: _Optional[_Union[ComparisonProgress, _Mapping]] = ..., difference: _Optional[_Union[Difference, _Mapping]] = ..., attempts: _Optional[_Union[ComparedAttempts, _Mapping]] = ...) -> None: ...

class ComparisonProgress(_message.Message):
    __slots__ = ("done", "total", "elapsed")
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    done: int
    total: int
    elapsed: _duration_pb2.Duration
    def __init__(self, done: _Optional[int] = ..., total: _Optional[int] = ..., elapsed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Difference(_message.Message):
    __slots__ = ("profile", "profile_digest", "replayed", "reproduced", "not_replayed", "disputed", "changed_digests", "flips", "apcer", "bpcer", "bona_fide_retries", "confidence", "rates_of", "unaccepted", "let_in")
    class ChangedDigestsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    REPRODUCED_FIELD_NUMBER: _ClassVar[int]
    NOT_REPLAYED_FIELD_NUMBER: _ClassVar[int]
    DISPUTED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    FLIPS_FIELD_NUMBER: _ClassVar[int]
    APCER_FIELD_NUMBER: _ClassVar[int]
    BPCER_FIELD_NUMBER: _ClassVar[int]
    BONA_FIDE_RETRIES_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    RATES_OF_FIELD_NUMBER: _ClassVar[int]
    UNACCEPTED_FIELD_NUMBER: _ClassVar[int]
    LET_IN_FIELD_NUMBER: _ClassVar[int]
    profile: str
    profile_digest: str
    replayed: int
    reproduced: int
    not_replayed: int
    disputed: int
    changed_digests: _containers.ScalarMap[str, int]
    flips: _containers.RepeatedCompositeFieldContainer[Flip]
    apcer: _containers.RepeatedCompositeFieldContainer[RateChange]
    bpcer: RateChange
    bona_fide_retries: RateChange
    confidence: float
    rates_of: _containers.RepeatedCompositeFieldContainer[RateOf]
    unaccepted: Rate
    let_in: Rate
    def __init__(self, profile: _Optional[str] = ..., profile_digest: _Optional[str] = ..., replayed: _Optional[int] = ..., reproduced: _Optional[int] = ..., not_replayed: _Optional[int] = ..., disputed: _Optional[int] = ..., changed_digests: _Optional[_Mapping[str, int]] = ..., flips: _Optional[_Iterable[_Union[Flip, _Mapping]]] = ..., apcer: _Optional[_Iterable[_Union[RateChange, _Mapping]]] = ..., bpcer: _Optional[_Union[RateChange, _Mapping]] = ..., bona_fide_retries: _Optional[_Union[RateChange, _Mapping]] = ..., confidence: _Optional[float] = ..., rates_of: _Optional[_Iterable[_Union[RateOf, _Mapping]]] = ..., unaccepted: _Optional[_Union[Rate, _Mapping]] = ..., let_in: _Optional[_Union[Rate, _Mapping]] = ...) -> None: ...

class RateOf(_message.Message):
    __slots__ = ("name", "verdict", "kept", "labelled")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    LABELLED_FIELD_NUMBER: _ClassVar[int]
    name: str
    verdict: _attempt_pb2.Verdict
    kept: int
    labelled: int
    def __init__(self, name: _Optional[str] = ..., verdict: _Optional[_Union[_attempt_pb2.Verdict, str]] = ..., kept: _Optional[int] = ..., labelled: _Optional[int] = ...) -> None: ...

class Flip(_message.Message):
    __slots__ = ("before", "after", "checks", "count")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    before: _attempt_pb2.Verdict
    after: _attempt_pb2.Verdict
    checks: _containers.RepeatedScalarFieldContainer[str]
    count: int
    def __init__(self, before: _Optional[_Union[_attempt_pb2.Verdict, str]] = ..., after: _Optional[_Union[_attempt_pb2.Verdict, str]] = ..., checks: _Optional[_Iterable[str]] = ..., count: _Optional[int] = ...) -> None: ...

class RateChange(_message.Message):
    __slots__ = ("name", "before", "after", "gained", "lost")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    GAINED_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    name: str
    before: Rate
    after: Rate
    gained: Rate
    lost: Rate
    def __init__(self, name: _Optional[str] = ..., before: _Optional[_Union[Rate, _Mapping]] = ..., after: _Optional[_Union[Rate, _Mapping]] = ..., gained: _Optional[_Union[Rate, _Mapping]] = ..., lost: _Optional[_Union[Rate, _Mapping]] = ...) -> None: ...

class Rate(_message.Message):
    __slots__ = ("count", "trials", "low", "high")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    count: int
    trials: int
    low: float
    high: float
    def __init__(self, count: _Optional[int] = ..., trials: _Optional[int] = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class ComparedAttempts(_message.Message):
    __slots__ = ("attempts",)
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    attempts: _containers.RepeatedCompositeFieldContainer[ComparedAttempt]
    def __init__(self, attempts: _Optional[_Iterable[_Union[ComparedAttempt, _Mapping]]] = ...) -> None: ...

class ComparedAttempt(_message.Message):
    __slots__ = ("attempt_id", "label", "before", "after", "flipped_by", "why_not")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    FLIPPED_BY_FIELD_NUMBER: _ClassVar[int]
    WHY_NOT_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    label: str
    before: _attempt_pb2.Verdict
    after: _attempt_pb2.Verdict
    flipped_by: _containers.RepeatedScalarFieldContainer[str]
    why_not: str
    def __init__(self, attempt_id: _Optional[str] = ..., label: _Optional[str] = ..., before: _Optional[_Union[_attempt_pb2.Verdict, str]] = ..., after: _Optional[_Union[_attempt_pb2.Verdict, str]] = ..., flipped_by: _Optional[_Iterable[str]] = ..., why_not: _Optional[str] = ...) -> None: ...
