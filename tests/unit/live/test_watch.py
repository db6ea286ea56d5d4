"""What is seen and heard of a recording while it arrives: it depends on the bytes, and not on how they were split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cameo_verifier.errors import AbandonedError, UnjudgeableError
from cameo_verifier.evidence import tracks
from cameo_verifier.evidence.collect import collect
from cameo_verifier.live.observation import Heard, Seen
from cameo_verifier.live.watch import Watch, seen
from cameo_verifier.media import open_recording
from cameo_verifier.models.landmarks import FaceLandmarker
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import MediaLimits, Settings
from cameo_verifier.types import Circumstances, FaceTrack, Frame, SoundTrack
from tests.conftest import COMMITTED
from tests.patience import PATIENCE_S
from tests.unit.media.test_arrivals import ALONE, KEY, LACED, made
from tests.unit.media.test_early import BROWSERS, COMMITTED_FILE, CONTAINERS, cut, remuxed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.live.observation import Observation
    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import Evidence

SETTINGS = Settings()
SPOKEN = COMMITTED["astronaut_bona_fide"].challenge.spoken


class Told(list["Observation | Exception"]):
    """What a watch told."""

    def __call__(self, what: Observation | Exception) -> None:
        """Keep it."""
        self.append(what)

    @property
    def seen(self) -> list[Seen]:
        """All pictures."""
        return [each for each in self if isinstance(each, Seen)]

    @property
    def heard(self) -> list[Heard]:
        """All sound."""
        return [each for each in self if isinstance(each, Heard)]

    @property
    def error(self) -> UnjudgeableError:
        """What ended it."""
        assert isinstance(self[-1], UnjudgeableError)
        return self[-1]


def watched(kit: ModelKit, chunks: Sequence[bytes], *, settings: Settings = SETTINGS) -> Told:
    """Watch a recording to its end."""
    told = Told()
    watch = Watch(kit, settings=settings, tell=told)
    for chunk in chunks:
        watch.feed(chunk)
    watch.end()
    assert watch.wait(PATIENCE_S)
    return told


def answered(kit: ModelKit, chunks: Sequence[bytes], *, overlap: bool = True) -> tuple[Told, Evidence]:
    """Watch an answer, and return what was observed and its evidence."""
    told, settings = Told(), Settings(overlap=overlap)
    watch = Watch(kit, settings=settings, tell=told, answer=True)
    for chunk in chunks:
        watch.feed(chunk)
    watch.end()
    data = b"".join(chunks)
    early = watch.result(data, lambda: False)
    assert early is not None
    return told, collect(data, kit, settings=settings, spoken=SPOKEN, early=early)


def packed(evidence: Evidence) -> bytes:
    return tracks.to_bytes(tracks.Tracks(evidence, Circumstances()))


@pytest.mark.parametrize("name", sorted(BROWSERS))
def test_what_a_browser_records_is_observed_the_same_however_it_is_split(kit: ModelKit, name: str) -> None:
    """Eight pictures and ten stretches of sound a second, with one face in every picture."""
    data = BROWSERS[name]
    expected = watched(kit, [data])
    assert all(each.faces == 1 and 0.3 < each.face_share < 0.5 for each in expected.seen)
    assert [each.media_s for each in expected.heard] == [
        pytest.approx(number / 10) for number in range(1, len(expected.heard) + 1)
    ]
    assert 29 <= len(expected.seen) <= 33
    assert 35 <= len(expected.heard) <= 41
    assert 10 < expected.seen[-1].fps < 31

    @settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.integers(0, len(data)), max_size=30))
    def check(places: list[int]) -> None:
        assert watched(kit, cut(data, places)) == expected

    check()


@pytest.mark.parametrize("kind", sorted(CONTAINERS.keys() - {"mpegts"}))
def test_what_is_observed_is_what_the_evidence_holds(kit: ModelKit, kind: str) -> None:
    """In every container that is written front to back: the pose, the light and the speech that are judged afterwards."""
    data = remuxed(COMMITTED_FILE, *CONTAINERS[kind], until_s=4.0)
    told = watched(kit, cut(data, range(0, len(data), 5_000)))
    evidence = collect(data, kit, settings=Settings(), spoken=SPOKEN)
    face, sound = evidence.face, evidence.sound
    assert isinstance(face, FaceTrack)
    assert isinstance(sound, SoundTrack)
    at = [each.media_s for each in told.seen if each.faces]
    for number, each in enumerate(("yaw", "pitch")):
        judged = np.interp(at, face.t_s, face.pose_deg[:, number])
        assert np.median(np.abs(judged - [getattr(one, each) for one in told.seen if one.faces])) < 1.5
    said = [any(start <= each.media_s - 0.05 <= end for start, end in sound.speech) for each in told.heard]
    assert np.mean([each.speech == voiced for each, voiced in zip(told.heard, said, strict=True)]) > 0.75
    with open_recording(data, limits=SETTINGS.media) as recording:
        whole = recording.sound()
    levels = [20 * np.log10(max(1e-6, np.sqrt(np.mean(whole[n * 1600 : (n + 1) * 1600] ** 2)))) for n in range(len(told.heard))]
    assert [each.level_db for each in told.heard] == pytest.approx(levels, abs=0.5)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"nothing that anybody recorded" * 100, Reason.UNSUPPORTED_MEDIA),
        (BROWSERS["chromium_vp8.webm"][:40] + bytes(5_000), Reason.CORRUPT_MEDIA),
        (BROWSERS["chromium_vp8.webm"].replace(b"V_VP8", b"V_XYZ"), Reason.UNSUPPORTED_MEDIA),
        (COMMITTED_FILE, Reason.UNSUPPORTED_MEDIA),
        (remuxed(COMMITTED_FILE, *CONTAINERS["mpegts"], until_s=1.0), Reason.UNSUPPORTED_MEDIA),
    ],
    ids=["no recording", "damaged headers", "an unknown codec", "index at the end", "a transport stream"],
)
def test_what_cannot_be_read_as_it_arrives_is_told(kit: ModelKit, data: bytes, reason: Reason) -> None:
    """Whatever was observed before; the error is the last that is told."""
    told = watched(kit, [data])
    assert told.error.reason is reason
    assert len(told) == 1


def test_a_preparation_with_several_packets_in_a_block_is_refused(kit: ModelKit) -> None:
    """Its answer would tell no arrivals; one packet in each block is watched on."""
    blocks = [(2, number / 10, ALONE + bytes(3200)) for number in range(5)]
    told = watched(kit, [made((1, 0.0, ALONE + KEY), *blocks)[0]])
    assert not any(isinstance(each, UnjudgeableError) and each.reason is Reason.UNSUPPORTED_MEDIA for each in told)
    laced = [(2, 0.5, LACED + bytes(400))]
    told = watched(kit, [made((1, 0.0, ALONE + KEY), *blocks, *laced, *((1, 0.6 + n / 10, ALONE + KEY) for n in range(5)))[0]])
    assert told.error.reason is Reason.UNSUPPORTED_MEDIA
    assert "several packets share a block" in str(told.error)


def test_a_recording_without_an_end_is_not_watched_for_ever(kit: ModelKit, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is watched has a longest time, of which who sends it learns."""
    monkeypatch.setattr("cameo_verifier.live.watch._LONGEST_S", 2.0)
    told = Told()
    watch = Watch(kit, settings=SETTINGS, tell=told)
    watch.feed(BROWSERS["chromium_vp8.webm"])
    assert watch.wait(PATIENCE_S)
    assert told.error.reason is Reason.CORRUPT_MEDIA
    assert 1.7 < told.seen[-1].media_s <= 2.0


