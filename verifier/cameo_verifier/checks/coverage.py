"""Coverage: checks that picture and sound span the same time.

A headset's microphone opens a second or two after the camera, a phone's recorder ends one of the two earlier: no cut, for nothing
is missing in the middle. Speech has to be visible, though.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.spoken import spoken_spans
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing, Outcome

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "coverage"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge by how much picture or sound starts later or ends earlier than the other, then speech outside the picture's time."""
    media = case.evidence.media
    if not media.audio_codec or not media.frames:
        return CheckResult(NAME, Outcome.PASS, detail="only one of the two")
    video_end_s, audio_end_s = media.video_from_s + media.video_s, media.audio_from_s + media.audio_s
    detail = f"picture {media.video_from_s:.2f} to {video_end_s:.2f} s, sound {media.audio_from_s:.2f} to {audio_end_s:.2f} s"
    apart_s = max(abs(media.video_from_s - media.audio_from_s), abs(video_end_s - audio_end_s))
    result = profile["late_or_early_max"].judge(NAME, apart_s, Reason.RECORDING_TOO_SHORT, detail)
    if result.reason or isinstance(case.evidence.sound, Missing):
        return result
    said = [span for span in spoken_spans(case.challenge, case.evidence.sound) if span is not None]
    unseen_s = max([0.0, *(max(media.video_from_s - start_s, end_s - video_end_s) for start_s, end_s in said)])
    spoken = profile["said_unseen_max"].judge(NAME, unseen_s, Reason.RECORDING_TOO_SHORT, detail)
    return spoken if spoken.reason else result


QUESTION = Question(
    NAME,
    "Picture and sound",
    "Picture and sound cover the same time, and all that was said.",
    check,
    thresholds=("late_or_early_max", "said_unseen_max"),
)
