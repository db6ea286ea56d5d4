"""The record of one capture: the bytes of the answer, when they arrived, and when prompts and colours were revealed."""

from __future__ import annotations

from dataclasses import replace

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.live_record import Chunk, LiveRecord, Reveal
from cameo_verifier.reasons import Reason

_TOGETHER_S = 0.01
"""Bytes that arrive within this time count as one chunk, with the arrival of the last: however small a client cuts them, a second
has a hundred chunks at most."""


_LONGEST_S = 3600.0


class CaptureRecord:
    """Collects while the answer arrives; times are on the server's monotonic clock until `live` counts from the first bytes."""

    def __init__(self, max_bytes: int) -> None:
        """Begin with nothing; max_bytes: largest answer."""
        self._max_bytes = max_bytes
        self.recording = bytearray()
        self._chunks: list[Chunk] = []
        self._chunk_began_s = 0.0
        self._prompts: list[Reveal] = []
        self._colours: list[Reveal] = []

    def received(self, chunk: bytes, now: float) -> None:
        """Append bytes of the answer.

        Raises:
            UnjudgeableError: `RECORDING_TOO_LARGE`.
        """
        if len(self.recording) + len(chunk) > self._max_bytes:
            raise UnjudgeableError(Reason.RECORDING_TOO_LARGE, f"the recording has more than {self._max_bytes} bytes")
        if not chunk:
            return
        self.recording += chunk
        if self._chunks and now - self._chunk_began_s < _TOGETHER_S:
            self._chunks.pop()
        else:
            self._chunk_began_s = now
        self._chunks.append(Chunk(len(self.recording), now))

    def revealed(self, now: float, *, colour: bool = False) -> None:
        """Note that the next prompt or colour left the server."""
        self._of(colour=colour).append(Reveal(now))

    def shown(self, number: int, media_s: float, *, colour: bool) -> None:
        """Note when the client says that it showed something.

        What was never revealed or was shown before is ignored, and so is a time that no recording has.
        """
        if not 0 <= media_s <= _LONGEST_S:
            return
        revealed = self._of(colour=colour)
        if number < len(revealed) and revealed[number].shown_media_s is None:
            revealed[number] = replace(revealed[number], shown_media_s=media_s)

    def live(self) -> LiveRecord:
        """Return the record, with times from the arrival of the first bytes."""
        first_s = self._chunks[0].arrived_s if self._chunks else 0.0
        prompts, colours = (
            tuple(replace(each, sent_s=each.sent_s - first_s) for each in revealed) for revealed in (self._prompts, self._colours)
        )
        chunks = tuple(replace(each, arrived_s=each.arrived_s - first_s) for each in self._chunks)
        return LiveRecord(prompts, colours, chunks)

    def _of(self, *, colour: bool) -> list[Reveal]:
        return self._colours if colour else self._prompts
