from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier.evidence.fingerprint import (
    RATE_HZ,
    FingerprintError,
    Matcher,
    fingerprint,
    from_bytes,
    shared_words,
    to_bytes,
)
from cameo_verifier.reasons import Reason
from cameo_verifier.types import FaceTrack, Fingerprint, Missing

SOUND_HZ = 16_000
SECONDS = 8.0
NO_FACE = Missing(Reason.NO_FACE)


def flipped(place: int) -> bytes:
    """A kept fingerprint with one bit turned over."""
    kept = bytearray(KEPT)
    kept[place // 8] ^= 1 << place % 8
    return bytes(kept)


def walk(rng: np.random.Generator, times: np.ndarray, reach: float) -> np.ndarray:
    """A smooth path with changes twice a second."""
    knots = np.arange(-1.0, 14.0, 0.5)
    return np.asarray(np.interp(times, knots, rng.normal(0, reach, len(knots))))


def face(seed: int, *, speed: float = 1.0, start_s: float = 0.0, size: float = 200.0, mirror: bool = False) -> FaceTrack:
    """A face whose head, mouth and lids take the paths of a seed, seen at some speed, size and side."""
    rng = np.random.default_rng(seed)
    count = int((SECONDS - start_s) / speed * 15)
    times = start_s + np.arange(count) / 15 * speed
    yaw, pitch, roll = (walk(rng, times, reach) for reach in (8, 5, 3))
    mouth, wide, lids = (np.abs(walk(rng, times, reach)) for reach in (0.06, 0.03, 0.03))
    points = np.zeros((count, 478, 3), np.float32)
    points[:, 14, 1] = mouth * size
    points[:, 291, 0] = (0.35 + wide) * size
    points[:, (145, 374), 1] = (lids * size)[:, None]
    points += np.array([300.0, 200.0, 0.0], np.float32)
    pose = np.stack([-yaw if mirror else yaw, pitch, -roll if mirror else roll], axis=1).astype(np.float32)
    pose += rng.normal(0, 0.2, pose.shape).astype(np.float32)
    none = np.zeros(0, np.float32)
    return FaceTrack(
        t_s=np.arange(count) / 15.0, faces=np.ones(count, np.int32), landmarks=points, pose_deg=pose,
        blendshapes=np.zeros((count, 52), np.float32), face_px=np.full(count, size, np.float32), luma=none,
        sharpness=none, eye_white=none,
        identity_t_s=np.zeros(0), identity_yaw_deg=none, embeddings=np.zeros((0, 512), np.float32), live_t_s=np.zeros(0),
        live=none, ages=none,
    )  # fmt: skip


def sound(seed: int, *, speed: float = 1.0, noise: float = 0.0) -> np.ndarray:
    """Noise in bands that come and go, like syllables, at some speed and with noise over it."""
    rng = np.random.default_rng(seed)
    times = np.arange(int(SECONDS / speed * SOUND_HZ)) / SOUND_HZ * speed
    tones = sum(np.maximum(0, walk(rng, times * 2, 1.0)) * np.sin(2 * np.pi * hz * times) for hz in np.geomspace(280, 3600, 30))
    return (0.05 * tones + noise * np.random.default_rng(seed + 99).normal(size=len(times))).astype(np.float32)


def motion_likeness(one: FaceTrack, other: FaceTrack) -> float:
    silent = np.zeros(0, np.float32)
    return Matcher(fingerprint(one, silent)).compare(fingerprint(other, silent)).motion


def sound_likeness(one: np.ndarray, other: np.ndarray) -> float:
    return Matcher(fingerprint(NO_FACE, one)).compare(fingerprint(NO_FACE, other)).sound


@pytest.mark.parametrize(
    "changed",
    [{"size": 90.0}, {"mirror": True}, {"speed": 1.07}, {"speed": 0.94}, {"start_s": 2.0}],
    ids=["smaller", "mirrored", "faster", "slower", "cut at the start"],
)
def test_the_same_movement_is_known_again(changed: dict[str, float]) -> None:
    """Size, side, speed and a missing start change nothing about who is recognised."""
    assert motion_likeness(face(1), face(1, **changed)) > 0.8  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(2, 8))
def test_other_movement_is_not(seed: int) -> None:
    """Two people who move as much are far from alike, at whatever delay and speed."""
    assert motion_likeness(face(1), face(seed)) < 0.6


@pytest.mark.parametrize("changed", [{"noise": 0.01}, {"speed": 1.07}, {"speed": 0.94}], ids=["noise", "faster", "slower"])
def test_the_same_sound_is_known_again(changed: dict[str, float]) -> None:
    """Noise and speed leave most of the signs as they are."""
    assert sound_likeness(sound(1), sound(1, **changed)) > 0.4


