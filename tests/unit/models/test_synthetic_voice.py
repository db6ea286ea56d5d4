"""A site's own detector of synthetic voices, from the settings to the answer, with a graph that calls loud sound synthetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_verifier import profiles
from cameo_verifier.errors import ModelKitError
from cameo_verifier.models import index
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.models.onnx_graph import OnnxGraph, save
from cameo_verifier.models.synthetic_voice import SyntheticVoiceScorer
from cameo_verifier.pipeline import verify
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import Settings, SyntheticVoiceDetector
from cameo_verifier.types import CheckResult, Outcome, Verdict
from fixtures.manifest import load as load_fixtures

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.types import Judgement

CLIP = next(fixture for fixture in load_fixtures() if fixture.id == "astronaut_bona_fide")


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> SyntheticVoiceDetector:
    """Return a detector of half a second whose output is (live, synthetic), and synthetic the mean of the sound's size."""
    graph = OnnxGraph("loudness")
    loud = graph.op("ReduceMean", graph.op("Abs", "sound"), graph.weight([1], np.int64), keepdims=1)
    both = graph.op("Concat", graph.op("Sub", graph.weight([[1.0]]), loud), loud, axis=1)
    path = tmp_path_factory.mktemp("detector") / "loudness.onnx"
    save(graph.model({"sound": (1, 8000)}, both, "scores", (1, 2)), path)
    return SyntheticVoiceDetector(file=path, sha256=index.sha256(path), window_s=0.5, index=1)


def scores(detector: SyntheticVoiceDetector, *, seconds: float, level: float) -> list[float]:
    with SyntheticVoiceScorer(detector, threads=1) as scorer:
        return np.round(scorer.scores(np.full(round(seconds * 16_000), level, np.float32)), 4).tolist()


def test_each_option_changes_what_comes_out(detector: SyntheticVoiceDetector) -> None:
    """Window, index and logits do what they say; the last window ends with the speech, and short speech fills one."""
    assert scores(detector, seconds=1.0, level=0.75) == [0.75, 0.75]
    assert scores(detector, seconds=1.2, level=0.75) == [0.75] * 3
    assert scores(detector, seconds=0.3, level=-0.75) == [0.75]
    assert scores(detector.model_copy(update={"index": 0}), seconds=0.5, level=0.75) == [0.25]
    softmax = 1 / (1 + np.exp(0.25 - 0.75))
    assert scores(detector.model_copy(update={"logits": True}), seconds=0.5, level=0.75) == pytest.approx([softmax], abs=1e-4)


@pytest.mark.parametrize(
    ("change", "level", "message"),
    [
        ({"window_s": 1.0}, 0.5, "does not fit its description"),
        ({"index": 2}, 0.5, "does not fit its description"),
        ({}, 3.0, "gives no probability"),
    ],
)
def test_a_wrong_description_is_an_error(
    detector: SyntheticVoiceDetector, change: dict[str, float], level: float, message: str
) -> None:
    """A window the graph does not take, a value it does not have, and what is no probability are never scores."""
    with pytest.raises(ModelKitError, match=message):
        scores(detector.model_copy(update=change), seconds=1.0, level=level)


def test_another_file_than_the_named_one_is_refused(detector: SyntheticVoiceDetector, tmp_path: Path) -> None:
    """The kit does not open with a wrong digest, without one, or without the file."""
    wrong = ({"sha256": "0" * 64}, {"sha256": ""}, {"file": tmp_path / "none.onnx"})
    for change in wrong:
        with pytest.raises(ModelKitError, match="is missing, or is not the file of this sha256"):
            ModelKit.open(Settings(synthetic_voice=detector.model_copy(update=change)))


def test_the_environment_names_a_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each option has a variable of its own."""
    monkeypatch.setenv("CAMEO_SYNTHETIC_VOICE_FILE", "/models/own.onnx")
    monkeypatch.setenv("CAMEO_SYNTHETIC_VOICE_WINDOW_S", "2")
    named = Settings().synthetic_voice
    assert (str(named.file), named.window_s) == ("/models/own.onnx", 2.0)


def _judged(settings: Settings, profile: profiles.Profile) -> tuple[Judgement, CheckResult | None]:
    with ModelKit.open(settings) as kit:
        judgement = verify(CLIP.file, CLIP.challenge, profile=profile, kit=kit, settings=settings)
    return judgement, next((check for check in judgement.checks if check.name == "synthetic_voice"), None)


@pytest.mark.models
def test_its_answer_is_shown_and_never_decides(detector: SyntheticVoiceDetector, tmp_path: Path) -> None:
    """Not named, it is not asked; named, its score and digest show, and the strictest line of a profile changes no verdict."""
    judgement, result = _judged(Settings(), profiles.load())
    assert result is None
    assert "model:synthetic-voice" not in judgement.digests

    file = tmp_path / "site.toml"
    file.write_text(
        'extends = "default"\n[thresholds.synthetic_voice_max]\nvalue = 0.0\nunit = "p(synthetic)"\n'
        'direction = "at_most"\nsource = "a test"\n'
    )
    judgement, result = _judged(Settings(synthetic_voice=detector), profiles.load(str(file)))
    assert result is not None
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.SYNTHETIC_VOICE)
    assert result.score is not None
    assert 0 < result.score < 0.5
    assert judgement.digests["model:synthetic-voice"] == detector.sha256
    assert (judgement.decision.verdict, judgement.decision.reasons) == (Verdict.ACCEPTED, ())
