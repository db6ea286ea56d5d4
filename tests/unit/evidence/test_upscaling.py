"""Pictures at the size they were recorded, and upscaled ones."""

from __future__ import annotations

import numpy as np
import pytest

from cameo_verifier import profiles
from cameo_verifier.evidence.upscaling import Spectrum
from tests.bench.grid_codecs import Encoding, encoded
from tests.bench.upscaled import pictures as shown
from tests.bench.upscaled import upscaled
from tests.conftest import ROOT

LINE = profiles.load()["bend_max"].value


def filmed(seed: int, height: int = 480, width: int = 640) -> np.ndarray:
    """Return a picture (H, W, 3) whose detail falls as one over the frequency, as natural ones do, with a sensor's noise."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.standard_normal((height, width)))
    cycles = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    natural = np.fft.irfft2(spectrum / np.maximum(cycles, 1 / width), (height, width))
    levels = 120 + 35 * natural / natural.std() + rng.normal(0, 1.0, natural.shape)
    return np.repeat(np.clip(levels, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def bend_db(pictures: list[np.ndarray]) -> float:
    spectrum = Spectrum()
    for picture in pictures:
        spectrum.add(picture)
    return spectrum.bend_db()


@pytest.mark.parametrize("shape", [(480, 640), (640, 360), (1080, 720), (64, 64), (64, 3200), (12800, 64)])
def test_a_picture_of_its_own_size_does_not_bend(shape: tuple[int, int]) -> None:
    """Detail that falls steadily to the finest frequency stays clear of the line, in any shape of picture."""
    assert bend_db([filmed(seed, *shape) for seed in range(4)]) < LINE - 2


@pytest.mark.parametrize("share", [0.5, 2 / 3])
def test_an_upscaled_recording_bends(share: float) -> None:
    """A recording encoded again stays clear of the line; made smaller and upscaled before that it exceeds it."""
    pictures, how = shown(ROOT / "fixtures" / "admiral_bona_fide.mp4"), Encoding("libx264", {"crf": "23", "preset": "veryfast"})
    assert bend_db(encoded(pictures, how)) < LINE - 4
    assert bend_db(encoded(upscaled(pictures, share), how)) > LINE


def test_nothing_to_measure_is_no_number() -> None:
    """Without a picture, or with ones too small for a square, there is no answer."""
    assert np.isnan(bend_db([]))
    assert np.isnan(bend_db([filmed(1, 63, 640)]))


def test_an_even_picture_says_nothing() -> None:
    """A picture of one grey has no spectrum, and that is no answer either way."""
    assert np.isnan(bend_db([np.full((480, 640, 3), 90, np.uint8)]))
