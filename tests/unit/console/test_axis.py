"""The time axis and the outlines, drawn from tracks."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from cameo_challenges.model import Challenge, Gesture, MakeGesture, Say, Turn, TurnHead
from cameo_verifier import profiles
from cameo_verifier.console.axis import axis
from cameo_verifier.console.lanes import pose
from cameo_verifier.console.overlay import overlay
from cameo_verifier.console.scale import MARGIN, WIDTH, Scale, fitting
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Evidence, FaceTrack, MediaInfo, Missing, PictureTrace, SoundTrack, Word
from tests.made_faces import doing

if TYPE_CHECKING:
    from tests.unit.review.stored import Judged

PROFILE = profiles.load()


def shapes(picture: str, name: str) -> list[ET.Element]:
    """Return the elements of a class, keys left out."""
    root = ET.fromstring(picture)  # noqa: S314 - our own picture
    return [each for each in root.iter() if each.get("class") == name]


def test_what_was_asked_stands_where_it_was_said(judged: Judged) -> None:
    """Each prompt has a window, each turn is named, and each lane is there."""
    judgement, challenge = judged("astronaut_bona_fide")
    drawn = axis(judgement.evidence, challenge, PROFILE)
    texts = [each.text for each in ET.fromstring(drawn.picture).iter() if each.tag.endswith("text")]  # noqa: S314 - our own
    for name in (
        "Words",
        "Head, asked: left, up",
        "Opening of the lips",
        "P(live)",
        "Voice against all of it, cosine",
        "Picture",
    ):
        assert name in texts
    assert len(shapes(drawn.picture, "asked")) == 3
    assert len(shapes(drawn.picture, "turn")) == 2
    said = [moment.text for moment in drawn.moments if moment.kind == "asked"]
    assert said == ["“seven zero penguin” begins", "“five window one” begins", "“nine three” begins"]
    assert [moment.t_s for moment in drawn.moments] == sorted(moment.t_s for moment in drawn.moments)


def test_a_photograph_shows_its_doubled_pictures(judged: Judged) -> None:
    """A picture that stands still is marked as the same again, one mark a picture, and no turn is found."""
    judgement, challenge = judged("still_photo")
    drawn = axis(judgement.evidence, challenge, PROFILE)
    trace = judgement.evidence.picture
    assert isinstance(trace, PictureTrace)
    same = int((trace.change[1:] <= PROFILE["still_change_max"].value).sum())
    assert len(shapes(drawn.picture, "duplicate")) == same > 20
    assert shapes(drawn.picture, "turn") == []


def test_a_cut_is_marked_where_it_is(judged: Judged) -> None:
    """A jump over the profile's line has a mark and a moment at its time."""
    judgement, challenge = judged("astronaut_bona_fide")
    trace = judgement.evidence.picture
    assert isinstance(trace, PictureTrace)
    spliced = replace(judgement.evidence, picture=replace(trace, cut=9.0, cut_s=4.25))
    drawn = axis(spliced, challenge, PROFILE)
    (mark,) = shapes(drawn.picture, "cut")
    x = Scale(judgement.evidence.media.duration_s).x(4.25)
    assert (mark.get("d") or "").startswith(f"M{x:.1f} ")
    assert [moment.t_s for moment in drawn.moments if moment.kind == "cut"] == [4.25]


def test_a_recording_without_anything_is_drawn_all_the_same() -> None:
    """Without face, sound and picture each lane says so."""
    nothing = Evidence(MediaInfo("mp4", 10, "", 0.0), Missing(Reason.NO_FACE), Missing(Reason.NO_AUDIO))
    drawn = axis(nothing, Challenge((Say("one two"),)), PROFILE)
    for text in ("no sound", "no face", "no picture"):
        assert text in drawn.picture
    assert drawn.moments == ()
    assert overlay(nothing)["frames"] == []


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><svg onload=alert(1)>', "\u202eevil", "x" * 5000, "]]>&lt;"])
def test_words_cannot_leave_their_box(judged: Judged, text: str) -> None:
    """Whatever the transcript and the prompt hold, the picture stays well-formed, has no new element, and no wider word."""
    judgement, challenge = judged("astronaut_bona_fide")
    sound = judgement.evidence.sound
    assert isinstance(sound, SoundTrack)
    hostile = replace(sound, words=(*sound.words, Word(text, 3.2, 3.8, 0.5)))
    drawn = axis(replace(judgement.evidence, sound=hostile), challenge, PROFILE)
    tags = {each.tag.rpartition("}")[2] for each in ET.fromstring(drawn.picture).iter()}  # noqa: S314 - our own picture
    assert tags <= {"svg", "g", "line", "rect", "text", "title", "polyline", "circle", "path"}
    assert "\u202e" not in drawn.picture
    assert max(len(each.text or "") for each in shapes(drawn.picture, "in extra")) <= 12


