"""Do the lips say what is heard?

A sound that was dubbed, shifted or spoken by someone off camera agrees with the lips no better than chance, and so does a mouth
at rest or one moved by hand; and what agrees by chance, or was shifted, agrees as well at an offset that no device records with.
Where someone else says a part of it, that part agrees with nothing. What agrees by chance as a whole hardly does in every part:
an answer may be weak in one of the two. Devices record sound and picture apart, but seldom far: what agrees only far apart has to
agree better, or is asked for again, for a wireless microphone is no attack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.evidence.lips import agreement
from verifier.evidence.usable import face_is_gone
from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing, Outcome

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.evidence.lips import Agreement
    from verifier.profiles import Profile

NAME = "lips"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the agreement of lips and sound; without both, or without speech, nothing is said.

    In noise that phonemes drown in, and with too few pictures to show a closure, lips that do not agree are not held against the
    person.
    """
    if isinstance(evidence.face, Missing):
        return CheckResult.unable(NAME, evidence.face.reason)
    if isinstance(evidence.sound, Missing):
        return CheckResult.unable(NAME, evidence.sound.reason)
    if not len(evidence.sound.speech):
        return CheckResult.unable(NAME, Reason.NO_SPEECH)
    result = judge(agreement(evidence.face, evidence.sound), profile)
    if result.reason is Reason.MOUTH_NOT_VISIBLE and face_is_gone(evidence.face):
        return CheckResult.unable(NAME, Reason.FACE_LEFT_FRAME, result.detail)
    excuses = (
        ("lips_fps_min", evidence.media.fps, Reason.FRAME_RATE_TOO_LOW),
        ("words_noise_min", evidence.sound.speech_to_noise_db, Reason.TOO_NOISY),
    )
    excuse = next((reason for line, value, reason in excuses if not profile[line].holds(value)), None)
    return CheckResult.unable(NAME, excuse, result.detail) if result.outcome is Outcome.FAIL and excuse else result


def judge(found: Agreement, profile: Profile) -> CheckResult:
    """Judge an agreement that was measured: as a whole, by its worst parts, then by both together.

    A few seconds have no other offsets to lead over, so their agreement stands alone and has a line of its own. Sound that agrees
    far from the lips alone, and not well, is asked for again.
    """
    if not profile["lips_seconds_min"].holds(found.seconds):
        return CheckResult.unable(NAME, Reason.MOUTH_NOT_VISIBLE, f"{found.seconds:.1f} s of speech with the lips in view")
    detail = (
        f"agreement {found.score:.2f} with the sound {found.offset_s * 1e3:+.0f} ms late, over {found.seconds:.1f} s;"
        f" {found.elsewhere:.2f} at {found.elsewhere_s * 1e3:+.0f} ms; worst parts {found.part:.2f}"
    )
    line = profile["lips_distinct_min" if found.tried_elsewhere else "lips_short_min"]
    result = line.judge(NAME, found.distinct, Reason.LIPS_DO_NOT_MATCH, detail)
    both = found.distinct + found.part
    further = [("lips_part_min", found.part)]
    if found.tried_elsewhere:
        further.append(("lips_both_min", both))
    for name, value in further:
        if result.reason is None and not profile[name].holds(value):
            result = profile[name].judge(NAME, value, Reason.LIPS_DO_NOT_MATCH, detail)
    apart = found.tried_elsewhere and not profile["lips_offset_max"].holds(abs(found.offset_s))
    if result.reason is None and apart and not profile["lips_offset_both_min"].holds(both):
        return CheckResult.unable(NAME, Reason.SOUND_OUT_OF_STEP, detail)
    return result
