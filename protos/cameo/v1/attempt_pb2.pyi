import datetime

from cameo.v1 import challenge_pb2 as _challenge_pb2
from cameo.v1 import reason_pb2 as _reason_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CaptureAssurance(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CAPTURE_ASSURANCE_UNSPECIFIED: _ClassVar[CaptureAssurance]
    CAPTURE_ASSURANCE_NONE: _ClassVar[CaptureAssurance]
    CAPTURE_ASSURANCE_TELEMETRY: _ClassVar[CaptureAssurance]
    CAPTURE_ASSURANCE_SESSION_SIGNED: _ClassVar[CaptureAssurance]
    CAPTURE_ASSURANCE_APP_ATTESTED: _ClassVar[CaptureAssurance]
    CAPTURE_ASSURANCE_CAMERA_SIGNED: _ClassVar[CaptureAssurance]

class ReviewDecision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVIEW_DECISION_UNSPECIFIED: _ClassVar[ReviewDecision]
    REVIEW_DECISION_APPROVED: _ClassVar[ReviewDecision]
    REVIEW_DECISION_DECLINED: _ClassVar[ReviewDecision]

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_ACCEPTED: _ClassVar[Verdict]
    VERDICT_REJECTED: _ClassVar[Verdict]
    VERDICT_RETRY: _ClassVar[Verdict]
    VERDICT_REVIEW: _ClassVar[Verdict]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_PASS: _ClassVar[Outcome]
    OUTCOME_FAIL: _ClassVar[Outcome]
    OUTCOME_UNABLE: _ClassVar[Outcome]

class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTION_UNSPECIFIED: _ClassVar[Direction]
    DIRECTION_AT_LEAST: _ClassVar[Direction]
    DIRECTION_AT_MOST: _ClassVar[Direction]

class AttemptView(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTEMPT_VIEW_UNSPECIFIED: _ClassVar[AttemptView]
    ATTEMPT_VIEW_BASIC: _ClassVar[AttemptView]
    ATTEMPT_VIEW_FULL: _ClassVar[AttemptView]
CAPTURE_ASSURANCE_UNSPECIFIED: CaptureAssurance
CAPTURE_ASSURANCE_NONE: CaptureAssurance
CAPTURE_ASSURANCE_TELEMETRY: CaptureAssurance
CAPTURE_ASSURANCE_SESSION_SIGNED: CaptureAssurance
CAPTURE_ASSURANCE_APP_ATTESTED: CaptureAssurance
CAPTURE_ASSURANCE_CAMERA_SIGNED: CaptureAssurance
REVIEW_DECISION_UNSPECIFIED: ReviewDecision
REVIEW_DECISION_APPROVED: ReviewDecision
REVIEW_DECISION_DECLINED: ReviewDecision
VERDICT_UNSPECIFIED: Verdict
VERDICT_ACCEPTED: Verdict
VERDICT_REJECTED: Verdict
VERDICT_RETRY: Verdict
VERDICT_REVIEW: Verdict
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_PASS: Outcome
OUTCOME_FAIL: Outcome
OUTCOME_UNABLE: Outcome
DIRECTION_UNSPECIFIED: Direction
DIRECTION_AT_LEAST: Direction
DIRECTION_AT_MOST: Direction
ATTEMPT_VIEW_UNSPECIFIED: AttemptView
ATTEMPT_VIEW_BASIC: AttemptView
ATTEMPT_VIEW_FULL: AttemptView

class Attempt(_message.Message):
    __slots__ = ("id", "challenge_id", "audience", "verdict", "reasons", "hint", "create_time", "checks", "profile", "digests", "timings_ms", "minor_safeguards", "decision", "decide_time", "path", "capture")
    class DigestsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class TimingsMsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_ID_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    DIGESTS_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_MS_FIELD_NUMBER: _ClassVar[int]
    MINOR_SAFEGUARDS_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_FIELD_NUMBER: _ClassVar[int]
    id: str
    challenge_id: str
    audience: str
    verdict: Verdict
    reasons: _containers.RepeatedScalarFieldContainer[_reason_pb2.Reason]
    hint: str
    create_time: _timestamp_pb2.Timestamp
    checks: _containers.RepeatedCompositeFieldContainer[Check]
    profile: str
    digests: _containers.ScalarMap[str, str]
    timings_ms: _containers.ScalarMap[str, float]
    minor_safeguards: bool
    decision: ReviewDecision
    decide_time: _timestamp_pb2.Timestamp
    path: _challenge_pb2.AnswerPath
    capture: CaptureAssurance
    def __init__(self, id: _Optional[str] = ..., challenge_id: _Optional[str] = ..., audience: _Optional[str] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., reasons: _Optional[_Iterable[_Union[_reason_pb2.Reason, str]]] = ..., hint: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., checks: _Optional[_Iterable[_Union[Check, _Mapping]]] = ..., profile: _Optional[str] = ..., digests: _Optional[_Mapping[str, str]] = ..., timings_ms: _Optional[_Mapping[str, float]] = ..., minor_safeguards: _Optional[bool] = ..., decision: _Optional[_Union[ReviewDecision, str]] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., path: _Optional[_Union[_challenge_pb2.AnswerPath, str]] = ..., capture: _Optional[_Union[CaptureAssurance, str]] = ...) -> None: ...

class Check(_message.Message):
    __slots__ = ("name", "outcome", "score", "unit", "threshold", "direction", "reason", "detail")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    outcome: Outcome
    score: float
    unit: str
    threshold: float
    direction: Direction
    reason: _reason_pb2.Reason
    detail: str
    def __init__(self, name: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., score: _Optional[float] = ..., unit: _Optional[str] = ..., threshold: _Optional[float] = ..., direction: _Optional[_Union[Direction, str]] = ..., reason: _Optional[_Union[_reason_pb2.Reason, str]] = ..., detail: _Optional[str] = ...) -> None: ...
