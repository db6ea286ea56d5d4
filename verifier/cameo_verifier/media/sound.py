"""Sound decoding: decodes, downmixes to one channel, resamples to 16 kHz, and aligns the sound to the recording's clock.

1. Decode packet by packet until the longest recording allowed is passed.
2. Resample each run of gapless sound on its own; a change of format, or a gap of a tenth of a second, starts a new run.
3. Place the runs at their times from the start of the recording: silence before and between, nothing before zero.
4. Where the channels cancel in the mix, or only one of them carries the voice, use the channel with the most modulation instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import numpy as np
from av.audio.resampler import AudioResampler

from cameo_verifier.media import source as media_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

    from cameo_verifier.media.budget import Budget
    from cameo_verifier.settings import MediaLimits
    from cameo_verifier.types import F32

RATE_HZ = 16_000

MIN_GAP_S = 0.1
"""FFmpeg's own threshold (swresample `min_hard_comp`): less than this is clock jitter, not a gap."""

_MARGIN_S = 0.5
"""Read past the limit, so that a recording over it measures as longer than the limit."""

_MAX_DAMAGED_SHARE = 0.10
_HOPELESS = 1_000
_MAX_TIMES = 100
_TAIL_S = 0.1
"""A decoding failure so close to the end is truncation."""

_MIX = {"rematrix_maxval": "1.0"}
"""Mix two channels as (L + R) / 2. The default for floating point is (L + R) / sqrt(2), which leaves [-1, 1]."""

_LOST_DB = 5.0
"""A channel this much more modulated than the mix replaces it. Two with the same signal are as modulated as their mix, two of
unrelated sounds 3 dB more, one beside a silent one 6 dB; two of opposite phase cancel in the mix."""
_LIVELY_S = 0.05
"""Shorter than a syllable, longer than a period of any voice."""


def mixer(rate_hz: int) -> AudioResampler:
    """Return a resampler to one channel of float32 at that rate."""
    return AudioResampler(format="flt", layout="mono", rate=rate_hz, options=_MIX)


def _splitter(rate_hz: int) -> AudioResampler:
    return AudioResampler(format="fltp", rate=rate_hz)


@dataclass(slots=True)
class _Run:
    start_s: float
    format: tuple[str, str, int]
    end_s: float
    mixer: AudioResampler
    splitter: AudioResampler | None = None
    pieces: list[F32] = field(default_factory=list)
    channels: list[F32] = field(default_factory=list)

    def add(self, samples: AudioFrame | None) -> None:
        self.pieces += [np.array(piece.to_ndarray(), dtype=np.float32) for piece in self.mixer.resample(samples)]
        if self.splitter is not None:
            self.channels += [np.array(piece.to_ndarray(), dtype=np.float32) for piece in self.splitter.resample(samples)]


@dataclass(frozen=True, slots=True)
class Sound:
    """Decoded sound: `samples` (N,) float32 in [-1, 1] from the start of the recording; its own start `from_s`.

    `length_s`: of the sound, without the silence put before. `channel`: the selected one, from 1; 0 for the mix of all. `gaps_s`:
    start and end of each gap. `damaged_s`: times of decoding failures, except truncation at the ends.
    """

    samples: F32
    length_s: float
    from_s: float = 0.0
    channel: int = 0
    gaps_s: tuple[tuple[float, float], ...] = ()
    damaged_s: tuple[float, ...] = ()


def read_sound(
    opened: InputContainer,
    stream: AudioStream,
    *,
    limits: MediaLimits,
    budget: Budget,
    origin_s: float,
    rate_hz: int = RATE_HZ,
) -> Sound:
    """Decode the whole sound, at most `limits.max_s` and half a second, resampled to `rate_hz`.

    Raises:
        UnjudgeableError: `CORRUPT_MEDIA`; more than a tenth of it does not decode. `RECORDING_TOO_COSTLY`.
    """
    media_source.open_decoder(stream, max_pixels=1, threads=1)
    runs: list[_Run] = []
    lost = _Lost()
    with media_source.vendor_errors("its sound cannot be resampled"):
        for samples, t_s in _decode(opened, stream, origin_s, lost, budget):
            shape = (samples.format.name, samples.layout.name, samples.sample_rate)
            length_s = samples.samples / samples.sample_rate
            run = runs[-1] if runs else None
            at_s = t_s if t_s is not None else (run.end_s if run else 0.0)
            if run is None or shape != run.format or at_s - run.end_s > MIN_GAP_S:
                if run is not None:
                    run.add(None)
                    at_s = max(at_s, run.end_s)
                several = samples.layout.nb_channels > 1
                run = _Run(at_s, shape, at_s, mixer(rate_hz), _splitter(rate_hz) if several else None)
                runs.append(run)
            if run.end_s > limits.max_s + _MARGIN_S:
                break
            run.end_s += length_s
            run.add(samples)
        if runs:
            runs[-1].add(None)
    gaps_s = tuple((before.end_s, after.start_s) for before, after in pairwise(runs) if after.start_s - before.end_s > MIN_GAP_S)
    ends_s = runs[-1].end_s if runs else 0.0
    damaged_s = tuple(at_s for at_s in lost.at_s if at_s < ends_s - _TAIL_S)
    placed = _place_runs(runs, _voice_channel(runs, rate_hz), limits.max_s + _MARGIN_S, rate_hz)
    return replace(placed, gaps_s=gaps_s, damaged_s=damaged_s)


