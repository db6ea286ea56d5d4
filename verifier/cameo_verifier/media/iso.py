"""ISO base media index: reads the sample tables of an MP4, MOV or 3GP file (ISO/IEC 14496-12) before FFmpeg does.

FFmpeg builds an index from the sample tables as soon as it opens the file, and trusts their counts: 2.6 kB of tables made it fill
3.6 GB in 13 s. So the counts are read here first, and a file that claims more than a recording can have is refused. The tables
are searched by name in everything outside the media data rather than by walking the tree, since a tree can be nested in ways two
readers understand differently.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_SAMPLES = 2_000_000
"""30 s of PCM at 48 kHz, each sample listed on its own, has 1.44 million; an index of 2 million takes FFmpeg 48 MB."""

_MAX_FRAGMENT_SAMPLES = 200_000
"""Samples in all movie fragments; 30 s of 240 pictures and 100 packets of sound a second has 10,200."""

_MAX_CHUNKED_SAMPLES = 2**26
"""Chunks times the most samples in a chunk. FFmpeg indexes PCM by runs of 1,024 of these."""

_MAX_EDITS = 64
"""Each edit makes FFmpeg walk the whole index again. Cameras write one to three."""

LEAST_BOX, LARGE_HEADER = 8, 16
"""Bytes of a box that is empty, and of the longest header: size, name, and a size of eight bytes."""

_SIZELESS_ENTRIES = {b"mp4v", b"s263", b"h263", b"H263"}
"""Sample entries whose size only FFmpeg's decoder determines."""


class IndexCheck:
    """A check of sample tables, part by part, against what a recording within the limits can have."""

    def __init__(self) -> None:
        """Start with nothing claimed."""
        self._chunks = self._samples_a_chunk = self._fragment_samples = 0

    def add(self, header: bytes) -> None:
        """Add whole boxes that hold no media data.

        Raises:
            UnjudgeableError: `CORRUPT_MEDIA`; the tables so far claim too much.
        """
        if b"cmvd" in header:
            raise _refused("a compressed index")
        for at in _found(b"stsz", header) + _found(b"stz2", header):
            if _count(header, at + 12) > _MAX_SAMPLES:
                raise _refused("an index of too many samples")
        for at in _found(b"elst", header):
            if _count(header, at + 8) > _MAX_EDITS:
                raise _refused("an edit list of too many edits")
        self._chunks = max([self._chunks, *(_count(header, at + 8) for at in _found(b"stco", header) + _found(b"co64", header))])
        self._samples_a_chunk = max(
            [self._samples_a_chunk, *(_most_samples_a_chunk(header, at) for at in _found(b"stsc", header))]
        )
        self._fragment_samples += sum(_count(header, at + 8) for at in _found(b"trun", header))
        if self._chunks * self._samples_a_chunk > _MAX_CHUNKED_SAMPLES:
            raise _refused("chunks of too many samples")
        if self._fragment_samples > _MAX_FRAGMENT_SAMPLES:
            raise _refused("fragments of too many samples")


def require_bounded_index(data: bytes) -> None:
    """Refuse a file whose sample tables claim more than a recording within the limits can have.

    Raises:
        UnjudgeableError: `CORRUPT_MEDIA`.
    """
    check = IndexCheck()
    for header in _outside_media_data(data):
        check.add(header)


def box(data: bytes) -> tuple[int, bytes]:
    """Return the size in bytes, 0 for up to the end of the file, and the four letters of the box that begins with 16 bytes."""
    size, name = struct.unpack_from(">I4s", data)
    if size == 1 and len(data) >= LARGE_HEADER:
        (size,) = struct.unpack_from(">Q", data, 8)
    return size, name


def declared_size(data: bytes) -> tuple[int, int]:
    """Return width and height in the first sample entry that FFmpeg takes no size from, (0, 0) without one."""
    for header in _outside_media_data(data):
        for at in _found(b"stsd", header):
            entry = header[at + 12 : at + 12 + 36]
            if entry[4:8] in _SIZELESS_ENTRIES and len(entry) == 36:
                width, height = struct.unpack(">HH", entry[32:36])
                return width, height
    return 0, 0


def _outside_media_data(data: bytes) -> Iterator[bytes]:
    """Yield the bytes between the `mdat` boxes of the top level; from a box of impossible size on, everything."""
    start = at = 0
    while at + LEAST_BOX <= len(data):
        size, name = box(data[at : at + LARGE_HEADER])
        size = size or len(data) - at
        if size < LEAST_BOX:
            break
        if name == b"mdat":
            yield data[start:at]
            start = min(at + size, len(data))
        at += size
    yield data[start:]


def _found(name: bytes, header: bytes) -> list[int]:
    """Return the possible offsets of a box of this name."""
    places, at = [], header.find(name)
    while at >= 0:
        places.append(at)
        at = header.find(name, at + 4)
    return places


def _count(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 4], "big")


def _most_samples_a_chunk(header: bytes, at: int) -> int:
    rows = np.frombuffer(header[at + 12 : at + 12 + 12 * min(_count(header, at + 8), len(header) // 12)], np.uint8)
    return int(rows[: len(rows) // 12 * 12].view(">u4")[1::3].max(initial=0))


def _refused(what: str) -> UnjudgeableError:
    return UnjudgeableError(Reason.CORRUPT_MEDIA, f"the recording has {what}, which no camera writes: record and send it again")
