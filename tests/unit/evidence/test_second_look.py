"""A face that is small in the picture, and none at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from cameo_challenges.model import Challenge
from cameo_verifier import profiles
from cameo_verifier.checks import face_size, presence
from cameo_verifier.checks.question import Case
from cameo_verifier.decision import decide
from cameo_verifier.evidence.picture import hardly_seen, observe
from cameo_verifier.media import open_recording
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import Settings
from cameo_verifier.types import CheckResult, Evidence, FaceTrack, Frame, MediaInfo, Missing, Outcome, Verdict
from tests.conftest import ROOT

if TYPE_CHECKING:
    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import U8

SECONDS, FPS = 3, 5


@pytest.fixture(scope="module")
def person() -> U8:
    with open_recording(ROOT / "fixtures/astronaut_bona_fide.mp4", limits=Settings().media) as source:
        return next(source.frames()).rgb


def standing_back(person: U8, scale: float, *, upright: bool = False) -> list[Frame]:
    """Frames of 1280 x 720 px in which the person's picture is a part, somewhere."""
    part = cv2.resize(person, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(3)
    height, width = (1280, 720) if upright else (720, 1280)
    frames = []
    for index in range(SECONDS * FPS):
        wall = np.full((height, width, 3), 110, np.uint8) + rng.integers(0, 12, (height, width, 1), np.uint8)
        y, x = (height - part.shape[0]) // 2 + 40, (width - part.shape[1]) // 3
        wall[y : y + part.shape[0], x : x + part.shape[1]] = part
        frames.append(Frame(index / FPS, wall))
    return frames


@pytest.mark.parametrize("upright", [False, True])
def test_a_face_that_only_a_part_of_the_picture_shows_is_small(kit: ModelKit, person: U8, *, upright: bool) -> None:
    """A face of 5 % of the longer side is found in hardly any whole picture, and is FACE_TOO_SMALL."""
    found = observe(standing_back(person, 0.4, upright=upright), kit, duration_s=SECONDS)
    if isinstance(found, FaceTrack):
        assert len(found.small_share)
        assert np.median(found.small_share) < profiles.load()["face_share_min"].value
    else:
        assert found == Missing(Reason.FACE_TOO_SMALL)


def test_an_empty_room_has_no_face(kit: ModelKit, person: U8) -> None:
    """Where a second look finds nothing either, the reason stays NO_FACE."""
    room = [Frame(frame.t_s, np.ascontiguousarray(frame.rgb[:300])) for frame in standing_back(person, 0.05)]
    assert observe(room, kit, duration_s=SECONDS) == Missing(Reason.NO_FACE)


@pytest.mark.parametrize("share", [0.35, 0.4, 0.45, 0.55])
def test_half_a_face_at_the_edge_is_not_small(kit: ModelKit, person: U8, share: float) -> None:
    """A face that the picture's edge cuts is never told to come closer: it is told to be in the picture."""
    height, width, _ = person.shape
    points = np.array([[1, 0, share * width], [0, 1, 0]], np.float32)
    cut = cv2.warpAffine(person, points, (width, height), borderMode=cv2.BORDER_REPLICATE)
    found = observe([Frame(index / FPS, np.asarray(cut)) for index in range(SECONDS * FPS)], kit, duration_s=SECONDS)
    if isinstance(found, FaceTrack):
        assert not len(found.small_share)
    else:
        assert found == Missing(Reason.NO_FACE)


def test_a_face_of_common_size_costs_no_second_look(kit: ModelKit, person: U8) -> None:
    """Nothing is looked at again where faces were found, and the width is known as a share of the picture."""
    found = observe([Frame(index / FPS, person) for index in range(4)], kit, duration_s=1.0)
    assert isinstance(found, FaceTrack)
    assert not len(found.small_share)
    assert found.face_share == pytest.approx(found.face_px / max(person.shape[:2]))


def test_a_second_look_is_for_recordings_without_faces() -> None:
    """A face that was there in half of the pictures so far, or comes first, is no reason to look again."""
    assert hardly_seen([0])
    assert hardly_seen([0, 0, 1])
    assert not hardly_seen([1, 0])
    assert not hardly_seen([1, 1, 0, 0])


def test_a_small_face_asks_to_come_closer_before_anything_is_claimed() -> None:
    """What a small face makes identity, depth and skin say is excused; what it does not explain is not."""
    profile = profiles.load()
    small = CheckResult("face_size", Outcome.FAIL, reason=Reason.FACE_TOO_SMALL)
    explained = [
        CheckResult("same_person", Outcome.FAIL, reason=Reason.FACE_CHANGED),
        CheckResult("depth", Outcome.FAIL, reason=Reason.FLAT_FACE),
        CheckResult("presence", Outcome.FAIL, reason=Reason.NO_FACE),
        CheckResult("presentation_attack", Outcome.UNABLE, reason=Reason.RECORDING_TOO_SHORT),
    ]
    decision = decide([small, *explained], profile, exempt=profile.confirmed_by - {"face_size"})
    assert (decision.verdict, decision.reasons) == (Verdict.RETRY, (Reason.FACE_TOO_SMALL,))
    spliced = CheckResult("splice", Outcome.FAIL, reason=Reason.SPLICED)
    assert decide([small, spliced], profile, exempt=profile.confirmed_by - {"face_size"}).verdict is Verdict.REJECTED


def test_without_a_whole_face_the_questions_say_so() -> None:
    """A recording without a large enough face is unable for that reason, and NO_FACE is not claimed of it."""
    evidence = Evidence(MediaInfo("mp4", 1, "00", 3.0), Missing(Reason.FACE_TOO_SMALL), Missing(Reason.NO_AUDIO))
    for module in (presence, face_size):
        result = module.check(Case(evidence, Challenge(())), profiles.load())
        assert (result.outcome, result.reason) == (Outcome.UNABLE, Reason.FACE_TOO_SMALL)