@pytest.mark.parametrize("seed", range(2, 6))
def test_other_sound_is_not(seed: int) -> None:
    """Signs of other sound agree by chance only."""
    assert sound_likeness(sound(1), sound(seed)) < 0.35


@pytest.mark.parametrize(("speed", "mirror"), [(1.0, False), (1.05, False), (1.0, True)])
def test_the_stretch_that_both_share_is_named(speed: float, mirror: bool) -> None:  # noqa: FBT001 - a case
    """Where it lies in either, at which speed, and whether in the mirror; it is as alike as the likeness says."""
    silent = np.zeros(0, np.float32)
    one = fingerprint(face(1, start_s=1.5), silent)
    other = fingerprint(face(1, speed=speed, mirror=mirror), silent)
    found = Matcher(one).motion_stretch(other)
    assert found is not None
    assert found.likeness == Matcher(one).motion(other)
    assert found.mirrored is mirror
    assert found.speed == pytest.approx(speed, abs=0.015)
    assert found.own_s[0] == pytest.approx(0.0, abs=0.15)
    assert found.other_s[0] == pytest.approx(1.5 / speed, abs=0.2)
    assert (found.own_s[1] - found.own_s[0]) / (found.other_s[1] - found.other_s[0]) == pytest.approx(speed, rel=0.03)
    assert Matcher(one).sound_stretch(other) is None


def test_silence_and_rest_are_like_nothing() -> None:
    """Two silences, and two short recordings, are not the same recording."""
    silence = np.zeros(int(SECONDS * SOUND_HZ), np.float32)
    assert sound_likeness(silence, silence) == 0.0
    short = Fingerprint(np.ones((int(2 * RATE_HZ), 6), np.int8), np.ones((int(2 * RATE_HZ), 10), np.int8))
    assert Matcher(short).compare(short).motion == Matcher(short).compare(short).sound == 0.0


def test_a_fingerprint_survives_being_kept() -> None:
    """What is read back is what was written, within a few kB; another version's says nothing."""
    made = fingerprint(face(1), sound(1), ["seven 4", "Marble."])
    kept = to_bytes(made)
    read = from_bytes(kept)
    assert read is not None
    assert np.array_equal(read.motion, made.motion)
    assert np.array_equal(read.sound, made.sound)
    assert np.array_equal(read.words, made.words)
    assert len(kept) < 4096
    empty = from_bytes(to_bytes(Fingerprint()))
    assert empty is not None
    assert (empty.motion.shape, empty.sound.shape, empty.words.shape) == ((0, 6), (0, 10), (0,))
    assert from_bytes(b"\7" + kept[1:]) is None


def test_what_was_to_be_said_is_kept_as_hashes() -> None:
    """Word by word, however it was written; the words themselves are not in it."""
    asked = fingerprint(NO_FACE, np.zeros(0, np.float32), ["seven four", "marble"])
    assert np.array_equal(asked.words, fingerprint(NO_FACE, np.zeros(0, np.float32), ["7 4 Marble!"]).words)
    assert b"marble" not in to_bytes(asked)
    assert shared_words(asked.words, asked.words) == 1.0


def test_words_are_shared_in_their_order() -> None:
    """The share of one's own words that come in the same order there."""
    own = np.array([1, 2, 3, 4], np.uint32)
    for other, share in (([1, 2, 3, 4], 1.0), ([9, 1, 2, 9, 4], 0.75), ([4, 3, 2, 1], 0.25), ([5, 6], 0.0), ([], 0.0)):
        assert shared_words(own, np.array(other, np.uint32)) == share
    assert shared_words(own[:0], own) == 0.0


KEPT = to_bytes(fingerprint(face(1), sound(1), ["seven four"]))


@given(
    st.binary(max_size=64)
    | st.integers(0, len(KEPT) - 1).map(lambda end: KEPT[:end])
    | st.integers(0, len(KEPT) * 8 - 1).map(flipped)
)
def test_what_cannot_be_decoded_says_so(kept: bytes) -> None:
    """Cut short, altered or foreign: an error of its own, or a fingerprint of right shape, never anything else."""
    try:
        read = from_bytes(kept)
    except FingerprintError:
        return
    assert read is None or (read.motion.shape[1:], read.sound.shape[1:], read.words.ndim) == ((6,), (10,), 1)


def test_what_says_it_is_endless_is_refused_before_it_is_unpacked() -> None:
    """A row of a few bytes that would fill memory is an error."""
    head = np.array([2, 1 << 31, 0, 0], "<u4").tobytes()
    for kept in (head + zlib.compress(bytes(1 << 20)), np.array([2, 1, 0, 0], "<u4").tobytes() + zlib.compress(bytes(1 << 24))):
        with pytest.raises(FingerprintError):
            from_bytes(kept)
