"""Table from reasons and checks to the lane, figure or part of the page that shows them.

A reason is shown in one place whichever check gives it, except for the few checks that have a place of their own. For what
nothing shows, the table says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Seen:
    """Ids of lanes, figures and parts of the page, the most relevant first; `nowhere`: why there are none."""

    places: tuple[str, ...] = ()
    nowhere: str = ""


def _in(*places: str) -> Seen:
    return Seen(places)


_NOT_READ = Seen(nowhere="nothing was read of the recording, so that there is no attempt to show")
_NOT_TAKEN = Seen(nowhere="the challenge could not be answered, so that no recording was judged")
_OF_ALL = "one number of the whole recording is kept, not where it comes from"
DECISION, RECORDING = "decision", "recording"
"""Parts of the page: the gallery's matches; the player, once the face is revealed."""

OF_REASON: Mapping[Reason, Seen] = {
    Reason.RECORDING_TOO_SHORT: _in("streams"),
    Reason.RECORDING_TOO_LONG: _in("streams"),
    Reason.RECORDING_TOO_LARGE: _NOT_READ,
    Reason.FRAME_RATE_TOO_LOW: _in("pace"),
    Reason.PICTURE_TOO_SMALL: _in("streams"),
    Reason.PICTURE_TOO_LARGE: _NOT_READ,
    Reason.RECORDING_TOO_COSTLY: _NOT_READ,
    Reason.NO_AUDIO: _in("streams"),
    Reason.NO_VIDEO: _in("streams"),
    Reason.UNSUPPORTED_MEDIA: _NOT_READ,
    Reason.CORRUPT_MEDIA: _in("streams"),
    Reason.TOO_DARK: _in("light"),
    Reason.TOO_BRIGHT: _in("light"),
    Reason.LIGHT_FLICKERS: Seen((RECORDING,), f"{_OF_ALL}: the bands are seen in the recording itself"),
    Reason.BLURRED: _in("sharpness"),
    Reason.CAMERA_TURNED: _in("streams"),
    Reason.FACE_TOO_SMALL: _in("size"),
    Reason.MOUTH_NOT_VISIBLE: _in("covered", "uncovered"),
    Reason.EYES_NOT_VISIBLE: _in("covered", "uncovered"),
    Reason.VOLUME_TOO_LOW: _in("sound"),
    Reason.TOO_NOISY: _in("sound"),
    Reason.LIP_SYNC_INCONCLUSIVE: _in("lips"),
    Reason.VOICE_INCONCLUSIVE: _in("voice"),
    Reason.FACE_TURNED_AWAY: _in("head"),
    Reason.NO_FACE: _in("faces"),
    Reason.MULTIPLE_FACES: _in("faces"),
    Reason.FACE_LEFT_FRAME: _in("faces"),
    Reason.FACE_CHANGED: _in("identity", "likenesses"),
    Reason.NO_SPEECH: _in("sound"),
    Reason.PHRASE_MISMATCH: _in("words"),
    Reason.SPOKE_TOO_EARLY: _in("words", "head"),
    Reason.SPOKE_TOO_LATE: _in("words", "head"),
    Reason.ANSWER_KNOWN_BEFORE: _in("words", "head"),
    Reason.ANSWER_TOO_LATE: _in("words", "head"),
    Reason.SPEAKER_CHANGED: _in("voice"),
    Reason.SECOND_VOICE: _in("voice"),
    Reason.MOVEMENT_MISSING: _in("head"),
    Reason.GESTURE_MISSING: _in("lids", "head"),
    Reason.MOVEMENT_WRONG_ORDER: _in("head"),
    Reason.NO_BLINK: _in("lids"),
    Reason.FLAT_FACE: _in("depth"),
    Reason.SCREEN_OR_PRINT: _in("live", "wide", "close"),
    Reason.DISPLAY_VISIBLE: _in("border", "grid"),
    Reason.LIPS_DO_NOT_MATCH: _in("lips"),
    Reason.FROZEN_OR_LOOPED: _in("picture"),
    Reason.SPLICED: _in("picture"),
    Reason.SEEN_BEFORE: _in("moves", "sounds"),
    Reason.SYNTHETIC_VOICE: Seen(nowhere=_OF_ALL),
    Reason.POSSIBLE_MINOR: _in("ages"),
    Reason.PROTECTED_PERSON: _in(DECISION),
    Reason.ALREADY_ENROLLED: _in(DECISION),
    Reason.CHALLENGE_EXPIRED: _NOT_TAKEN,
    Reason.CHALLENGE_SPENT: _NOT_TAKEN,
    Reason.CHALLENGE_UNKNOWN: _NOT_TAKEN,
    Reason.TOO_MANY_ATTEMPTS: _NOT_TAKEN,
    Reason.NOT_CONFIRMED: Seen(nowhere="it is said where a check that had to pass could not be asked: that check says why"),
}

OF_CHECK: Mapping[str, Seen] = {
    "elapsed": Seen(nowhere="it is about clocks: when the challenge was issued and when the recording was there"),
    "same_person": _in("identity", "likenesses"),
    "presentation_attack": _in("live", "wide"),
    "close_up": _in("live", "close"),
    "bezel": _in("border", "edges"),
    "moire": _in("grid", "spectrum"),
    "depth": _in("depth", "head"),
    "gaze": _in("gaze", "head"),
    "screen_light": Seen(nowhere="the light on the face is in no picture by itself: it is compared over all of them"),
    "upscaled": Seen(nowhere=_OF_ALL),
    "age": _in("ages"),
    "eyes": _in("covered", "uncovered"),
    "mouth": _in("covered", "uncovered"),
    "picture_times": _in("pace"),
    "sound_cuts": _in("sound"),
    "sound_repeat": _in("sound"),
    "speaker": _in("voice"),
    "second_voice": _in("voice"),
    "lips": _in("lips"),
}
"""Checks that show more than their reason does, such as poor light or few frames, or that have a place of their own."""


def seen_in(check: str, reason: Reason | None) -> Seen:
    """Return where a check's result is shown: the places of the check, then those of its reason."""
    own, about = OF_CHECK.get(check), OF_REASON[reason] if reason else Seen()
    if own is None:
        return about
    others = () if reason in _OF_THE_CHECK.get(check, ()) else about.places
    return Seen(tuple(dict.fromkeys((*own.places, *others))), own.nowhere if not about.places else "")


_OF_THE_CHECK: Mapping[str, tuple[Reason, ...]] = {
    "presentation_attack": (Reason.SCREEN_OR_PRINT,),
    "close_up": (Reason.SCREEN_OR_PRINT,),
    "bezel": (Reason.DISPLAY_VISIBLE,),
    "moire": (Reason.DISPLAY_VISIBLE,),
    "picture_times": (Reason.SPLICED,),
    "sound_cuts": (Reason.SPLICED,),
    "sound_repeat": (Reason.SPLICED,),
}
"""Reasons that several checks give, each shown in the check's own place."""
