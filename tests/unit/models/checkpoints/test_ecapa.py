from __future__ import annotations

import hashlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from cameo_verifier.cli.export_ecapa import export_ecapa
from cameo_verifier.errors import ModelKitError
from cameo_verifier.models import ecapa_folder, speechbrain_ecapa
from cameo_verifier.models.convert.ecapa import ecapa_model
from cameo_verifier.models.onnx_graph import save
from cameo_verifier.models.speaker import SpeakerEmbedder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Writer = Callable[..., None]

RECIPE = """\
n_mels: 20
compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: !ref <n_mels>
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
    std_norm: False
embedding_model: !new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN
    input_size: !ref <n_mels>
    dilations: [1, 2, 1]
"""
MELS, WIDE, PART, OUT, SIZE = 20, 16, 4, 24, 12


def _state() -> dict[str, np.ndarray[Any, Any]]:
    """Return seeded parameters of a small ECAPA-TDNN: one SE-Res2Net block of scale 4."""
    random = np.random.default_rng(2)
    state: dict[str, np.ndarray[Any, Any]] = {}

    def conv(name: str, outputs: int, inputs: int, kernel: int = 1) -> None:
        state[f"{name}.conv.weight"] = random.normal(scale=(inputs * kernel) ** -0.5, size=(outputs, inputs, kernel)).astype(
            np.float32
        )
        state[f"{name}.conv.bias"] = random.normal(scale=0.1, size=outputs).astype(np.float32)

    def norm(name: str, size: int) -> None:
        for part, low, high in (
            ("weight", 0.7, 1.3),
            ("bias", -0.1, 0.1),
            ("running_mean", -0.2, 0.2),
            ("running_var", 0.5, 1.5),
        ):
            state[f"{name}.norm.{part}"] = random.uniform(low, high, size).astype(np.float32)

    def tdnn(name: str, outputs: int, inputs: int, kernel: int = 1) -> None:
        conv(f"{name}.conv", outputs, inputs, kernel)
        norm(f"{name}.norm", outputs)

    tdnn("blocks.0", WIDE, MELS, 5)
    tdnn("blocks.1.tdnn1", WIDE, WIDE)
    for part in range(3):
        tdnn(f"blocks.1.res2net_block.blocks.{part}", PART, PART, 3)
    tdnn("blocks.1.tdnn2", WIDE, WIDE)
    conv("blocks.1.se_block.conv1", 8, WIDE)
    conv("blocks.1.se_block.conv2", WIDE, 8)
    tdnn("mfa", OUT, WIDE)
    tdnn("asp.tdnn", 8, 3 * OUT)
    conv("asp.conv", OUT, 8)
    norm("asp_bn", 2 * OUT)
    conv("fc", SIZE, 2 * OUT)
    return state


def _folder(path: Path, write: Writer, recipe: str = RECIPE) -> Path:
    write(path / "embedding_model.ckpt", _state())
    (path / "hyperparams.yaml").write_text(recipe)
    names = ("embedding_model.ckpt", "hyperparams.yaml")
    (path / "SHA256SUMS").write_text("".join(f"{hashlib.sha256((path / n).read_bytes()).hexdigest()}  {n}\n" for n in names))
    return path


def test_folder_is_read(tmp_path: Path, write_checkpoint: Writer) -> None:
    """Sizes come from the parameters and dilations from the recipe, with nothing in it run."""
    ecapa = ecapa_folder.read(_folder(tmp_path, write_checkpoint))

    assert (ecapa.n_mels, ecapa.embedding_size, ecapa.res2net_scale, ecapa.dilations) == (MELS, SIZE, 4, (1, 2, 1))