@dataclass(slots=True)
class _Lost:
    """Packets that did not decode: their number, and the times of the first of them after some that did."""

    count: int = 0
    at_s: list[float] = field(default_factory=list)


def _decode(
    opened: InputContainer, stream: AudioStream, origin_s: float, lost: _Lost, budget: Budget
) -> Iterator[tuple[AudioFrame, float | None]]:
    packets, decoded = opened.demux(stream), 0
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            lost.count += 1
            break
        if packet is None or lost.count > _HOPELESS:
            break
        budget.spend()
        at_s = None if packet.pts is None else media_source.seconds(packet.pts, stream) - origin_s
        try:
            pieces = packet.decode()
        except (av.error.FFmpegError, ValueError):
            lost.count += 1
            if decoded and len(lost.at_s) < _MAX_TIMES:
                lost.at_s.append(at_s or 0.0)
            continue
        decoded += 1
        for piece in pieces:
            if piece.is_corrupt and len(lost.at_s) < _MAX_TIMES:
                lost.at_s.append(at_s or 0.0)
            if piece.samples and piece.sample_rate:
                yield piece, None if piece.pts is None else media_source.seconds(piece.pts, stream) - origin_s
    if lost.count > 1 and lost.count > _MAX_DAMAGED_SHARE * (decoded + lost.count):
        raise media_source.damaged(f"{lost.count} of {decoded + lost.count} packets of sound did not decode")


def _voice_channel(runs: list[_Run], rate_hz: int) -> int:
    """Return the number, from 1, of the channel with the voice that the mix has lost, 0 where it has not."""
    layouts = {run.format[1] for run in runs}
    if len(layouts) != 1 or not all(run.channels for run in runs):
        return 0
    mix = np.concatenate([piece for run in runs for piece in run.pieces], axis=1)
    each = np.concatenate([piece for run in runs for piece in run.channels], axis=1)
    block = round(_LIVELY_S * rate_hz)
    liveliness = [_modulation(channel, block) for channel in each]
    best = int(np.argmax(liveliness))
    return best + 1 if liveliness[best] > 10 ** (_LOST_DB / 10) * _modulation(mix[0], block) else 0


def _modulation(samples: F32, block: int) -> float:
    """Return the modulation of a sound's power over blocks of samples: high for a voice, low for hum, hiss and direct current."""
    change = np.diff(np.nan_to_num(samples, posinf=0.0, neginf=0.0).astype(np.float64))
    blocks = change[: len(change) // block * block].reshape(-1, block)
    return float(np.std(np.mean(np.square(blocks), axis=1))) if len(blocks) else 0.0


def _place_runs(runs: list[_Run], channel: int, max_s: float, rate_hz: int) -> Sound:
    heard = [(run.start_s, run.channels if channel else run.pieces) for run in runs]
    placed = [
        (round(start_s * rate_hz), np.concatenate(pieces, axis=1)[max(0, channel - 1)]) for start_s, pieces in heard if pieces
    ]
    if not placed:
        return Sound(np.zeros(0, np.float32), 0.0)
    end = min(int(max_s * rate_hz), max(start + len(samples) for start, samples in placed))
    sound = np.zeros(max(0, end), np.float32)
    for start, samples in placed:
        kept = samples[max(0, -start) : max(0, end - start)]
        sound[max(0, start) : max(0, start) + len(kept)] = kept
    # PCM in floating point may hold anything, even no number at all.
    np.clip(np.nan_to_num(sound, copy=False), -1.0, 1.0, out=sound)
    begins = max(0, placed[0][0])
    return Sound(sound, max(0.0, (end - begins) / rate_hz), begins / rate_hz, channel)
