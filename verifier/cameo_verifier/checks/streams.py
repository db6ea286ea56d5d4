"""Streams: checks that the recording has the picture and the sound that the challenge needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Outcome

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "streams"


def check(case: Case, _profile: Profile) -> CheckResult:
    """Fail for `NO_VIDEO` or `NO_AUDIO`; sound may be absent only where there are turns to make and nothing to say."""
    media = case.evidence.media
    sound_needed = bool(case.challenge.spoken) or not case.challenge.turns
    if not media.video_codec:
        reason = Reason.NO_VIDEO
    elif not media.audio_codec and sound_needed:
        reason = Reason.NO_AUDIO
    else:
        return CheckResult(
            NAME, Outcome.PASS, detail=f"{media.container}: {media.video_codec}, {media.audio_codec or 'no sound'}"
        )
    return CheckResult(NAME, Outcome.FAIL, reason=reason, detail=media.container)


QUESTION = Question(
    NAME,
    "Streams",
    "The recording has a picture and a sound.",
    check,
)
