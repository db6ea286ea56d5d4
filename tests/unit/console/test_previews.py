"""Previews in the console: of recordings that browsers do not play, for whoever revealed the face, in a process of its own."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import av
import pytest

from cameo_verifier.console import previews
from cameo_verifier.console.previews import PreviewError, Previews, media_type
from cameo_verifier.settings import MediaLimits
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.evidence.sealed_object import Kind
from tests.patience import PATIENCE_S
from tests.started import judging
from tests.unit.console.conftest import HTML
from tests.unit.review.recoded import recoded
from tests.unit.review.stored import RECORDINGS, keep
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.unit.console.conftest import Clock, Visitor
    from tests.unit.review.stored import Judged
    from tests.unit.store.evidence_site import Site

NAME = "still_photo"
HEVC, BROKEN = "hevc", "broken"


@pytest.fixture(scope="module")
def site(judged: Judged, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Attempts whose recordings no browser plays: one that holds pictures, and one that cannot be read any more."""
    folder = tmp_path_factory.mktemp("previews")
    engine = open_database(f"sqlite:///{folder / 'cameo.sqlite3'}")
    site = open_site(engine, folder)
    judgement, challenge = judged(NAME)
    media = replace(judgement.evidence.media, video_codec="hevc")
    seen = replace(judgement, evidence=replace(judgement.evidence, media=media))
    keep(site, HEVC, seen, challenge, recoded(RECORDINGS[NAME].read_bytes()))
    keep(site, BROKEN, seen, challenge, b"not a recording any more")
    yield site
    engine.dispose()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each recording had of which a preview was made."""
    sizes: list[int] = []
    transcoded = previews._transcoded

    async def counted(recording: bytes, *others: Any) -> bytes:
        sizes.append(len(recording))
        return await transcoded(recording, *others)

    monkeypatch.setattr(previews, "_transcoded", counted)
    return sizes


@pytest.mark.parametrize(
    ("container", "video", "audio", "rotation_deg", "expected"),
    [
        ("mp4", "h264", "aac", 0, "video/mp4"),
        ("mp4", "h264", "aac", 90, "video/mp4"),
        ("mov", "h264", "aac", 0, "video/mp4"),
        ("mp4", "h264", "", 0, "video/mp4"),
        ("m4a", "", "aac", 0, "video/mp4"),
        ("webm", "vp8", "opus", 0, "video/webm"),
        ("webm", "vp9", "vorbis", 0, "video/webm"),
        ("webm", "vp8", "opus", 90, ""),
        ("mp4", "hevc", "aac", 0, ""),
        ("mp4", "mpeg4", "aac", 0, ""),
        ("mov", "h264", "pcm_s16le", 0, ""),
        ("3gp", "h264", "amr_nb", 0, ""),
        ("mkv", "h264", "aac", 0, ""),
        ("mpeg", "mpeg1video", "mp2", 0, ""),
        ("mpegts", "mpeg2video", "mp2", 0, ""),
        ("jpeg", "mjpeg", "", 0, ""),
        ("mp4<script>", "<b>h264", "aac", 0, ""),
    ],
)
def test_what_browsers_play_is_served_as_it_is(
    judged: Judged, container: str, video: str, audio: str, rotation_deg: int, expected: str
) -> None:
    """Containers with codecs that all of them know; everything else needs a preview."""
    media = judged(NAME)[0].evidence.media
    changed = replace(media, container=container, video_codec=video, audio_codec=audio, rotation_deg=rotation_deg)
    assert media_type(changed) == expected


def test_a_recording_that_no_browser_plays_is_previewed(lead: Visitor, made: list[int], site: Site, tmp_path: Path) -> None:
    """After the reveal the page says that it is a preview, and that is what is served, whole and in parts, made once."""
    page = f"/attempts/{HEVC}"
    assert lead.client.get(f"{page}/recording").status_code == 403
    assert "This is a preview" not in lead.get(page).text
    lead.post(f"{page}/reveal", page, why="case 4711")
    text = lead.get(page).text
    assert "This is a preview: browsers do not play mp4 with hevc and aac as it is." in text
    assert "the recording is the evidence" in text
    whole = lead.client.get(f"{page}/recording")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/webm")
    with av.open(io.BytesIO(whole.content)) as opened:
        assert [stream.codec_context.name for stream in opened.streams.video] == ["vp8"]
    part = lead.client.get(f"{page}/recording", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert len(made) == 1
    assert not judging()
    kept = [path for path in tmp_path.parent.rglob("*") if path.is_file()]
    assert all(whole.content[200:264] not in path.read_bytes() for path in kept)
    recording = site.room.vault.read(HEVC, Kind.RECORDING, reader=Reader("ana", "case 7"), now=lead.log()[-1].at)
    assert b"hvc1" in recording or b"hev1" in recording


def test_a_preview_is_for_the_session_that_revealed_the_face(
    visit: Callable[..., Visitor], lead: Visitor, made: list[int], clock: Clock
) -> None:
    """Another session gets none, nor does the same one after a quarter of an hour."""
    page = f"/attempts/{HEVC}"
    lead.post(f"{page}/reveal", page, why="case 4711")
    assert lead.client.get(f"{page}/recording").status_code == 200
    other = visit().sign_in()
    assert other.client.get(f"{page}/recording").status_code == 403
    clock.now += previews._KEPT_FOR
    assert lead.client.get(f"{page}/recording").status_code == 403
    assert len(made) == 1


def test_what_cannot_be_previewed_is_said(lead: Visitor) -> None:
    """To people and to the page's script, and no process is left."""
    page = f"/attempts/{BROKEN}"
    lead.post(f"{page}/reveal", page, why="case 4711")
    told = lead.client.get(f"{page}/recording", headers={"Accept": "application/json"})
    assert (told.status_code, "no preview can be made: these bytes are no recording" in told.json()["error"]) == (503, True)
    assert lead.client.get(f"{page}/recording", headers=HTML).status_code == 503
    assert not judging()


