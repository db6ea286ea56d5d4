import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RemovalHolder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMOVAL_HOLDER_UNSPECIFIED: _ClassVar[RemovalHolder]
    REMOVAL_HOLDER_PLATFORM: _ClassVar[RemovalHolder]
    REMOVAL_HOLDER_GENERATOR: _ClassVar[RemovalHolder]

class RemovalState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMOVAL_STATE_UNSPECIFIED: _ClassVar[RemovalState]
    REMOVAL_STATE_REQUESTED: _ClassVar[RemovalState]
    REMOVAL_STATE_DELIVERED: _ClassVar[RemovalState]
    REMOVAL_STATE_ACKNOWLEDGED: _ClassVar[RemovalState]
    REMOVAL_STATE_DONE: _ClassVar[RemovalState]
    REMOVAL_STATE_REFUSED: _ClassVar[RemovalState]
REMOVAL_HOLDER_UNSPECIFIED: RemovalHolder
REMOVAL_HOLDER_PLATFORM: RemovalHolder
REMOVAL_HOLDER_GENERATOR: RemovalHolder
REMOVAL_STATE_UNSPECIFIED: RemovalState
REMOVAL_STATE_REQUESTED: RemovalState
REMOVAL_STATE_DELIVERED: RemovalState
REMOVAL_STATE_ACKNOWLEDGED: RemovalState
REMOVAL_STATE_DONE: RemovalState
REMOVAL_STATE_REFUSED: RemovalState

class Removal(_message.Message):
    __slots__ = ("id", "cameo_id", "output_id", "grant_id", "sha256", "c2pa_manifest_id", "holder_kind", "holder", "state", "reason", "answer_reason", "request_time", "due_time", "deliver_time", "acknowledge_time", "finish_time", "overdue")
    ID_FIELD_NUMBER: _ClassVar[int]
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    C2PA_MANIFEST_ID_FIELD_NUMBER: _ClassVar[int]
    HOLDER_KIND_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ANSWER_REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_TIME_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELIVER_TIME_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGE_TIME_FIELD_NUMBER: _ClassVar[int]
    FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    id: str
    cameo_id: str
    output_id: str
    grant_id: str
    sha256: str
    c2pa_manifest_id: str
    holder_kind: RemovalHolder
    holder: str
    state: RemovalState
    reason: str
    answer_reason: str
    request_time: _timestamp_pb2.Timestamp
    due_time: _timestamp_pb2.Timestamp
    deliver_time: _timestamp_pb2.Timestamp
    acknowledge_time: _timestamp_pb2.Timestamp
    finish_time: _timestamp_pb2.Timestamp
    overdue: bool
    def __init__(self, id: _Optional[str] = ..., cameo_id: _Optional[str] = ..., output_id: _Optional[str] = ..., grant_id: _Optional[str] = ..., sha256: _Optional[str] = ..., c2pa_manifest_id: _Optional[str] = ..., holder_kind: _Optional[_Union[RemovalHolder, str]] = ..., holder: _Optional[str] = ..., state: _Optional[_Union[RemovalState, str]] = ..., reason: _Optional[str] = ..., answer_reason: _Optional[str] = ..., request_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deliver_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledge_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., overdue: _Optional[bool] = ...) -> None: ...