@pytest.mark.parametrize("kind", ["matroska", "mp4, a second in each fragment", "mp4, its index last"])
def test_the_evidence_of_an_answer_does_not_depend_on_how_it_arrived(kit: ModelKit, kind: str) -> None:
    """Nor do the observations; what has to be whole to be read, or is read otherwise then, is analysed as a whole."""
    options = {"matroska": CONTAINERS["matroska"], "mp4, its index last": ("mp4", {})}
    data = remuxed(COMMITTED_FILE, *options.get(kind, ("mp4", {"movflags": "frag_keyframe+empty_moov"})), until_s=2.5)
    expected = packed(collect(data, kit, settings=SETTINGS, spoken=SPOKEN))
    first, _ = answered(kit, [data])

    @settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.integers(0, len(data)), max_size=30))
    def check(places: list[int]) -> None:
        told, evidence = answered(kit, cut(data, places), overlap=len(places) % 2 == 0)
        assert [str(each) for each in told] == [str(each) for each in first]
        assert packed(evidence) == expected

    check()


def test_no_face_is_searched_for_after_the_last_byte(kit: ModelKit, monkeypatch: pytest.MonkeyPatch) -> None:
    """All were found by then: nothing detects faces in the pictures that are decoded again."""
    data = remuxed(COMMITTED_FILE, *CONTAINERS["matroska"], until_s=2.0)
    watch = Watch(kit, settings=SETTINGS, tell=Told(), answer=True)
    watch.feed(data)
    watch.end()
    early = watch.result(data, lambda: False)
    monkeypatch.setattr(FaceLandmarker, "detect", None)
    evidence = collect(data, kit, settings=SETTINGS, early=early)
    assert isinstance(evidence.face, FaceTrack)
    assert len(evidence.face.t_s) >= 29


