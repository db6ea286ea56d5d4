from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class AreMutualsRequest(_message.Message):
    __slots__ = ("one", "other")
    ONE_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    one: str
    other: str
    def __init__(self, one: _Optional[str] = ..., other: _Optional[str] = ...) -> None: ...

class AreMutualsResponse(_message.Message):
    __slots__ = ("mutuals",)
    MUTUALS_FIELD_NUMBER: _ClassVar[int]
    mutuals: bool
    def __init__(self, mutuals: _Optional[bool] = ...) -> None: ...

class SetFollowRequest(_message.Message):
    __slots__ = ("follower", "followee", "follows")
    FOLLOWER_FIELD_NUMBER: _ClassVar[int]
    FOLLOWEE_FIELD_NUMBER: _ClassVar[int]
    FOLLOWS_FIELD_NUMBER: _ClassVar[int]
    follower: str
    followee: str
    follows: bool
    def __init__(self, follower: _Optional[str] = ..., followee: _Optional[str] = ..., follows: _Optional[bool] = ...) -> None: ...

class SetFollowResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
