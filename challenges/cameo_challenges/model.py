"""Challenge model: represents a challenge as an ordered list of words to say, head turns and facial gestures.

Invariants: a challenge is a value; it never changes after it was issued. Its state (issued, spent, expired) is kept by the store,
not here. Nothing in this package reads a clock, a file or a random source of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cameo_challenges.languages import DEFAULT, available


class InvalidChallengeError(ValueError):
    """A challenge document is malformed; the message names the offending part."""


class Turn(StrEnum):
    """A direction of a head turn, seen from the person: LEFT is towards the person's own left shoulder."""

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


class Gesture(StrEnum):
    """A facial gesture, made once and then let go; blinks count as one gesture together.

    Asked numbers of blinks differ by two, because people blink between prompts without being asked: one blink more is theirs.
    """

    OPEN_MOUTH = "open_mouth"
    SMILE = "smile"
    CLOSE_EYES = "close_eyes"
    """For a second."""
    BLINK_2 = "blink_2"
    BLINK_4 = "blink_4"

    @property
    def blinks(self) -> int:
        """The number of blinks; 0 for another gesture."""
        return _BLINKS.get(self, 0)


_BLINKS = {Gesture.BLINK_2: 2, Gesture.BLINK_4: 4}


class AnswerPath(StrEnum):
    """A way to answer; each is as hard to predict as the others, so that nobody who takes one is trusted less."""

    SPEECH_AND_TURNS = "speech_and_turns"
    SPEECH_AND_LIGHT = "speech_and_light"
    """For a person who cannot turn their head."""
    TURNS_AND_GESTURES = "turns_and_gestures"
    """For a person who cannot speak."""


@dataclass(frozen=True, slots=True)
class Say:
    """Words to say aloud, as written on the prompt, e.g. ``"seven zero marble"``."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnHead:
    """A head turn in one direction and back to the centre."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class MakeGesture:
    """A facial gesture, and back to a calm face."""

    gesture: Gesture


Step = Say | TurnHead | MakeGesture


@dataclass(frozen=True, slots=True)
class Challenge:
    """An ordered sequence of steps.

    ``id`` is empty and both times are ``None`` for a hand-written challenge that was never issued. ``language`` is the BCP 47 tag
    of the words. ``colours``, sRGB 0xRRGGBB, are shown by the display of a live session one after another; empty without light.
    """

    steps: tuple[Step, ...]
    id: str = ""
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    language: str = DEFAULT
    colours: tuple[int, ...] = ()

    @property
    def spoken(self) -> tuple[str, ...]:
        """The texts to say, in order."""
        return tuple(step.text for step in self.steps if isinstance(step, Say))

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The head turns, in order."""
        return tuple(step.turn for step in self.steps if isinstance(step, TurnHead))

    @property
    def gestures(self) -> tuple[Gesture, ...]:
        """The facial gestures, in order."""
        return tuple(step.gesture for step in self.steps if isinstance(step, MakeGesture))

    @property
    def path(self) -> AnswerPath:
        """The path whose kinds of steps it has; of words alone, that of a person who cannot turn."""
        if not self.spoken:
            return AnswerPath.TURNS_AND_GESTURES
        return AnswerPath.SPEECH_AND_TURNS if self.turns else AnswerPath.SPEECH_AND_LIGHT


_KEYS = {"id", "steps", "issued_at", "expires_at", "language", "colours"}
_WHITE = 0xFFFFFF


def to_json(challenge: Challenge) -> dict[str, Any]:
    """Return the JSON document of a challenge; times are RFC 3339 in UTC and absent when unset."""
    document: dict[str, Any] = {
        "language": challenge.language,
        "steps": [_plain(step) for step in challenge.steps],
    }
    if challenge.id:
        document["id"] = challenge.id
    if challenge.issued_at:
        document["issued_at"] = challenge.issued_at.isoformat()
    if challenge.expires_at:
        document["expires_at"] = challenge.expires_at.isoformat()
    if challenge.colours:
        document["colours"] = list(challenge.colours)
    return document


def from_json(document: object) -> Challenge:
    """Read a challenge document, issued or hand-written.

    Raises:
        InvalidChallengeError: it is not an object, a step is neither ``say``, ``turn`` nor ``gesture``, gestures are asked beside
            words, which move the mouth too, a colour is none, or a key or the language is unknown.
    """
    if not isinstance(document, dict):
        raise InvalidChallengeError("a challenge is a JSON object with 'steps'")
    if unknown := set(document) - _KEYS:
        raise InvalidChallengeError(f"unknown key {min(unknown)!r}; known: {', '.join(sorted(_KEYS))}")
    steps = document.get("steps")
    if not isinstance(steps, list):
        raise InvalidChallengeError("'steps' is missing or not a list")
    identifier = document.get("id", "")
    if not isinstance(identifier, str):
        raise InvalidChallengeError("'id' is not a string")
    tag = document.get("language", DEFAULT)
    if tag not in available():
        raise InvalidChallengeError(f"'language' is none of {', '.join(available())}: {tag!r}")
    read = tuple(_step(index, step) for index, step in enumerate(steps))
    if {Say, MakeGesture} <= {type(step) for step in read}:
        raise InvalidChallengeError("'steps' has words and gestures; words move the mouth and the eyes too")
    return Challenge(
        steps=read,
        id=identifier,
        issued_at=_time(document, "issued_at"),
        expires_at=_time(document, "expires_at"),
        language=tag,
        colours=_colours(document.get("colours", [])),
    )


def _colours(given: object) -> tuple[int, ...]:
    if isinstance(given, list) and all(type(each) is int and 0 <= each <= _WHITE for each in given):
        return tuple(given)
    raise InvalidChallengeError(f"'colours' is no list of numbers from 0 to 0xFFFFFF: {given!r}")


def _step(index: int, step: object) -> Step:
    match step:
        case {"say": str(text), **rest} if not rest and text.strip():
            return Say(text)
        case {"turn": str(turn), **rest} if not rest and turn in set(Turn):
            return TurnHead(Turn(turn))
        case {"gesture": str(gesture), **rest} if not rest and gesture in set(Gesture):
            return MakeGesture(Gesture(gesture))
    ways, gestures = ("|".join(f'"{each}"' for each in kind) for kind in (Turn, Gesture))
    raise InvalidChallengeError(
        f'step {index} is neither {{"say": "words"}} nor {{"turn": {ways}}} nor {{"gesture": {gestures}}}: {step!r}'
    )


def _plain(step: Step) -> dict[str, str]:
    match step:
        case Say(text):
            return {"say": text}
        case TurnHead(turn):
            return {"turn": turn.value}
        case MakeGesture(gesture):
            return {"gesture": gesture.value}


def _time(document: dict[str, Any], key: str) -> datetime | None:
    value = document.get(key)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidChallengeError(f"{key!r} is not an RFC 3339 time: {value!r}") from None
    if moment.tzinfo is None:
        raise InvalidChallengeError(f"{key!r} has no time zone: {value!r}")
    return moment
