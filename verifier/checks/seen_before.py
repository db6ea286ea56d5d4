"""Was this recording sent before, by whomever, in whatever form?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.evidence.fingerprint import Matcher
from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Fingerprint, Recalled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "seen_before"


def check(
    evidence: Evidence, _challenge: Challenge, profile: Profile, *, earlier: Iterable[tuple[str, Fingerprint]]
) -> CheckResult:
    """Judge the likeness of the picture's movement, then of the sound, to every earlier recording's.

    Args:
        evidence: of this recording.
        profile: thresholds.
        earlier: earlier attempts and the fingerprints of their recordings.
    """
    return judge(evidence.fingerprint, profile, search(evidence.fingerprint, earlier))


def search(own: Fingerprint, earlier: Iterable[tuple[str, Fingerprint]]) -> Recalled:
    """Return the most alike of earlier recordings; nothing to recognise it by looks at none."""
    motion, sound = (0.0, ""), (0.0, "")
    compared = 0
    if _recognisable(own):
        matcher = Matcher(own)
        for attempt_id, other in earlier:
            likeness = matcher.compare(other)
            motion, sound = max(motion, (likeness.motion, attempt_id)), max(sound, (likeness.sound, attempt_id))
            compared += 1
    return Recalled(*motion, *sound, compared)


def judge(own: Fingerprint, profile: Profile, found: Recalled) -> CheckResult:
    """Judge what `search` found."""
    if not _recognisable(own):
        return CheckResult.unable(NAME, Reason.RECORDING_TOO_SHORT, "nothing to recognise it by")
    results = []
    for by, line, score, attempt_id in (
        ("motion", "seen_motion_max", found.motion, found.motion_attempt),
        ("sound", "seen_sound_max", found.sound, found.sound_attempt),
    ):
        detail = f"{by} most like attempt {attempt_id}, of {found.compared}" if attempt_id else f"of {found.compared}"
        results.append(profile[line].judge(NAME, score, Reason.SEEN_BEFORE, detail))
    return next((result for result in results if result.reason), results[0])


def _recognisable(own: Fingerprint) -> bool:
    return bool(own.motion.any() or own.sound.any())
