"""Lip sync: checks that the lips articulate the recognised phonemes.

A sound that was dubbed, shifted or spoken by someone off camera correlates with the lips no better than chance, and so does a
mouth at rest or one moved by hand; a chance match, or a shifted sound, correlates as well at an offset that no device records
with. Where someone else says a part of it, that part correlates with nothing. A chance match of the whole is hardly one in every
part: an answer may be weak in one of the two. Devices record sound and picture at an offset, but seldom a large one: a match at a
large offset needs a higher agreement, or is retried, for a wireless microphone is no attack.

An agreement too low to pass is seldom too high for chance: the mouths of real talkers in poor pictures agree weakly, and a
recorder may delay all of the sound by a second. Only sound that agrees with the lips nowhere within a second is evidence of an
attack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question, spoken
from cameo_verifier.evidence.lips import agreement, clearest
from cameo_verifier.evidence.spoken import witnesses, words_said
from cameo_verifier.evidence.usable import face_is_gone
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Evidence, Missing, Outcome, PictureTrace

if TYPE_CHECKING:
    from cameo_challenges.model import Challenge
    from cameo_verifier.evidence.lips import Agreement
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import SoundTrack

NAME = "lips"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the agreement of lips and sound; unable without both, or without speech.

    A low agreement does not count against the person with too few pictures to show a closure, in noise that masks phonemes, with
    background speech, where most of the recognised words are not the requested ones, which `phrase` judges, and where sound and
    lips agree at all within a second of one another.
    """
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    if isinstance(case.evidence.sound, Missing):
        return CheckResult.unable(NAME, case.evidence.sound.reason)
    sound = case.evidence.sound
    if not len(sound.speech):
        return CheckResult.unable(NAME, Reason.NO_SPEECH)
    result = judge(agreement(case.evidence.face, sound), profile)
    if result.reason is Reason.MOUTH_NOT_VISIBLE and face_is_gone(case.evidence.face):
        return CheckResult.unable(NAME, Reason.FACE_LEFT_FRAME, result.detail)
    if result.outcome is not Outcome.FAIL:
        return result
    found = clearest(case.evidence.face, sound)
    reason = _explanation(found, case.evidence, sound, case.challenge, profile)
    return CheckResult.unable(NAME, reason, f"{result.detail}; at the clearest offset {_detail(found)}") if reason else result


def _explanation(
    found: Agreement, evidence: Evidence, sound: SoundTrack, challenge: Challenge, profile: Profile
) -> Reason | None:
    """Return the reason that excuses a low agreement, given that at the best offset within a second; `None` without any."""
    if judge(found, profile).outcome is not Outcome.FAIL:
        return Reason.LIP_SYNC_INCONCLUSIVE
    explanations = (
        ("lips_fps_min", _pictures_per_s(evidence), Reason.FRAME_RATE_TOO_LOW),
        ("words_noise_min", sound.speech_to_noise_db, Reason.TOO_NOISY),
        ("others_max", sound.others_s, Reason.TOO_NOISY),
        ("lips_words_min", _share_said(sound, challenge, profile), Reason.PHRASE_MISMATCH),
    )
    for line, value, reason in explanations:
        if not profile[line].holds(value):
            return reason
    return Reason.LIP_SYNC_INCONCLUSIVE if profile["lips_peak_min"].holds(found.distinct + found.part) else None


def _pictures_per_s(evidence: Evidence) -> float:
    """Return the frame rate by the median interval, or the mean rate where that is lower."""
    t_s = evidence.picture.t_s if isinstance(evidence.picture, PictureTrace) else np.zeros(0)
    usual_s = float(np.median(np.diff(t_s))) if len(t_s) > 1 else 0.0
    return min(evidence.media.fps, 1.0 / usual_s) if usual_s > 0.0 else evidence.media.fps


def _share_said(sound: SoundTrack, challenge: Challenge, profile: Profile) -> float:
    """Return the share of the asked words that were said; 1 where none were asked."""
    read_gain, unread_gain = profile["phrase_read_word_gain_min"].value, profile["phrase_unread_word_gain_min"].value
    said = words_said(witnesses(challenge, sound), read_gain=read_gain, unread_gain=unread_gain)
    return sum(said) / len(said) if said else 1.0


def judge(found: Agreement, profile: Profile) -> CheckResult:
    """Judge a measured agreement: as a whole, by its worst parts, then by both together.

    A few seconds have no other offsets to lead over, so their agreement is judged alone, by a threshold of its own. Sound that
    agrees only at a large offset, and not well, is retried.
    """
    if not profile["lips_seconds_min"].holds(found.seconds):
        return CheckResult.unable(NAME, Reason.MOUTH_NOT_VISIBLE, f"{found.seconds:.1f} s of speech with the lips in view")
    detail = _detail(found)
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
        return CheckResult.unable(NAME, Reason.LIP_SYNC_INCONCLUSIVE, detail)
    return result


def _detail(found: Agreement) -> str:
    return (
        f"agreement {found.score:.2f} with the sound {found.offset_s * 1e3:+.0f} ms late, over {found.seconds:.1f} s;"
        f" {found.elsewhere:.2f} at {found.elsewhere_s * 1e3:+.0f} ms; worst parts {found.part:.2f}"
    )


QUESTION = Question(
    NAME,
    "Lips and sound",
    "The lips move as the sound predicts.",
    check,
    thresholds=(
        "lips_distinct_min",
        "lips_short_min",
        "lips_part_min",
        "lips_both_min",
        "lips_offset_max",
        "lips_offset_both_min",
        "lips_seconds_min",
        "lips_fps_min",
        "words_noise_min",
        "lips_words_min",
        "lips_peak_min",
        "others_max",
        "phrase_read_word_gain_min",
        "phrase_unread_word_gain_min",
    ),
    applies=spoken,
)
