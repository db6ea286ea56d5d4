"""Arrivals: up to which moment a recording had arrived with each chunk of its bytes, by where the container holds its packets.

A client writes the container, so that times and places in it are chosen as it likes. A moment has arrived once every packet of
picture and sound up to it has: neither a packet that runs ahead of the others nor sound that is held back behind the pictures
brings it earlier.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

import av

from cameo_verifier.live_record import Arrival
from cameo_verifier.media.packets import MAX_PACKETS
from cameo_verifier.media.source import choose_streams, open_source, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.live_record import Chunk
    from cameo_verifier.media.source import Source

WHOLE_PACKETS = frozenset({"matroska", "mov"})
"""Demuxers of containers that hold each packet in one piece. A transport stream may send the rest of one as late as it likes."""


def arrivals(source: Source, chunks: Sequence[Chunk], *, origin_s: float) -> tuple[Arrival, ...]:
    """Return when the recording arrived: one arrival for each chunk that completed it up to a later moment than those before.

    A packet has arrived with its last byte, and with the packets that are decoded before it. What cannot be read of a damaged
    recording is left out. There is none without pictures, nor where the container does not tell where a packet ends.

    Args:
        source: the recording.
        chunks: in the order of their arrival.
        origin_s: start of the recording on the container's clock, in seconds.
    """
    if source.container.demuxer not in WHOLE_PACKETS:
        return ()
    ends = [chunk.end for chunk in chunks]
    came: list[tuple[float, int]] = []
    """Time of each packet, and the chunk that completed it; one more than there are where none did."""
    latest: defaultdict[int, int] = defaultdict(int)
    """Of each stream, the last chunk that was needed so far."""
    places: set[int] = set()
    with open_source(source) as opened:
        streams = choose_streams(opened)
        if streams.picture is None:
            return ()
        try:
            for packet in islice(opened.demux([streams.picture, *streams.sounds]), MAX_PACKETS):
                if packet.pos is None or not packet.size:
                    continue
                if packet.pos in places:
                    # Several in one block of Matroska, which no recorder writes: their ends are not told.
                    return ()
                places.add(packet.pos)
                stream = packet.stream_index
                latest[stream] = max(latest[stream], bisect_left(ends, packet.pos + packet.size))
                if packet.pts is not None:
                    came.append((seconds(packet.pts, packet.stream) - origin_s, latest[stream]))
        except (av.error.FFmpegError, ValueError):
            # Judged as damage where pictures are decoded.
            pass
    found: dict[int, float] = {}
    needed = 0
    for media_s, number in sorted(came, key=lambda each: (each[0], -each[1])):
        needed = max(needed, number)
        if needed == len(ends):
            break
        found[needed] = media_s
    return tuple(Arrival(media_s, chunks[number].arrived_s) for number, media_s in found.items())
