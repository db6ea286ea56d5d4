"""The record of a capture: what a client says of its times and how it cuts its bytes costs the server nothing."""

from __future__ import annotations

import pytest

from cameo_verifier.live_record import Chunk
from cameo_verifier.server.capture_record import CaptureRecord


def test_a_client_that_sends_one_byte_at_a_time_makes_no_long_record() -> None:
    """A hundred thousand messages in ten seconds are a thousand chunks, each with the arrival of its last byte."""
    record = CaptureRecord(2**20)
    for number in range(100_000):
        record.received(b"x", 50.0 + number / 10_000)
        record.received(b"", 50.0 + number / 10_000)
    chunks = record.live().chunks
    assert len(chunks) <= 1001
    assert chunks[-1].end == len(record.recording) == 100_000
    assert all(chunk.arrived_s * 10_000 == pytest.approx(chunk.end - chunks[0].end, abs=0.01) for chunk in chunks)


def test_slices_of_a_recorder_are_kept_as_they_came() -> None:
    """Every quarter of a second."""
    record = CaptureRecord(2**20)
    for number in range(4):
        record.received(bytes(100), 7.0 + number / 4)
    assert record.live().chunks == tuple(Chunk(100 * (number + 1), number / 4) for number in range(4))


@pytest.mark.parametrize("media_s", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_time_that_no_recording_has_was_not_said(media_s: float) -> None:
    """Nor is a prompt that was never revealed."""
    record = CaptureRecord(2**20)
    record.revealed(1.0)
    record.shown(0, media_s, colour=False)
    record.shown(2**32 - 1, 1.0, colour=False)
    assert record.live().prompts[0].shown_media_s is None
    record.shown(0, 0.5, colour=False)
    record.shown(0, 0.7, colour=False)
    assert [each.shown_media_s for each in record.live().prompts] == [0.5]
