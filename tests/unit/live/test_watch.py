"""What is seen and heard of a recording while it arrives: it depends on the bytes, and not on how they were split."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.evidence.collect import collect
from cameo_verifier.live.observation import Heard, Seen
from cameo_verifier.live.watch import Watch, seen
from cameo_verifier.media import open_recording
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import MediaLimits, Settings
from cameo_verifier.types import FaceTrack, Frame, SoundTrack
from tests.conftest import COMMITTED
from tests.patience import PATIENCE_S
from tests.unit.media.test_early import BROWSERS, COMMITTED_FILE, CONTAINERS, cut, remuxed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.live.observation import Observation
    from cameo_verifier.models.kit import ModelKit

LIMITS = MediaLimits()
SPOKEN = COMMITTED["astronaut_bona_fide"].challenge.spoken


class Told(list["Observation | Exception"]):
    """What a watch told, up to the error that ended it."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = Event()

    def __call__(self, what: Observation | Exception) -> None:
        """Keep it."""
        self.append(what)
        if isinstance(what, Exception):
            self.ended.set()

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


def watched(kit: ModelKit, chunks: Sequence[bytes], *, limits: MediaLimits = LIMITS) -> Told:
    """Watch a recording until it cannot be read on, which bytes of no container that follow it bring about."""
    told = Told()
    watch = Watch(kit, limits=limits, tell=told)
    for chunk in chunks:
        watch.feed(chunk)
    watch._arriving.end()
    assert told.ended.wait(PATIENCE_S)
    watch.stop()
    return told


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
        assert watched(kit, cut(data, places))[:-1] == expected[:-1]

    check()


@pytest.mark.parametrize("kind", sorted(CONTAINERS))
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
    with open_recording(data, limits=LIMITS) as recording:
        whole = recording.sound()
    levels = [20 * np.log10(max(1e-6, np.sqrt(np.mean(whole[n * 1600 : (n + 1) * 1600] ** 2)))) for n in range(len(told.heard))]
    assert [each.level_db for each in told.heard] == pytest.approx(levels, abs=0.5)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"nothing that anybody recorded" * 100, Reason.UNSUPPORTED_MEDIA),
        (BROWSERS["chromium_vp8.webm"][:300] + bytes(5_000), Reason.CORRUPT_MEDIA),
        (COMMITTED_FILE, Reason.UNSUPPORTED_MEDIA),
        (remuxed(COMMITTED_FILE, "matroska", {})[:200_000], Reason.CORRUPT_MEDIA),
    ],
    ids=["no recording", "damaged headers", "index at the end", "cut off"],
)
def test_what_cannot_be_read_as_it_arrives_is_told(kit: ModelKit, data: bytes, reason: Reason) -> None:
    """Whatever was observed before; the error is the last that is told."""
    told = watched(kit, [data])
    assert told.error.reason is reason
    assert not any(isinstance(each, Exception) for each in told[:-1])


def test_bytes_beyond_the_limit_are_not_kept(kit: ModelKit) -> None:
    """They end the observation."""
    data = BROWSERS["chromium_vp8.webm"]
    told = watched(kit, cut(data, range(0, len(data), 5_000)), limits=MediaLimits(max_bytes=50_000))
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
    watch = Watch(kit, limits=LIMITS, tell=told)
    watch.feed(BROWSERS["chromium_vp8.webm"])
    watch.stop()
    before = len(told)
    watch.feed(b"more")
    assert len(told) == before
    assert not told.ended.is_set()


def test_a_picture_without_a_face_has_its_own_light() -> None:
    """And a face in the middle, of no size."""
    assert seen(Frame(0.5, np.full((40, 60, 3), 90, np.uint8)), (), 25.0) == Seen(0.5, 0, 0.0, (0.5, 0.5), 90.0, 0.0, 0.0, 25.0)
