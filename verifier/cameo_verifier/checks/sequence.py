"""Prompt order: checks that the words were said before and after the turns they belong to.

This check binds the voice to the head: the right words over the right turns, but in separate takes, do not interleave.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cameo_challenges.model import Challenge, Say
from cameo_verifier.checks.question import Case, Question, spoken, turned
from cameo_verifier.evidence.movements import Movement, matches, movements
from cameo_verifier.evidence.spoken import spoken_spans
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "sequence"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge by how many seconds words overlap the peak of a turn on their wrong side, at worst.

    Word times do not count against the person in noise that masks words, nor with background speech.
    """
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    if isinstance(case.evidence.sound, Missing):
        return CheckResult.unable(NAME, case.evidence.sound.reason)
    spans = spoken_spans(case.challenge, case.evidence.sound)
    if any(span is None for span in spans):
        reason = Reason.PHRASE_MISMATCH if len(case.evidence.sound.speech) else Reason.NO_SPEECH
        return CheckResult.unable(NAME, reason, "not every part of the phrase was found")
    found = movements(
        case.evidence.face.t_s,
        case.evidence.face.pose_deg,
        min_deg=profile["turn_deg_min"].value,
        centre_deg=profile["turn_centre_deg_max"].value,
    )
    known = [span for span in spans if span is not None]
    fits = [_worst_overrun(case.challenge, known, choice) for choice in matches(found, case.challenge.turns)]
    if not fits:
        missing = Counter(case.challenge.turns) - Counter(m.turn for m in found)
        reason = Reason.MOVEMENT_MISSING if missing else Reason.MOVEMENT_WRONG_ORDER
        return CheckResult.unable(NAME, reason, "the asked turns were not found in order")
    overrun_s, reason = min(fits)
    result = profile["overrun_max"].judge(NAME, overrun_s, reason)
    sound = case.evidence.sound
    quiet = profile["words_noise_min"].holds(sound.speech_to_noise_db) and profile["others_max"].holds(sound.others_s)
    if result.reason and not quiet:
        return CheckResult.unable(NAME, Reason.TOO_NOISY, f"{overrun_s:.1f} s beside a turn")
    return result


def _worst_overrun(challenge: Challenge, spans: list[tuple[float, float]], turns: tuple[Movement, ...]) -> tuple[float, Reason]:
    """Return the worst overrun in seconds (never below 0) of words beyond the turn beside them, and its direction."""
    said, made = iter(spans), iter(turns)
    worst = (0.0, Reason.SPOKE_TOO_LATE)
    before: tuple[float, float] | Movement | None = None
    for step in challenge.steps:
        now: tuple[float, float] | Movement = next(said) if isinstance(step, Say) else next(made)
        if isinstance(before, tuple) and isinstance(now, Movement):
            worst = max(worst, (before[1] - now.peak_s, Reason.SPOKE_TOO_LATE))
        elif isinstance(before, Movement) and isinstance(now, tuple):
            worst = max(worst, (before.peak_s - now[0], Reason.SPOKE_TOO_EARLY))
        before = now
    return worst


QUESTION = Question(
    NAME,
    "Order of steps",
    "Each word was said before or after the turn it belongs to.",
    check,
    thresholds=("overrun_max", "turn_deg_min", "turn_centre_deg_max", "words_noise_min", "others_max"),
    applies=lambda challenge: spoken(challenge) and turned(challenge),
)
