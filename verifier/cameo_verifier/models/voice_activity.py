"""Voice activity detection: finds speech segments with Silero VAD v6, the file that ships inside faster-whisper.

The network scores 32 ms of sound at a time; here those scores become segments, with one threshold to enter speech and a lower one
to leave it, so that a fading vowel does not end a word. Defaults follow Silero's published use (0.5 to enter, 0.15 less to
leave), with silences and margins short enough to separate single spoken digits.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from cameo_verifier.models.onnx_session import open_session

if TYPE_CHECKING:
    from cameo_verifier.types import F32, F64

_RATE_HZ = 16_000
_STEP = 512
_CONTEXT = 64
_HIDDEN = 128
_ENTER, _HYSTERESIS = 0.5, 0.15
# The recurrent network starts cold: a recording that begins with speech, or a quiet telephone, is scored too low for the first
# half second. So that much silence is fed first (on 38 telephone recordings: 5 words fewer cut off).
_WARM_UP_STEPS = 16


def voice_activity_path() -> Path:
    """Return the path of the network inside the installed faster-whisper."""
    return Path(str(files("faster_whisper") / "assets" / "silero_vad_v6.onnx"))


class VoiceActivity:
    """Silero VAD on ONNX Runtime. Open one for each process; it keeps no state between recordings."""

    step_s = _STEP / _RATE_HZ
    """Seconds of sound per probability."""

    def __init__(self, *, threads: int) -> None:
        self._session = open_session(voice_activity_path(), threads=threads)

    def probabilities(self, sound: F32) -> F32:
        """Return the probability of speech in each 32 ms of `sound` ((n,) float32, 16 kHz): (ceil(n / 512),) float32."""
        if sound.size == 0:
            return np.zeros(0, np.float32)
        steps = -(-sound.size // _STEP)
        begin = _CONTEXT + _WARM_UP_STEPS * _STEP
        padded = np.zeros(begin + steps * _STEP, np.float32)
        padded[begin : begin + sound.size] = sound
        # Each step's input includes the 64 samples before it.
        windows = np.lib.stride_tricks.sliding_window_view(padded, _CONTEXT + _STEP)[::_STEP]
        still = np.zeros((1, 1, _HIDDEN), np.float32)
        scores, _, _ = self._session.run(None, {"input": np.ascontiguousarray(windows), "h": still, "c": still})
        return np.asarray(scores, np.float32).reshape(-1)[_WARM_UP_STEPS:]

    def follow(self) -> SpeechFollower:
        """Return a detector for sound that arrives piece by piece."""
        return SpeechFollower(self._session)

    def segments(
        self,
        sound: F32,
        *,
        threshold: float = _ENTER,
        min_speech_s: float = 0.1,
        min_silence_s: float = 0.3,
        margin_s: float = 0.1,
    ) -> F64:
        """Return the speech segments.

        Args:
            sound: (n,) float32, mono, 16 kHz, in [-1, 1].
            threshold: probability at which speech begins; it ends 0.15 below that.
            min_speech_s: shorter bursts are dropped (clicks, breaths).
            min_silence_s: shorter pauses do not split a segment.
            margin_s: added on both sides, without overlap, so that plosives and fading ends are kept.

        Returns:
            (S, 2) float64 start and end in seconds, in order and disjoint; S is 0 for silence.
        """
        scores = self.probabilities(sound)
        bursts = _merge(_bursts(scores, enter=threshold, leave=max(threshold - _HYSTERESIS, 0.01)), min_silence_s / self.step_s)
        spans = np.array(bursts, np.float64).reshape(-1, 2) * self.step_s
        spans = spans[spans[:, 1] - spans[:, 0] >= min_speech_s]
        if not len(spans):
            return spans
        margins = np.full(len(spans) + 1, margin_s)
        margins[1:-1] = np.minimum(margin_s, (spans[1:, 0] - spans[:-1, 1]) / 2)
        spans[:, 0] -= margins[:-1]
        spans[:, 1] += margins[1:]
        return np.clip(spans, 0.0, sound.size / _RATE_HZ)

    def close(self) -> None:
        """Release the network."""
        self._session = None

    def __enter__(self) -> Self:
        """Return the detector itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


class SpeechFollower:
    """Voice activity detection in sound that arrives piece by piece; its answers depend on the sound and not on how it is split.

    Speech begins and ends at the thresholds of `VoiceActivity.segments`; pauses and bursts of any length count.
    """

    def __init__(self, session: Any) -> None:  # noqa: ANN401 - onnxruntime ships no types
        """Made by `VoiceActivity.follow`; hears silence first, as `VoiceActivity.probabilities` does."""
        self._session = session
        self._state = [np.zeros((1, 1, _HIDDEN), np.float32) for _ in "hc"]
        self._waiting = np.zeros(_CONTEXT, np.float32)
        self._speech = False
        self.add(np.zeros(_WARM_UP_STEPS * _STEP, np.float32))

    def add(self, sound: F32) -> bool:
        """Hear more sound, (n,) float32 at 16 kHz; return whether somebody speaks at the end of the last whole 32 ms."""
        waiting = np.concatenate([self._waiting, sound])
        while len(waiting) >= _CONTEXT + _STEP:
            step = {"input": waiting[None, : _CONTEXT + _STEP], "h": self._state[0], "c": self._state[1]}
            score, *self._state = self._session.run(None, step)
            self._speech = float(score.reshape(-1)[0]) >= _ENTER - _HYSTERESIS * self._speech
            waiting = waiting[_STEP:]
        self._waiting = waiting
        return self._speech


def _bursts(scores: F32, *, enter: float, leave: float) -> list[tuple[int, int]]:
    bursts: list[tuple[int, int]] = []
    start = -1
    for step, score in enumerate(scores):
        if start < 0 and score >= enter:
            start = step
        elif start >= 0 and score < leave:
            bursts.append((start, step))
            start = -1
    if start >= 0:
        bursts.append((start, len(scores)))
    return bursts


def _merge(bursts: list[tuple[int, int]], min_silence_steps: float) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in bursts:
        if merged and start - merged[-1][1] < min_silence_steps:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
