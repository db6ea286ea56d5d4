from __future__ import annotations

import io
from typing import TYPE_CHECKING

import av
import pytest

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.media import open_recording, require_supported, source
from cameo_verifier.media.sniff import Container, sniff
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import MediaLimits
from tests.unit.media.clips import Clip, make

if TYPE_CHECKING:
    from pathlib import Path

_LIMITS = MediaLimits()

_PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{url}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{url}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{url}</BaseURL></MPD>',
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}"/></svg>',
}


def _read(data: bytes) -> None:
    with open_recording(data, limits=_LIMITS) as recording:
        list(recording.frames())
        recording.sound()


@pytest.mark.parametrize("name", _PLAYLISTS)
@pytest.mark.parametrize("url", ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/x.ts"])
def test_a_playlist_is_no_recording(name: str, url: str) -> None:
    """Text that names another file or an address is told by its bytes and never handed to a demuxer that would open it."""
    with pytest.raises(UnjudgeableError, match="are no recording") as refusal:
        open_recording(_PLAYLISTS[name].format(url=url).encode(), limits=_LIMITS)
    assert refusal.value.reason is Reason.UNSUPPORTED_MEDIA
    assert url not in str(refusal.value)


@pytest.mark.parametrize(
    "head", [b"\x00\x00\x00\x18ftypisom", b"\x1a\x45\xdf\xa3", b"OggS", b"\x00\x00\x01\xba", b"RIFF\x00\x00\x00\x00WAVE"]
)
def test_a_playlist_behind_the_head_of_a_recording_is_damage(head: bytes, tmp_path: Path) -> None:
    """The demuxer is the one the first bytes name, so a playlist after them is read as nothing but damaged media."""
    target = tmp_path / "secret.ts"
    target.write_bytes(make(Clip("mpegts", seconds=0.3)))
    data = head + b"\n" + _PLAYLISTS["hls"].format(url=target).encode()
    with pytest.raises(UnjudgeableError) as refusal:
        _read(data)
    assert refusal.value.reason in {Reason.CORRUPT_MEDIA, Reason.UNSUPPORTED_MEDIA}


def test_even_a_playlist_demuxer_opens_nothing(tmp_path: Path) -> None:
    """Were a playlist ever handed to the demuxer for playlists, it still could not open the file it names."""
    target = tmp_path / "secret.ts"
    target.write_bytes(make(Clip("mpegts", seconds=0.3)))
    playlist = _PLAYLISTS["hls"].format(url=target).encode()
    with av.open(io.BytesIO(playlist), format="hls", options={"allowed_extensions": "ALL"}) as opened:
        assert opened.streams.video, "FFmpeg by itself opens what a playlist names; if not, this test proves nothing"
    with pytest.raises(UnjudgeableError, match="only names other files"):
        source.open_source(source.Source(playlist, Container("hls", "hls")))


@pytest.mark.parametrize("name", ["avi", "flv", "asf", "caf"])
def test_other_containers_are_not_probed(name: str) -> None:
    """A container that FFmpeg could read but nobody asked for is not read."""
    video, audio = {"flv": ("libx264", "aac"), "caf": (None, "pcm_s16le")}.get(name, ("mpeg4", "libmp3lame"))
    data = make(Clip(name, video, audio, seconds=0.3, rate_hz=44_100))
    with pytest.raises(UnjudgeableError) as refusal:
        sniff(data)
    assert refusal.value.reason is Reason.UNSUPPORTED_MEDIA


def _two_cameras() -> bytes:
    file = io.BytesIO()
    with (
        av.open(io.BytesIO(make(Clip("mkv", "mjpeg", None)))) as first,
        av.open(io.BytesIO(make(Clip("mkv", "mjpeg", None)))) as second,
        av.open(file, "w", format="matroska") as out,
    ):
        taken = [first.streams.video[0], second.streams.video[0]]
        made = [out.add_stream_from_template(stream) for stream in taken]
        for stream, copy in zip(taken, made, strict=True):
            for packet in stream.container.demux(stream):
                if packet.size:
                    packet.stream = copy
                    out.mux(packet)
    return file.getvalue()


def test_two_streams_of_pictures_are_refused() -> None:
    """Nobody could say which of two was judged, and a player may show the other one."""
    for refuse in (open_recording, require_supported):
        with pytest.raises(UnjudgeableError, match="2 streams of pictures") as refusal:
            refuse(_two_cameras(), limits=_LIMITS)
        assert refusal.value.reason is Reason.UNSUPPORTED_MEDIA


@pytest.mark.parametrize(
    "data", [b"no recording at all" * 40, _PLAYLISTS["hls"].encode(), make(Clip("mkv", "ffv1", None, seconds=0.2))]
)
def test_what_is_never_read_is_known_before_it_is_decoded(data: bytes) -> None:
    """The same refusal, and nothing of a good recording is refused."""
    with pytest.raises(UnjudgeableError) as refusal:
        require_supported(data, limits=_LIMITS)
    assert refusal.value.reason is Reason.UNSUPPORTED_MEDIA
    require_supported(make(Clip(seconds=0.3)), limits=_LIMITS)


@pytest.mark.parametrize(
    "clip", [Clip(), Clip("webm", "libvpx", "libopus"), Clip("mpegts", "libx264", "aac"), Clip("mp3", None, "libmp3lame")]
)
def test_400_bytes_name_the_container(clip: Clip) -> None:
    """A container is named by its first bytes as by all of them."""
    data = make(clip)
    assert sniff(data[:400]) == sniff(data)
