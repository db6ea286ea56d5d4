import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConsentRecordKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSENT_RECORD_KIND_UNSPECIFIED: _ClassVar[ConsentRecordKind]
    CONSENT_RECORD_KIND_GIVEN: _ClassVar[ConsentRecordKind]
    CONSENT_RECORD_KIND_WIDENED: _ClassVar[ConsentRecordKind]
    CONSENT_RECORD_KIND_APPROVED: _ClassVar[ConsentRecordKind]
    CONSENT_RECORD_KIND_WITHDRAWN: _ClassVar[ConsentRecordKind]
CONSENT_RECORD_KIND_UNSPECIFIED: ConsentRecordKind
CONSENT_RECORD_KIND_GIVEN: ConsentRecordKind
CONSENT_RECORD_KIND_WIDENED: ConsentRecordKind
CONSENT_RECORD_KIND_APPROVED: ConsentRecordKind
CONSENT_RECORD_KIND_WITHDRAWN: ConsentRecordKind

class GetRetentionRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetRetentionResponse(_message.Message):
    __slots__ = ("rules",)
    RULES_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[RetentionRule]
    def __init__(self, rules: _Optional[_Iterable[_Union[RetentionRule, _Mapping]]] = ...) -> None: ...

class RetentionRule(_message.Message):
    __slots__ = ("data", "since", "kept", "until", "setting")
    DATA_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    SETTING_FIELD_NUMBER: _ClassVar[int]
    data: str
    since: str
    kept: _duration_pb2.Duration
    until: str
    setting: str
    def __init__(self, data: _Optional[str] = ..., since: _Optional[str] = ..., kept: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., until: _Optional[str] = ..., setting: _Optional[str] = ...) -> None: ...

class ExportMyDataRequest(_message.Message):
    __slots__ = ("subject",)
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    subject: str
    def __init__(self, subject: _Optional[str] = ...) -> None: ...

class ExportMyDataResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class ListConsentRecordsRequest(_message.Message):
    __slots__ = ("subject", "page_size", "page_token")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    subject: str
    page_size: int
    page_token: str
    def __init__(self, subject: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListConsentRecordsResponse(_message.Message):
    __slots__ = ("records", "next_page_token")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[ConsentRecord]
    next_page_token: str
    def __init__(self, records: _Optional[_Iterable[_Union[ConsentRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ConsentRecord(_message.Message):
    __slots__ = ("id", "cameo_id", "kind", "create_time", "receipt")
    ID_FIELD_NUMBER: _ClassVar[int]
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    id: str
    cameo_id: str
    kind: ConsentRecordKind
    create_time: _timestamp_pb2.Timestamp
    receipt: str
    def __init__(self, id: _Optional[str] = ..., cameo_id: _Optional[str] = ..., kind: _Optional[_Union[ConsentRecordKind, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., receipt: _Optional[str] = ...) -> None: ...
