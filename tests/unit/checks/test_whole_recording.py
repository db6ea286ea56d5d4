"""Whether a recording is whole, covers what was said, and was held one way up: what a device explains asks again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cameo_challenges.model import Challenge, Say
from cameo_verifier.checks import coverage, damage, splice, turned
from cameo_verifier.checks.question import Case
from cameo_verifier.decision import decide
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing, Outcome, ScoredWord, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.types import Evidence

CHALLENGE = Challenge((Say("seven nine"),))
PROFILE = load()
LONG_ENOUGH = CheckResult("length", Outcome.PASS)


@pytest.fixture
def judge(make_evidence: Callable[..., Evidence]) -> Callable[..., CheckResult]:
    """Return a function that asks one of the checks about six seconds in which two words are said, from 2 to 3 s."""

    def ask(module: Any, *, said_s: tuple[float, float] = (2.0, 3.0), sound: Any = None, **media: Any) -> CheckResult:
        middle_s = sum(said_s) / 2
        forced = (
            ScoredWord("seven", said_s[0], middle_s, -0.1, 6.0),
            ScoredWord("nine", middle_s, said_s[1], -0.1, 6.0),
        )
        return module.check(Case(make_evidence(media, None, sound or {"forced": forced}), CHALLENGE), PROFILE)  # type: ignore[no-any-return]

    return ask


@pytest.mark.parametrize("module", [damage, coverage, turned])
def test_a_whole_recording_passes(module: Any, judge: Callable[..., CheckResult]) -> None:
    """A recording that lost nothing, of one shape, with picture and sound from start to end, passes."""
    assert judge(module).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("media", "detail"),
    [
        ({"damaged_s": (1.0, 2.5)}, "at 1.00, 2.50 s"),
        ({"lost_s": 0.4}, "0.40 s missing"),
        ({"broken": 9, "broken_s": 3.25}, "most of them at 3.25 s"),
    ],
    ids=["not decoded", "lost", "broken blocks"],
)
def test_damage_asks_again(media: dict[str, Any], detail: str, judge: Callable[..., CheckResult]) -> None:
    """What did not decode, is missing from both media, or decodes into broken blocks fails for CORRUPT_MEDIA and says when."""
    result = judge(damage, **media)
    assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, Reason.CORRUPT_MEDIA, detail)


def test_damage_is_told_before_any_attack(judge: Callable[..., CheckResult]) -> None:
    """What damage makes other checks find is not held against the person."""
    attack = replace(judge(damage), name="moire", outcome=Outcome.FAIL, reason=Reason.DISPLAY_VISIBLE)
    decision = decide([judge(damage, damaged_s=(1.0,)), attack, LONG_ENOUGH], PROFILE, exempt=PROFILE.confirmed_by - {"length"})
    assert (decision.verdict, decision.reasons) == (Verdict.RETRY, (Reason.CORRUPT_MEDIA,))


@pytest.mark.parametrize(
    "media",
    [
        {"audio_from_s": 1.9, "audio_s": 4.1},
        {"video_from_s": 1.9, "video_s": 4.1},
        {"audio_s": 4.1},
        {"video_s": 4.1},
    ],
    ids=["sound late", "picture late", "sound ends early", "picture ends early"],
)
def test_one_medium_may_be_two_seconds_late_or_early(media: dict[str, float], judge: Callable[..., CheckResult]) -> None:
    """Sound or picture that starts late or ends early by up to 2 s is no cut and passes."""
    assert judge(coverage, **media).outcome is Outcome.PASS
    assert judge(splice, **media).reason is not Reason.SPLICED


@pytest.mark.parametrize(
    "media",
    [{"audio_from_s": 2.2, "audio_s": 3.8}, {"video_s": 3.5}, {"audio_s": 9.0}, {"video_from_s": 3.0, "video_s": 3.0}],
    ids=["sound late", "picture ends early", "sound goes on", "picture late"],
)
def test_more_than_that_asks_again(media: dict[str, float], judge: Callable[..., CheckResult]) -> None:
    """A medium that is missing for longer fails for RECORDING_TOO_SHORT, which is no accusation."""
    result = judge(coverage, **media)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.RECORDING_TOO_SHORT)


@pytest.mark.parametrize(
    ("said_s", "media"),
    [((0.5, 1.5), {"video_from_s": 1.2, "video_s": 4.8}), ((4.0, 5.5), {"video_s": 4.9})],
    ids=["before the picture", "after the picture"],
)
def test_words_that_were_not_seen_are_not_taken(
    said_s: tuple[float, float], media: dict[str, float], judge: Callable[..., CheckResult]
) -> None:
    """Words said while there was no picture ask again, though picture and sound are less than 2 s apart."""
    result = judge(coverage, said_s=said_s, **media)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.RECORDING_TOO_SHORT)
    assert judge(coverage, said_s=(2.0, 3.0), **media).outcome is Outcome.PASS


def test_one_medium_alone_covers_itself(judge: Callable[..., CheckResult]) -> None:
    """Without sound there is nothing to cover: that it is missing is another check's business."""
    alone = judge(coverage, sound=Missing(Reason.NO_AUDIO), audio_codec="", audio_s=0.0)
    assert alone.outcome is Outcome.PASS


def test_a_phone_that_is_turned_asks_again(judge: Callable[..., CheckResult]) -> None:
    """Pictures that change their shape fail for CAMERA_TURNED, which explains the cut that the turn makes."""
    result = judge(turned, resized_s=(2.76,))
    assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, Reason.CAMERA_TURNED, "at 2.76 s")
    cut = replace(result, name="splice", reason=Reason.SPLICED)
    decision = decide([result, cut, LONG_ENOUGH], PROFILE, exempt=PROFILE.confirmed_by - {"length"})
    assert (decision.verdict, decision.reasons) == (Verdict.RETRY, (Reason.CAMERA_TURNED,))


def test_what_was_not_measured_does_not_pass(judge: Callable[..., CheckResult]) -> None:
    """A time that is no number is no time within the limit."""
    assert judge(coverage, video_from_s=np.nan).outcome is Outcome.FAIL
