"""The whole pipeline, with the real models, on the committed recordings."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_challenges.model import Challenge, Say
from cameo_verifier.errors import AbandonedError
from cameo_verifier.evidence.picture import GRID_FRAMES, IDENTITY_FRAMES, LIVE_FRAMES
from cameo_verifier.evidence.tracks import Tracks
from cameo_verifier.pipeline import askable, code_digest, verify
from cameo_verifier.profiles import load as load_profile
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import Settings
from cameo_verifier.types import FaceTrack, Judgement, Outcome, SoundTrack, Verdict
from fixtures.manifest import Fixture, load
from fixtures.tracks import KEPT, differences, model_digests, tracks_of
from tests.once import Once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit

FIXTURES = {fixture.id: fixture for fixture in load()}
BONA_FIDE = FIXTURES["astronaut_bona_fide"]
ISSUED = {"elapsed"}
TURNED = {"movement", "sequence", "depth", "gaze"}
GESTURED = {"gestures"}
SPOKEN = {"loudness", "noise", "phrase", "speaker", "second_voice", "sound_cuts", "sound_repeat", "lips", "audio_mark"}


@pytest.fixture(scope="module")
def once() -> Iterator[Once]:
    """The models, each half of a recording shown to them once."""
    remembered = Once()
    with pytest.MonkeyPatch.context() as patch:
        remembered.put(patch)
        yield remembered


@pytest.fixture(scope="module")
def judge(kit: ModelKit, once: Once) -> Callable[..., Judgement]:
    """Return a function that judges a recording under the default profile."""
    assert once

    def judged(recording: bytes, challenge: Challenge, **changed: object) -> Judgement:
        settings = Settings().model_copy(update=changed)
        return verify(recording, challenge, profile=load_profile(), kit=kit, settings=settings)

    return judged


@pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES)
def test_each_recording_gets_its_verdict_for_its_one_defect(fixture: Fixture, judge: Callable[..., Judgement]) -> None:
    """A bona fide is accepted; a twin with one defect is not, for exactly the reasons of that defect."""
    judgement = judge(fixture.file.read_bytes(), fixture.challenge)
    assert (judgement.decision.verdict, judgement.decision.reasons) == (fixture.verdict, fixture.reasons)


@pytest.mark.parametrize("identifier", KEPT)
def test_the_models_make_the_golden_tracks(identifier: str, kit: ModelKit, judge: Callable[..., Judgement]) -> None:
    """To the bit on the kind of processor that wrote them; see `fixtures.tracks` for what is compared on another."""
    assert model_digests() == kit.digests
    fixture = FIXTURES[identifier]
    made = Tracks(judge(fixture.file.read_bytes(), fixture.challenge).evidence)
    assert differences(fixture, tracks_of(identifier), made) == []


def test_the_same_input_gives_the_same_evidence_to_the_bit(kit: ModelKit, judge: Callable[..., Judgement]) -> None:
    """Every score of a second run is that of the first, whether or not picture and sound were judged side by side."""
    recording = BONA_FIDE.file.read_bytes()
    one = judge(recording, BONA_FIDE.challenge, overlap=True)
    settings = Settings(overlap=False)
    with pytest.MonkeyPatch.context() as patch:
        Once().put(patch)  # which remembers nothing
        two = verify(recording, BONA_FIDE.challenge, profile=load_profile(), kit=kit, settings=settings)
    assert one.checks == two.checks
    assert one.decision == two.decision
    assert one.digests == two.digests
    for half in ("face", "sound"):
        first, second = getattr(one.evidence, half), getattr(two.evidence, half)
        assert isinstance(first, FaceTrack | SoundTrack)
        for field in dataclasses.fields(first):
            np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name), err_msg=field.name)


def test_what_costs_most_is_asked_of_some_near_frontal_frames(judge: Callable[..., Judgement]) -> None:
    """However long a recording is: the grid of a display in up to twice as many frames as the network against attacks."""
    face = judge(BONA_FIDE.file.read_bytes(), BONA_FIDE.challenge).evidence.face
    assert isinstance(face, FaceTrack)
    assert len(face.t_s) > GRID_FRAMES >= len(face.grid) > LIVE_FRAMES >= len(face.live) > IDENTITY_FRAMES >= len(face.embeddings)
    assert np.isfinite(face.grid).all()


def test_what_the_verdict_depended_on_is_recorded(judge: Callable[..., Judgement]) -> None:
    """Recording, profile, settings, code and every model leave a digest; another limit leaves another one."""
    recording = BONA_FIDE.file.read_bytes()
    digests = judge(recording, BONA_FIDE.challenge).digests
    assert digests["recording"] == BONA_FIDE.sha256
    assert digests["code"] == code_digest()
    assert {name for name in digests if name.startswith("model:")} >= {"model:face-landmarker", "model:transcription"}
    assert judge(recording, BONA_FIDE.challenge, analysis_fps=12.0).digests["settings"] != digests["settings"]


def test_questions_that_do_not_apply_are_left_out(judge: Callable[..., Judgement]) -> None:
    """Nothing to say leaves out the speech, no turns the movement; nothing at all judges the recording alone."""
    recording = BONA_FIDE.file.read_bytes()
    alone = judge(recording, Challenge(()))
    names = {check.name for check in alone.checks}
    assert names == {q.name for q in askable(Settings())} - TURNED - SPOKEN - GESTURED - ISSUED
    assert alone.decision.verdict is Verdict.ACCEPTED
    spoken = judge(recording, Challenge(tuple(step for step in BONA_FIDE.challenge.steps if isinstance(step, Say))))
    assert (TURNED | GESTURED).isdisjoint(check.name for check in spoken.checks)
    assert {c.name for c in spoken.checks if c.outcome is Outcome.PASS} >= {"phrase", "speaker"}


@pytest.mark.usefixtures("once")
@pytest.mark.parametrize(("role", "verdict"), [("advise", Verdict.ACCEPTED), ("confirm", Verdict.REVIEW)])
def test_a_possible_minor_is_judged_by_the_profile_for_minors(kit: ModelKit, tmp_path: Path, role: str, verdict: Verdict) -> None:
    """Where everyone below 90 may be a minor, a good answer is accepted with the mark, or reviewed where the site says so."""
    file = tmp_path / "elders.toml"
    file.write_text(
        f'extends = "default"\nroles = {{ age = "{role}" }}\n[thresholds.adult_age_min]\n'
        'value = 90\nunit = "years"\ndirection = "at_least"\nsource = "a test"\n'
    )
    judgement = verify(BONA_FIDE.file, BONA_FIDE.challenge, profile=load_profile(str(file)), kit=kit, settings=Settings())
    assert (judgement.profile, judgement.minor_safeguards, judgement.decision.verdict) == ("minor", True, verdict)
    assert judgement.decision.reasons == ((Reason.POSSIBLE_MINOR,) if verdict is Verdict.REVIEW else ())
    assert judgement.digests["profile"] == load_profile(str(file)).judging(minor=True).digest
    same_person = next(check for check in judgement.checks if check.name == "same_person")
    assert same_person.threshold == load_profile("minor")["same_person_min"].value


def test_work_stops_when_the_caller_is_gone(kit: ModelKit) -> None:
    """A verification that nobody waits for ends between two frames."""
    asked = 0

    def gone() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    with pytest.MonkeyPatch.context() as patch:
        Once().put(patch)  # which remembers nothing
        with pytest.raises(AbandonedError):
            verify(BONA_FIDE.file, BONA_FIDE.challenge, profile=load_profile(), kit=kit, settings=Settings(), cancelled=gone)
    assert asked == 6
