import datetime

from cameo.v1 import cameo_pb2 as _cameo_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GuardianshipState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GUARDIANSHIP_STATE_UNSPECIFIED: _ClassVar[GuardianshipState]
    GUARDIANSHIP_STATE_AWAITING_GUARDIAN: _ClassVar[GuardianshipState]
    GUARDIANSHIP_STATE_AWAITING_MINOR: _ClassVar[GuardianshipState]
    GUARDIANSHIP_STATE_LINKED: _ClassVar[GuardianshipState]
    GUARDIANSHIP_STATE_ENDED: _ClassVar[GuardianshipState]
GUARDIANSHIP_STATE_UNSPECIFIED: GuardianshipState
GUARDIANSHIP_STATE_AWAITING_GUARDIAN: GuardianshipState
GUARDIANSHIP_STATE_AWAITING_MINOR: GuardianshipState
GUARDIANSHIP_STATE_LINKED: GuardianshipState
GUARDIANSHIP_STATE_ENDED: GuardianshipState

class Guardianship(_message.Message):
    __slots__ = ("guardian", "minor", "state", "guardian_consent", "minor_consent", "create_time", "update_time")
    GUARDIAN_FIELD_NUMBER: _ClassVar[int]
    MINOR_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GUARDIAN_CONSENT_FIELD_NUMBER: _ClassVar[int]
    MINOR_CONSENT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    guardian: str
    minor: str
    state: GuardianshipState
    guardian_consent: _cameo_pb2.Consent
    minor_consent: _cameo_pb2.Consent
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, guardian: _Optional[str] = ..., minor: _Optional[str] = ..., state: _Optional[_Union[GuardianshipState, str]] = ..., guardian_consent: _Optional[_Union[_cameo_pb2.Consent, _Mapping]] = ..., minor_consent: _Optional[_Union[_cameo_pb2.Consent, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
