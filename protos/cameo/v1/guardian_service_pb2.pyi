from cameo.v1 import cameo_pb2 as _cameo_pb2
from cameo.v1 import guardian_pb2 as _guardian_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LinkGuardianRequest(_message.Message):
    __slots__ = ("guardian", "minor", "consent")
    GUARDIAN_FIELD_NUMBER: _ClassVar[int]
    MINOR_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    guardian: str
    minor: str
    consent: _cameo_pb2.Consent
    def __init__(self, guardian: _Optional[str] = ..., minor: _Optional[str] = ..., consent: _Optional[_Union[_cameo_pb2.Consent, _Mapping]] = ...) -> None: ...

class UnlinkGuardianRequest(_message.Message):
    __slots__ = ("guardian", "minor")
    GUARDIAN_FIELD_NUMBER: _ClassVar[int]
    MINOR_FIELD_NUMBER: _ClassVar[int]
    guardian: str
    minor: str
    def __init__(self, guardian: _Optional[str] = ..., minor: _Optional[str] = ...) -> None: ...

class ListGuardianshipsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListGuardianshipsResponse(_message.Message):
    __slots__ = ("guardianships", "next_page_token")
    GUARDIANSHIPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    guardianships: _containers.RepeatedCompositeFieldContainer[_guardian_pb2.Guardianship]
    next_page_token: str
    def __init__(self, guardianships: _Optional[_Iterable[_Union[_guardian_pb2.Guardianship, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListMinorCameosRequest(_message.Message):
    __slots__ = ("minor", "page_size", "page_token")
    MINOR_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    minor: str
    page_size: int
    page_token: str
    def __init__(self, minor: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMinorCameosResponse(_message.Message):
    __slots__ = ("cameos", "next_page_token")
    CAMEOS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    cameos: _containers.RepeatedCompositeFieldContainer[_cameo_pb2.Cameo]
    next_page_token: str
    def __init__(self, cameos: _Optional[_Iterable[_Union[_cameo_pb2.Cameo, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ApproveChangeRequest(_message.Message):
    __slots__ = ("cameo_id", "number")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    number: int
    def __init__(self, cameo_id: _Optional[str] = ..., number: _Optional[int] = ...) -> None: ...

class RefuseChangeRequest(_message.Message):
    __slots__ = ("cameo_id", "number")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    number: int
    def __init__(self, cameo_id: _Optional[str] = ..., number: _Optional[int] = ...) -> None: ...

class NarrowCameoRequest(_message.Message):
    __slots__ = ("cameo", "update_mask")
    CAMEO_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    cameo: _cameo_pb2.Cameo
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, cameo: _Optional[_Union[_cameo_pb2.Cameo, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class PauseMinorCameoRequest(_message.Message):
    __slots__ = ("cameo_id", "reason")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    reason: str
    def __init__(self, cameo_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ResumeMinorCameoRequest(_message.Message):
    __slots__ = ("cameo_id",)
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    def __init__(self, cameo_id: _Optional[str] = ...) -> None: ...

class ListMinorUsesRequest(_message.Message):
    __slots__ = ("cameo_id", "page_size", "page_token")
    CAMEO_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    cameo_id: str
    page_size: int
    page_token: str
    def __init__(self, cameo_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListMinorUsesResponse(_message.Message):
    __slots__ = ("uses", "next_page_token")
    USES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    uses: _containers.RepeatedCompositeFieldContainer[_cameo_pb2.Use]
    next_page_token: str
    def __init__(self, uses: _Optional[_Iterable[_Union[_cameo_pb2.Use, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
