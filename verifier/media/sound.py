"""Sound: decode, mix down to one channel, resample to 16 kHz and lay it on the recording's clock.

1. Decode packet by packet until the longest recording allowed is passed.
2. Resample each run of gapless sound on its own; a change of format, or a gap of a tenth of a second, starts a new run.
3. Lay the runs at their times from the start of the recording: silence before and between, nothing before zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import av
import numpy as np
from av.audio.resampler import AudioResampler

from verifier.media import source as media_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

    from verifier.settings import MediaLimits
    from verifier.types import F32

RATE_HZ = 16_000

_MIN_GAP_S = 0.1
"""FFmpeg's own threshold (swresample `min_hard_comp`): less than this is jitter of the clock, not a gap."""

_MARGIN_S = 0.5
"""Read past the limit, so that a recording over it measures as longer than the limit."""

_MAX_DAMAGED_SHARE = 0.10
_HOPELESS = 1_000

_MIX = {"rematrix_maxval": "1.0"}
"""Mix two channels as (L + R) / 2. The default for floating point is (L + R) / sqrt(2), which leaves [-1, 1]."""


def _resampler() -> AudioResampler:
    return AudioResampler(format="flt", layout="mono", rate=RATE_HZ, options=_MIX)


@dataclass(slots=True)
class _Run:
    start_s: float
    format: tuple[str, str, int]
    end_s: float
    pieces: list[F32] = field(default_factory=list)
    resampler: AudioResampler = field(default_factory=_resampler)

    def add(self, samples: AudioFrame | None) -> None:
        self.pieces += [np.array(piece.to_ndarray()[0], dtype=np.float32) for piece in self.resampler.resample(samples)]


@dataclass(frozen=True, slots=True)
class Sound:
    """`samples` (N,) float32 in [-1, 1] at 16 kHz from the start of the recording; `length_s` without the silence put before."""

    samples: F32
    length_s: float


def read_sound(
    opened: InputContainer,
    stream: AudioStream,
    *,
    limits: MediaLimits,
    origin_s: float,
) -> Sound:
    """Decode the whole sound, at most `limits.max_s` and half a second.

    Raises:
        UnjudgeableError: `CORRUPT_MEDIA`; more than a tenth of it does not decode.
    """
    media_source.open_decoder(stream, max_pixels=1, threads=1)
    runs: list[_Run] = []
    with media_source.vendor_errors("its sound cannot be resampled"):
        for samples, t_s in _decode(opened, stream, origin_s):
            shape = (samples.format.name, samples.layout.name, samples.sample_rate)
            length_s = samples.samples / samples.sample_rate
            run = runs[-1] if runs else None
            at_s = t_s if t_s is not None else (run.end_s if run else 0.0)
            if run is None or shape != run.format or at_s - run.end_s > _MIN_GAP_S:
                if run is not None:
                    run.add(None)
                    at_s = max(at_s, run.end_s)
                run = _Run(start_s=at_s, format=shape, end_s=at_s)
                runs.append(run)
            if run.end_s > limits.max_s + _MARGIN_S:
                break
            run.end_s += length_s
            run.add(samples)
        if runs:
            runs[-1].add(None)
    return _lay(runs, limits.max_s + _MARGIN_S)


def _decode(opened: InputContainer, stream: AudioStream, origin_s: float) -> Iterator[tuple[AudioFrame, float | None]]:
    packets, decoded, lost = opened.demux(stream), 0, 0
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            lost += 1
            break
        if packet is None or lost > _HOPELESS:
            break
        try:
            pieces = packet.decode()
        except (av.error.FFmpegError, ValueError):
            lost += 1
            continue
        decoded += 1
        for piece in pieces:
            if piece.samples and piece.sample_rate:
                yield piece, None if piece.pts is None else media_source.seconds(piece.pts, stream) - origin_s
    if lost > 1 and lost > _MAX_DAMAGED_SHARE * (decoded + lost):
        raise media_source.damaged(f"{lost} of {decoded + lost} packets of sound did not decode")


def _lay(runs: list[_Run], max_s: float) -> Sound:
    placed = [(round(run.start_s * RATE_HZ), np.concatenate(run.pieces)) for run in runs if run.pieces]
    if not placed:
        return Sound(np.zeros(0, np.float32), 0.0)
    end = min(int(max_s * RATE_HZ), max(start + len(samples) for start, samples in placed))
    sound = np.zeros(max(0, end), np.float32)
    for start, samples in placed:
        kept = samples[max(0, -start) : max(0, end - start)]
        sound[max(0, start) : max(0, start) + len(kept)] = kept
    # PCM in floating point may hold anything, even no number at all.
    np.clip(np.nan_to_num(sound, copy=False), -1.0, 1.0, out=sound)
    return Sound(sound, max(0.0, (end - max(0, placed[0][0])) / RATE_HZ))
