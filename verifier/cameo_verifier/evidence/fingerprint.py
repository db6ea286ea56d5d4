"""Recording fingerprints: encode head motion and sound so that a recording is recognised when it is sent again; no identity.

The motion fingerprint is the movement of the head, the mouth and the lids over time, normalised for position, size and resting
pose of the face; so another size, bitrate, crop or camera leave it as it is, and mirroring flips two of its signs. The sound
fingerprint is which of two neighbouring bands grows faster (Haitsma and Kalker, A Highly Robust Audio Fingerprinting System,
ISMIR 2002), at times that are not quiet; so a codec, a louder copy and a quiet room leave most of it.

Two fingerprints are compared at every delay and at speeds from -10 to +10 %. Their similarity is the normalised correlation over
the time both share: two people's motion agrees only by chance, even where they were asked for the same. Chance agreement rises as
the shared time shrinks, so that less than `WHOLE_S` of it counts less.

One voice, a synthetic one above all, says the same words alike. So a fingerprint also holds the words that were asked, each as a
hash of 32 bits: no clear text is kept, but nothing is hidden from whoever knows the word list of challenges.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cameo_challenges.languages import DEFAULT, language
from cameo_challenges.match import tokens
from cameo_credential.errors import CameoError
from cameo_verifier.types import F32, F64, FaceTrack, Fingerprint, Missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cameo_verifier.types import I8, U32

C64 = npt.NDArray[np.complex64]
Ints = npt.NDArray[np.intp]

RATE_HZ = 16
"""Values a second, of both."""
SPEEDS = np.round(np.arange(0.90, 1.1001, 0.01), 2)
"""Steps of 1 % leave the ends of a recording of 10 s at most 25 ms off."""
OVERLAP_S = 2.5
"""Recordings that share less are not compared: short pieces of any two correlate somewhere."""

WHOLE_S = 7.5
"""From this overlap on a correlation counts in full; below it, by the root of the share, as the spread of a chance correlation
does."""

_LEAST = int(OVERLAP_S * RATE_HZ)

MIRRORED = np.array([-1, 1, -1, 1, 1, 1], np.float32)
"""Signs that mirroring gives yaw, pitch, roll, mouth opening, mouth width and lids."""
_SCALES = np.array([1.5, 1.5, 1.0, 0.015, 0.01, 0.01], np.float32)
"""Degrees, then face widths: well above the landmarks' jitter, within reach of a small movement."""
_REST_S = 1.0
_LEVELS = 32.0
_SOUND_HZ = 16_000
_BANDS_HZ = np.geomspace(200.0, 5000.0, 12)
_WINDOW = 8192
"""Wide bands and half a second: a speed change of 7 % moves sounds by a quarter of a band, and a room smears them by less than
that."""
_QUIET_DB = 30.0
_VERSION = 2
"""2: adds the words."""
_HEAD_BYTES = 16
_MOST_ROWS = 1 << 16
"""Limit on the rows of each part; an hour and more."""


class FingerprintError(CameoError):
    """The bytes are no fingerprint."""


def fingerprint(face: FaceTrack | Missing, sound: F32, spoken: Sequence[str] = (), *, tag: str = DEFAULT) -> Fingerprint:
    """Return the fingerprint of a recording.

    Args:
        face: its face track, if it has one.
        sound: (N,) float32 mono at 16 kHz, (0,) without any.
        spoken: the texts that were to be said.
        tag: their language (BCP 47).
    """
    motion = np.zeros((0, 6), np.int8) if isinstance(face, Missing) else _motion(face)
    asked = [token for text in spoken for token in tokens(text, language(tag))]
    words = [int.from_bytes(blake2b(token.encode(), digest_size=4).digest(), "little") for token in asked]
    return Fingerprint(motion=motion, sound=_bands(sound), words=np.array(words, np.uint32))


def shared_words(own: U32, other: U32) -> float:
    """Return the share of `own` words in the longest common subsequence with `other`, 0..1; 0 without any words."""
    if not len(own):
        return 0.0
    longest = np.zeros(len(other) + 1, np.intp)
    for word in own:
        longest[1:] = np.maximum.accumulate(np.maximum(longest[1:], longest[:-1] + (other == word)))
    return float(longest[-1] / len(own))


def to_bytes(print_: Fingerprint) -> bytes:
    """Serialise a fingerprint: some 2 kB for 10 s."""
    head = np.array([_VERSION, len(print_.motion), len(print_.sound), len(print_.words)], "<u4").tobytes()
    return head + zlib.compress(print_.motion.tobytes() + print_.sound.tobytes() + print_.words.astype("<u4").tobytes(), 9)


