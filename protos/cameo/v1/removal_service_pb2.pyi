from cameo.v1 import removal_pb2 as _removal_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RemovalAnswer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REMOVAL_ANSWER_UNSPECIFIED: _ClassVar[RemovalAnswer]
    REMOVAL_ANSWER_WILL_REMOVE: _ClassVar[RemovalAnswer]
    REMOVAL_ANSWER_REMOVED: _ClassVar[RemovalAnswer]
    REMOVAL_ANSWER_REFUSES: _ClassVar[RemovalAnswer]
REMOVAL_ANSWER_UNSPECIFIED: RemovalAnswer
REMOVAL_ANSWER_WILL_REMOVE: RemovalAnswer
REMOVAL_ANSWER_REMOVED: RemovalAnswer
REMOVAL_ANSWER_REFUSES: RemovalAnswer

class RequestRemovalRequest(_message.Message):
    __slots__ = ("cameo_id", "output_id", "all_outputs", "reason", "request_id")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_ID_FIELD_NUMBER: _ClassVar[int]
    ALL_OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    output_id: str
    all_outputs: bool
    reason: str
    request_id: str
    def __init__(self, cameo_id: _Optional[str] = ..., output_id: _Optional[str] = ..., all_outputs: _Optional[bool] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RequestRemovalResponse(_message.Message):
    __slots__ = ("removals", "next_page_token")
    REMOVALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    removals: _containers.RepeatedCompositeFieldContainer[_removal_pb2.Removal]
    next_page_token: str
    def __init__(self, removals: _Optional[_Iterable[_Union[_removal_pb2.Removal, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListRemovalsRequest(_message.Message):
    __slots__ = ("cameo_id", "output_id", "page_size", "page_token")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    output_id: str
    page_size: int
    page_token: str
    def __init__(self, cameo_id: _Optional[str] = ..., output_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRemovalsResponse(_message.Message):
    __slots__ = ("removals", "next_page_token")
    REMOVALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    removals: _containers.RepeatedCompositeFieldContainer[_removal_pb2.Removal]
    next_page_token: str
    def __init__(self, removals: _Optional[_Iterable[_Union[_removal_pb2.Removal, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListPendingRemovalsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPendingRemovalsResponse(_message.Message):
    __slots__ = ("removals", "next_page_token")
    REMOVALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    removals: _containers.RepeatedCompositeFieldContainer[_removal_pb2.Removal]
    next_page_token: str
    def __init__(self, removals: _Optional[_Iterable[_Union[_removal_pb2.Removal, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AcknowledgeRemovalRequest(_message.Message):
    __slots__ = ("removal_id", "answer", "reason")
    REMOVAL_ID_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    removal_id: str
    answer: RemovalAnswer
    reason: str
    def __init__(self, removal_id: _Optional[str] = ..., answer: _Optional[_Union[RemovalAnswer, str]] = ..., reason: _Optional[str] = ...) -> None: ...
