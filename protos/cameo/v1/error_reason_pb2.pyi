from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    CONFIG_MISSING: _ClassVar[ErrorReason]
    CONFIG_REPEATED: _ClassVar[ErrorReason]
    MESSAGE_EMPTY: _ClassVar[ErrorReason]
    RECORDING_EMPTY: _ClassVar[ErrorReason]
    REQUEST_ID_INVALID: _ClassVar[ErrorReason]
    SUBJECT_INVALID: _ClassVar[ErrorReason]
    VIEW_INVALID: _ClassVar[ErrorReason]
    REQUEST_ID_REUSED: _ClassVar[ErrorReason]
    REQUEST_IN_PROGRESS: _ClassVar[ErrorReason]
    AUDIENCE_UNKNOWN: _ClassVar[ErrorReason]
    ATTEMPT_UNKNOWN: _ClassVar[ErrorReason]
    SCORES_NOT_EXPOSED: _ClassVar[ErrorReason]
    DEADLINE_TOO_SHORT: _ClassVar[ErrorReason]
    UPLOAD_TOO_SLOW: _ClassVar[ErrorReason]
    CALLER_GONE: _ClassVar[ErrorReason]
    OVERLOADED: _ClassVar[ErrorReason]
    SERVER_STOPPING: _ClassVar[ErrorReason]
    STORE_UNAVAILABLE: _ClassVar[ErrorReason]
    JUDGING_INTERRUPTED: _ClassVar[ErrorReason]
    SERVER_FAULT: _ClassVar[ErrorReason]
    CALLER_TOKEN_MISSING: _ClassVar[ErrorReason]
    CALLER_TOKEN_REFUSED: _ClassVar[ErrorReason]
    CALLER_NOT_ALLOWED: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
CONFIG_MISSING: ErrorReason
CONFIG_REPEATED: ErrorReason
MESSAGE_EMPTY: ErrorReason
RECORDING_EMPTY: ErrorReason
REQUEST_ID_INVALID: ErrorReason
SUBJECT_INVALID: ErrorReason
VIEW_INVALID: ErrorReason
REQUEST_ID_REUSED: ErrorReason
REQUEST_IN_PROGRESS: ErrorReason
AUDIENCE_UNKNOWN: ErrorReason
ATTEMPT_UNKNOWN: ErrorReason
SCORES_NOT_EXPOSED: ErrorReason
DEADLINE_TOO_SHORT: ErrorReason
UPLOAD_TOO_SLOW: ErrorReason
CALLER_GONE: ErrorReason
OVERLOADED: ErrorReason
SERVER_STOPPING: ErrorReason
STORE_UNAVAILABLE: ErrorReason
JUDGING_INTERRUPTED: ErrorReason
SERVER_FAULT: ErrorReason
CALLER_TOKEN_MISSING: ErrorReason
CALLER_TOKEN_REFUSED: ErrorReason
CALLER_NOT_ALLOWED: ErrorReason
