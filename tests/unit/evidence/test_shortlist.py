"""Finding the few earlier recordings that may be this one."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from cameo_verifier.evidence.fingerprint import MIRRORED, resampled
from cameo_verifier.screening.shortlist import EACH, Sketch, shortlist, sketch
from cameo_verifier.types import Fingerprint

MANY = 1500


def made(seed: int, seconds: float = 11.0) -> Fingerprint:
    """A recording of changes that take half a second, without a picture's or a sound's other laws."""
    rng = np.random.default_rng(seed)
    rows, kernel = int(seconds * 16), np.hanning(9)
    smooth = [np.convolve(column, kernel, "same") for column in rng.normal(size=(16, rows))]
    values = np.stack(smooth, axis=1) / np.std(smooth)
    return Fingerprint(np.round(16 * np.tanh(values[:, :6])).astype(np.int8), np.sign(values[:, 6:]).astype(np.int8))


@cache
def kept() -> list[Sketch]:
    return [sketch(made(seed)) for seed in range(MANY)]


@pytest.mark.parametrize("half", ["motion", "sound"])
@pytest.mark.parametrize("speed", [0.93, 1.0, 1.07])
def test_a_copy_of_either_half_at_another_speed_is_listed(half: str, speed: float) -> None:
    """The other half being somebody else's does not hide it, nor that it is slower or faster."""
    copy = np.round(resampled(getattr(made(1234), half), speed)).astype(np.int8)
    other = made(MANY + 1)
    own = Fingerprint(copy, other.sound) if half == "motion" else Fingerprint(other.motion, copy)
    listed = shortlist(own, kept())
    assert 1234 in listed
    assert len(listed) <= 4 * EACH


def test_a_mirrored_picture_is_listed() -> None:
    """Left for right changes the signs of two columns only."""
    assert 77 in shortlist(Fingerprint((made(77).motion * MIRRORED).astype(np.int8), made(MANY + 1).sound), kept())


def test_a_part_is_listed() -> None:
    """Eight seconds of an earlier recording, cut out of it and put after something else, are enough."""
    part, before = made(600).motion[20:148], made(MANY + 2).motion[:50]
    assert 600 in shortlist(Fingerprint(np.concatenate([before, part]), made(MANY + 1).sound), kept())


def test_few_are_all_listed() -> None:
    """Where an exact comparison of all is cheap, nothing is left out."""
    assert shortlist(made(MANY + 1), kept()[: 4 * EACH]) == list(range(4 * EACH))


def test_recordings_without_anything_to_recognise_are_no_fault() -> None:
    """Neither an own recording without rows nor earlier ones too short for a stretch raise anything."""
    nothing = sketch(Fingerprint())
    short = sketch(made(3, seconds=2.0))
    assert (len(short.motion), len(short.sound)) == (0, 0)
    assert shortlist(Fingerprint(), [nothing] * 100) == []
    assert 99 in shortlist(made(5), [*[nothing] * 50, *[short] * 49, sketch(made(5))])
