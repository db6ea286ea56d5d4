"""A committed recording in another codec or orientation, as a phone or an old camera records."""

from __future__ import annotations

import io
import struct
from fractions import Fraction

import av
import numpy as np

_TICKS = 90_000


def recoded(recording: bytes, *, video: str = "libx265", container: str = "mp4", quarter_turns: int = 0) -> bytes:
    """Return it with its pictures encoded anew and its sound as it was; it looks the same to whoever plays it.

    Args:
        recording: with H.264 and AAC.
        video: FFmpeg's encoder.
        container: FFmpeg's muxer; one of ISO's where the camera was turned.
        quarter_turns: clockwise turns that a player has to make, since the pictures are stored lying.
    """
    made = io.BytesIO()
    options = {"libx265": {"preset": "ultrafast", "x265-params": "log-level=none"}, "libx264": {"preset": "ultrafast"}}
    with av.open(io.BytesIO(recording)) as source, av.open(made, "w", format=container) as out:
        pictures, sound = source.streams.video[0], source.streams.audio[0]
        stream = out.add_stream(video, rate=round(pictures.average_rate or 25), options=options.get(video, {}))
        sides = pictures.width, pictures.height
        stream.width, stream.height = sides[:: -1 if quarter_turns % 2 else 1]
        stream.pix_fmt, stream.bit_rate = "yuv420p", 2_000_000
        free = video.startswith("lib")
        base = Fraction(1, _TICKS) if free else 1 / Fraction(stream.codec_context.framerate)
        stream.codec_context.time_base = base
        copied = out.add_stream_from_template(sound)
        packets = []
        for frame in source.decode(pictures):
            lying = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), quarter_turns))
            picture = av.VideoFrame.from_ndarray(lying, format="rgb24")
            picture.pts, picture.time_base = round(Fraction(frame.time) / base), base
            packets += stream.encode(picture)
        packets += stream.encode(None)
        source.seek(0)
        for packet in source.demux(sound):
            if packet.dts is not None:
                packet.stream = copied
                packets.append(packet)
        for packet in sorted(packets, key=lambda each: (each.dts or 0) * each.time_base):
            out.mux(packet)
    data = bytearray(made.getvalue())
    if quarter_turns:
        one = 1 << 16
        turn = ((one, 0, 0, one), (0, one, -one, 0), (-one, 0, 0, -one), (0, -one, one, 0))[quarter_turns % 4]
        at = data.find(b"tkhd") + 44
        data[at : at + 36] = struct.pack(">9i", *turn[:2], 0, *turn[2:], 0, 0, 0, 1 << 30)
    return bytes(data)
