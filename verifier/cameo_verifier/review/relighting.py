"""Relighting: simulates that a display lights the person of a genuine recording, and what the camera makes of it.

1. A pixel's linear colour is multiplied by 1 + `share` x geometry x colour of the display: what reflects the light of the room
   reflects that of the display as well. Geometry is the cosine to a display at the camera, on a surface of the second degree
   through the landmarks; hair and shoulders get half of it, the background `background`.
2. Each picture integrates the light of the 1/30 s before it.
3. Exposure and white balance follow the mean colour of the picture with a lag, and drift besides.
4. The pictures are encoded and decoded again, as a browser records.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Self

import av
import cv2
import numpy as np

from cameo_challenges.colours import linear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

    from cameo_verifier.types import F32, F64, U8

_INTEGRATED_S = 1 / 30
_TO_LINEAR = np.array([linear(level << 8)[1] for level in range(256)], np.float32)
_STEPS = 4095
_TO_SRGB = np.round(
    255 * np.interp(np.linspace(0, 1, _STEPS + 1), [linear(level << 8)[1] for level in range(256)], np.arange(256) / 255)
).astype(np.uint8)


def to_linear(picture: U8) -> F32:
    """Return a picture of any shape, 0..255 in sRGB, as linear light, 0..1."""
    return np.asarray(cv2.LUT(picture, _TO_LINEAR), np.float32)


def to_srgb(light: F32) -> U8:
    """Return linear light, 1 the brightest that a picture shows, as levels of sRGB, 0..255."""
    return np.asarray(_TO_SRGB[np.minimum(_STEPS * light, _STEPS).astype(np.uint16)], np.uint8)


@dataclass(frozen=True, slots=True)
class Room:
    """The conditions of one simulated session.

    Attributes:
        share: light of a white display on the face, as a share of the room's.
        cast: the display's red, green and blue relative to the room's, after white balance.
        crosstalk: share of each primary that the camera's other two channels see.
        background: light of the display on the background, as a share of that on the face.
        exposure_s: time in which exposure follows; infinite where it is fixed.
        white_balance_s: time in which white balance follows; infinite where it is fixed.
        drift: amplitude of slow changes of both, in nats.
        codec: FFmpeg's name of the encoder.
        bits_per_pixel: its bit rate over pixels a second.
    """

    share: float
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    crosstalk: float = 0.08
    background: float = 0.08
    exposure_s: float = 0.8
    white_balance_s: float = 2.5
    drift: float = 0.03
    codec: str = "libvpx"
    bits_per_pixel: float = 0.25


@dataclass(frozen=True, slots=True)
class Filmed:
    """A genuine recording: its pictures in linear light, its landmarks, and what of a display's light reaches each pixel.

    Attributes:
        linear: (N, h, w, 3) float32, 0..1.
        landmarks: (N, 478, 3) px.
        near: (N, h, w) float32, share of the light that reaches head and shoulders, 0 beyond.
        far: (N, h, w) float32, 1 on the background.
    """

    linear: F32
    landmarks: F32
    near: F32
    far: F32

    @classmethod
    def of(cls, rgb: U8, landmarks: F32) -> Self:
        """Take pictures (N, h, w, 3) uint8 and landmarks (N, 478, 3) px."""
        near = np.stack([_near(each.shape[:2], points) for each, points in zip(rgb, landmarks, strict=True)])
        return cls(np.stack([to_linear(each) for each in rgb]), landmarks, near, (near == 0).astype(np.float32))


def relit(
    filmed: Filmed,
    rows: Sequence[int],
    t_s: F64,
    colours: Sequence[int],
    shown_s: Sequence[float],
    room: Room,
    rng: Generator,
    *,
    flat: bool = False,
) -> U8:
    """Return pictures (M, h, w, 3) uint8 as a camera would record them before a display that shows colours.

    Args:
        filmed: the recording.
        rows: (M,) which of its pictures, in order.
        t_s: (M,) times of the result.
        colours: sRGB 0xRRGGBB.
        shown_s: when each is on the display; before the first it is dark.
        room: the conditions.
        rng: of the drift.
        flat: light everything alike, as where a filmed display itself becomes brighter.
    """
    gains, drift_phases = np.zeros(3), rng.uniform(0, 2 * np.pi, (2, 3))
    pictures = []
    last_s = float(t_s[0])
    for row, now_s in zip(rows, t_s.tolist(), strict=True):
        light = room.share * _seen(_shown(colours, shown_s, now_s), room)
        falloff = np.ones_like(filmed.near[row]) if flat else filmed.near[row] + np.float32(room.background) * filmed.far[row]
        lit = filmed.linear[row] * (1 + falloff[..., None] * light.astype(np.float32))
        ratio = np.log(np.divide(cv2.mean(lit)[:3], np.maximum(cv2.mean(filmed.linear[row])[:3], 1e-4)))
        exposure, step_s, last_s = ratio.mean(), now_s - last_s, now_s
        gains += (1 - np.exp(-step_s / room.exposure_s)) * (-exposure - gains.mean())
        gains += (1 - np.exp(-step_s / room.white_balance_s)) * (exposure - ratio - gains + gains.mean())
        drift = room.drift * np.sin(2 * np.pi * now_s * np.array([[0.15], [0.35]]) + drift_phases).sum(axis=0)
        lit *= np.exp(gains + drift).astype(np.float32)
        pictures.append(to_srgb(lit))
    return np.stack(pictures)


def recoded(rgb: U8, fps: float, room: Room) -> U8:
    """Return pictures (N, h, w, 3) uint8 encoded and decoded again; sides are cut to even numbers."""
    height, width = (side // 2 * 2 for side in rgb.shape[1:3])
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream(room.codec, rate=round(fps))
        stream.width, stream.height, stream.pix_fmt, stream.thread_count = width, height, "yuv420p", 1
        stream.bit_rate = round(room.bits_per_pixel * width * height * fps)
        stream.options = (
            {"deadline": "realtime", "cpu-used": "6", "lag-in-frames": "0"}
            if room.codec == "libvpx"
            else {"preset": "veryfast", "tune": "zerolatency", "threads": "1"}
        )
        for index, picture in enumerate(rgb):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, round(fps))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def _shown(colours: Sequence[int], shown_s: Sequence[float], now_s: float) -> F64:
    """Return the mean linear colour (3,) that the display has while a picture integrates."""
    edges = np.clip(np.array([*shown_s, np.inf]), now_s - _INTEGRATED_S, now_s)
    light: F64 = np.diff(edges) @ np.array([linear(colour) for colour in colours]) / _INTEGRATED_S
    return light


def _seen(colour: F64, room: Room) -> F64:
    return np.asarray((colour * (1 - 2 * room.crosstalk) + room.crosstalk * (colour.sum() - colour)) * np.array(room.cast))


def _near(shape: tuple[int, int], landmarks: F32) -> F32:
    """Return the cosine to the display on the face, one half on hair and shoulders, 0 elsewhere: (h, w) float32."""
    height, width = shape
    points = landmarks[:, :2]
    centre, size = (points.min(axis=0) + points.max(axis=0)) / 2, np.ptp(points, axis=0)
    u, v = ((points - centre) / size).T
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)
    _, along, down, curved, twisted, hollow = np.linalg.lstsq(terms, landmarks[:, 2] / size[0], rcond=None)[0]
    x = (np.arange(width, dtype=np.float32)[None, :] - centre[0]) / size[0]
    y = (np.arange(height, dtype=np.float32)[:, None] - centre[1]) / size[1]
    slope_x, slope_y = along + 2 * curved * x + twisted * y, (down + twisted * x + 2 * hollow * y) * size[0] / size[1]
    near = np.zeros((height, width), np.float32)
    near[((x / 0.75) ** 2 + ((y + 0.15) / 0.8) ** 2 < 1) | ((np.abs(x) < 1.3) & (y > 0.55))] = 0.5
    face = cv2.fillConvexPoly(np.zeros((height, width), np.uint8), cv2.convexHull(np.round(points).astype(np.int32)), 1)
    near = np.where(face > 0, 1 / np.sqrt(1 + slope_x**2 + slope_y**2), near).astype(np.float32)
    return np.asarray(cv2.blur(near, (max(1, int(size[0] / 20)),) * 2), np.float32)
