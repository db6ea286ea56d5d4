"""Was this recording sent before, by whomever, in whatever form?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.evidence.fingerprint import Matcher
from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Fingerprint

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
    own = evidence.fingerprint
    if not own.motion.any() and not own.sound.any():
        return CheckResult.unable(NAME, Reason.RECORDING_TOO_SHORT, "nothing to recognise it by")
    most = {"seen_motion_max": (0.0, ""), "seen_sound_max": (0.0, "")}
    matcher = Matcher(own)
    compared = 0
    for attempt_id, other in earlier:
        likeness = matcher.compare(other)
        found = {"seen_motion_max": (likeness.motion, attempt_id), "seen_sound_max": (likeness.sound, attempt_id)}
        most = {name: max(most[name], found[name]) for name in most}
        compared += 1
    results = []
    for name, (score, attempt_id) in most.items():
        detail = f"{name.split('_')[1]} most like attempt {attempt_id}, of {compared}" if attempt_id else f"of {compared}"
        results.append(profile[name].judge(NAME, score, Reason.SEEN_BEFORE, detail))
    return next((result for result in results if result.reason), results[0])
