"""Worker wire format: serialises a worker's messages to its parent as data, never as a pickle, since it has read untrusted input.

Each message is a letter and its payload. Results are packed as tracks are (`evidence.tracks`); errors are identified by
name, and one that is not on the list arrives as its nearest base class that is.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cameo_credential.errors import CameoError, InvalidRequestError, KeyFileError
from cameo_credential.item_kind import ItemKind
from cameo_credential.media_items import MediaItem
from cameo_verifier.errors import AbandonedError, ModelKitError, ProfileError, UnjudgeableError
from cameo_verifier.evidence import tracks
from cameo_verifier.live.observation import Heard, Observation, Seen
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Decision, Direction, Judgement, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BYTES = tracks.MAX_BYTES + 64 * 1024 * 1024
"""Limit on a message: tracks and a recording beside them stay below."""

_READY, _RESULT, _ERROR, _OBSERVED, _UNREADABLE = b"R", b"A", b"E", b"O", b"U"
_NUMBER = struct.Struct(">Q")
_OBSERVATIONS = (Seen, Heard)
_RECORDS = (CheckResult, Decision, Judgement, MediaItem)
_NAMES = (Direction, ItemKind, Outcome, Verdict)


class WorkerFaultError(CameoError):
    """The code that judges has a bug; the message is the redacted error, see `cameo_verifier.redaction`."""


_ERRORS = {
    kind.__name__: kind
    for kind in (
        AbandonedError,
        CameoError,
        InvalidRequestError,
        KeyFileError,
        ModelKitError,
        ProfileError,
        WorkerFaultError,
    )
}


class MalformedError(CameoError):
    """A worker sent a malformed message."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has loaded its models, or answers a ping."""


@dataclass(frozen=True, slots=True)
class Result:
    """The job of that number is done."""

    number: int
    result: Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """The job failed, or the models cannot be loaded."""

    error: CameoError


@dataclass(frozen=True, slots=True)
class Observed:
    """What a recording of a live session shows, or the error that ends its observation; `recording`: its number there."""

    recording: int
    what: Observation | CameoError


Message = Ready | Result | Refusal | Observed


def ready() -> bytes:
    """Return the message `Ready`."""
    return _READY


def answer(number: int, result: object, records: Sequence[type] = ()) -> bytes:
    """Return the message `Result`; `records` are the record types in it beside those of a judgement.

    Raises:
        RuntimeError: the result holds a value of another type.
    """
    return _RESULT + _NUMBER.pack(number) + tracks.pack(result, (*_RECORDS, *records), _NAMES)


def refusal(error: CameoError) -> bytes:
    """Return the message `Refusal`."""
    if isinstance(error, UnjudgeableError):
        document = {"error": UnjudgeableError.__name__, "reason": error.reason.value, "message": str(error)}
    else:
        name = next(kind.__name__ for kind in type(error).__mro__ if _ERRORS.get(kind.__name__) is kind)
        document = {"error": name, "message": str(error)}
    return _ERROR + json.dumps(document).encode()


def observed(recording: int, what: Observation | CameoError) -> bytes:
    """Return the message `Observed`."""
    if isinstance(what, CameoError):
        return _UNREADABLE + _NUMBER.pack(recording) + refusal(what)[1:]
    return _OBSERVED + _NUMBER.pack(recording) + tracks.pack(what, _OBSERVATIONS)


def heard(message: bytes, records: Sequence[type] = ()) -> Message:
    """Parse a worker's message; `records` as for `answer`.

    Raises:
        MalformedError: it is no valid message.
    """
    kind, rest = message[:1], message[1:]
    try:
        if kind == _RESULT:
            (number,) = _NUMBER.unpack_from(rest)
            return Result(number, tracks.unpack(rest[_NUMBER.size :], (*_RECORDS, *records), _NAMES))
        if kind == _ERROR:
            return Refusal(_error(json.loads(rest)))
        if kind in {_OBSERVED, _UNREADABLE}:
            (number,) = _NUMBER.unpack_from(rest)
            return Observed(number, _observation(kind, rest[_NUMBER.size :]))
        if message == _READY:
            return Ready()
    except (tracks.TracksError, KeyError, RecursionError, TypeError, ValueError, struct.error) as error:
        raise MalformedError(f"a worker's answer is malformed: {type(error).__name__}") from None
    raise MalformedError("a worker said something unknown")


def _observation(kind: bytes, payload: bytes) -> Observation | CameoError:
    if kind == _UNREADABLE:
        return _error(json.loads(payload))
    what = tracks.unpack(payload, _OBSERVATIONS)
    if not isinstance(what, _OBSERVATIONS):
        raise TypeError("no observation")
    return what


def _error(document: dict[str, Any]) -> CameoError:
    if document["error"] == UnjudgeableError.__name__:
        return UnjudgeableError(Reason(document["reason"]), str(document["message"]))
    return _ERRORS[document["error"]](str(document["message"]))
