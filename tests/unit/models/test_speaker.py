from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from cameo_verifier.errors import ModelKitError
from cameo_verifier.media.recording import open_recording
from cameo_verifier.models.convert.asv import convert
from cameo_verifier.models.speaker import SpeakerEmbedder
from cameo_verifier.settings import MediaLimits

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import F32

CUT = 4 * 16_000


def _cut(devdata: Path, name: str) -> F32:
    with open_recording(devdata / "speech" / "librispeech" / name, limits=MediaLimits()) as recording:
        return recording.sound()[:CUT]


def test_embedding_is_of_unit_length_and_repeats(kit: ModelKit) -> None:
    """Any sound has 512 numbers of unit length, the same ones each time."""
    sound = np.random.default_rng(0).normal(scale=0.1, size=24_001).astype(np.float32)
    embedding = kit.speaker.embed(sound)

    assert embedding.shape == (512,)
    assert embedding.dtype == np.float32
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(embedding, kit.speaker.embed(sound))


def test_digital_silence_is_a_number(kit: ModelKit) -> None:
    """Digital silence, where every filter lies on the floor, still has a finite embedding."""
    assert np.isfinite(kit.speaker.embed(np.zeros(16_000, np.float32))).all()


def test_less_than_a_window_is_our_bug(kit: ModelKit) -> None:
    """Asking for the voice of less than 25 ms is a programming error."""
    with pytest.raises(RuntimeError, match="at least 400 samples"):
        kit.speaker.embed(np.zeros(399, np.float32))


@pytest.mark.devdata
def test_voices_are_told_apart(kit: ModelKit, devdata: Path) -> None:
    """Two utterances of one speaker are closer than any two of different speakers."""
    names = sorted(path.name for path in (devdata / "speech" / "librispeech").iterdir())
    by_speaker: dict[str, list[str]] = {}
    for name in names:
        by_speaker.setdefault(name.split("-")[0], []).append(name)
    pairs = [utterances[:2] for utterances in by_speaker.values() if len(utterances) > 1][:3]
    voices = [[kit.speaker.embed(_cut(devdata, name)) for name in pair] for pair in pairs]
    same = [float(first @ second) for first, second in voices]
    different = [float(a @ b) for i, one in enumerate(voices) for other in voices[i + 1 :] for a in one for b in other]

    assert min(same) > max(different) + 0.05
    assert np.mean(same) > 0.5
    assert np.mean(different) < 0.25


def test_missing_file_names_the_command(tmp_path: Path) -> None:
    """A missing network says which file and what to run."""
    with pytest.raises(ModelKitError, match=r"speaker\.onnx is missing; run: cameo models pull"):
        SpeakerEmbedder(tmp_path / "speaker.onnx", threads=1)


def test_damaged_file_is_our_error(tmp_path: Path) -> None:
    """A file that is no network is a model kit error, not the runtime's own."""
    (tmp_path / "speaker.onnx").write_bytes(b"\x08\x01not a network")
    with pytest.raises(ModelKitError, match="cannot be loaded"):
        SpeakerEmbedder(tmp_path / "speaker.onnx", threads=1)


def test_conversion_refuses_another_file(tmp_path: Path) -> None:
    """Converting something else than the checkpoint fails and leaves nothing behind."""
    (tmp_path / "a.pth").write_bytes(b"PK\x05\x06" + bytes(18))
    with pytest.raises(ModelKitError, match=r"exactly one data\.pkl"):
        convert(tmp_path / "a.pth", tmp_path / "speaker.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["a.pth"]


def _network(path: Path, *, scale: float, rows: int = 1) -> Path:
    """Write a network that gives two values for any sound: the same direction, `scale` long."""
    shape = numpy_helper.from_array(np.array([rows, 2], np.int64), "shape")
    value = numpy_helper.from_array(np.array([scale * 2**-0.5], np.float32), "value")
    nodes = [
        helper.make_node("ReduceSum", ["sound"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "value"], ["one"]),
        helper.make_node("Expand", ["one", "shape"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "voice",
        [helper.make_tensor_value_info("sound", TensorProto.FLOAT, ["batch", "samples"])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, None)],
        [shape, value, numpy_helper.from_array(np.array([0], np.float32), "zero")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_a_network_whose_vectors_cannot_be_issued_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    """Any number of values of unit length is taken; another length is a fault of the kit, not of each attempt."""
    with SpeakerEmbedder(_network(tmp_path / "two.onnx", scale=1), threads=1) as two:
        assert two.embed(np.ones(400, np.float32)).shape == (2,)
    for scale in (0.9, 2, 0, np.nan):
        with pytest.raises(ModelKitError, match="unit length"):
            SpeakerEmbedder(_network(tmp_path / "bent.onnx", scale=scale), threads=1)
