"""Lips measured, and held against what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier.evidence.lips import FEATURES, WEIGHTS, agree, measured, near_speech
from cameo_verifier.models.phonemes import RATE_HZ
from cameo_verifier.types import FaceTrack

if TYPE_CHECKING:
    from cameo_verifier.types import F64

ROWS = 400
ALL = np.ones(ROWS, bool)


def _speech_like(seed: int, rows: int = ROWS) -> F64:
    """Return (rows, 4) noise that changes as fast as lips do."""
    noise = np.random.default_rng(seed).standard_normal((rows + 10, len(FEATURES)))
    return np.stack([np.convolve(column, np.ones(11) / 11, mode="valid") for column in noise.T], axis=1)


def _face(t_s: F64, *, gap: F64, width_px: float = 100.0, yaw_deg: float = 0.0) -> FaceTrack:
    """Return a track whose lips part by `gap` eye widths; the eyes are `width_px` apart."""
    count = len(t_s)
    landmarks = np.zeros((count, 478, 3), np.float32)
    landmarks[:, 263, 0] = width_px
    for upper, lower in ((13, 14), (82, 87), (312, 317)):
        landmarks[:, lower, 1] = landmarks[:, upper, 1] + gap * width_px
    empty = np.zeros(count, np.float32)
    pose = np.tile(np.array([yaw_deg, 0.0, 0.0], np.float32), (count, 1))
    return FaceTrack(
        t_s=t_s, faces=np.ones(count, np.int32), landmarks=landmarks, pose_deg=pose,
        blendshapes=np.zeros((count, 52), np.float32),
        face_px=empty, luma=empty, sharpness=empty,
        eye_white=empty, identity_t_s=np.zeros(0), identity_yaw_deg=np.zeros(0, np.float32),
        embeddings=np.zeros((0, 512), np.float32), live_t_s=np.zeros(0), live=np.zeros(0, np.float32),
        ages=np.zeros(0, np.float32),
    )  # fmt: skip


@given(st.integers(-10, 10))
def test_a_device_s_offset_costs_nothing_and_is_found(late: int) -> None:
    """Sound that is up to 0.2 s early or late agrees fully, and the offset says by how much it is late."""
    said = _speech_like(1, ROWS + 40)
    found = agree(said[20 - late : 20 - late + ROWS], ALL, said[20 : 20 + ROWS], ALL)
    assert found.score == pytest.approx(1.0)
    assert found.offset_s == pytest.approx(late / RATE_HZ)
    assert found.elsewhere < 0.9


@given(st.sampled_from([-100, -60, 20, 50, 100]))
def test_a_shift_beyond_that_shows_where_it_went(late: int) -> None:
    """Sound that is 0.4 to 2 s off agrees with nothing near, and fully where it was taken from."""
    said = _speech_like(2, ROWS + 200)
    found = agree(said[100 - late : 100 - late + ROWS], ALL, said[100 : 100 + ROWS], ALL)
    assert found.score < 0.3
    assert found.elsewhere == pytest.approx(1.0)
    assert found.elsewhere_s == pytest.approx(late / RATE_HZ)


def test_foreign_sound_agrees_by_chance_alone() -> None:
    """Over forty pairs of unrelated movements of 8 s, none agrees by more than 0.3, half by less than 0.15."""
    scores = [agree(_speech_like(seed), ALL, _speech_like(seed + 100), ALL).score for seed in range(40)]
    assert max(scores) < 0.3
    assert np.median(scores) < 0.15


def test_a_mouth_that_rests_agrees_with_nothing() -> None:
    """Lips that never move score 0, whatever is said."""
    lips, _ = measured(_face(np.arange(120) / 15.0, gap=np.full(120, 0.1)), ROWS)
    assert not lips.any()
    assert agree(_speech_like(3), ALL, lips, ALL).score == 0.0


def test_lips_are_measured_in_widths_of_the_eyes() -> None:
    """A face twice as large opens its mouth as wide."""
    t_s = np.arange(120) / 15.0
    gap = 0.1 + 0.05 * np.sin(2 * np.pi * 2.0 * t_s)
    near, _ = measured(_face(t_s, gap=gap, width_px=200.0), ROWS)
    far, _ = measured(_face(t_s, gap=gap, width_px=100.0), ROWS)
    np.testing.assert_allclose(near, far, atol=1e-3)
    assert near[:, 0].std() == pytest.approx(1.0)


def test_slow_changes_are_no_speech() -> None:
    """A mouth that opens over eight seconds while it also speaks counts for its speaking alone."""
    t_s = np.arange(120) / 15.0
    spoken = 0.05 * np.sin(2 * np.pi * 2.0 * t_s)
    plain, _ = measured(_face(t_s, gap=0.2 + spoken), ROWS)
    opening, _ = measured(_face(t_s, gap=0.2 + spoken + 0.02 * t_s), ROWS)
    middle = slice(100, 300)
    assert np.corrcoef(plain[middle, 0], opening[middle, 0])[0, 1] > 0.99


def test_moments_without_a_face_or_turned_away_are_not_seen() -> None:
    """A second without a face leaves its middle unseen, and a head turned by 40 degrees shows no lips."""
    t_s = np.arange(120) / 15.0
    face = _face(t_s, gap=0.1 + 0.05 * np.sin(12.0 * t_s))
    face.landmarks[45:60] = np.nan
    _, seen = measured(face, ROWS)
    assert not seen[round(3.2 * RATE_HZ) : round(3.7 * RATE_HZ)].any()
    assert seen[: round(2.9 * RATE_HZ)].all()
    assert not measured(_face(t_s, gap=np.full(120, 0.1), yaw_deg=40.0), ROWS)[1].any()


def test_speech_reaches_a_little_beyond_its_edges() -> None:
    """Lips open before a word and close after it, so 0.4 s around speech count, and no more."""
    near = near_speech(np.array([[2.0, 3.0]]), ROWS)
    assert near[round(1.65 * RATE_HZ)]
    assert near[round(3.35 * RATE_HZ)]
    assert not near[round(1.5 * RATE_HZ)]
    assert not near[round(3.5 * RATE_HZ)]


def test_a_part_that_someone_else_says_shows() -> None:
    """Where a third of the speech belongs to other lips, the worst parts agree by chance alone though the whole still does."""
    said = _speech_like(4)
    founds = []
    for seed in range(5, 25):
        lips = said.copy()
        lips[250:] = -_speech_like(seed)[250:]
        founds.append(agree(said, ALL, lips, ALL))
    assert min(found.score for found in founds) > 0.3
    assert np.median([found.part for found in founds]) < 0.5 * np.median([found.score for found in founds])
    assert all(found.part < found.score for found in founds)
    assert agree(said, ALL, said, ALL).part == pytest.approx(1.0)


def test_each_feature_counts_by_its_weight() -> None:
    """Turning one feature over lowers the agreement by twice its share."""
    said = _speech_like(8)
    for feature, weight in enumerate(WEIGHTS):
        lips = said.copy()
        lips[:, feature] *= -1
        assert agree(said, ALL, lips, ALL).score == pytest.approx(1 - 2 * weight / sum(WEIGHTS), abs=0.02)


def test_agreement_counts_twice_where_it_is_alone() -> None:
    """To the agreement is added its lead over elsewhere; where no other offset leaves enough to compare, there is none."""
    said = _speech_like(7)
    alone, short = agree(said, ALL, said, ALL), agree(said, np.arange(ROWS) < 100, said, ALL)
    assert alone.distinct == pytest.approx(alone.score + alone.score - alone.elsewhere)
    assert short.elsewhere == -1.0
    assert short.distinct == short.score


def test_too_little_to_have_parts_is_judged_as_a_whole() -> None:
    """Less than twice two seconds has no parts of its own."""
    said, near = _speech_like(6), np.arange(ROWS) < 150
    found = agree(said, near, said, ALL)
    assert found.part == found.score
    assert found.seconds == pytest.approx(3.0)
