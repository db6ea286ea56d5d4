import datetime

from cameo.v1 import attempt_pb2 as _attempt_pb2
from cameo.v1 import challenge_pb2 as _challenge_pb2
from cameo.v1 import reason_pb2 as _reason_pb2
from cameo.v1 import verification_service_pb2 as _verification_service_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Need(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NEED_UNSPECIFIED: _ClassVar[Need]
    NEED_NO_SPEECH: _ClassVar[Need]
    NEED_NO_TURNS: _ClassVar[Need]
    NEED_NO_LIGHT: _ClassVar[Need]

class SessionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SESSION_STATE_UNSPECIFIED: _ClassVar[SessionState]
    SESSION_STATE_WAITING: _ClassVar[SessionState]
    SESSION_STATE_PREPARING: _ClassVar[SessionState]
    SESSION_STATE_PROMPTING: _ClassVar[SessionState]
    SESSION_STATE_JUDGING: _ClassVar[SessionState]
    SESSION_STATE_JUDGED: _ClassVar[SessionState]
    SESSION_STATE_ENDED: _ClassVar[SessionState]
    SESSION_STATE_EXPIRED: _ClassVar[SessionState]

class GuidanceCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GUIDANCE_CODE_UNSPECIFIED: _ClassVar[GuidanceCode]
    GUIDANCE_CODE_NO_FACE: _ClassVar[GuidanceCode]
    GUIDANCE_CODE_SEVERAL_FACES: _ClassVar[GuidanceCode]
    GUIDANCE_CODE_COME_CLOSER: _ClassVar[GuidanceCode]
    GUIDANCE_CODE_MOVE_BACK: _ClassVar[GuidanceCode]
    GUIDANCE_CODE_CENTRE_FACE: _ClassVar[GuidanceCode]
    GUIDANCE_CODE_LOOK_STRAIGHT: _ClassVar[GuidanceCode]
    GUIDANCE_CODE_TOO_DARK: _ClassVar[GuidanceCode]
    GUIDANCE_CODE_TOO_BRIGHT: _ClassVar[GuidanceCode]
    GUIDANCE_CODE_SILENT_MICROPHONE: _ClassVar[GuidanceCode]
    GUIDANCE_CODE_TOO_LOUD: _ClassVar[GuidanceCode]
    GUIDANCE_CODE_TOO_FEW_PICTURES: _ClassVar[GuidanceCode]
NEED_UNSPECIFIED: Need
NEED_NO_SPEECH: Need
NEED_NO_TURNS: Need
NEED_NO_LIGHT: Need
SESSION_STATE_UNSPECIFIED: SessionState
SESSION_STATE_WAITING: SessionState
SESSION_STATE_PREPARING: SessionState
SESSION_STATE_PROMPTING: SessionState
SESSION_STATE_JUDGING: SessionState
SESSION_STATE_JUDGED: SessionState
SESSION_STATE_ENDED: SessionState
SESSION_STATE_EXPIRED: SessionState
GUIDANCE_CODE_UNSPECIFIED: GuidanceCode
GUIDANCE_CODE_NO_FACE: GuidanceCode
GUIDANCE_CODE_SEVERAL_FACES: GuidanceCode
GUIDANCE_CODE_COME_CLOSER: GuidanceCode
GUIDANCE_CODE_MOVE_BACK: GuidanceCode
GUIDANCE_CODE_CENTRE_FACE: GuidanceCode
GUIDANCE_CODE_LOOK_STRAIGHT: GuidanceCode
GUIDANCE_CODE_TOO_DARK: GuidanceCode
GUIDANCE_CODE_TOO_BRIGHT: GuidanceCode
GUIDANCE_CODE_SILENT_MICROPHONE: GuidanceCode
GUIDANCE_CODE_TOO_LOUD: GuidanceCode
GUIDANCE_CODE_TOO_FEW_PICTURES: GuidanceCode

class CreateSessionRequest(_message.Message):
    __slots__ = ("subject", "audience", "request_id", "language", "needs", "device_key", "enrolment", "ask_needs")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    DEVICE_KEY_FIELD_NUMBER: _ClassVar[int]
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    ASK_NEEDS_FIELD_NUMBER: _ClassVar[int]
    subject: str
    audience: str
    request_id: str
    language: str
    needs: _containers.RepeatedScalarFieldContainer[Need]
    device_key: str
    enrolment: _verification_service_pb2.Enrolment
    ask_needs: bool
    def __init__(self, subject: _Optional[str] = ..., audience: _Optional[str] = ..., request_id: _Optional[str] = ..., language: _Optional[str] = ..., needs: _Optional[_Iterable[_Union[Need, str]]] = ..., device_key: _Optional[str] = ..., enrolment: _Optional[_Union[_verification_service_pb2.Enrolment, _Mapping]] = ..., ask_needs: _Optional[bool] = ...) -> None: ...

class CreateSessionResponse(_message.Message):
    __slots__ = ("session", "capture_token", "capture_url")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_URL_FIELD_NUMBER: _ClassVar[int]
    session: Session
    capture_token: str
    capture_url: str
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ..., capture_token: _Optional[str] = ..., capture_url: _Optional[str] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ("id", "state", "create_time", "expire_time", "attempt_id", "ended_by")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    ENDED_BY_FIELD_NUMBER: _ClassVar[int]
    id: str
    state: SessionState
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    attempt_id: str
    ended_by: str
    def __init__(self, id: _Optional[str] = ..., state: _Optional[_Union[SessionState, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempt_id: _Optional[str] = ..., ended_by: _Optional[str] = ...) -> None: ...

class GetSessionRequest(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    def __init__(self, session_id: _Optional[str] = ...) -> None: ...

class GetSessionResponse(_message.Message):
    __slots__ = ("session", "result")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    session: Session
    result: _verification_service_pb2.VerifyResponseResponse
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ..., result: _Optional[_Union[_verification_service_pb2.VerifyResponseResponse, _Mapping]] = ...) -> None: ...

class CaptureRequest(_message.Message):
    __slots__ = ("hello", "media", "started", "shown", "bye", "attestation", "seal")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    MEDIA_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    SHOWN_FIELD_NUMBER: _ClassVar[int]
    BYE_FIELD_NUMBER: _ClassVar[int]
    ATTESTATION_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    media: bytes
    started: Started
    shown: Shown
    bye: Bye
    attestation: Attestation
    seal: Seal
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., media: _Optional[bytes] = ..., started: _Optional[_Union[Started, _Mapping]] = ..., shown: _Optional[_Union[Shown, _Mapping]] = ..., bye: _Optional[_Union[Bye, _Mapping]] = ..., attestation: _Optional[_Union[Attestation, _Mapping]] = ..., seal: _Optional[_Union[Seal, _Mapping]] = ...) -> None: ...

class Seal(_message.Message):
    __slots__ = ("number", "nonce", "signature")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    number: int
    nonce: int
    signature: bytes
    def __init__(self, number: _Optional[int] = ..., nonce: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Attestation(_message.Message):
    __slots__ = ("app_attest", "play_integrity")
    APP_ATTEST_FIELD_NUMBER: _ClassVar[int]
    PLAY_INTEGRITY_FIELD_NUMBER: _ClassVar[int]
    app_attest: bytes
    play_integrity: str
    def __init__(self, app_attest: _Optional[bytes] = ..., play_integrity: _Optional[str] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("user_agent", "mime_type", "track_settings", "display_width", "display_height", "display_hz", "seal_key", "needs")
    class TrackSettingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    USER_AGENT_FIELD_NUMBER: _ClassVar[int]
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    TRACK_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_WIDTH_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_HZ_FIELD_NUMBER: _ClassVar[int]
    SEAL_KEY_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    user_agent: str
    mime_type: str
    track_settings: _containers.ScalarMap[str, str]
    display_width: int
    display_height: int
    display_hz: float
    seal_key: bytes
    needs: _containers.RepeatedScalarFieldContainer[Need]
    def __init__(self, user_agent: _Optional[str] = ..., mime_type: _Optional[str] = ..., track_settings: _Optional[_Mapping[str, str]] = ..., display_width: _Optional[int] = ..., display_height: _Optional[int] = ..., display_hz: _Optional[float] = ..., seal_key: _Optional[bytes] = ..., needs: _Optional[_Iterable[_Union[Need, str]]] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ("client_ms",)
    CLIENT_MS_FIELD_NUMBER: _ClassVar[int]
    client_ms: float
    def __init__(self, client_ms: _Optional[float] = ...) -> None: ...

class Shown(_message.Message):
    __slots__ = ("number", "colour", "client_ms", "media_ms")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    COLOUR_FIELD_NUMBER: _ClassVar[int]
    CLIENT_MS_FIELD_NUMBER: _ClassVar[int]
    MEDIA_MS_FIELD_NUMBER: _ClassVar[int]
    number: int
    colour: bool
    client_ms: float
    media_ms: float
    def __init__(self, number: _Optional[int] = ..., colour: _Optional[bool] = ..., client_ms: _Optional[float] = ..., media_ms: _Optional[float] = ...) -> None: ...

class Bye(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CaptureResponse(_message.Message):
    __slots__ = ("welcome", "guidance", "start", "prompt", "light", "progress", "stop", "result", "seal_nonce")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    LIGHT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SEAL_NONCE_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    guidance: Guidance
    start: Start
    prompt: Prompt
    light: Light
    progress: Progress
    stop: Stop
    result: Result
    seal_nonce: bytes
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., guidance: _Optional[_Union[Guidance, _Mapping]] = ..., start: _Optional[_Union[Start, _Mapping]] = ..., prompt: _Optional[_Union[Prompt, _Mapping]] = ..., light: _Optional[_Union[Light, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., stop: _Optional[_Union[Stop, _Mapping]] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., seal_nonce: _Optional[bytes] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("language", "prompts", "light", "expire_time", "session_id")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PROMPTS_FIELD_NUMBER: _ClassVar[int]
    LIGHT_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    language: str
    prompts: int
    light: bool
    expire_time: _timestamp_pb2.Timestamp
    session_id: str
    def __init__(self, language: _Optional[str] = ..., prompts: _Optional[int] = ..., light: _Optional[bool] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., session_id: _Optional[str] = ...) -> None: ...

class Guidance(_message.Message):
    __slots__ = ("codes",)
    CODES_FIELD_NUMBER: _ClassVar[int]
    codes: _containers.RepeatedScalarFieldContainer[GuidanceCode]
    def __init__(self, codes: _Optional[_Iterable[_Union[GuidanceCode, str]]] = ...) -> None: ...

class Start(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Prompt(_message.Message):
    __slots__ = ("number", "step")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    number: int
    step: _challenge_pb2.Step
    def __init__(self, number: _Optional[int] = ..., step: _Optional[_Union[_challenge_pb2.Step, _Mapping]] = ...) -> None: ...

class Light(_message.Message):
    __slots__ = ("number", "rgb")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    RGB_FIELD_NUMBER: _ClassVar[int]
    number: int
    rgb: int
    def __init__(self, number: _Optional[int] = ..., rgb: _Optional[int] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("analysed_ms", "done")
    ANALYSED_MS_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    analysed_ms: int
    done: int
    def __init__(self, analysed_ms: _Optional[int] = ..., done: _Optional[int] = ...) -> None: ...

class Stop(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Result(_message.Message):
    __slots__ = ("attempt_id", "verdict", "reasons", "hint", "again", "hint_language")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    AGAIN_FIELD_NUMBER: _ClassVar[int]
    HINT_LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    verdict: _attempt_pb2.Verdict
    reasons: _containers.RepeatedScalarFieldContainer[_reason_pb2.Reason]
    hint: str
    again: bool
    hint_language: str
    def __init__(self, attempt_id: _Optional[str] = ..., verdict: _Optional[_Union[_attempt_pb2.Verdict, str]] = ..., reasons: _Optional[_Iterable[_Union[_reason_pb2.Reason, str]]] = ..., hint: _Optional[str] = ..., again: _Optional[bool] = ..., hint_language: _Optional[str] = ...) -> None: ...
