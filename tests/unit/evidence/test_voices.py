"""Groups of words, and the one that is least like the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cameo_challenges.model import Challenge
from cameo_verifier.checks import second_voice, speaker
from cameo_verifier.checks.question import Case
from cameo_verifier.decision import decide
from cameo_verifier.evidence.voices import strangeness, word_groups
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Evidence, MediaInfo, Missing, Outcome, ScoredWord, SoundTrack, Verdict
from tests.english import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = Challenge(())


def said(*spans: tuple[float, float]) -> list[ScoredWord]:
    return [ScoredWord("one", start, end, -0.1, 4.0) for start, end in spans]


def test_words_are_grouped_until_a_voice_can_be_told() -> None:
    """Groups close at 0.8 s, what is left joins the group before, none crosses a text, and what is too short is left out."""
    words = said((1.0, 1.4), (1.4, 1.8), (1.9, 2.3), (5.0, 5.5), (5.5, 5.9), (5.9, 6.3), (6.3, 6.8), (9.0, 9.3))
    groups = word_groups(["one two three", "four five six seven", "eight"], words, ENGLISH)
    np.testing.assert_allclose(groups, [(0.95, 2.35), (4.95, 5.95), (5.85, 6.85)])


def test_without_words_there_are_no_groups() -> None:
    """Nothing asked, or nothing laid over the sound, yields an empty table of pairs."""
    assert word_groups([], [], ENGLISH).shape == (0, 2)
    assert word_groups(["one two"], [], ENGLISH).shape == (0, 2)


def track(likeness: Sequence[float], *, noise_dbfs: float = -55.0) -> SoundTrack:
    """Return as many groups as likenesses, of one voice but for how far each departs from it in a way of its own."""
    embeddings = np.zeros((len(likeness), 512), np.float32)
    for row, like in enumerate(likeness):
        embeddings[row, 0], embeddings[row, row + 1] = like, np.sqrt(1 - like**2)
    spans = np.array([(2.0 * row, 2.0 * row + 1.0) for row in range(len(likeness))]).reshape(-1, 2)
    return SoundTrack(
        duration_s=10.0, level_dbfs=-20.0, noise_dbfs=noise_dbfs, peak_dbfs=-6.0, speech=spans, text="", words=(), forced=(),
        window_s=spans, window_embeddings=embeddings, embedding=embeddings[0], group_s=spans, group_embeddings=embeddings,
    )  # fmt: skip


def asked(sound: SoundTrack | Missing) -> tuple[Outcome, Reason | None]:
    evidence = Evidence(MediaInfo("mp4", 0, "", 10.0), Missing(Reason.NO_VIDEO), sound)
    result = second_voice.check(Case(evidence, NOTHING), load())
    return result.outcome, result.reason


def test_the_odd_group_is_found_among_the_others() -> None:
    """One group of another voice fails wherever it is and is named; four of one voice pass."""
    assert asked(track([0.9, 0.8, 0.9, 0.85])) == (Outcome.PASS, None)
    for odd in range(4):
        likeness = [0.9] * 4
        likeness[odd] = 0.05
        sound = track(likeness)
        assert asked(sound) == (Outcome.FAIL, Reason.SECOND_VOICE)
        assert strangeness(sound.group_s, sound.group_embeddings)[1] == odd


def test_a_long_group_says_more_than_a_short_one() -> None:
    """The others are averaged by length: beside a long group of its own voice a short stranger hardly matters."""
    sound = track([0.9, 0.9, 0.05])
    spans = sound.group_s.copy()
    spans[2, 1] = spans[2, 0] + 0.5
    spans[1, 1] = spans[1, 0] + 3.0
    even, _ = strangeness(sound.group_s, sound.group_embeddings[[0, 1, 2]])
    by_length, least = strangeness(spans, sound.group_embeddings)
    assert least == 2
    assert by_length == pytest.approx(even, abs=0.02)


@pytest.mark.parametrize(
    ("sound", "reason"),
    [
        (track([0.9, 0.05]), Reason.NO_SPEECH),
        (track([0.9]), Reason.NO_SPEECH),
        (track([0.9, 0.9, 0.05], noise_dbfs=-35.0), Reason.TOO_NOISY),
        (Missing(Reason.NO_AUDIO), Reason.NO_AUDIO),
    ],
)
def test_where_the_odd_one_cannot_be_told_there_is_no_answer(sound: SoundTrack | Missing, reason: Reason) -> None:
    """Two groups or fewer, noise, and a recording without sound."""
    assert asked(sound) == (Outcome.UNABLE, reason)


@pytest.mark.parametrize("room", [{"others": np.array([[6.0, 7.0]])}, {"noise_dbfs": -35.0}], ids=["television", "noise"])
def test_a_room_accuses_nobody_of_a_second_voice(room: dict[str, Any]) -> None:
    """Two voices are two voices in a quiet room; where others talk in the background, or in noise, they are asked for again.

    Neither is accepted: the voices' check needs to pass, and a veto that fails for the room rejects nothing and lets nothing in.
    """
    windows, groups = track([0.9, 0.02, 0.9, 0.02]), track([0.9, 0.9, 0.9, 0.02])
    two = replace(groups, window_embeddings=windows.window_embeddings)
    for sound, verdict, reasons in (
        (two, Verdict.REJECTED, {Reason.SPEAKER_CHANGED, Reason.SECOND_VOICE}),
        (replace(two, **room), Verdict.RETRY, {Reason.TOO_NOISY}),
    ):
        evidence = Evidence(MediaInfo("mp4", 0, "", 10.0), Missing(Reason.NO_VIDEO), sound)
        results = [check(Case(evidence, NOTHING), load()) for check in (speaker.check, second_voice.check)]
        decision = decide(results, load(), exempt=load().confirmed_by - {"speaker"})
        assert (decision.verdict, set(decision.reasons)) == (verdict, reasons)


def test_a_second_voice_in_a_room_with_others_is_never_let_in() -> None:
    """The veto, which cannot tell whose words the odd group holds, still counts: it asks again."""
    sound = replace(track([0.9, 0.9, 0.9, 0.05]), others=np.array([[6.0, 7.0]]))
    assert asked(sound) == (Outcome.FAIL, Reason.TOO_NOISY)


@pytest.mark.parametrize(
    ("windows", "groups", "noise_dbfs", "reason"),
    [
        (0.45, 0.25, -55.0, Reason.VOICE_INCONCLUSIVE),
        (0.9, 0.25, -55.0, None),
        (0.45, 0.8, -55.0, None),
        (0.45, 0.25, -35.0, None),
    ],
    ids=["weak in both", "windows alike", "groups alike", "noise"],
)
def test_one_voice_is_not_weak_in_both(windows: float, groups: float, noise_dbfs: float, reason: Reason | None) -> None:
    """Windows and groups that each just pass are asked for again; either is forgiven where the other is good, and in noise."""
    sound = replace(
        track([0.9, 0.9, 0.9, groups], noise_dbfs=noise_dbfs), window_embeddings=track([windows] * 4).window_embeddings
    )
    evidence = Evidence(MediaInfo("mp4", 0, "", 10.0), Missing(Reason.NO_VIDEO), sound)
    assert second_voice.check(Case(evidence, NOTHING), load()).outcome is not Outcome.FAIL
    result = speaker.check(Case(evidence, NOTHING), load())
    assert result.reason is reason
    assert result.outcome is (Outcome.UNABLE if reason else Outcome.PASS)


def test_what_one_voice_may_sound_like_is_asked_for_again() -> None:
    """Between what one voice mostly has and what two mostly have nobody is accused, and nobody is let in."""
    for windows, groups in (([0.33, 0.33, 0.33, 0.33], [0.9, 0.8, 0.9, 0.85]), ([0.9, 0.9, 0.9, 0.9], [0.9, 0.9, 0.9, 0.1])):
        sound = replace(track(groups), window_embeddings=track(windows).window_embeddings)
        evidence = Evidence(MediaInfo("mp4", 0, "", 10.0), Missing(Reason.NO_VIDEO), sound)
        results = [check(Case(evidence, NOTHING), load()) for check in (speaker.check, second_voice.check)]
        decision = decide(results, load(), exempt=load().confirmed_by - {"speaker"})
        assert (decision.verdict, decision.reasons) == (Verdict.RETRY, (Reason.VOICE_INCONCLUSIVE,)), results