def from_bytes(kept: bytes) -> Fingerprint | None:
    """Deserialise a fingerprint; `None` if another version wrote it, which cannot be compared.

    Raises:
        FingerprintError: the bytes are altered, truncated or no fingerprint.
    """
    if len(kept) < _HEAD_BYTES:
        raise FingerprintError(f"{len(kept)} bytes are no fingerprint")
    version, moves, sounds, words = map(int, np.frombuffer(kept[:_HEAD_BYTES], "<u4"))
    if version != _VERSION:
        return None
    motion_bytes, sound_bytes = moves * len(MIRRORED), sounds * (len(_BANDS_HZ) - 2)
    length = motion_bytes + sound_bytes + words * 4
    if max(moves, sounds, words) > _MOST_ROWS:
        raise FingerprintError("a fingerprint has fewer rows")
    try:
        values = zlib.decompressobj().decompress(kept[_HEAD_BYTES:], length + 1)
    except zlib.error as error:
        raise FingerprintError(f"a fingerprint is damaged: {error}") from None
    if len(values) != length:
        raise FingerprintError("a fingerprint is not as long as it says")
    numbers = np.frombuffer(values, np.int8, motion_bytes + sound_bytes)
    return Fingerprint(
        motion=numbers[:motion_bytes].reshape(moves, -1) if moves else np.zeros((0, len(MIRRORED)), np.int8),
        sound=numbers[motion_bytes:].reshape(sounds, -1) if sounds else np.zeros((0, len(_BANDS_HZ) - 2), np.int8),
        words=np.frombuffer(values, "<u4", words, motion_bytes + sound_bytes),
    )


@dataclass(frozen=True, slots=True)
class Similarity:
    """The similarity of two recordings: normalised correlations, -1..1, 0 where the overlap is too short."""

    motion: float
    sound: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """The best match of two tracks.

    own_s, other_s: its start and end, in seconds of each track. speed: how many times faster the other one runs. mirrored: the
    other is the mirror image.
    """

    likeness: float
    own_s: tuple[float, float]
    other_s: tuple[float, float]
    speed: float
    mirrored: bool


class Matcher:
    """A matcher of one recording with many earlier ones, about a millisecond each."""

    def __init__(self, own: Fingerprint) -> None:
        """Resample the recording's own fingerprint to every speed."""
        self._motion = _Speeds(own.motion, MIRRORED)
        self._sound = _Speeds(own.sound, np.ones(own.sound.shape[1], np.float32))

    def compare(self, earlier: Fingerprint) -> Similarity:
        """Return the similarity of an earlier recording."""
        return Similarity(self.motion(earlier), self.sound(earlier))

    def motion(self, earlier: Fingerprint) -> float:
        """Return the similarity of motion of an earlier recording."""
        return self._motion.best(earlier.motion)

    def sound(self, earlier: Fingerprint) -> float:
        """Return the similarity of sound of an earlier recording."""
        return self._sound.best(earlier.sound)

    def motion_stretch(self, earlier: Fingerprint) -> Stretch | None:
        """Return the best match of motion; `None` where the overlap is too short."""
        return self._motion.stretch(earlier.motion)

    def sound_stretch(self, earlier: Fingerprint) -> Stretch | None:
        """Return the best match of sound; `None` where the overlap is too short."""
        return self._sound.stretch(earlier.sound)


class _Speeds:
    """A track (T, C) at every speed, cross-correlated with others in the frequency domain."""

    def __init__(self, values: I8, mirrored: F32) -> None:
        """Store the track; `mirrored` holds the sign of each column under mirroring."""
        self._views = (mirrored > 0, mirrored < 0)
        self._tracks = [resampled(values, speed) for speed in SPEEDS] if len(values) >= _LEAST else []
        self._spectra: dict[int, C64] = {}
        self._lengths = np.array([len(track) for track in self._tracks], np.intp)
        longest = int(self._lengths.max(initial=0))
        self._energy = np.zeros((len(self._tracks), longest + 1))
        for row, track in zip(self._energy, self._tracks, strict=True):
            row[1 : len(track) + 1] = np.cumsum((track**2).sum(axis=1), dtype=np.float64)
            row[len(track) + 1 :] = row[len(track)]

    def best(self, values: I8) -> float:
        """Return the highest correlation over speeds, delays and, where it differs, the mirror image."""
        if not self._tracks or len(values) < _LEAST:
            return 0.0
        straight, turned, power, _ = self._correlations(values.astype(np.float32))
        return float(((straight + np.abs(turned)) / power).max())

    def stretch(self, values: I8) -> Stretch | None:
        """Return the match with the highest correlation."""
        if not self._tracks or len(values) < _LEAST:
            return None
        straight, turned, power, delays = self._correlations(values.astype(np.float32))
        alike = (straight + np.abs(turned)) / power
        row, column = (int(place) for place in np.unravel_index(int(alike.argmax()), alike.shape))
        speed, delay = float(SPEEDS[row]), int(delays[column])
        start, stop = max(delay, 0), min(int(self._lengths[row]), delay + len(values))
        return Stretch(
            likeness=float(alike[row, column]),
            own_s=(start / speed / RATE_HZ, stop / speed / RATE_HZ),
            other_s=((start - delay) / RATE_HZ, (stop - delay) / RATE_HZ),
            speed=1.0 / speed,
            mirrored=bool(np.broadcast_to(turned, alike.shape)[row, column] < 0),
        )

    def _correlations(self, other: F32) -> tuple[F64, F64, F64, Ints]:
        """Return correlations by speed and delay of mirror-invariant and mirrored columns, perfect ones, and the delays."""
        longest = self._energy.shape[1] - 1
        size = 1 << (longest + len(other)).bit_length()
        spectra, against = self._spectrum(size), np.conj(np.fft.rfft(other, size, axis=0))[:, :, None]
        delays = np.arange(_LEAST - len(other), longest - _LEAST + 1)
        straight, turned = (
            np.fft.irfft(spectra[:, :, view] @ against[:, view], size, axis=0)[delays, :, 0].T if view.any() else np.zeros(1)
            for view in self._views
        )
        return straight, turned, self._power(other, delays), delays

    def _power(self, other: F32, delays: Ints) -> F64:
        """Return the perfect correlation at each speed and delay, infinite where the overlap is too short.

        A stretch that is nearly at rest, or a short one, is weak evidence: half the usual energy is the least that counts.
        """
        total = np.concatenate([[0.0], np.cumsum((other**2).sum(axis=1), dtype=np.float64)])
        start = np.broadcast_to(np.maximum(delays, 0), (len(self._lengths), len(delays)))
        stop = np.minimum(self._lengths[:, None], delays + len(other))
        shared = stop - start
        enough = shared >= _LEAST
        stop = np.where(enough, stop, start)
        mine = np.take_along_axis(self._energy, stop, 1) - np.take_along_axis(self._energy, start, 1)
        theirs = total[np.where(enough, stop - delays, 0)] - total[np.where(enough, start - delays, 0)]
        usual = np.minimum(self._energy[:, -1] / self._lengths, total[-1] / len(other))
        power = np.maximum(np.sqrt(mine * theirs), np.maximum(0.5 * usual[:, None] * shared, 1e-6))
        whole = np.sqrt(np.clip(shared / (WHOLE_S * RATE_HZ), 1e-6, 1))
        return np.where(enough, power / whole, np.inf)

    def _spectrum(self, size: int) -> C64:
        if size not in self._spectra:
            self._spectra[size] = np.stack([np.fft.rfft(track, size, axis=0) for track in self._tracks], axis=1)
        return self._spectra[size]


