from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
import typer
from speechbrain.inference.speaker import EncoderClassifier
from speechbrain.lobes.features import Fbank
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
from speechbrain.processing.features import InputNormalization
from speechbrain.utils.checkpoints import torch_save
from typer.testing import CliRunner

from cameo_credential import UNSAFE_NO_STATUS_CHECK, AudienceKey, open_credential
from cameo_credential.claims import Embedding, Provenance
from cameo_credential.issue import issue
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.pairwise import PairwiseKey
from cameo_verifier.cli.export_ecapa import export_ecapa
from cameo_verifier.errors import ModelKitError
from cameo_verifier.models import speechbrain_ecapa
from cameo_verifier.models.convert import ecapa as ecapa_export
from cameo_verifier.models.convert.ecapa import MIN_COSINE, export
from cameo_verifier.models.speaker import SpeakerEmbedder

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.ecapa_folder import Ecapa
    from cameo_verifier.types import F32

RECIPE = """\
n_mels: 80
pretrained_path: /nowhere
compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: !ref <n_mels>
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
    std_norm: False
embedding_model: !new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN
    input_size: !ref <n_mels>
    channels: [64, 64, 64, 64, 192]
    kernel_sizes: [5, 3, 3, 3, 1]
    dilations: [1, 2, 3, 4, 1]
    attention_channels: 32
    lin_neurons: 48
mean_var_norm_emb: !new:speechbrain.processing.features.InputNormalization
    norm_type: global
    std_norm: False
"""


def _network(*, global_context: bool) -> ECAPA_TDNN:
    """Return a small network with seeded parameters, its batch statistics included."""
    torch.manual_seed(11)
    network = ECAPA_TDNN(
        80,
        lin_neurons=48,
        channels=[64, 64, 64, 64, 192],
        attention_channels=32,
        res2net_scale=8,
        se_channels=24,
        global_context=global_context,
    )
    for name, values in network.state_dict().items():
        if name.endswith("running_mean"):
            values.normal_(std=0.2)
        elif name.endswith("running_var"):
            values.uniform_(0.5, 1.5)
        elif name.endswith("norm.weight"):
            values.uniform_(0.7, 1.3)
    return network.eval()


def _folder(path: Path, *, global_context: bool = True) -> Path:
    """Write a folder as SpeechBrain's recipe does, and its digests."""
    torch_save(_network(global_context=global_context), path / "embedding_model.ckpt")
    (path / "hyperparams.yaml").write_text(RECIPE)
    names = ("embedding_model.ckpt", "hyperparams.yaml")
    (path / "SHA256SUMS").write_text("".join(f"{hashlib.sha256((path / n).read_bytes()).hexdigest()}  {n}\n" for n in names))
    return path


@pytest.mark.parametrize("global_context", [True, False])
def test_export_agrees_with_speechbrain(tmp_path: Path, speech_like: F32, noise: F32, *, global_context: bool) -> None:
    """The exported ONNX and SpeechBrain in process give the same embedding for the same sound, cosine above 0.9999."""
    folder = _folder(tmp_path, global_context=global_context)

    assert export(folder, tmp_path / "ecapa.onnx") > MIN_COSINE
    with speechbrain_ecapa.load(folder) as original, SpeakerEmbedder(tmp_path / "ecapa.onnx", threads=1) as exported:
        embeddings = [(original.embed(sound), exported.embed(sound)) for sound in (speech_like, noise, noise[:9000])]
    for expected, actual in embeddings:
        assert actual.shape == (48,)
        assert actual @ expected > MIN_COSINE
    assert embeddings[0][0] @ embeddings[1][0] < MIN_COSINE, "different sound has another embedding"


def test_its_voice_is_issued_and_opened(tmp_path: Path, speech_like: F32) -> None:
    """The vector of a SpeechBrain voice, of another size than the kit's, comes out of the credential as it went in."""
    export(_folder(tmp_path), tmp_path / "ecapa.onnx")
    with SpeakerEmbedder(tmp_path / "ecapa.onnx", threads=1) as exported:
        voice = exported.embed(speech_like)
    now, audience = datetime.now(UTC), AudienceKey.generate("https://generator.example")
    keys = IssuerKeys(SigningKey.generate(now=now))
    issued = issue(
        issuer="https://issuer.example",
        subject="account-7",
        audience_key=audience.public(),
        keys=keys,
        pairwise=PairwiseKey(bytes(32)),
        now=now,
        ttl=timedelta(days=1),
        jti="jti-1",
        provenance=Provenance("cameo", "attempt", "challenge", {}, "default", "0" * 64, "0" * 64, (), minor_safeguards=False),
        face=Embedding("face", "0" * 64, np.full(512, 512**-0.5, np.float32)),
        voice=Embedding("speaker-embedding", "0" * 64, voice),
    )
    opened = open_credential(
        issued.credential,
        audience_key=audience,
        issuer_keys=keys.public(),
        expected_audience=audience.audience,
        expected_issuer="https://issuer.example",
        status=UNSAFE_NO_STATUS_CHECK,
        now=now,
    )
    assert opened.voice.vector.shape == (48,)
    assert opened.voice.vector @ voice > 1 - 1e-5


def test_in_process_is_speechbrains_own_pipeline(tmp_path: Path, speech_like: F32) -> None:
    """The in-process embedder is what SpeechBrain's EncoderClassifier computes, scaled to unit length."""
    modules = {
        "compute_features": Fbank(n_mels=80),
        "mean_var_norm": InputNormalization(norm_type="sentence", std_norm=False),
        "embedding_model": _network(global_context=True),
        "mean_var_norm_emb": InputNormalization(norm_type="global", std_norm=False),
        "classifier": torch.nn.Identity(),
    }
    classifier = EncoderClassifier(modules=modules, hparams={"label_encoder": None})
    expected = classifier.encode_batch(torch.from_numpy(speech_like)[None]).numpy().reshape(-1)
    with speechbrain_ecapa.load(_folder(tmp_path)) as original:
        actual = original.embed(speech_like)

    np.testing.assert_allclose(actual, expected / np.linalg.norm(expected), atol=1e-5)


def test_export_is_deterministic(tmp_path: Path) -> None:
    """The same folder always gives the same bytes."""
    folder = _folder(tmp_path)
    export(folder, tmp_path / "one.onnx")
    export(folder, tmp_path / "two.onnx")

    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()


def test_export_that_disagrees_is_not_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph that does not compute what SpeechBrain computes is refused and leaves no file."""
    folder = _folder(tmp_path)
    honest = ecapa_export.ecapa_model

    def wrong(ecapa: Ecapa) -> object:
        state = {name: np.flip(values).copy() if name == "fc.conv.weight" else values for name, values in ecapa.state.items()}
        return honest(type(ecapa)(state=state, dilations=ecapa.dilations))

    monkeypatch.setattr(ecapa_export, "ecapa_model", wrong)
    with pytest.raises(ModelKitError, match="does not agree with SpeechBrain"):
        export(folder, tmp_path / "out.onnx")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["SHA256SUMS", "embedding_model.ckpt", "hyperparams.yaml"]


def test_command_exports(tmp_path: Path) -> None:
    """`cameo models export-ecapa FOLDER OUT --json` writes the file and prints how well it agrees."""
    app = typer.Typer()
    app.command()(export_ecapa)
    result = CliRunner().invoke(app, [str(_folder(tmp_path)), str(tmp_path / "ecapa.onnx"), "--json"])

    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert printed["file"] == str(tmp_path / "ecapa.onnx")
    assert printed["cosine"] > MIN_COSINE
    assert (tmp_path / "ecapa.onnx").is_file()
