"""The questions about the recording and its sound, on evidence made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cameo_challenges.model import Challenge, Say, Turn, TurnHead
from cameo_verifier.checks import frame_rate, length, loudness, noise, picture_size, speaker, streams
from cameo_verifier.checks.question import Case
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import MediaLimits
from cameo_verifier.types import Circumstances, Evidence, Missing, Outcome

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

MakeEvidence = Callable[..., Evidence]
SAY = Challenge((Say("one"),))
LIMITS = MediaLimits()


@pytest.mark.parametrize(
    ("media", "challenge", "reason"),
    [
        ({}, SAY, None),
        ({"video_codec": ""}, SAY, Reason.NO_VIDEO),
        ({"audio_codec": ""}, SAY, Reason.NO_AUDIO),
        ({"audio_codec": ""}, Challenge(()), Reason.NO_AUDIO),
        ({"audio_codec": ""}, Challenge((TurnHead(Turn.LEFT),)), None),
    ],
)
def test_streams(
    make_evidence: MakeEvidence, profile: Profile, media: dict[str, Any], challenge: Challenge, reason: Reason | None
) -> None:
    """Picture is always needed, sound unless there are only turns to make."""
    result = streams.check(Case(make_evidence(media=media), challenge), profile)
    assert (result.reason, result.outcome) == (reason, Outcome.FAIL if reason else Outcome.PASS)


@pytest.mark.parametrize(
    ("module", "media", "reason"),
    [
        (length, {"duration_s": 1.9}, Reason.RECORDING_TOO_SHORT),
        (length, {"duration_s": 40.0}, Reason.RECORDING_TOO_LONG),
        (frame_rate, {"fps": 5.0}, Reason.FRAME_RATE_TOO_LOW),
        (picture_size, {"width": 2000, "height": 120}, Reason.PICTURE_TOO_SMALL),
    ],
)
def test_limits(make_evidence: MakeEvidence, profile: Profile, module: Any, media: dict[str, Any], reason: Reason) -> None:
    """A recording within the site's limits passes; one beyond fails and names the limit."""
    assert module.check(Case(make_evidence(), SAY, Circumstances(limits=LIMITS.model_dump())), profile).outcome is Outcome.PASS
    assert (
        module.check(Case(make_evidence(media=media), SAY, Circumstances(limits=LIMITS.model_dump())), profile).reason is reason
    )


@pytest.mark.parametrize(
    ("module", "sound", "reason"),
    [
        (loudness, {"level_dbfs": -62.0}, Reason.VOLUME_TOO_LOW),
        (noise, {"noise_dbfs": -24.0}, Reason.TOO_NOISY),
        (speaker, {"window_embeddings": np.eye(3, 512, dtype=np.float32)}, Reason.SPEAKER_CHANGED),
    ],
)
def test_sound(make_evidence: MakeEvidence, profile: Profile, module: Any, sound: dict[str, Any], reason: Reason) -> None:
    """One defect of the sound fails for its own reason."""
    assert module.check(Case(make_evidence(), SAY), profile).outcome is Outcome.PASS
    assert module.check(Case(make_evidence(sound=sound), SAY), profile).reason is reason


@pytest.mark.parametrize("module", [loudness, noise, speaker])
def test_silence_and_absence_are_told_apart(make_evidence: MakeEvidence, profile: Profile, module: Any) -> None:
    """A sound track without speech is `NO_SPEECH`; no sound track is `NO_AUDIO`."""
    silent = make_evidence(sound={"speech": np.zeros((0, 2)), "window_embeddings": np.zeros((0, 512), np.float32)})
    assert module.check(Case(silent, SAY), profile).reason is Reason.NO_SPEECH
    assert module.check(Case(make_evidence(sound=Missing(Reason.NO_AUDIO)), SAY), profile).reason is Reason.NO_AUDIO
