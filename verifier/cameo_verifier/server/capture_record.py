"""The record of one capture: the bytes of the answer, when they arrived, and when prompts were revealed."""

from __future__ import annotations

from dataclasses import replace

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.live_record import LiveRecord, Reveal
from cameo_verifier.reasons import Reason


class CaptureRecord:
    """Collects while the answer arrives; times are on the server's monotonic clock until `live` counts from the first bytes."""

    def __init__(self, max_bytes: int) -> None:
        """Begin with nothing; max_bytes: largest answer."""
        self._max_bytes = max_bytes
        self.recording = bytearray()
        self._chunks: list[tuple[int, float]] = []
        """After each chunk, the number of bytes so far, and when it arrived."""
        self._prompts: list[Reveal] = []

    def received(self, chunk: bytes, now: float) -> None:
        """Append bytes of the answer.

        Raises:
            UnjudgeableError: `RECORDING_TOO_LARGE`.
        """
        if len(self.recording) + len(chunk) > self._max_bytes:
            raise UnjudgeableError(Reason.RECORDING_TOO_LARGE, f"the recording has more than {self._max_bytes} bytes")
        self.recording += chunk
        self._chunks.append((len(self.recording), now))

    def revealed(self, now: float) -> None:
        """Note that the next prompt left the server."""
        self._prompts.append(Reveal(now))

    def shown(self, number: int, media_s: float, *, colour: bool) -> None:
        """Note when the client says that it showed something; what was never revealed, or was shown before, is ignored."""
        if not colour and number < len(self._prompts) and self._prompts[number].shown_media_s is None:
            self._prompts[number] = replace(self._prompts[number], shown_media_s=media_s)

    def live(self) -> LiveRecord:
        """Return the record, with times from the arrival of the first bytes."""
        first = self._chunks[0][1] if self._chunks else 0.0
        prompts = tuple(replace(each, sent_s=each.sent_s - first) for each in self._prompts)
        return LiveRecord(prompts=prompts)
