"""A take of a committed recording, and what can happen to it before it is sent."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import scipy.signal

from cameo_verifier.media.recording import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.settings import MediaLimits, Settings
from cameo_verifier.types import Frame
from fixtures.manifest import load
from fixtures.studio.covers import Eyewear, Mouthwear, cover

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_challenges.model import Challenge
    from cameo_verifier.types import F32, U8

SOUND_HZ = 16_000
_TICKS = 90_000


@dataclass(frozen=True)
class Take:
    """Pictures (H, W, 3), of one or more shapes, when each is shown, and mono sound at `SOUND_HZ`; either may be missing."""

    pictures: tuple[U8, ...]
    t_s: tuple[float, ...]
    sound: F32 | None

    def each(self, change: Callable[[U8, float], U8]) -> Take:
        """Return the take with every picture changed, given when it is shown."""
        return replace(self, pictures=tuple(change(p, t) for p, t in zip(self.pictures, self.t_s, strict=True)))

    def only(self, keep: Callable[[float], bool]) -> Take:
        """Return the take with the pictures of some moments."""
        kept = [at for at, t_s in enumerate(self.t_s) if keep(t_s)]
        return replace(self, pictures=tuple(self.pictures[at] for at in kept), t_s=tuple(self.t_s[at] for at in kept))

    def between(self, from_s: float, to_s: float) -> Take:
        """Return a stretch of the take."""
        part = self.only(lambda t_s: from_s <= t_s < to_s)
        sound = None if self.sound is None else self.sound[int(from_s * SOUND_HZ) : int(to_s * SOUND_HZ)]
        return Take(part.pictures, tuple(t_s - from_s for t_s in part.t_s), sound)

    @property
    def end_s(self) -> float:
        """When the last picture is shown."""
        return self.t_s[-1]


@cache
def take_of(identifier: str, *, every: int = 2) -> tuple[Take, Challenge]:
    """Return a committed recording, with one in so many of its 25 pictures a second, and what was asked."""
    take, challenge = _decoded(identifier)
    return replace(take, pictures=take.pictures[::every], t_s=take.t_s[::every]), challenge


@cache
def _decoded(identifier: str) -> tuple[Take, Challenge]:
    fixture = next(fixture for fixture in load() if fixture.id == identifier)
    with open_recording(fixture.file, limits=MediaLimits()) as source:
        frames = list(source.frames())
        sound = source.sound()
    _LASTING.update(id(f.rgb) for f in frames)
    return Take(tuple(f.rgb for f in frames), tuple(f.t_s for f in frames), sound), fixture.challenge


_LASTING: set[int] = set()
"""The pictures of `take_of`, which stay where they are; each is compressed once, however many takes show it."""
_COMPRESSED: dict[int, bytes] = {}


def _jpeg(rgb: U8) -> bytes:
    """Return a picture (H, W, 3) as a JPEG of a high quality."""
    known = _COMPRESSED.get(id(rgb))
    if known is not None:
        return known
    _, file = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    if id(rgb) in _LASTING:
        _COMPRESSED[id(rgb)] = file.tobytes()
    return file.tobytes()


def written(take: Take) -> bytes:
    """Return the take as a file: motion JPEG of a high quality, and FLAC."""
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as container:
        picture = container.add_stream("mjpeg", rate=30) if take.pictures else None
        heard = None if take.sound is None else container.add_stream("flac", rate=SOUND_HZ, layout="mono")
        if picture is not None:
            picture.height, picture.width, picture.pix_fmt = *take.pictures[0].shape[:2], "yuvj420p"
            for rgb, t_s in zip(take.pictures, take.t_s, strict=True):
                packet = av.Packet(_jpeg(rgb))
                packet.stream, packet.time_base, packet.is_keyframe = picture, Fraction(1, _TICKS), True
                packet.pts = packet.dts = round(t_s * _TICKS)
                container.mux(packet)
        if heard is not None and take.sound is not None:
            samples = np.ascontiguousarray((np.clip(take.sound, -1, 1) * 32767).astype(np.int16)[None])
            block = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            block.sample_rate, block.pts, block.time_base = SOUND_HZ, 0, Fraction(1, SOUND_HZ)
            container.mux(heard.encode(block))
            container.mux(heard.encode(None))
    return out.getvalue()


def light(take: Take, factor: float) -> Take:
    """Return it in light so many times as strong, with the noise of a sensor."""
    rng = np.random.default_rng(1)

    def lit(rgb: U8, _t_s: float) -> U8:
        return np.asarray(np.clip(rgb * factor + rng.normal(0, 2, rgb.shape), 0, 255), np.uint8)

    return take.each(lit)


def flicker(take: Take, depth: float) -> Take:
    """Return it with bands that a lamp rolls through the pictures."""

    def lit(rgb: U8, t_s: float) -> U8:
        rows = np.arange(len(rgb)) / len(rgb)
        bands = 1 - depth * (0.5 + 0.5 * np.sin(2 * np.pi * (2.5 * rows + 7 * t_s)))
        return np.asarray(rgb * bands[:, None, None], np.uint8)

    return take.each(lit)


def blurred(take: Take, share: float) -> Take:
    """Return it out of focus, by a share of the picture's height."""
    return take.each(lambda rgb, _t_s: np.asarray(cv2.GaussianBlur(rgb, (0, 0), share * len(rgb)), np.uint8))


