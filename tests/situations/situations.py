"""Forty things that happen to people who record themselves, and the reason that each is to be told first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.model import Challenge, Say, Turn, TurnHead
from cameo_verifier.reasons import Reason
from fixtures.studio.covers import Eyewear, Mouthwear
from tests.situations import take as of
from tests.situations.take import Take, take_of, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.types import F32

ASTRONAUT = "astronaut_bona_fide"
ADMIRAL = "admiral_bona_fide"

Sent = tuple[bytes, Challenge]
"""A recording, and what was asked."""


@dataclass(frozen=True)
class Situation:
    """What happens, what is sent, and the reason that is told first; none where the answer is accepted."""

    told: str
    sent: Callable[[], Sent]
    first: Reason | None


def _of(
    change: Callable[[Take], Take], identifier: str = ASTRONAUT, *steps: Say | TurnHead, every: int = 2
) -> Callable[[], Sent]:
    def sent() -> Sent:
        take, challenge = take_of(identifier, every=every)
        return written(change(take)), replace(challenge, steps=steps) if steps else challenge

    return sent


def _worn(worn: Eyewear | Mouthwear) -> Callable[[], Sent]:
    return lambda: (written(of.wearing(ASTRONAUT, worn)), take_of(ASTRONAUT)[1])


def _damaged(change: Callable[[bytes], bytes]) -> Callable[[], Sent]:
    def sent() -> Sent:
        take, challenge = take_of(ASTRONAUT)
        return change(written(take)), challenge

    return sent


def _half_zeroed(data: bytes) -> bytes:
    third = len(data) // 3
    return data[:third] + bytes(third // 4) + data[third + third // 4 :]


@cache
def _admiral() -> Take:
    return take_of(ADMIRAL)[0]


def _says(*texts: str) -> tuple[Say | TurnHead, ...]:
    first, second, third = map(Say, texts)
    return first, TurnHead(Turn.LEFT), second, TurnHead(Turn.UP), third


def _clipped(sound: F32) -> F32:
    return np.asarray(np.clip(sound * 60, -0.9, 0.9), np.float32)


SITUATIONS = (
    Situation("Nothing is wrong.", _of(lambda take: take, every=1), None),
    Situation("The room is dark.", _of(lambda take: of.light(take, 0.12)), Reason.TOO_DARK),
    Situation("A lamp shines into the face.", _of(lambda take: of.light(take, 4.0)), Reason.TOO_BRIGHT),
    Situation("A dimmed lamp flickers.", _of(lambda take: of.flicker(take, 0.5)), Reason.LIGHT_FLICKERS),
    Situation("The lens is smeared.", _of(lambda take: of.blurred(take, 0.02)), Reason.BLURRED),
    Situation(
        "The camera records 5 pictures a second.",
        _of(lambda take: take, every=5),
        Reason.FRAME_RATE_TOO_LOW,
    ),
    Situation(
        "The camera records 8 pictures a second.",
        _of(lambda take: take, every=3),
        Reason.FRAME_RATE_TOO_LOW,
    ),
    Situation("The camera records a tiny picture.", _of(lambda take: of.smaller(take, 0.3)), Reason.PICTURE_TOO_SMALL),
    Situation("The person stands at the back of the room.", _of(lambda take: of.stands_back(take, 0.3)), Reason.FACE_TOO_SMALL),
    Situation("The person is too far away to be found.", _of(lambda take: of.stands_back(take, 0.15)), Reason.NO_FACE),
    Situation("The phone is turned half way.", _of(of.turned), Reason.CAMERA_TURNED),
    Situation("The person wears a mask.", _worn(Mouthwear.SURGICAL_BLUE), Reason.MOUTH_NOT_VISIBLE),
    Situation("The person wears a scarf.", _worn(Mouthwear.SCARF_RED), Reason.MOUTH_NOT_VISIBLE),
    Situation("A hand is before the mouth.", _worn(Mouthwear.HAND), Reason.MOUTH_NOT_VISIBLE),
    Situation("The person wears dark glasses.", _worn(Eyewear.BLACK), Reason.EYES_NOT_VISIBLE),
    Situation("The person wears mirrored glasses.", _worn(Eyewear.MIRRORED_SILVER), Reason.EYES_NOT_VISIBLE),
    Situation("The camera points at the wall.", _of(lambda take: of.moved(take, 0.9)), Reason.NO_FACE),
    Situation("A finger covers the lens.", _of(lambda take: take.each(lambda rgb, _t: np.full_like(rgb, 12))), Reason.NO_FACE),
    Situation(
        "Half of the face is outside the picture.", _of(lambda take: of.moved(take, 0.45), every=1), Reason.FACE_LEFT_FRAME
    ),
    Situation("The person leaves for two seconds.", _of(lambda take: of.gone(take, 3.0, 5.0)), Reason.FACE_LEFT_FRAME),
    Situation("The person is away most of the time.", _of(lambda take: of.gone(take, 1.0, take.end_s)), Reason.FACE_LEFT_FRAME),
    Situation("The person comes late.", _of(lambda take: of.gone(take, -1.0, take.end_s / 2)), Reason.FACE_LEFT_FRAME),
    Situation("Somebody else looks in.", _of(lambda take: of.beside(take, _admiral(), 2.0, 5.0)), Reason.MULTIPLE_FACES),
    Situation("The head was not turned up.", _of(lambda take: take, "turns_missing"), Reason.MOVEMENT_MISSING),
    Situation("The picture is mirrored.", _of(of.mirrored), Reason.MOVEMENT_MISSING),
    Situation(
        "The steps are done in another order.",
        _of(
            lambda take: take,
            ASTRONAUT,
            Say("seven zero penguin"),
            TurnHead(Turn.UP),
            Say("five window one"),
            TurnHead(Turn.LEFT),
            Say("nine three"),
        ),
        Reason.MOVEMENT_WRONG_ORDER,
    ),
    Situation("Recording stops after a second.", _of(lambda take: take.between(0.0, 1.0)), Reason.RECORDING_TOO_SHORT),
    Situation("Recording stops half way.", _of(lambda take: take.between(0.0, take.end_s / 2)), Reason.MOVEMENT_MISSING),
    Situation("The microphone is not allowed.", _of(lambda take: replace(take, sound=None)), Reason.NO_AUDIO),
    Situation("The camera is not allowed.", _of(lambda take: Take((), (), take.sound)), Reason.NO_VIDEO),
    Situation("The microphone is muted.", _of(lambda take: of.heard(take, np.zeros_like)), Reason.NO_SPEECH),
    Situation("The person says nothing.", _of(lambda take: take, "silent"), Reason.NO_SPEECH),
    Situation(
        "The person whispers far from the microphone.",
        _of(lambda take: of.heard(take, lambda sound: sound * 0.004)),
        Reason.VOLUME_TOO_LOW,
    ),
    Situation("A fan roars.", _of(lambda take: of.noisy(take, 2.0)), Reason.TOO_NOISY),
    Situation(
        "A television is as loud as the person.", _of(lambda take: of.mixed(take, _admiral(), 3.0)), Reason.VOICE_INCONCLUSIVE
    ),
    Situation("A television runs next door.", _of(lambda take: of.mixed(take, _admiral(), 14.0)), Reason.VOICE_INCONCLUSIVE),
    Situation("The microphone is overdriven.", _of(lambda take: of.heard(take, _clipped)), None),
    Situation("The person says other words.", _of(lambda take: take, "wrong_words"), Reason.PHRASE_MISMATCH),
    Situation(
        "The person leaves out three words.",
        _of(lambda take: take, ASTRONAUT, *_says("seven zero six penguin", "five two window one eight", "nine three")),
        Reason.PHRASE_MISMATCH,
    ),
    Situation(
        "The person turns first and speaks later.",
        _of(
            lambda take: take,
            ASTRONAUT,
            Say("seven zero penguin five window one"),
            TurnHead(Turn.LEFT),
            TurnHead(Turn.UP),
            Say("nine three"),
        ),
        Reason.SPOKE_TOO_LATE,
    ),
    Situation(
        "The person speaks first and turns later.",
        _of(
            lambda take: take,
            ASTRONAUT,
            Say("seven zero"),
            TurnHead(Turn.LEFT),
            TurnHead(Turn.UP),
            Say("penguin five window one nine three"),
        ),
        Reason.SPOKE_TOO_EARLY,
    ),
    Situation(
        "The headset's sound comes half a second late.", _of(lambda take: of.late(take, 0.5)), Reason.LIP_SYNC_INCONCLUSIVE
    ),
    Situation("The network stalls for a second.", _of(lambda take: of.frozen(take, 2.0, 3.0)), Reason.FROZEN_OR_LOOPED),
    Situation("Half of the upload is missing.", _damaged(lambda data: data[: len(data) // 2]), Reason.CORRUPT_MEDIA),
    Situation("A part of the upload is overwritten.", _damaged(_half_zeroed), Reason.CORRUPT_MEDIA),
    Situation(
        "The answer to another challenge is sent.",
        _of(lambda take: take, ADMIRAL, *_says("seven zero penguin", "five window one", "nine three")),
        Reason.MOVEMENT_MISSING,
    ),
    Situation("A photograph is sent as a video.", _of(lambda take: take, "still_photo", every=1), Reason.FROZEN_OR_LOOPED),
)
