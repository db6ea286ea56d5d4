"""Still headers: read the size in pixels and the orientation of a still before it is decoded.

FFmpeg decodes stills while it probes them, so their size is read here first. Reads JPEG (ITU-T T.81), PNG (W3C) and WebP (RFC
9649), each with the EXIF orientation it may carry.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.media import sniff
from cameo_verifier.media.orientation import Orientation, from_exif
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

_JPEG_FRAME_HEADERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_START_OF_SCAN = 0xDA
_ORIENTATION_TAG = 0x0112
_SHORT = 3
_EXIF_PREFIX = b"Exif\x00\x00"


@dataclass(frozen=True, slots=True)
class StillHeader:
    """Stored width and height in pixels, and the orientation that makes it upright."""

    width: int
    height: int
    orientation: Orientation = field(default_factory=Orientation)


def read_header(data: bytes, container: sniff.Container) -> StillHeader:
    """Read the header of a JPEG, PNG or WebP file.

    Raises:
        UnjudgeableError: `CORRUPT_MEDIA`; the file ends before its size.
    """
    reader = {sniff.JPEG: _jpeg, sniff.PNG: _png, sniff.WEBP: _webp}[container]
    try:
        return reader(data)
    except (struct.error, IndexError, ValueError):
        raise UnjudgeableError(
            Reason.CORRUPT_MEDIA, "the picture ends before its size is stated: take it again and send it whole"
        ) from None


def _jpeg(data: bytes) -> StillHeader:
    orientation, at = Orientation(), 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("no marker")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + length]
        if marker in _JPEG_FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", body, 1)
            return StillHeader(width, height, orientation)
        if marker == 0xE1 and body.startswith(_EXIF_PREFIX):
            orientation = _exif_orientation(body[len(_EXIF_PREFIX) :])
        if marker == _JPEG_START_OF_SCAN or length < 2:
            raise ValueError("no frame header before the scan")
        at += 2 + length


def _png(data: bytes) -> StillHeader:
    width, height = struct.unpack_from(">II", data, 16)
    at, orientation = 8, Orientation()
    while at + 8 <= len(data) and data[at + 4 : at + 8] != b"IDAT":
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"eXIf":
            orientation = _exif_orientation(data[at + 8 : at + 8 + length])
        at += 12 + length
    return StillHeader(width, height, orientation)


def _webp(data: bytes) -> StillHeader:
    size: tuple[int, int] | None = None
    orientation = Orientation()
    for name, body in _riff_chunks(data):
        if name == b"VP8X":
            size = (1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))
        elif name == b"VP8 " and size is None:
            width, height = struct.unpack_from("<HH", body, 6)
            size = (width & 0x3FFF, height & 0x3FFF)
        elif name == b"VP8L" and size is None:
            bits = int.from_bytes(body[1:5], "little")
            size = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        elif name == b"EXIF":
            orientation = _exif_orientation(body.removeprefix(_EXIF_PREFIX))
    if size is None:
        raise ValueError("no picture chunk")
    return StillHeader(*size, orientation)


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _exif_orientation(tiff: bytes) -> Orientation:
    """Find tag 0x0112 in the first directory of a TIFF block; a block that cannot be followed counts as upright."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return Orientation()
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, directory)
        for entry in range(entries):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * entry)
            if tag == _ORIENTATION_TAG and kind == _SHORT:
                return from_exif(value)
    except struct.error:
        pass
    return Orientation()
