"""Arrivals: which pictures of a recording had arrived with each chunk of its bytes, by where the container holds them."""

from __future__ import annotations

from bisect import bisect_left
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


def arrivals(source: Source, chunks: Sequence[Chunk], *, origin_s: float) -> tuple[Arrival, ...]:
    """Return when pictures arrived: one arrival for each chunk that completed a later picture than those before.

    A picture has arrived with the last byte of its packet. What cannot be read of a damaged recording is left out.

    Args:
        source: the recording.
        chunks: in the order of their arrival.
        origin_s: start of the recording on the container's clock, in seconds.
    """
    ends = [chunk.end for chunk in chunks]
    latest_s: dict[int, float] = {}
    with open_source(source) as opened:
        picture = choose_streams(opened).picture
        if picture is None:
            return ()
        try:
            for packet in islice(opened.demux(picture), MAX_PACKETS):
                if packet.pts is None or packet.pos is None or not packet.size:
                    continue
                number = bisect_left(ends, packet.pos + packet.size)
                if number < len(ends):
                    media_s = seconds(packet.pts, picture) - origin_s
                    latest_s[number] = max(latest_s.get(number, media_s), media_s)
        except (av.error.FFmpegError, ValueError):
            # Judged as damage where pictures are decoded.
            pass
    found: list[Arrival] = []
    for number, media_s in sorted(latest_s.items()):
        if not found or media_s > found[-1].media_s:
            found.append(Arrival(media_s, chunks[number].arrived_s))
    return tuple(found)
