"""Arrivals: a moment has arrived with the last byte of picture and sound up to it, whatever the container says of its packets."""

from __future__ import annotations

import io
import struct
from itertools import takewhile
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


def packets(recording: bytes) -> list[tuple[float, int]]:
    """Return the time of each packet of picture and sound, and its end in the file, in the order of times."""
    with av.open(io.BytesIO(recording)) as opened:
        every = [packet for packet in opened.demux() if packet.size and packet.pos is not None]
    found = [(float(packet.pts * packet.time_base), packet.pos + packet.size) for packet in every]
    return sorted(found, key=lambda packet: (packet[0], -packet[1]))


@pytest.mark.parametrize("name", SLICED)
@given(st.lists(st.floats(0.001, 1.0), max_size=12))
def test_a_moment_arrives_with_the_last_byte_of_all_up_to_it(name: str, shares: list[float]) -> None:
    """Whatever the chunks are: the latest moment of each, and only those later than all before."""
    recording = (FOLDER / name).read_bytes()
    ends = sorted({max(1, round(share * len(recording))) for share in [*shares, 1.0]})
    found, of_packets = arrived(recording, ends), packets(recording)

    origin_s = of_packets[0][0]
    for second, end in enumerate(ends):
        here = [time - origin_s for time, _ in takewhile(lambda packet, end=end: packet[1] <= end, of_packets)]
        told = [each for each in found if each.arrived_s <= second]
        assert bool(told) == bool(here)
        if told:
            assert told[-1].media_s == pytest.approx(max(here), abs=0.002)
    assert [each.media_s for each in found] == sorted({each.media_s for each in found})
    assert [each.arrived_s for each in found] == sorted({each.arrived_s for each in found})


def made(*blocks: tuple[int, float, bytes]) -> tuple[bytes, list[int]]:
    """Return a Matroska file of a client that writes it by itself, and where each of its blocks ends.

    Args:
        blocks: each the number of its stream, 1 for VP8 and 2 for PCM, its time in seconds, and its content with flags.
    """
    picture = _element(0xAE, _number(0xD7, 1), _number(0x73C5, 1), _number(0x83, 1), _element(0x86, b"V_VP8"), _SIZE)
    sound = _element(0xAE, _number(0xD7, 2), _number(0x73C5, 2), _number(0x83, 2), _element(0x86, b"A_PCM/INT/LIT"), _RATE)
    head = _element(0x1A45DFA3, _element(0x4282, b"webm"), _number(0x4287, 2), _number(0x4285, 2))
    data = head + b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + _element(0x1549A966, _number(0x2AD7B1, 1_000_000))
    data += _element(0x1654AE6B, picture, sound)
    ends = []
    for stream, at_s, content in blocks:
        block = _element(0xA3, bytes([0x80 | stream, 0, 0]), content)
        data += _element(0x1F43B675, _number(0xE7, round(at_s * 1000)), block)
        ends.append(len(data))
    return data, ends


def _element(name: int, *content: bytes) -> bytes:
    data = b"".join(content)
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + (0x10000000 | len(data)).to_bytes(4, "big") + data


def _number(name: int, value: int) -> bytes:
    return _element(name, value.to_bytes(8, "big"))


_SIZE = _element(0xE0, _number(0xB0, 64), _number(0xBA, 64))
_RATE = _element(0xE1, _element(0xB5, struct.pack(">d", 16000.0)), _number(0x9F, 1), _number(0x6264, 16))
ALONE, LACED = b"\x80", b"\x86\x01\x40\xc8"
"""Flags of a block, and those of one with two frames, of which the first has 200 bytes."""
KEY = bytes.fromhex("1002009d012a40004000") + bytes(190)


def test_a_packet_that_runs_ahead_brings_nothing_before_it() -> None:
    """A client that cannot answer in time sends what cannot be decoded for a time to come, and the answer when it has it."""
    recording, ends = made(*((1, at_s, ALONE + KEY) for at_s in (0.0, 3.0, 1.0, 2.0, 4.0)))
    assert arrived(recording, ends) == (Arrival(0.0, 0.0), Arrival(1.0, 2.0), Arrival(3.0, 3.0), Arrival(4.0, 4.0))


def test_sound_that_is_held_back_has_not_arrived_with_its_pictures() -> None:
    """A voice that is converted takes its time."""
    quiet = ALONE + bytes(3200)
    recording, ends = made(
        (1, 0.0, ALONE + KEY), (2, 0.0, quiet), (1, 0.1, ALONE + KEY), (1, 0.2, ALONE + KEY), (2, 0.1, quiet), (2, 0.2, quiet)
    )
    assert arrived(recording, ends) == (Arrival(0.0, 1.0), Arrival(0.1, 4.0), Arrival(0.2, 5.0))


def test_several_pictures_in_one_block_tell_no_arrivals() -> None:
    """FFmpeg tells the start of the block as the place of each, and no time of those after the first."""
    recording, ends = made((1, 0.0, LACED + KEY + KEY), (1, 1.0, ALONE + KEY))
    assert arrived(recording, ends) == ()


def test_a_transport_stream_tells_no_arrivals() -> None:
    """The rest of a packet whose start has arrived may come as late as it likes."""
    sent = io.BytesIO()
    with av.open(str(FOLDER / "chromium_h264_sliced.webm")) as opened, av.open(sent, "w", format="mpegts") as made_of_it:
        stream = made_of_it.add_stream_from_template(opened.streams.video[0])
        for packet in opened.demux(opened.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                made_of_it.mux(packet)
    assert arrived(sent.getvalue(), [len(sent.getvalue())]) == ()


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
