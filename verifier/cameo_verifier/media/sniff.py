"""Format detection: identifies the container of a file by its first bytes alone.

FFmpeg never guesses: it is given the demuxer that is named here. A playlist (HLS, DASH, SDP, `ffconcat`) is text, matches none of
the signatures below, and so never reaches a demuxer that would open what the text names.
"""

from __future__ import annotations

from dataclasses import dataclass

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.reasons import Reason

_TS_PACKET = 188
_ISO_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
_SEND_INSTEAD = "send an MP4, MOV, WebM, MKV, 3GP or MPEG recording"


@dataclass(frozen=True, slots=True)
class Container:
    """A supported container: its common name, and FFmpeg's demuxer for it."""

    name: str
    demuxer: str
    still: bool = False
    complete_index: bool = False
    """Whether a header lists every sample, so that missing bytes are noticed before anything is decoded."""


JPEG = Container("jpeg", "jpeg_pipe", still=True)
PNG = Container("png", "png_pipe", still=True)
WEBP = Container("webp", "webp_pipe", still=True)

_PREFIXES = (
    (b"\x00\x00\x01\xba", Container("mpeg", "mpeg")),
    (b"OggS", Container("ogg", "ogg")),
    (b"fLaC", Container("flac", "flac")),
    (b"#!AMR", Container("amr", "amr")),
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
)


def sniff(data: bytes) -> Container:
    """Identify the container of a file by its first 400 bytes or more.

    Raises:
        UnjudgeableError: `UNSUPPORTED_MEDIA`; the file is empty or has no known signature.
    """
    if not data:
        raise UnjudgeableError(Reason.CORRUPT_MEDIA, "the recording is empty (0 bytes): record and send it again")
    for prefix, container in _PREFIXES:
        if data.startswith(prefix):
            return container
    found = _iso(data) or _matroska(data) or _riff(data) or _transport_stream(data) or _bare_sound(data)
    if found is None:
        raise UnjudgeableError(
            Reason.UNSUPPORTED_MEDIA,
            f"these bytes are no recording, whatever the file is called: {_SEND_INSTEAD}",
        )
    return found


def _iso(data: bytes) -> Container | None:
    """Identify ISO base media (MP4, MOV, 3GP, M4A), ISO/IEC 14496-12: the four letters of the first box, then its brand."""
    if data[4:8] not in _ISO_BOXES:
        return None
    brand = data[8:12] if data[4:8] == b"ftyp" else b"qt  "
    if brand in _HEIF_BRANDS:
        raise UnjudgeableError(Reason.UNSUPPORTED_MEDIA, f"HEIF and AVIF pictures are not read: {_SEND_INSTEAD}, or a JPEG")
    if brand == b"qt  ":
        name = "mov"
    elif brand.startswith((b"3gp", b"3g2")):
        name = "3gp"
    elif brand.startswith(b"M4A"):
        name = "m4a"
    else:
        name = "mp4"
    return Container(name, "mov", complete_index=True)


def _matroska(data: bytes) -> Container | None:
    """Identify EBML (RFC 8794), whose document type is within the first header element."""
    if not data.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    return Container("webm" if b"webm" in data[:64] else "mkv", "matroska")


def _riff(data: bytes) -> Container | None:
    if not data.startswith(b"RIFF"):
        return None
    return {b"WAVE": Container("wav", "wav"), b"WEBP": WEBP}.get(data[8:12])


def _transport_stream(data: bytes) -> Container | None:
    """Identify MPEG-2 TS, ISO/IEC 13818-1: the sync byte opens each packet of 188 bytes."""
    if len(data) > 2 * _TS_PACKET and all(data[at] == 0x47 for at in (0, _TS_PACKET, 2 * _TS_PACKET)):
        return Container("mpegts", "mpegts")
    return None


def _bare_sound(data: bytes) -> Container | None:
    """Identify MP3 or ADTS AAC frames, after an ID3v2 tag if there is one (its length is four bytes of seven bits)."""
    start = 0
    if data.startswith(b"ID3") and len(data) > 10:
        # The frames after a tag with cover art are beyond the first bytes.
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    head = data[start : start + 2]
    if start > len(data) - 2 and start:
        return Container("mp3", "mp3")
    if len(head) < 2 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        return Container("aac", "aac")
    layer_and_version = head[1] & 0x1E
    if layer_and_version & 0x06 and layer_and_version & 0x18 != 0x08:
        return Container("mp3", "mp3")
    return None
