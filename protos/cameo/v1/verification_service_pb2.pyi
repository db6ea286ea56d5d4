from cameo.v1 import attempt_pb2 as _attempt_pb2
from cameo.v1 import cameo_pb2 as _cameo_pb2
from cameo.v1 import credential_pb2 as _credential_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VerifyResponseRequest(_message.Message):
    __slots__ = ("config", "chunk")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    config: VerifyResponseConfig
    chunk: bytes
    def __init__(self, config: _Optional[_Union[VerifyResponseConfig, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class VerifyResponseConfig(_message.Message):
    __slots__ = ("challenge_id", "audience", "request_id", "device_key", "enrolment")
    CHALLENGE_ID_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_KEY_FIELD_NUMBER: _ClassVar[int]
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    challenge_id: str
    audience: str
    request_id: str
    device_key: str
    enrolment: Enrolment
    def __init__(self, challenge_id: _Optional[str] = ..., audience: _Optional[str] = ..., request_id: _Optional[str] = ..., device_key: _Optional[str] = ..., enrolment: _Optional[_Union[Enrolment, _Mapping]] = ...) -> None: ...

class Enrolment(_message.Message):
    __slots__ = ("consent", "terms")
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    consent: _cameo_pb2.Consent
    terms: _cameo_pb2.Cameo
    def __init__(self, consent: _Optional[_Union[_cameo_pb2.Consent, _Mapping]] = ..., terms: _Optional[_Union[_cameo_pb2.Cameo, _Mapping]] = ...) -> None: ...

class VerifyResponseResponse(_message.Message):
    __slots__ = ("attempt", "receipt", "cameo", "credential")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    CAMEO_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    attempt: _attempt_pb2.Attempt
    receipt: _credential_pb2.Receipt
    cameo: _cameo_pb2.Cameo
    credential: _credential_pb2.Credential
    def __init__(self, attempt: _Optional[_Union[_attempt_pb2.Attempt, _Mapping]] = ..., receipt: _Optional[_Union[_credential_pb2.Receipt, _Mapping]] = ..., cameo: _Optional[_Union[_cameo_pb2.Cameo, _Mapping]] = ..., credential: _Optional[_Union[_credential_pb2.Credential, _Mapping]] = ...) -> None: ...

class GetAttemptRequest(_message.Message):
    __slots__ = ("attempt_id", "view")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    view: _attempt_pb2.AttemptView
    def __init__(self, attempt_id: _Optional[str] = ..., view: _Optional[_Union[_attempt_pb2.AttemptView, str]] = ...) -> None: ...