def test_a_place_follows_from_time_alone() -> None:
    """The first moment is at the left margin, the last at the right; what lies outside is at the edge."""
    scale = Scale(10.0)
    assert [scale.x(t_s) for t_s in (-1.0, 0.0, 5.0, 10.0, 99.0)] == [MARGIN, MARGIN, WIDTH / 2, WIDTH - MARGIN, WIDTH - MARGIN]
    assert scale.ticks() == [float(second) for second in range(11)]
    assert len(Scale(3000.0).ticks()) <= 21


def test_words_are_cut_to_their_room() -> None:
    """What does not fit ends in an ellipsis; where not even that fits there is nothing."""
    assert fitting("penguin", 100) == "penguin"
    assert fitting("penguin", 31) == "peng…"
    assert fitting("penguin", 10) == ""


def test_outlines_are_points_of_the_picture(judged: Judged) -> None:
    """Each frame with a face has as many points as the lines name, all within the picture, and no more than the outlines."""
    judgement, _ = judged("astronaut_bona_fide")
    face = judgement.evidence.face
    assert isinstance(face, FaceTrack)
    told = overlay(judgement.evidence)
    points = told["lines"][-1]["to"]
    assert points < 200
    assert len(told["frames"]) == len(told["times"]) == len(face.t_s)
    assert {len(frame) for frame in told["frames"]} <= {0, 2 * points}
    flat = np.array([frame for frame in told["frames"] if frame]).reshape(-1, 2)
    assert flat.min() >= 0
    assert flat[:, 0].max() <= told["width"]
    assert flat[:, 1].max() <= told["height"]
    assert not re.search("nan", str(told["frames"]), re.IGNORECASE)


@pytest.mark.parametrize(
    ("stored", "rotation_deg", "shown"),
    [((640, 480), 0, (640, 480)), ((1920, 1080), 90, (720, 1280)), ((1080, 1920), 270, (1280, 720))],
)
def test_outlines_lie_on_the_face_of_a_turned_recording(
    judged: Judged, stored: tuple[int, int], rotation_deg: int, shown: tuple[int, int]
) -> None:
    """The picture they are drawn in is the upright one that the landmarks were counted in, not the one that is stored."""
    evidence = judged("astronaut_bona_fide")[0].evidence
    media = replace(evidence.media, width=stored[0], height=stored[1], rotation_deg=rotation_deg)
    told = overlay(replace(evidence, media=media))
    assert (told["width"], told["height"]) == shown


def test_gestures_are_named_where_they_were_made() -> None:
    """With those that were not asked, and blinks of another number; where none were asked, none are looked for."""
    face = doing((1.0, Gesture.SMILE), (4.0, Gesture.BLINK_2), (7.0, Gesture.BLINK_4), (9.0, Gesture.BLINK_2), seconds=12)
    evidence = Evidence(MediaInfo("mp4", 1, "00", 12.0), face, Missing(Reason.NO_AUDIO))
    asked = Challenge((MakeGesture(Gesture.SMILE), MakeGesture(Gesture.BLINK_4)))
    seen = [moment.text for moment in pose(Scale(12.0), evidence, asked, PROFILE).moments if moment.text.startswith("seen")]
    assert seen == [
        "seen: smile, then stop",
        "seen: blink two times, which was not asked",
        "seen: another number of blinks, which was not asked",
    ]
    silent = pose(Scale(12.0), evidence, Challenge((TurnHead(Turn.LEFT),)), PROFILE)
    assert not any(moment.text.startswith("seen") for moment in silent.moments)
