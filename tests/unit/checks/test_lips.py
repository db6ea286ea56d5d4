"""The lips check on hand-made evidence, and on real talkers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_challenges.model import Challenge, Say
from cameo_verifier.checks import lips, phrase
from cameo_verifier.checks.question import Case
from cameo_verifier.decision import decide
from cameo_verifier.evidence.collect import collect
from cameo_verifier.evidence.lips import Agreement, agreement
from cameo_verifier.profile import CheckRole
from cameo_verifier.reasons import Kind, Reason
from cameo_verifier.settings import Settings
from cameo_verifier.types import CheckResult, FaceTrack, Missing, Outcome, PictureTrace, ScoredWord, SoundTrack, Verdict
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import Evidence

NOTHING = Challenge(())
FIXTURES = ROOT / "fixtures"
RENDERED = ("astronaut_bona_fide.mp4", "admiral_bona_fide.mp4")
TALKERS = ("numbers_phone_a.mov", "speech_katiehill.mp4")


AGREES = Agreement(score=0.5, offset_s=0.04, elsewhere=0.2, elsewhere_s=1.2, part=0.4, seconds=5.0)


def test_lips_that_agree_pass(profile: Profile) -> None:
    """Agreement well above chance, here and in every part, passes, and the offset is reported."""
    result = lips.judge(AGREES, profile)
    assert (result.outcome, result.score, result.reason) == (Outcome.PASS, pytest.approx(0.8), None)
    assert "+40 ms late" in result.detail


@pytest.mark.parametrize(
    ("found", "score"),
    [
        (replace(AGREES, score=0.05, elsewhere=0.1), 0.0),
        (replace(AGREES, score=0.35, offset_s=-0.2, elsewhere=0.6), 0.1),
        (replace(AGREES, part=0.1), 0.1),
        (replace(AGREES, score=0.45, part=0.25), 0.95),
    ],
    ids=["foreign", "shifted", "a part by someone else", "by chance"],
)
def test_sound_of_other_lips_fails(found: Agreement, score: float, profile: Profile) -> None:
    """Sound that agrees with nothing, better at another offset, not in part, or weakly all over, fails by that figure."""
    result = lips.judge(found, profile)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.LIPS_DO_NOT_MATCH)
    assert result.score == pytest.approx(score)


@pytest.mark.parametrize(
    ("elsewhere", "outcome"),
    [(0.15, Outcome.PASS), (0.3, Outcome.FAIL), (-1.0, Outcome.FAIL)],
    ids=["nothing", "chance", "untried"],
)
def test_what_fits_elsewhere_fits_by_chance(elsewhere: float, outcome: Outcome, profile: Profile) -> None:
    """A fair agreement passes where no other offset agrees, and fails where one does or none could be tried.

    A good one of a few seconds, which have no other offsets, passes by itself.
    """
    assert lips.judge(replace(AGREES, score=0.62, elsewhere=-1.0), profile).outcome is Outcome.PASS
    assert lips.judge(replace(AGREES, score=0.4, elsewhere=elsewhere), profile).outcome is outcome


def test_an_answer_may_be_weak_as_a_whole_or_in_its_parts(profile: Profile) -> None:
    """Either is forgiven where the other is good; a few seconds have no parts that could be."""
    weak, parts = replace(AGREES, score=0.43, elsewhere=0.2, part=0.5), replace(AGREES, score=0.7, part=0.17)
    short = replace(AGREES, score=0.62, elsewhere=-1.0, part=0.3)
    assert [lips.judge(found, profile).outcome for found in (weak, parts, short)] == [Outcome.PASS] * 3


@pytest.mark.parametrize("offset_s", [0.16, -0.2], ids=["late", "early"])
def test_sound_far_from_the_lips_has_to_agree_better(offset_s: float, profile: Profile) -> None:
    """As far apart as a wireless microphone, good agreement passes and a fair one is asked for again; chance is no excuse."""
    fair = replace(AGREES, offset_s=offset_s)
    assert lips.judge(replace(fair, score=0.6, part=0.5), profile).outcome is Outcome.PASS
    asked = lips.judge(fair, profile)
    assert (asked.outcome, asked.reason) == (Outcome.UNABLE, Reason.LIP_SYNC_INCONCLUSIVE)
    assert f"{offset_s * 1e3:+.0f} ms late" in asked.detail
    foreign = lips.judge(replace(fair, score=0.3), profile)
    assert (foreign.outcome, foreign.reason) == (Outcome.FAIL, Reason.LIPS_DO_NOT_MATCH)
    assert lips.judge(replace(fair, score=0.62, elsewhere=-1.0, part=0.5), profile).outcome is Outcome.PASS


def test_sound_far_from_the_lips_excuses_nothing(profile: Profile) -> None:
    """It asks for another try by itself, and leaves words that were not asked a mismatch; when they were said follows from it."""
    assert Reason.LIP_SYNC_INCONCLUSIVE.kind is Kind.QUALITY
    asked = lips.judge(replace(AGREES, offset_s=0.2), profile)
    wrong = CheckResult.unable("phrase", Reason.PHRASE_MISMATCH)
    alone, with_wrong_words = (
        decide(results, profile, exempt=profile.confirmed_by - {"lips", "phrase"} | ({"phrase"} - {r.name for r in results}))
        for results in ([asked], [asked, wrong])
    )
    assert (alone.verdict, alone.reasons) == (Verdict.RETRY, (Reason.LIP_SYNC_INCONCLUSIVE,))
    assert (with_wrong_words.verdict, with_wrong_words.reasons[0]) == (Verdict.REJECTED, Reason.PHRASE_MISMATCH)
    late = CheckResult("sequence", Outcome.FAIL, reason=Reason.SPOKE_TOO_LATE)
    assert decide([asked, late], profile, exempt=profile.confirmed_by - {"lips", "sequence"}).reasons == (
        Reason.LIP_SYNC_INCONCLUSIVE,
    )


def test_a_moment_of_speech_is_too_little(profile: Profile) -> None:
    """Less than a word or two with the lips in view says nothing either way."""
    result = lips.judge(replace(AGREES, score=0.0, seconds=0.9), profile)
    assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.MOUTH_NOT_VISIBLE)


def test_without_picture_sound_or_speech_nothing_is_said(make_evidence: Callable[..., Evidence], profile: Profile) -> None:
    """What is missing is named, and is no failure."""
    for evidence, reason in (
        (make_evidence(face=Missing(Reason.NO_FACE)), Reason.NO_FACE),
        (make_evidence(sound=Missing(Reason.NO_AUDIO)), Reason.NO_AUDIO),
        (make_evidence(sound={"speech": np.zeros((0, 2))}), Reason.NO_SPEECH),
    ):
        result = lips.check(Case(evidence, NOTHING), profile)
        assert (result.outcome, result.reason) == (Outcome.UNABLE, reason)


def test_lips_lost_in_noise_are_asked_for_again(make_evidence: Callable[..., Evidence], profile: Profile) -> None:
    """Lips at rest fail in a quiet room; in noise below 15 dB the phonemes, not the lips, may be to blame."""
    landmarks = np.random.default_rng(3).normal(100, 20, (1, 478, 3)).repeat(90, axis=0).astype(np.float32)
    said = np.random.default_rng(4).normal(size=(300, 4)).astype(np.float32)
    for noise_dbfs, outcome, reason in (
        (-55.0, Outcome.FAIL, Reason.LIPS_DO_NOT_MATCH),
        (-32.0, Outcome.UNABLE, Reason.TOO_NOISY),
    ):
        evidence = make_evidence(
            face={"landmarks": landmarks}, sound={"lips": said, "level_dbfs": -20.0, "noise_dbfs": noise_dbfs}
        )
        result = lips.check(Case(evidence, NOTHING), profile)
        assert (result.outcome, result.reason) == (outcome, reason)


def test_lips_between_too_few_pictures_are_asked_for_again(make_evidence: Callable[..., Evidence], profile: Profile) -> None:
    """Lips at rest fail at 15 pictures a second; at 10 a closure may show in none, and nobody is accused.

    How many there are is what lies between two of them, not what a few pictures more at one place make of the mean.
    """
    landmarks = np.random.default_rng(3).normal(100, 20, (1, 478, 3)).repeat(90, axis=0).astype(np.float32)
    said = np.random.default_rng(4).normal(size=(300, 4)).astype(np.float32)
    evidence = make_evidence(face={"landmarks": landmarks}, sound={"lips": said, "level_dbfs": -20.0, "noise_dbfs": -55.0})
    for fps, step_s, outcome, reason in (
        (15.0, 1 / 15, Outcome.FAIL, Reason.LIPS_DO_NOT_MATCH),
        (10.0, 0.1, Outcome.UNABLE, Reason.FRAME_RATE_TOO_LOW),
        (15.0, 0.1, Outcome.UNABLE, Reason.FRAME_RATE_TOO_LOW),
        (8.0, 1 / 15, Outcome.UNABLE, Reason.FRAME_RATE_TOO_LOW),
    ):
        picture = PictureTrace(np.arange(60) * step_s, np.ones(60, np.float32), 30.0)
        result = lips.check(Case(replace(evidence, media=replace(evidence.media, fps=fps), picture=picture), NOTHING), profile)
        assert (result.outcome, result.reason) == (outcome, reason)


def test_other_words_are_the_question_of_the_phrase(make_evidence: Callable[..., Evidence], profile: Profile) -> None:
    """Lips at rest fail where the asked words are heard; where hardly one is, it is the words that are refused."""
    landmarks = np.random.default_rng(3).normal(100, 20, (1, 478, 3)).repeat(90, axis=0).astype(np.float32)
    said = np.random.default_rng(4).normal(size=(300, 4)).astype(np.float32)
    asked = Challenge((Say("seven four"), Say("mango")))
    roles = replace(profile, roles={**profile.roles, "phrase": CheckRole.CONFIRM, "lips": CheckRole.CONFIRM})
    for gains, reasons in (
        ((4.0, 4.0, 4.0), (Reason.LIPS_DO_NOT_MATCH,)),
        ((-3.0, 4.0, -3.0), (Reason.PHRASE_MISMATCH,)),
    ):
        forced = tuple(
            ScoredWord(word, 1.0, 2.0, -0.1, gain) for word, gain in zip(("seven", "four", "mango"), gains, strict=True)
        )
        evidence = make_evidence(face={"landmarks": landmarks}, sound={"lips": said, "noise_dbfs": -55.0, "forced": forced})
        results = [check(Case(evidence, asked), profile) for check in (phrase.check, lips.check)]
        decision = decide(results, roles, exempt=roles.confirmed_by - {"phrase", "lips"})
        assert (decision.verdict, decision.reasons) == (Verdict.REJECTED, reasons)


def test_a_person_is_not_judged_by_the_lips_while_others_talk(make_evidence: Callable[..., Evidence], profile: Profile) -> None:
    """With a television in the room lips that do not agree are asked for again."""
    landmarks = np.random.default_rng(3).normal(100, 20, (1, 478, 3)).repeat(90, axis=0).astype(np.float32)
    said = np.random.default_rng(4).normal(size=(300, 4)).astype(np.float32)
    evidence = make_evidence(face={"landmarks": landmarks}, sound={"lips": said, "others": np.array([[2.0, 3.0]])})
    result = lips.check(Case(evidence, NOTHING), profile)
    assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.TOO_NOISY)


def test_a_rendered_person_agrees_with_their_own_words_alone(kit: ModelKit, profile: Profile) -> None:
    """A fixture's lips agree with its sound, and not with that of another fixture; its own, late, is out of step."""
    one, other = (collect(FIXTURES / name, kit, settings=Settings()) for name in RENDERED)
    assert isinstance(one.sound, SoundTrack)
    assert lips.check(Case(one, NOTHING), profile).outcome is Outcome.PASS
    assert lips.check(Case(replace(one, sound=other.sound), NOTHING), profile).outcome is not Outcome.PASS
    for late_s in (0.5, 1.0):
        rolled = np.roll(one.sound.lips, round(50 * late_s), axis=0)
        late = replace(one, sound=replace(one.sound, lips=rolled, speech=one.sound.speech + late_s))
        found = lips.check(Case(late, NOTHING), profile)
        assert (found.outcome, found.reason) == (Outcome.UNABLE, Reason.LIP_SYNC_INCONCLUSIVE)