def resampled(values: I8, speed: float) -> F32:
    """Return a track (T, C) resampled to the length of a copy that runs at `speed`: float32 (T * speed, C)."""
    times = np.arange(int((len(values) - 1) * speed) + 1) / speed
    columns = [np.interp(times, np.arange(len(values)), column) for column in values.T.astype(np.float32)]
    return np.stack(columns, axis=1).astype(np.float32)


def _motion(face: FaceTrack) -> I8:
    points, size = face.landmarks[:, :, :2].astype(np.float64), face.face_px[:, None].astype(np.float64)

    def apart(one: int, other: int) -> F64:
        return np.asarray(np.linalg.norm(points[:, one] - points[:, other], axis=1) / size[:, 0])

    lids = (apart(159, 145) + apart(386, 374)) / 2
    rows = np.column_stack([face.pose_deg.astype(np.float64), apart(13, 14), apart(61, 291), lids])
    seen = np.isfinite(rows).all(axis=1)
    if seen.sum() < OVERLAP_S * RATE_HZ / 2:
        return np.zeros((0, rows.shape[1]), np.int8)
    times = np.arange(int((face.t_s[-1] - face.t_s[0]) * RATE_HZ) + 1) / RATE_HZ + face.t_s[0]
    even = np.stack([np.interp(times, face.t_s[seen], column) for column in rows[seen].T], axis=1)
    lively = even - _smoothed(even, round(_REST_S * RATE_HZ))
    # Companded, so that one wide turn does not mask the small movements that nobody makes twice.
    return np.round(_LEVELS * np.tanh(lively / (3 * _SCALES))).astype(np.int8)


def _smoothed(rows: F64, count: int) -> F64:
    kernel = np.ones(count | 1) / (count | 1)
    padded = np.pad(rows, ((len(kernel) // 2, len(kernel) // 2), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=1)


def _bands(sound: F32) -> I8:
    bands = len(_BANDS_HZ) - 1
    if len(sound) < OVERLAP_S * _SOUND_HZ:
        return np.zeros((0, bands - 1), np.int8)
    levels = np.stack(list(_levels(sound)))
    slopes = np.diff(levels, axis=1)
    signs = np.sign(np.diff(slopes, axis=0, prepend=slopes[:1])).astype(np.int8)
    loud = levels.max(axis=1)
    signs[loud < loud.max() - _QUIET_DB] = 0
    # Silence has no fingerprint, whatever the spectrum of its noise.
    return signs if loud.max() > -60.0 else np.zeros_like(signs)


def _levels(sound: F32) -> Iterator[F64]:
    window = np.hanning(_WINDOW)
    edges = np.searchsorted(np.fft.rfftfreq(_WINDOW, 1 / _SOUND_HZ), _BANDS_HZ)
    hop = _SOUND_HZ // RATE_HZ
    padded = np.pad(sound, _WINDOW // 2)
    for start in range(0, len(sound), hop):
        power = np.abs(np.fft.rfft(padded[start : start + _WINDOW] * window)) ** 2
        yield 10 * np.log10(np.add.reduceat(power, edges)[:-1] / _WINDOW + 1e-9)
