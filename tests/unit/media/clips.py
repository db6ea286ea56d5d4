"""Tiny recordings made on the spot, whose every picture and sample is known.

Each picture has red, green, blue and white quadrants (clockwise from the top left: red, green, white, blue), so that any turn or
mirroring shows in the corners. The sound is a 440 Hz tone at half scale that starts after `tone_from_s` of silence.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 180, 30), (30, 30, 220), (235, 235, 235)
SOUND_RATE_HZ = 48_000
_PICTURE_TICKS = 90_000


@dataclass(frozen=True)
class Clip:
    """`times_s` overrides `fps`; `video_from_s` and `audio_from_s` delay a stream; a codec of `None` leaves it out."""

    container: str = "mp4"
    video: str | None = "libx264"
    audio: str | None = "aac"
    seconds: float = 1.0
    fps: int = 10
    size: tuple[int, int] = (64, 48)
    times_s: Sequence[float] | None = None
    video_from_s: float = 0.0
    audio_from_s: float = 0.0
    tone_from_s: float = 0.0
    amplitude: float = 0.5
    rate_hz: int = SOUND_RATE_HZ
    layout: str = "stereo"
    muxer_options: tuple[tuple[str, str], ...] = ()
    gop: int = 12


def picture(size: tuple[int, int], number: int = 0) -> np.ndarray:
    """The picture with four coloured quadrants, (H, W, 3) uint8; a grey square in the middle moves with `number`."""
    width, height = size
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[: height // 2, : width // 2] = RED
    rgb[: height // 2, width // 2 :] = GREEN
    rgb[height // 2 :, : width // 2] = BLUE
    rgb[height // 2 :, width // 2 :] = WHITE
    at = width // 4 + (3 * number) % max(1, width // 3)
    rgb[height * 3 // 8 : height * 5 // 8, at : at + width // 8] = 128
    return rgb


def corners(rgb: np.ndarray) -> list[str]:
    """Names of the colours in the corners, clockwise from the top left."""
    height, width, _ = rgb.shape
    names = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
    found = []
    for y, x in ((height // 8, width // 8), (height // 8, -width // 8), (-height // 8, -width // 8), (-height // 8, width // 8)):
        seen = rgb[y, x].astype(int)
        found.append(min(names, key=lambda name: float(np.abs(seen - names[name]).sum())))
    return found


_MADE: dict[str, bytes] = {}


def make(clip: Clip) -> bytes:
    """Encode a clip, once in a process, and return the bytes of its file."""
    if (name := repr(clip)) not in _MADE:
        _MADE[name] = _made(clip)
    return _MADE[name]


def _made(clip: Clip) -> bytes:
    os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder writes to stderr past every log call-back
    form = {"mkv": "matroska", "mpg": "mpeg"}.get(clip.container, clip.container)
    # A file on disk, because FFmpeg reads it back to move the index of an MP4 to the front.
    with TemporaryDirectory() as folder, av.open(f"{folder}/clip", "w", format=form, options=dict(clip.muxer_options)) as out:
        packets = []
        if clip.video:
            packets += _encode_pictures(out, clip)
        if clip.audio:
            packets += _encode_sound(out, clip)
        for packet in sorted(packets, key=lambda packet: (packet.dts or 0) * (packet.time_base or 0)):
            out.mux(packet)
        out.close()
        return Path(folder, "clip").read_bytes()


def tone(clip: Clip) -> np.ndarray:
    """The samples of one channel at the clip's own rate, (N,) float32."""
    at_s = np.arange(int(clip.seconds * clip.rate_hz)) / clip.rate_hz
    return np.where(at_s >= clip.tone_from_s, clip.amplitude * np.sin(2 * np.pi * 440 * at_s), 0.0).astype(np.float32)


def _encode_pictures(out: av.container.OutputContainer, clip: Clip) -> list[av.Packet]:
    options = {
        "libx264": {"preset": "ultrafast", "crf": "18"},
        "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
        "libsvtav1": {"preset": "11", "crf": "30"},
        "libvpx": {"deadline": "realtime", "cpu-used": "8"},
        "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    }.get(clip.video or "", {})
    stream = out.add_stream(clip.video, rate=clip.fps, options=options)
    stream.width, stream.height = clip.size
    stream.pix_fmt = "yuvj420p" if clip.video == "mjpeg" else "yuv420p"
    stream.gop_size = clip.gop
    if clip.video != "libsvtav1":
        stream.bit_rate = 400_000
    times = clip.times_s if clip.times_s is not None else [n / clip.fps for n in range(round(clip.seconds * clip.fps))]
    free_ticks = clip.video not in {"mpeg1video", "mpeg2video", "h263", "mpeg4"}
    base = Fraction(1, _PICTURE_TICKS) if free_ticks else Fraction(1, clip.fps)
    stream.codec_context.time_base = base
    packets = []
    for number, at_s in enumerate(times):
        frame = av.VideoFrame.from_ndarray(picture(clip.size, number), format="rgb24")
        frame.pts, frame.time_base = round((at_s + clip.video_from_s) / base), base
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def _encode_sound(out: av.container.OutputContainer, clip: Clip) -> list[av.Packet]:
    stream = out.add_stream(clip.audio, rate=clip.rate_hz, layout=clip.layout, options={"strict": "experimental"})
    one = tone(clip)
    channels = len(av.AudioLayout(clip.layout).channels)
    frame = av.AudioFrame.from_ndarray(np.tile(one, (channels, 1)), format="fltp", layout=clip.layout)
    frame.sample_rate, frame.time_base = clip.rate_hz, Fraction(1, clip.rate_hz)
    frame.pts = round(clip.audio_from_s * clip.rate_hz)
    packets = []
    wanted = stream.codec_context.format or av.AudioFormat("fltp")
    resampler = av.AudioResampler(
        format=wanted, layout=clip.layout, rate=clip.rate_hz, frame_size=stream.codec_context.frame_size or 1024
    )
    for piece in resampler.resample(frame) + resampler.resample(None):
        packets += stream.encode(piece)
    return packets + stream.encode(None)
