"""Arrivals: a picture has arrived with the chunk that brought the last byte of its packet, in what browsers record."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier.live_record import Arrival, Chunk
from cameo_verifier.media.recording import open_recording
from cameo_verifier.settings import MediaLimits

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).resolve().parents[3] / "fixtures" / "browsers"
SLICED = ("chromium_vp8_sliced.webm", "firefox_vp8_sliced.webm", "chromium_sliced.mp4")


def arrived(recording: bytes, ends: Sequence[int]) -> tuple[Arrival, ...]:
    """Return the arrivals of a recording whose chunks end there, one a second."""
    chunks = [Chunk(end, float(second)) for second, end in enumerate(ends)]
    with open_recording(recording, limits=MediaLimits()) as opened:
        return opened.arrivals(chunks)


def packets(recording: bytes) -> list[tuple[int, float]]:
    """Return the end of each picture's packet in the file, and its time from the first one."""
    with av.open(io.BytesIO(recording)) as opened:
        stream = opened.streams.video[0]
        return [(p.pos + p.size, float(p.pts * stream.time_base)) for p in opened.demux(stream) if p.size and p.pos is not None]


@pytest.mark.parametrize("name", SLICED)
@given(st.lists(st.floats(0.001, 1.0), max_size=12))
def test_a_picture_arrives_with_the_last_byte_of_its_packet(name: str, shares: list[float]) -> None:
    """Whatever the chunks are: the latest picture of each, and only those later than all before."""
    recording = (FOLDER / name).read_bytes()
    ends = sorted({max(1, round(share * len(recording))) for share in [*shares, 1.0]})
    found, of_packets = arrived(recording, ends), packets(recording)

    [origin_s] = {round(time - arrival.media_s, 3) for arrival in found[-1:] for _, time in of_packets[-1:]}
    for second, end in enumerate(ends):
        here = [time - origin_s for place, time in of_packets if place <= end]
        told = [each for each in found if each.arrived_s <= second]
        assert bool(told) == bool(here)
        if told:
            assert told[-1].media_s == pytest.approx(max(here), abs=0.002)
    assert [each.media_s for each in found] == sorted({each.media_s for each in found})
    assert [each.arrived_s for each in found] == sorted({each.arrived_s for each in found})


def test_bytes_that_never_arrived_bring_no_picture() -> None:
    """The record may end before the recording does."""
    recording = (FOLDER / SLICED[0]).read_bytes()
    whole, half = arrived(recording, [len(recording)]), arrived(recording, [len(recording) // 2])
    assert half[-1].media_s < whole[-1].media_s
    assert arrived(recording, []) == ()


def test_a_recording_without_pictures_has_no_arrivals() -> None:
    """As a sound file."""
    sound = io.BytesIO()
    with av.open(sound, "w", format="wav") as made:
        stream = made.add_stream("pcm_s16le", rate=16000)
        frame = av.AudioFrame(format="s16", layout="mono", samples=16000)
        frame.sample_rate, frame.pts = 16000, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            made.mux(packet)
    assert arrived(sound.getvalue(), [len(sound.getvalue())]) == ()
