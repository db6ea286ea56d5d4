"""Early sound: decodes the sound of an arriving recording packet by packet, in windows of `WINDOW_S`.

As for a whole recording (`cameo_verifier.media.sound`), it is mixed to one channel at 16 kHz and placed at its times: a late
start or a gap is silence. A packet that does not decode is a gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np

from cameo_verifier.media.sound import MIN_GAP_S, RATE_HZ, mixer
from cameo_verifier.media.source import open_decoder, seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.packet import Packet

    from cameo_verifier.media.budget import Budget
    from cameo_verifier.types import F32

WINDOW_S = 0.1
_WINDOW = round(WINDOW_S * RATE_HZ)


class EarlySound:
    """The sound of one arriving recording."""

    def __init__(self, each: Callable[[float, F32], None], *, budget: Budget, max_s: float) -> None:
        """Hear nothing yet.

        Args:
            each: called with every window in order: the time of its end from the start of the recording, in seconds, and its
                samples, (1600,) float32 in [-1, 1] at 16 kHz.
            budget: the recording's remaining cost.
            max_s: what claims a later time is dropped.
        """
        self._each, self._budget, self._max_s = each, budget, max_s
        self._mixer: AudioResampler | None = None
        self._format: tuple[str, str, int] | None = None
        self._opened = False
        self._end_s = 0.0
        self._emitted = 0
        self._waiting = np.zeros(0, np.float32)

    def add(self, packet: Packet[AudioStream], origin_s: float) -> None:
        """Decode one packet; `origin_s`: start of the recording on the container's clock, in seconds.

        Raises:
            UnjudgeableError: `RECORDING_TOO_COSTLY`.
        """
        if not self._opened:
            open_decoder(packet.stream, max_pixels=1, threads=1)
            self._opened = True
        self._budget.spend()
        try:
            for piece in packet.decode():
                if piece.samples and piece.sample_rate:
                    self._place(piece, None if piece.pts is None else seconds(piece.pts, packet.stream) - origin_s)
        except (av.error.FFmpegError, ValueError):
            return

    def _place(self, piece: AudioFrame, t_s: float | None) -> None:
        form = piece.format.name, piece.layout.name, piece.sample_rate
        at_s = self._end_s if t_s is None else t_s
        if at_s > self._max_s:
            return
        if self._mixer is None or form != self._format or at_s - self._end_s > MIN_GAP_S:
            self._mix(None)
            at_s = max(at_s, self._end_s) if self._format else at_s
            self._format, self._mixer, self._end_s = form, mixer(RATE_HZ), at_s
            self._append(np.zeros(max(0, round(at_s * RATE_HZ) - self._emitted - len(self._waiting)), np.float32))
        self._end_s += piece.samples / piece.sample_rate
        self._mix(piece)

    def _mix(self, piece: AudioFrame | None) -> None:
        if self._mixer is not None:
            for mixed in self._mixer.resample(piece):
                self._append(np.asarray(mixed.to_ndarray(), np.float32)[0])

    def _append(self, samples: F32) -> None:
        waiting = np.concatenate([self._waiting, np.clip(np.nan_to_num(samples), -1.0, 1.0)])
        whole = len(waiting) // _WINDOW * _WINDOW
        for window in waiting[:whole].reshape(-1, _WINDOW):
            self._emitted += _WINDOW
            self._each(self._emitted / RATE_HZ, window)
        self._waiting = waiting[whole:]