@pytest.mark.devdata
def test_talkers_agree_with_themselves_alone(devdata: Path, kit: ModelKit, profile: Profile) -> None:
    """Each talker agrees with their own sound far better than with the next one's, and a shift is asked for again."""
    seen = [collect(devdata / "bonafide" / name, kit, settings=Settings()) for name in TALKERS]
    for evidence, other in zip(seen, (*seen[1:], seen[0]), strict=True):
        assert isinstance(evidence.sound, SoundTrack)
        own = lips.check(Case(evidence, NOTHING), profile)
        assert isinstance(other.sound, SoundTrack)
        assert isinstance(evidence.face, FaceTrack)
        assert lips.check(Case(replace(evidence, sound=other.sound), NOTHING), profile).outcome is not Outcome.PASS
        foreign = lips.judge(agreement(evidence.face, other.sound), profile)
        rolled = (replace(evidence.sound, lips=np.roll(evidence.sound.lips, rows, axis=0)) for rows in (25, -25, 50))
        shifted = [lips.check(Case(replace(evidence, sound=sound), NOTHING), profile) for sound in rolled]
        assert own.outcome is Outcome.PASS
        assert own.score is not None
        assert own.score > 0.6
        assert {(each.outcome, each.reason) for each in shifted} == {(Outcome.UNABLE, Reason.LIP_SYNC_INCONCLUSIVE)}
        assert foreign.score is not None
        assert foreign.score < own.score - 0.15
