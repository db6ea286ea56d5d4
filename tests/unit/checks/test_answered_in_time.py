"""Steps of a live session that were answered after they were revealed, and soon after."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cameo_challenges.model import Challenge, Say, Turn, TurnHead
from cameo_verifier import pipeline
from cameo_verifier.checks.answered_in_time import QUESTION, Latency, check, judge, latencies
from cameo_verifier.checks.question import Case
from cameo_verifier.decision import decide
from cameo_verifier.evidence.movements import matches, movements
from cameo_verifier.evidence.speech_onset import speech_onsets
from cameo_verifier.live_record import Arrival, LiveRecord, Reveal
from cameo_verifier.reasons import Reason
from cameo_verifier.types import (
    CheckResult,
    Circumstances,
    FaceTrack,
    Missing,
    Outcome,
    ScoredWord,
    SoundTrack,
    Verdict,
    Word,
)
from fixtures.manifest import load as load_fixtures
from fixtures.tracks import tracks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.profile import Profile
    from cameo_verifier.types import Evidence
    from tests.unit.checks.conftest import MakeEvidence

STEPS = Challenge((Say("nine"), TurnHead(Turn.LEFT), Say("one")))
SAID_S, TURNED_S = (1.0, 4.0), 2.5
ONSETS = ((1.0, 4.0), (2.5,))


def said(*at_s: float) -> dict[str, Any]:
    """Return the sound of one word at each of these times, of 0.4 s."""
    words = tuple(zip(("nine", "one"), at_s, strict=False))
    return {
        "words": tuple(Word(token, at, at + 0.4, 0.9) for token, at in words),
        "forced": tuple(ScoredWord(token, at - 0.2, at + 0.4, -0.1, gain=8.0, onset_s=at) for token, at in words),
    }


def turning(at_s: float = TURNED_S, *, others: Sequence[float] = ()) -> dict[str, Any]:
    """Return the pose of a head that turns left and comes back, a quarter of the way at `at_s`."""
    t_s = np.arange(90) / 15.0
    pose = np.zeros((90, 3), np.float32)
    for at in (at_s, *others):
        pose[:, 0] += np.interp(t_s, [at - 0.1, at + 0.3, at + 0.7], [0.0, 30.0, 0.0])
    return {"pose_deg": pose}


def live(*sent_s: float, slice_s: float = 0.25, held_s: float = 0.0) -> LiveRecord:
    """Return a record of six seconds, whose bytes arrive as they are recorded, or that much later."""
    ends = [slice_s * (number + 1) for number in range(round(6.0 / slice_s))]
    return LiveRecord(tuple(map(Reveal, sent_s)), arrivals=tuple(Arrival(end, end + held_s) for end in ends))


@pytest.fixture
def evidence(make_evidence: MakeEvidence) -> Evidence:
    """Return a recording that says, turns and says."""
    return make_evidence(face=turning(), sound=said(*SAID_S))


def answered(evidence: Evidence, record: LiveRecord | None, profile: Profile, challenge: Challenge = STEPS) -> CheckResult:
    return check(Case(evidence, challenge, Circumstances(live=record)), profile)


def test_a_person_who_reads_and_answers_passes(evidence: Evidence, profile: Profile) -> None:
    """Half a second after each reveal; the score is the later of both kinds, and an analyst sees every latency."""
    result = answered(evidence, live(0.5, 2.0, 3.5), profile)
    assert result.outcome is Outcome.PASS
    assert result.score == pytest.approx(0.5, abs=0.26)
    assert result.detail.startswith("seconds from reveal to arrival: speech 0.")
    assert ", turns 0." in result.detail


@pytest.mark.parametrize("late_s", [1.9, 3.0])
def test_who_answers_late_is_asked_again(evidence: Evidence, profile: Profile, late_s: float) -> None:
    """A constant delay is no accusation, and no acceptance."""
    result = answered(evidence, live(*(at - late_s for at in (1.0, 2.5, 4.0))), profile)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.ANSWER_TOO_LATE)
    assert decide([result], profile, exempt=profile.confirmed_by - {"phrase"}).verdict is not Verdict.ACCEPTED
    passed = CheckResult("phrase", Outcome.PASS)
    assert decide([result, passed], profile, exempt=profile.confirmed_by - {"phrase"}).verdict is Verdict.RETRY


def test_an_answer_that_was_there_before_its_step_is_an_attack(evidence: Evidence, profile: Profile) -> None:
    """Two of three steps were begun before they were revealed."""
    result = answered(evidence, live(1.2, 2.7, 3.5), profile)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.ANSWER_KNOWN_BEFORE)
    passed = CheckResult("phrase", Outcome.PASS)
    assert decide([result, passed], profile, exempt=profile.confirmed_by - {"phrase"}).verdict is Verdict.REJECTED


def test_one_early_answer_is_no_accusation(evidence: Evidence, profile: Profile) -> None:
    """A cough before a step, taken for its answer, proves nothing."""
    assert answered(evidence, live(1.2, 2.0, 3.5), profile).outcome is Outcome.PASS


@pytest.mark.parametrize(("sent_s", "reason"), [(0.4, None), (0.95, Reason.ANSWER_KNOWN_BEFORE), (-1.2, Reason.ANSWER_TOO_LATE)])
def test_a_single_step_stands_for_itself(evidence: Evidence, profile: Profile, sent_s: float, reason: Reason | None) -> None:
    """Of one step that one is judged, either way."""
    one = Challenge((Say("nine"),))
    spoken = replace(evidence, sound=replace(evidence.sound, words=evidence.sound.words[:1], forced=evidence.sound.forced[:1]))  # type: ignore[type-var,union-attr]
    assert answered(spoken, live(sent_s), profile, one).reason is reason


@pytest.mark.parametrize("late", ["speech", "turns"])
def test_each_kind_has_to_be_in_time_by_itself(evidence: Evidence, profile: Profile, late: str) -> None:
    """A slow voice behind a quick head, or the other way round, is late."""
    sent = {"speech": (-1.0, 2.0, 2.0), "turns": (0.5, 0.4, 3.5)}[late]
    assert answered(evidence, live(*sent), profile).reason is Reason.ANSWER_TOO_LATE


def test_a_slow_moment_among_quick_ones_is_forgiven(profile: Profile) -> None:
    """The quicker half of a kind is judged: one second look changes nothing, two of three do."""
    quick, slow = Latency(0.9, 0.8), Latency(3.0, 2.9)
    assert judge({"speech": [quick, slow, quick]}, profile).outcome is Outcome.PASS
    assert judge({"speech": [slow, quick, slow]}, profile).reason is Reason.ANSWER_TOO_LATE


def test_a_step_without_an_onset_is_no_answer(evidence: Evidence, profile: Profile) -> None:
    """A word that was not heard, or a turn that was not seen, is never in time, and has no score."""
    still = replace(evidence, face=replace(evidence.face, pose_deg=np.zeros((90, 3), np.float32)))  # type: ignore[type-var]
    result = answered(still, live(0.5, 2.0, 3.5), profile)
    assert (result.outcome, result.reason, result.score) == (Outcome.FAIL, Reason.ANSWER_TOO_LATE, None)
    unheard = replace(evidence, sound=replace(evidence.sound, words=(), forced=()))  # type: ignore[type-var]
    assert answered(unheard, live(0.5, 2.0, 3.5), profile).reason is Reason.ANSWER_TOO_LATE


@pytest.mark.parametrize(
    "record",
    [
        LiveRecord(),
        LiveRecord(prompts=(Reveal(0.5), Reveal(2.0), Reveal(3.5))),
        live(0.5),
        replace(live(0.5, 2.0, 3.5), arrivals=live(0.5).arrivals[:8]),
    ],
    ids=["nothing", "no arrivals", "steps that were never revealed", "an end that never arrived"],
)
def test_what_is_missing_from_the_record_never_helps(evidence: Evidence, profile: Profile, record: LiveRecord) -> None:
    """Where the server has no times, no answer was in time."""
    assert answered(evidence, record, profile).reason is Reason.ANSWER_TOO_LATE


def test_without_picture_or_sound_other_checks_say_so(evidence: Evidence, profile: Profile) -> None:
    """Both are required by checks of their own."""
    for missing in (replace(evidence, face=Missing(Reason.NO_FACE)), replace(evidence, sound=Missing(Reason.NO_AUDIO))):
        result = answered(missing, live(0.5, 2.0, 3.5), profile)
        assert (result.outcome, result.reason) in {(Outcome.UNABLE, Reason.NO_FACE), (Outcome.UNABLE, Reason.NO_AUDIO)}


def test_it_is_asked_of_live_sessions_alone(evidence: Evidence, profile: Profile) -> None:
    """An uploaded recording has no reveals."""
    assert not QUESTION.known(Circumstances())
    assert QUESTION.known(Circumstances(live=LiveRecord()))
    assert answered(evidence, None, profile).outcome is Outcome.UNABLE


def test_the_best_of_several_turns_counts(make_evidence: MakeEvidence, profile: Profile) -> None:
    """Somebody who turns once more, before the step, is judged by the turn that answers it."""
    twice = make_evidence(face=turning(others=(0.9,)), sound=said(*SAID_S))
    assert answered(twice, live(0.5, 2.0, 3.5), profile).outcome is Outcome.PASS


def test_everything_at_the_end_is_late(evidence: Evidence, profile: Profile) -> None:
    """A client that keeps all bytes until the last step is over proves nothing about when they were made."""
    record = live(0.5, 2.0, 3.5)
    at_once = replace(record, arrivals=tuple(replace(each, arrived_s=6.2) for each in record.arrivals))
    assert answered(evidence, at_once, profile).reason is Reason.ANSWER_TOO_LATE


@pytest.mark.parametrize("held_s", [1.7, 4.0])
def test_uploads_that_are_held_back_are_late(evidence: Evidence, profile: Profile, held_s: float) -> None:
    """A delay of the bytes counts like a delay of the answer."""
    assert answered(evidence, live(0.5, 2.0, 3.5, held_s=held_s), profile).reason is Reason.ANSWER_TOO_LATE


def test_pictures_that_run_ahead_and_fall_back_prove_no_arrival(profile: Profile) -> None:
    """A stamp far ahead does not stand for what comes after it: an answer is there with the last bytes before its onset."""
    arrivals = tuple(Arrival(media_s, at_s) for media_s, at_s in ((0.5, 0.5), (5.9, 0.6), (0.7, 3.0), (6.0, 6.0)))
    found = latencies(Challenge((Say("nine"),)), LiveRecord((Reveal(0.4),), arrivals=arrivals), [1.0], [])
    assert found["speech"] == [Latency(pytest.approx(5.6), pytest.approx(0.6))]
    assert judge(found, profile).reason is Reason.ANSWER_TOO_LATE


def test_a_recorder_that_loses_time_accuses_nobody(profile: Profile) -> None:
    """A stall of a second, after which its clock is a second behind: what was recorded after it was not there before."""
    arrivals = [Arrival(end, end) for end in (0.5, 1.0, 1.5)] + [Arrival(end, end + 1.0) for end in (2.0, 2.5, 3.0, 3.5)]
    record = LiveRecord((Reveal(0.3), Reveal(2.4)), arrivals=tuple(arrivals))
    found = latencies(Challenge((Say("nine"), Say("one"))), record, [0.9, 2.1], [])
    assert [latency.claimed_s for latency in found["speech"]] == [pytest.approx(0.6), pytest.approx(0.7)]
    assert judge(found, profile).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("after_reveal_s", "verdict", "reasons"),
    [
        (0.8, Verdict.ACCEPTED, ()),
        (2.2, Verdict.RETRY, (Reason.ANSWER_TOO_LATE,)),
        (-0.5, Verdict.REJECTED, (Reason.ANSWER_KNOWN_BEFORE,)),
    ],
)
def test_the_verdict_on_a_whole_recording_hangs_on_its_reveals(
    profile: Profile, after_reveal_s: float, verdict: Verdict, reasons: tuple[Reason, ...]
) -> None:
    """One that passes everything else, by the evidence of the models, in a session whose steps were revealed at other times."""
    fixture = next(each for each in load_fixtures() if each.id == "astronaut_bona_fide")
    evidence = tracks_of(fixture.id).evidence
    assert isinstance(evidence.face, FaceTrack)
    assert isinstance(evidence.sound, SoundTrack)
    found = movements(evidence.face.t_s, evidence.face.pose_deg, min_deg=10.0, centre_deg=7.0)
    turned = iter(next(matches(found, fixture.challenge.turns)))
    spoken = iter(speech_onsets(fixture.challenge, evidence.sound))
    begun = [next(spoken) if isinstance(step, Say) else next(turned).onset_s for step in fixture.challenge.steps]
    assert begun == sorted(begun)
    ends = np.arange(0.25, evidence.media.duration_s + 0.25, 0.25)
    record = LiveRecord(
        tuple(Reveal(at - after_reveal_s) for at in begun if at is not None),
        arrivals=tuple(Arrival(float(end), float(end) + 0.1) for end in ends),
    )
    judged = pipeline.judge(Case(evidence, fixture.challenge, Circumstances(live=record)), profile)
    assert (judged.decision.verdict, judged.decision.reasons) == (verdict, reasons)
    uploaded = pipeline.judge(Case(evidence, fixture.challenge), profile)
    assert {check.name for check in judged.checks} - {check.name for check in uploaded.checks} == {QUESTION.name}