def smaller(take: Take, share: float) -> Take:
    """Return it at a lower resolution."""
    return take.each(lambda rgb, _t_s: np.asarray(cv2.resize(rgb, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)))


def stands_back(take: Take, share: float) -> Take:
    """Return the person that much smaller, before a wall."""
    return take.each(lambda rgb, _t_s: far(rgb, share))


def far(rgb: U8, share: float) -> U8:
    """Return a picture (H, W, 3) that much smaller, before a wall of its size."""
    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    wall = cv2.GaussianBlur(cv2.resize(rgb[: height // 8], (width, height)), (0, 0), height / 20)
    wall[top : top + small.shape[0], left : left + small.shape[1]] = small
    return np.asarray(wall)


def moved(take: Take, right: float, down: float = 0.0) -> Take:
    """Return it with the camera pointed so many widths and heights beside the person."""

    def beside(rgb: U8, _t_s: float) -> U8:
        height, width = rgb.shape[:2]
        matrix = np.array([[1, 0, right * width], [0, 1, down * height]], np.float32)
        return np.asarray(cv2.warpAffine(rgb, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))

    return take.each(beside)


def gone(take: Take, since_s: float, until_s: float) -> Take:
    """Return it with an empty room for a while: the person moves out at one side and comes back from the other."""
    room = cv2.GaussianBlur(take.pictures[0], (0, 0), len(take.pictures[0]) / 8)
    rng = np.random.default_rng(4)

    def away(rgb: U8, t_s: float) -> U8:
        if not since_s < t_s < until_s:
            return rgb
        leaving, coming = (t_s - since_s) / 0.5, (until_s - t_s) / 0.5
        right = min(leaving, 1.0) if leaving <= coming else -min(coming, 1.0)
        height, width = rgb.shape[:2]
        matrix = np.array([[1, 0, right * width], [0, 1, 0]], np.float32)
        inside = cv2.warpAffine(np.ones((height, width), np.uint8), matrix, (width, height))[..., None]
        seen = np.where(inside, cv2.warpAffine(rgb, matrix, (width, height)), room)
        return np.asarray(np.clip(seen + rng.normal(0, 1.5, rgb.shape), 0, 255), np.uint8)

    return take.each(away)


def beside(take: Take, other: Take, since_s: float, until_s: float) -> Take:
    """Return it with another person in a corner of the picture for a while."""

    def both(rgb: U8, t_s: float) -> U8:
        if not since_s <= t_s <= until_s:
            return rgb
        seen = other.pictures[int(np.searchsorted(other.t_s, t_s)) % len(other.pictures)]
        side = len(rgb) * 2 // 5
        made = rgb.copy()
        made[:side, -side:] = cv2.resize(_square(seen), (side, side), interpolation=cv2.INTER_AREA)
        return made

    return take.each(both)


def _square(rgb: U8) -> U8:
    side = min(rgb.shape[:2])
    top, left = (rgb.shape[0] - side) // 2, (rgb.shape[1] - side) // 2
    return rgb[top : top + side, left : left + side]


def turned(take: Take) -> Take:
    """Return it, upright, with the phone turned by a quarter in the middle."""
    middle_s = take.end_s / 2

    def held(rgb: U8, t_s: float) -> U8:
        square = _square(rgb)
        cut = len(square) // 8 // 2 * 2
        return np.ascontiguousarray(square[:, cut:-cut] if t_s < middle_s else square[cut:-cut])

    return take.each(held)


@cache
def _landmarks(identifier: str) -> dict[float, F32 | None]:
    """Return where the face is in each picture, by when it is shown."""
    take, _ = take_of(identifier)
    with ModelKit.open(Settings()) as kit, kit.landmarker(max_faces=1, video=True) as landmarker:
        seen = [landmarker.detect(Frame(t, p)) for p, t in zip(take.pictures, take.t_s, strict=True)]
    return {t_s: faces[0].landmarks if faces else None for t_s, faces in zip(take.t_s, seen, strict=True)}


def wearing(identifier: str, worn: Eyewear | Mouthwear) -> Take:
    """Return a committed recording with the face covered."""
    take, _ = take_of(identifier)
    points = _landmarks(identifier)

    def covered(rgb: U8, t_s: float) -> U8:
        at = points[t_s]
        return rgb if at is None else cover(rgb, at, worn)

    return take.each(covered)


def heard(take: Take, change: Callable[[F32], F32]) -> Take:
    """Return it with other sound."""
    assert take.sound is not None
    return replace(take, sound=change(take.sound).astype(np.float32))


def noisy(take: Take, below_db: float, *, low_hz: float = 4000.0) -> Take:
    """Return it with a fan that is so much quieter than the whole sound."""

    def with_fan(sound: F32) -> F32:
        noise = np.random.default_rng(2).normal(size=len(sound))
        noise = scipy.signal.lfilter(*scipy.signal.butter(2, low_hz / SOUND_HZ * 2), noise)
        return np.asarray(sound + noise * np.sqrt(np.mean(sound**2) / np.mean(noise**2)) * 10 ** (-below_db / 20))

    return heard(take, with_fan)


def mixed(take: Take, other: Take, below_db: float) -> Take:
    """Return it with what is said in another take, so much quieter, all along."""
    assert other.sound is not None
    talk = other.sound

    def with_talk(sound: F32) -> F32:
        said = np.resize(talk, len(sound))
        return np.asarray(sound + said * np.sqrt(np.mean(sound**2) / np.mean(said**2)) * 10 ** (-below_db / 20))

    return heard(take, with_talk)


def late(take: Take, by_s: float) -> Take:
    """Return it with the sound so much later than the picture."""
    return heard(take, lambda sound: np.concatenate([np.zeros(int(by_s * SOUND_HZ), np.float32), sound])[: len(sound)])


def frozen(take: Take, since_s: float, until_s: float) -> Take:
    """Return it with the picture standing still for a while, as over a bad network."""
    held = take.pictures[int(np.searchsorted(take.t_s, since_s))]
    return take.each(lambda rgb, t_s: held if since_s <= t_s < until_s else rgb)


def mirrored(take: Take) -> Take:
    """Return it as a front camera shows it to the person."""
    return take.each(lambda rgb, _t_s: np.ascontiguousarray(rgb[:, ::-1]))
