"""Facts of a capture that do not fit the browser it states: for analysts; they decide nothing.

Whoever injects a recording may state anything, and browsers change: a fact that fits shows nothing, and one that does not may be
a new version. Sources: Chromium's `media/muxers/webm_muxer.cc` and Firefox's `dom/media/webm/EbmlComposer.cpp` name their muxers.
"""

from __future__ import annotations

_MUXING_APP = b"\x4d\x80"
_HEAD_BYTES = 1024
_MUXERS = {"Firefox/": "QTmuxingAppLibWebM", "Chrome/": "Chrome"}
_CODECS = {
    "vp8": "vp8",
    "vp9": "vp9",
    "vp09": "vp9",
    "h264": "h264",
    "avc1": "h264",
    "avc3": "h264",
    "opus": "opus",
    "mp4a": "aac",
}
"""What a MIME type names, to FFmpeg's name."""


def misfits(*, user_agent: str, mime_type: str, recording: bytes, video_codec: str, audio_codec: str) -> tuple[str, ...]:
    """Return what does not fit, a sentence each; empty where all does, or nothing is stated.

    Args:
        user_agent: as the client's `hello` states it.
        mime_type: of its recorder, as stated.
        recording: the answer, or its first kilobyte.
        video_codec: FFmpeg's name of the codec of its picture, empty without one.
        audio_codec: the same of its sound.
    """
    found = []
    container, _, parameters = mime_type.partition(";")
    stated, held = container.rpartition("/")[2].strip(), _container(recording)
    if stated and held and stated != held:
        found.append(f"states {stated}, sends {held}")
    named = [name.strip().partition(".")[0] for name in parameters.partition("codecs=")[2].strip('" ').split(",")]
    codecs = {_CODECS[name] for name in named if name in _CODECS}
    sent = {video_codec, audio_codec} - {""}
    if codecs and codecs != sent:
        found.append(f"states {' and '.join(sorted(codecs))}, sends {' and '.join(sorted(sent)) or 'neither'}")
    expected = next((muxer for mark, muxer in _MUXERS.items() if mark in user_agent), "")
    muxer = _muxer(recording)
    if expected and held == "webm" and not muxer.startswith(expected):
        found.append(f"states a browser that writes WebM as {expected}, sends that of {muxer or 'nobody'}")
    return tuple(found)


def _container(recording: bytes) -> str:
    if recording.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm"
    return "mp4" if recording[4:8] == b"ftyp" else ""


def _muxer(recording: bytes) -> str:
    """Return the name in Matroska's MuxingApp (RFC 9559), at most 127 bytes; empty without one."""
    head = recording[:_HEAD_BYTES]
    at = head.find(_MUXING_APP)
    if at < 0 or at + 2 >= len(head) or not head[at + 2] & 0x80:
        return ""
    return head[at + 3 : at + 3 + (head[at + 2] & 0x7F)].decode("ascii", "replace").rstrip("\0")
