"""Was this recording sent before, by whomever, in whatever form?

The best of many is the more alike the more there are, however unrelated they are; so each line rises with the logarithm of how
many recordings the most alike one was found among. Sound counts only against recordings in which the same words were said: one
voice, a synthetic one above all, says a word alike each time.
"""

from __future__ import annotations

from dataclasses import replace
from math import log10
from typing import TYPE_CHECKING

from verifier.checks.question import Case, Phase, Question
from verifier.evidence.fingerprint import Matcher, shared_words
from verifier.reasons import Reason
from verifier.types import CheckResult, Fingerprint, Recalled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verifier.profile import Profile, Threshold

NAME = "seen_before"


def search(own: Fingerprint, profile: Profile, earlier: Iterable[tuple[str, Fingerprint]]) -> Recalled:
    """Return the most alike of earlier recordings; nothing to recognise it by looks at none."""
    motion, sound = (0.0, ""), (0.0, "")
    compared, same_words = 0, 0
    if _recognisable(own):
        matcher = Matcher(own)
        for attempt_id, other in earlier:
            compared += 1
            motion = max(motion, (matcher.motion(other), attempt_id))
            if profile["seen_words_min"].holds(shared_words(own.words, other.words)):
                same_words += 1
                sound = max(sound, (matcher.sound(other), attempt_id))
    return Recalled(*motion, *sound, compared, kept=compared, same_words=same_words)


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the likeness of the picture's movement, then of the sound, to that of the most alike earlier recording."""
    found = case.circumstances.recalled
    if found is None:
        return CheckResult.unable(NAME, Reason.NOT_CONFIRMED, "no earlier recording was looked at then")
    if not _recognisable(case.evidence.fingerprint):
        return CheckResult.unable(NAME, Reason.RECORDING_TOO_SHORT, "nothing to recognise it by")
    lost = f", {found.unreadable} could not be read" if found.unreadable else ""
    detail = f"motion {_whose(found.motion_attempt)}of {found.kept}{lost}"
    line = _risen(profile["seen_motion_max"], profile["seen_motion_rise_max"], found.kept)
    result = line.judge(NAME, found.motion, Reason.SEEN_BEFORE, detail)
    if result.reason or not found.same_words:
        return result
    detail = f"sound {_whose(found.sound_attempt)}of {found.same_words} with the same words{lost}"
    line = _risen(profile["seen_sound_max"], profile["seen_sound_rise_max"], found.same_words)
    by_sound = line.judge(NAME, found.sound, Reason.SEEN_BEFORE, detail)
    return by_sound if by_sound.reason else result


def _risen(line: Threshold, rise: Threshold, among: int) -> Threshold:
    """Return the line for the best of so many, that for one and so much more with each tenfold number."""
    return replace(line, value=line.value + rise.value * log10(max(among, 1)))


def _whose(attempt_id: str) -> str:
    return f"most like attempt {attempt_id}, " if attempt_id else ""


def _recognisable(own: Fingerprint) -> bool:
    return bool(own.motion.any() or own.sound.any())


QUESTION = Question(
    NAME,
    "Seen before",
    "The recording was never sent before.",
    check,
    thresholds=("seen_motion_max", "seen_motion_rise_max", "seen_sound_max", "seen_sound_rise_max", "seen_words_min"),
    phase=Phase.HISTORY,
    known=lambda circumstances: circumstances.recalled is not None,
    needs="the recordings that a server knows again",
)
