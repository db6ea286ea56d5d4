from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cameo_verifier.screening.transform import CODE_SCALE, Transform

SECRETS = (b"\0" * 32, b"\1" + b"\0" * 31, bytes(range(32)))
MODEL = "ab" * 32
GOLDEN = (-0.0326441, -0.0443172, 0.0043790, 0.0404113)


@cache
def _transform(secret: bytes, model: str = MODEL) -> Transform:
    return Transform(secret, model)


def _pair(seed: int, cosine: float) -> np.ndarray:
    """Return (2, 512) float32 unit vectors at a cosine."""
    one, away = np.random.default_rng(seed).standard_normal((2, 512))
    one /= np.linalg.norm(one)
    away -= (away @ one) * one
    away /= np.linalg.norm(away)
    return np.stack([one, cosine * one + np.sqrt(1 - cosine**2) * away]).astype(np.float32)


@settings(max_examples=200)
@given(seed=st.integers(0, 2**32), cosine=st.floats(-1, 1), secret=st.sampled_from(SECRETS))
def test_the_transform_keeps_every_cosine(seed: int, cosine: float, secret: bytes) -> None:
    """Two faces are as alike turned as they were, to 1e-5, and of unit length."""
    turned = _transform(secret).turn(_pair(seed, cosine)).astype(np.float64)
    np.testing.assert_allclose(turned @ turned.T, [[1, cosine], [cosine, 1]], atol=1e-5)


@settings(max_examples=200)
@given(seed=st.integers(0, 2**32), cosine=st.floats(-1, 1))
def test_a_code_keeps_the_cosine_to_half_a_percent(seed: int, cosine: float) -> None:
    """What is kept of a face is as like another face, turned, as the two faces are."""
    one, two = _pair(seed, cosine)
    transform = _transform(SECRETS[0])
    code = np.frombuffer(transform.code(one), np.int8).astype(np.float64) / CODE_SCALE
    assert code @ transform.turn(two).astype(np.float64) == pytest.approx(cosine, abs=5e-3)


@settings(max_examples=200)
@given(seed=st.integers(0, 2**32), data=st.data())
def test_another_key_or_model_does_not_match(seed: int, data: st.DataObject) -> None:
    """The same face under two keys, one bit apart, or of two models, or as it was, is as unlike as two strangers."""
    spaces = [(secret, model) for secret in SECRETS for model in (MODEL, "cd" * 32)]
    one, two = data.draw(st.sampled_from([(a, b) for a in spaces for b in spaces if a != b]))
    face = _pair(seed, 0.0)[0]
    turned = _transform(*one).turn(face)
    assert abs(turned @ _transform(*two).turn(face)) < 0.35
    assert abs(turned @ face) < 0.35


def test_the_transform_of_a_key_never_changes() -> None:
    """Later versions must find what this one kept: the first coordinates under a known key are those of the first version."""
    face = np.zeros(512, np.float32)
    face[0] = 1
    assert Transform(bytes(range(32)), MODEL).turn(face)[:4] == pytest.approx(GOLDEN, abs=1e-6)
