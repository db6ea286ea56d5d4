import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Gesture(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GESTURE_UNSPECIFIED: _ClassVar[Gesture]
    GESTURE_OPEN_MOUTH: _ClassVar[Gesture]
    GESTURE_SMILE: _ClassVar[Gesture]
    GESTURE_CLOSE_EYES: _ClassVar[Gesture]
    GESTURE_BLINK_2: _ClassVar[Gesture]
    GESTURE_BLINK_4: _ClassVar[Gesture]

class AnswerPath(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ANSWER_PATH_UNSPECIFIED: _ClassVar[AnswerPath]
    ANSWER_PATH_SPEECH_AND_TURNS: _ClassVar[AnswerPath]
    ANSWER_PATH_SPEECH_AND_LIGHT: _ClassVar[AnswerPath]
    ANSWER_PATH_TURNS_AND_GESTURES: _ClassVar[AnswerPath]

class Turn(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TURN_UNSPECIFIED: _ClassVar[Turn]
    TURN_LEFT: _ClassVar[Turn]
    TURN_RIGHT: _ClassVar[Turn]
    TURN_UP: _ClassVar[Turn]
    TURN_DOWN: _ClassVar[Turn]
GESTURE_UNSPECIFIED: Gesture
GESTURE_OPEN_MOUTH: Gesture
GESTURE_SMILE: Gesture
GESTURE_CLOSE_EYES: Gesture
GESTURE_BLINK_2: Gesture
GESTURE_BLINK_4: Gesture
ANSWER_PATH_UNSPECIFIED: AnswerPath
ANSWER_PATH_SPEECH_AND_TURNS: AnswerPath
ANSWER_PATH_SPEECH_AND_LIGHT: AnswerPath
ANSWER_PATH_TURNS_AND_GESTURES: AnswerPath
TURN_UNSPECIFIED: Turn
TURN_LEFT: Turn
TURN_RIGHT: Turn
TURN_UP: Turn
TURN_DOWN: Turn

class Challenge(_message.Message):
    __slots__ = ("id", "steps", "issue_time", "expire_time", "entropy_bits", "language", "colours")
    ID_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    ISSUE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    ENTROPY_BITS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    COLOURS_FIELD_NUMBER: _ClassVar[int]
    id: str
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    issue_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    entropy_bits: float
    language: str
    colours: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, id: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., issue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., entropy_bits: _Optional[float] = ..., language: _Optional[str] = ..., colours: _Optional[_Iterable[int]] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("say", "turn", "gesture")
    SAY_FIELD_NUMBER: _ClassVar[int]
    TURN_FIELD_NUMBER: _ClassVar[int]
    GESTURE_FIELD_NUMBER: _ClassVar[int]
    say: str
    turn: Turn
    gesture: Gesture
    def __init__(self, say: _Optional[str] = ..., turn: _Optional[_Union[Turn, str]] = ..., gesture: _Optional[_Union[Gesture, str]] = ...) -> None: ...