def test_graph_embeds_sound(tmp_path: Path, write_checkpoint: Writer) -> None:
    """The graph gives one unit vector for a sound of any length, and another for another sound."""
    save(ecapa_model(ecapa_folder.read(_folder(tmp_path, write_checkpoint))), tmp_path / "ecapa.onnx")
    first, second = np.random.default_rng(4).normal(scale=[[0.1], [0.3]], size=(2, 20_000)).cumsum(axis=1).astype(np.float32)
    with SpeakerEmbedder(tmp_path / "ecapa.onnx", threads=1) as embedder:
        embeddings = [embedder.embed(sound) for sound in (first, first[:9001], np.diff(second))]

    assert all(embedding.shape == (SIZE,) for embedding in embeddings)
    assert all(np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5) for embedding in embeddings)
    assert embeddings[0] @ embeddings[2] < 0.999


@pytest.mark.parametrize("name", ["embedding_model.ckpt", "hyperparams.yaml"])
def test_altered_file_is_refused(tmp_path: Path, write_checkpoint: Writer, name: str) -> None:
    """One changed byte in a file of the folder is refused before the file is read."""
    path = _folder(tmp_path, write_checkpoint) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with pytest.raises(ModelKitError, match=f"{name} is not the file that SHA256SUMS lists"):
        ecapa_folder.read(tmp_path)


@pytest.mark.parametrize("name", ["embedding_model.ckpt", "hyperparams.yaml", "SHA256SUMS"])
def test_missing_file_is_named(tmp_path: Path, write_checkpoint: Writer, name: str) -> None:
    """A folder without one of its files is refused, the digests included."""
    (_folder(tmp_path, write_checkpoint) / name).unlink()

    with pytest.raises(ModelKitError, match=f"{name} is missing"):
        ecapa_folder.read(tmp_path)


@pytest.mark.parametrize("tag", ["!apply:os.system", "!new:subprocess.Popen", "!!python/object/apply:os.system"])
def test_recipe_is_never_run(tmp_path: Path, write_checkpoint: Writer, tag: str) -> None:
    """A tag that would run a command in HyperPyYAML or full YAML runs nothing."""
    mark = tmp_path / "ran"
    _folder(tmp_path, write_checkpoint, f"extra: {tag} ['touch {mark}']\n{RECIPE}")
    try:
        ecapa_folder.read(tmp_path)
    except ModelKitError as error:
        assert "is not YAML" in str(error)  # noqa: PT017 - either outcome is right as long as nothing ran
    assert not mark.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("norm_type: sentence", "norm_type: global"), "normalised by sentence"),
        (("std_norm: False", "std_norm: True"), "normalised by sentence"),
        (("    n_mels: !ref <n_mels>", "    n_mels: !ref <n_mels>\n    deltas: True"), "default Fbank"),
        (("dilations: [1, 2, 1]", "groups: [2, 1, 1]"), "grouped convolutions"),
        (("dilations: [1, 2, 1]", "dilations: [1, two, 1]"), "not a list of whole numbers"),
        (("embedding_model:", "model:"), "no section 'embedding_model'"),
        (("n_mels: 20", "n_mels: [20"), "is not YAML"),
    ],
)
def test_another_recipe_is_refused(tmp_path: Path, write_checkpoint: Writer, change: tuple[str, str], message: str) -> None:
    """A recipe with other features or another network is refused by name instead of computing something else."""
    _folder(tmp_path, write_checkpoint, RECIPE.replace(*change, 1))

    with pytest.raises(ModelKitError, match=message):
        ecapa_folder.read(tmp_path)


@pytest.mark.skipif(find_spec("speechbrain") is not None, reason="the extra [speechbrain] is installed here")
def test_missing_extra_is_named(tmp_path: Path, write_checkpoint: Writer) -> None:
    """Without the extra, the backend and the export say what to install, and nothing is written."""
    folder = _folder(tmp_path, write_checkpoint)
    app = typer.Typer()
    app.command()(export_ecapa)
    result = CliRunner().invoke(app, [str(folder), str(tmp_path / "out.onnx")])

    assert result.exit_code == 2
    assert "'.[speechbrain]'" in result.output
    assert not (tmp_path / "out.onnx").exists()
    with pytest.raises(ModelKitError, match=r"'\.\[speechbrain\]'"):
        speechbrain_ecapa.load(folder)
