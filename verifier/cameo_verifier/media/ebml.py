"""EBML size: reads the declared size of a Matroska or WebM file (RFC 8794, RFC 9559) before FFmpeg opens it."""

from __future__ import annotations

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.reasons import Reason

_HEADER = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"


def require_whole_segment(data: bytes) -> None:
    """Refuse a file that is shorter than its segment declares; the unknown size of a streaming recorder is accepted.

    Raises:
        UnjudgeableError: `CORRUPT_MEDIA`; bytes are missing at the end.
    """
    header = _size(data, len(_HEADER))
    if not data.startswith(_HEADER) or header is None:
        return
    start = sum(header) + len(_SEGMENT)
    segment = _size(data, start) if data[start - len(_SEGMENT) : start] == _SEGMENT else None
    if segment is None:
        return
    end = sum(segment)
    if end > len(data):
        raise UnjudgeableError(
            Reason.CORRUPT_MEDIA,
            f"the recording is incomplete ({len(data)} of {end} bytes): record and send it again",
        )


def _size(data: bytes, at: int) -> tuple[int, int] | None:
    """Return the end and the value in bytes of the variable-size integer at `at`; `None` where it is unknown or truncated."""
    first = data[at] if at < len(data) else 0
    width = 9 - first.bit_length()
    if not first or at + width > len(data):
        return None
    value = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
    return None if value == (1 << 7 * width) - 1 else (at + width, value)