def test_the_analysis_of_other_bytes_is_not_used(kit: ModelKit) -> None:
    """Nor that of a recording that was only watched; who waits for it may go away."""
    data = BROWSERS["chromium_vp8.webm"]
    watches = [Watch(kit, settings=SETTINGS, tell=Told(), answer=answer) for answer in (True, False)]
    for watch in watches:
        watch.feed(data)
        watch.end()
    assert watches[0].result(data + b" ", lambda: False) is None
    assert watches[0].result(data, lambda: False) is not None
    assert watches[1].result(data, lambda: False) is None
    left = Watch(kit, settings=SETTINGS, tell=Told(), answer=True)
    left.feed(data)
    with pytest.raises(AbandonedError):
        left.result(data, lambda: True)
    for watch in watches:
        watch.stop()


def test_bytes_beyond_the_limit_are_not_kept(kit: ModelKit) -> None:
    """They end the observation."""
    data = BROWSERS["chromium_vp8.webm"]
    told = watched(kit, cut(data, range(0, len(data), 5_000)), settings=Settings(media=MediaLimits(max_bytes=50_000)))
    assert told.error.reason is Reason.RECORDING_TOO_LARGE


def test_damage_in_the_middle_does_not_end_it(kit: ModelKit) -> None:
    """What follows is observed, in the order of its time."""
    data = bytearray(BROWSERS["chromium_vp8.webm"])
    data[40_000:40_400] = bytes(400)
    told = watched(kit, [bytes(data)])
    assert told.seen[-1].media_s > 3.0
    assert [each.media_s for each in told.seen] == sorted(each.media_s for each in told.seen)


def test_a_watch_that_is_stopped_tells_nothing_more(kit: ModelKit) -> None:
    """Neither of what it has, nor that it ended."""
    told = Told()
    watch = Watch(kit, settings=SETTINGS, tell=told)
    watch.feed(BROWSERS["chromium_vp8.webm"])
    watch.stop()
    before = len(told)
    watch.feed(b"more")
    assert len(told) == before
    assert not any(isinstance(each, Exception) for each in told)


def test_a_picture_without_a_face_has_its_own_light() -> None:
    """And a face in the middle, of no size."""
    assert seen(Frame(0.5, np.full((40, 60, 3), 90, np.uint8)), (), 25.0) == Seen(0.5, 0, 0.0, (0.5, 0.5), 90.0, 0.0, 0.0, 25.0)