def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """The process is gone, and the next one is made."""
    recording = RECORDINGS[NAME].read_bytes()
    made = Previews(MediaLimits(), clock=clock)
    with monkeypatch.context() as patch:
        patch.setattr(previews, "_MADE_S", 0.0)
        with pytest.raises(PreviewError, match="takes longer than"):
            made.of("a", recording, who="ann")
    assert not judging()
    assert made.of("a", recording, who="ann").startswith(b"\x1a\x45\xdf\xa3")


def test_a_console_that_stops_waits_for_no_preview(clock: Clock) -> None:
    """Closing ends the process at once, whoever waits is told, and none is started after that."""
    made = Previews(MediaLimits(), clock=clock)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(made.of, "a", RECORDINGS[NAME].read_bytes(), who="ann")
        while not judging():
            assert not waiting.done()
        made.close()
        with pytest.raises(PreviewError, match="no preview can be made"):
            waiting.result(PATIENCE_S)
    assert not judging()
    with pytest.raises(PreviewError):
        made.of("a", RECORDINGS[NAME].read_bytes(), who="ann")


def test_a_worker_that_uses_too_much_is_ended_by_the_kernel(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Beyond its memory it makes nothing, and the console goes on."""
    monkeypatch.setattr(previews, "_LIMITS", replace(previews._LIMITS, memory_bytes=2**27))
    with pytest.raises(PreviewError):
        Previews(MediaLimits(), clock=clock).of("a", RECORDINGS[NAME].read_bytes(), who="ann")
    assert not judging()


def test_previews_in_memory_are_few_and_each_is_one_person_s(
    made: list[int], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is over the number, or older than a quarter of an hour, is made again; so is what somebody else was shown."""

    async def instead(recording: bytes, *_: object) -> bytes:
        made.append(len(recording))
        return recording

    monkeypatch.setattr(previews, "_transcoded", instead)
    kept = Previews(MediaLimits(), clock=clock)
    for who, count in (("ann", 1), ("ann", 1), ("ben", 2)):
        assert kept.of("a", b"one", who=who) == b"one"
        assert len(made) == count
    for number in range(previews._AT_ONCE):
        kept.of(str(number), b"two", who="ann")
    kept.of("a", b"one", who="ann")
    assert len(made) == 2 + previews._AT_ONCE + 1
    clock.now += previews._KEPT_FOR
    kept.of("a", b"one", who="ann")
    assert len(made) == 2 + previews._AT_ONCE + 2
    assert len(kept._made) == 1
