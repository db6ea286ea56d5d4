"""Duplicate detection: checks that the recording was not sent before, by anybody, in any form.

The highest of many similarities rises with their number, even of unrelated recordings; so each threshold rises with the logarithm
of how many recordings were compared. Sound counts only between recordings with the same words: one voice, a synthetic one above
all, says a word alike each time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log10
from typing import TYPE_CHECKING, TypeAlias

from cameo_verifier.checks.question import Case, Phase, Question
from cameo_verifier.evidence.fingerprint import Matcher, shared_words
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Fingerprint, Recalled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cameo_verifier.profile import Profile, Threshold

NAME = "seen_before"
_Compared: TypeAlias = tuple[str, float, float | None]


@dataclass(frozen=True, slots=True)
class Alike:
    """The similarity of another attempt's recording, 0..1: of motion, and of sound, each None where it is not comparable."""

    attempt_id: str
    motion: float | None
    sound: float | None


def search(own: Fingerprint, profile: Profile, earlier: Iterable[tuple[str, Fingerprint]]) -> Recalled:
    """Return the most similar of earlier recordings; a fingerprint without content is compared with none."""
    motion, sound = (0.0, ""), (0.0, "")
    compared, same_words = 0, 0
    for attempt_id, moves, sounds in _compared(own, profile, earlier):
        compared += 1
        motion = max(motion, (moves, attempt_id))
        if sounds is not None:
            same_words += 1
            sound = max(sound, (sounds, attempt_id))
    return Recalled(*motion, *sound, compared, kept=compared, same_words=same_words)


def alike(own: Fingerprint, profile: Profile, others: Iterable[tuple[str, Fingerprint]], *, among: int) -> list[Alike]:
    """Return every other recording that the check's thresholds call a duplicate, the most similar first.

    Args:
        own: of this recording.
        profile: thresholds.
        others: attempts and the fingerprints of their recordings.
        among: how many recordings the others were chosen from.
    """
    found = list(_compared(own, profile, others))
    motion = _scaled_threshold(profile["seen_motion_max"], profile["seen_motion_rise_max"], among)
    same_words = sum(sounds is not None for _, _, sounds in found)
    sound = _scaled_threshold(profile["seen_sound_max"], profile["seen_sound_rise_max"], same_words)
    same = [
        Alike(attempt_id, None if motion.holds(moves) else moves, None if sounds is None or sound.holds(sounds) else sounds)
        for attempt_id, moves, sounds in found
    ]
    told = [each for each in same if (each.motion, each.sound) != (None, None)]
    return sorted(told, key=lambda each: -max(each.motion or 0.0, each.sound or 0.0))


def _compared(own: Fingerprint, profile: Profile, others: Iterable[tuple[str, Fingerprint]]) -> Iterator[_Compared]:
    """Yield for each other recording the attempt, the similarity of motion, and that of sound, None with other words."""
    if not _recognisable(own):
        return
    matcher = Matcher(own)
    for attempt_id, other in others:
        same_words = profile["seen_words_min"].holds(shared_words(own.words, other.words))
        yield attempt_id, matcher.motion(other), matcher.sound(other) if same_words else None


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the similarity of motion, then of sound, to the most similar earlier recording."""
    found = case.circumstances.recalled
    if found is None:
        return CheckResult.unable(NAME, Reason.NOT_CONFIRMED, "no earlier recording was looked at then")
    if not _recognisable(case.evidence.fingerprint):
        return CheckResult.unable(NAME, Reason.RECORDING_TOO_SHORT, "nothing to recognise it by")
    lost = f", {found.unreadable} could not be read" if found.unreadable else ""
    detail = f"motion {_whose(found.motion_attempt)}of {found.kept}{lost}"
    line = _scaled_threshold(profile["seen_motion_max"], profile["seen_motion_rise_max"], found.kept)
    result = line.judge(NAME, found.motion, Reason.SEEN_BEFORE, detail)
    if result.reason or not found.same_words:
        return result
    detail = f"sound {_whose(found.sound_attempt)}of {found.same_words} with the same words{lost}"
    line = _scaled_threshold(profile["seen_sound_max"], profile["seen_sound_rise_max"], found.same_words)
    by_sound = line.judge(NAME, found.sound, Reason.SEEN_BEFORE, detail)
    return by_sound if by_sound.reason else result


def _scaled_threshold(line: Threshold, rise: Threshold, among: int) -> Threshold:
    """Return the threshold for the highest of `among` similarities: that for one plus `rise` for each factor of ten."""
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
