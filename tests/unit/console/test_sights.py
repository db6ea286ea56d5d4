"""Moments of failed checks: each has a time, and the page links to it."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cameo_verifier import profiles
from cameo_verifier.console.axis import USUAL, axis
from cameo_verifier.console.earlier import Earlier
from cameo_verifier.console.keys import KEYS
from cameo_verifier.types import Evidence, FaceTrack, Fingerprint, PictureTrace, SoundRepeat, SoundTrack

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_challenges.model import Challenge
    from tests.unit.console.conftest import Visitor
    from tests.unit.review.stored import Judged

PROFILE = profiles.load()
PAGE = "/attempts/still_photo"


def of_face(**changed: Any) -> Callable[[Evidence], Evidence]:
    def change(evidence: Evidence) -> Evidence:
        assert isinstance(evidence.face, FaceTrack)
        told = {name: value(evidence.face) for name, value in changed.items()}
        return replace(evidence, face=replace(evidence.face, **told))

    return change


def of_media(**changed: Any) -> Callable[[Evidence], Evidence]:
    return lambda evidence: replace(evidence, media=replace(evidence.media, **changed))


def of_picture(**changed: Any) -> Callable[[Evidence], Evidence]:
    def change(evidence: Evidence) -> Evidence:
        assert isinstance(evidence.picture, PictureTrace)
        return replace(evidence, picture=replace(evidence.picture, **changed))

    return change


def of_sound(**changed: Any) -> Callable[[Evidence], Evidence]:
    def change(evidence: Evidence) -> Evidence:
        assert isinstance(evidence.sound, SoundTrack)
        return replace(evidence, sound=replace(evidence.sound, **changed))

    return change


def at_row(name: str, row: int, value: float) -> Callable[[FaceTrack], np.ndarray]:
    def change(face: FaceTrack) -> np.ndarray:
        values = np.array(getattr(face, name))
        values[row] = value
        return values

    return change


def other_face(face: FaceTrack) -> np.ndarray:
    embeddings = face.embeddings.copy()
    embeddings[3] = -embeddings[3]
    return embeddings


HAPPENS: dict[str, tuple[Callable[[Evidence], Evidence], Callable[[Evidence], list[float]]]] = {
    "damage": (of_media(damaged_s=(1.5, 2.5)), lambda _: [1.5, 2.5]),
    "turned": (of_media(resized_s=(4.0,)), lambda _: [4.0]),
    "coverage": (of_media(audio_from_s=3.0), lambda _: [3.0]),
    "sound_cuts": (of_sound(stops_s=np.array([2.0, 3.0, 4.0])), lambda _: [2.0, 3.0, 4.0]),
    "sound_repeat": (lambda evidence: replace(evidence, repeat=SoundRepeat(1.0, 1.25, 5.5)), lambda _: [1.25, 5.5]),
    "frozen": (of_picture(repeat=0.01, repeat_s=(1.0, 6.0)), lambda _: [1.0, 6.0]),
    "splice": (of_picture(cut=50.0, cut_s=4.25), lambda _: [4.25]),
    "sharpness": (of_face(sharpness=at_row("sharpness", 20, 0.001)), lambda evidence: [row_s(evidence, 20)]),
    "face_size": (of_face(face_share=at_row("face_share", 30, 0.001)), lambda evidence: [row_s(evidence, 30)]),
    "alone": (of_face(faces=at_row("faces", 40, 2)), lambda evidence: [row_s(evidence, 40)]),
    "light": (of_face(luma=at_row("luma", 50, 255.0)), lambda evidence: [row_s(evidence, 50)]),
    "presentation_attack": (of_face(live=at_row("live", 5, 0.0)), lambda evidence: [face_of(evidence).live_t_s[5]]),
    "close_up": (of_face(live_close=at_row("live_close", 5, 0.0)), lambda evidence: [face_of(evidence).live_t_s[10]]),
    "moire": (of_face(grid=at_row("grid", 7, 30.0)), lambda evidence: [face_of(evidence).grid_t_s[7]]),
    "bezel": (of_face(bezel=at_row("bezel", 2, 1.0)), lambda evidence: [face_of(evidence).bezel_t_s[2]]),
    "mouth": (of_face(mouth=at_row("mouth", 2, 0.0)), lambda evidence: [face_of(evidence).live_t_s[4]]),
    "same_person": (of_face(embeddings=other_face), lambda evidence: [face_of(evidence).identity_t_s[3]]),
}
"""What is changed of a genuine answer, and when it happens."""


def face_of(evidence: Evidence) -> FaceTrack:
    assert isinstance(evidence.face, FaceTrack)
    return evidence.face


def row_s(evidence: Evidence, row: int) -> float:
    return float(face_of(evidence).t_s[row])


def moments(evidence: Evidence, challenge: Challenge, check: str) -> list[float]:
    return [moment.t_s for moment in axis(evidence, challenge, PROFILE).of(check, None)]


@pytest.mark.parametrize("check", sorted(HAPPENS))
def test_a_check_leads_to_where_it_happened(judged: Judged, check: str) -> None:
    """What is changed at one moment of a genuine answer is found there, and nowhere before it was."""
    judgement, challenge = judged("astronaut_bona_fide")
    change, when = HAPPENS[check]
    changed = change(judgement.evidence)
    found = moments(changed, challenge, check)
    for at_s in when(changed):
        assert any(each == pytest.approx(at_s, abs=1e-6) for each in found), (at_s, found)
    assert len(found) <= 6
    assert moments(judgement.evidence, challenge, check) == []


@pytest.mark.parametrize(
    ("recording", "check"),
    [
        ("still_photo", "frozen"),
        ("still_photo", "movement"),
        ("screen_replay", "presentation_attack"),
        ("screen_replay", "moire"),
        ("wrong_words", "phrase"),
        ("two_faces", "alone"),
    ],
)
def test_what_counts_against_a_recording_has_a_moment(judged: Judged, recording: str, check: str) -> None:
    """Inside the recording, in words."""
    judgement, challenge = judged(recording)
    result = next(each for each in judgement.checks if each.name == check)
    assert result.reason is not None
    found = axis(judgement.evidence, challenge, PROFILE).of(check, result.reason)
    assert found
    assert all(0.0 <= each.t_s <= judgement.evidence.media.duration_s and each.text for each in found)


def test_lanes_that_a_check_points_to_are_in_view(judged: Judged) -> None:
    """The usual ones are; another one is with them when a check points to it, and folded else."""
    judgement, challenge = judged("astronaut_bona_fide")
    for wanted in ("light", "identity"):
        drawn = axis(judgement.evidence, challenge, PROFILE, pointed_at={wanted})
        shown = re.findall(r'data-place="(\w+)"', drawn.picture)
        assert shown == [*USUAL, wanted]
        assert wanted not in re.findall(r'data-place="(\w+)"', drawn.folded)
        assert drawn.picture.count('class="lane against"') == 1


def test_an_earlier_recording_is_laid_where_it_matches(judged: Judged) -> None:
    """The same recording, cut by two seconds, matches where it must; one that is gone is said to be."""
    judgement, challenge = judged("astronaut_bona_fide")
    own = judgement.evidence.fingerprint
    late = Fingerprint(own.motion[32:], own.sound[32:], own.words)
    other = Earlier("earlier", late)
    drawn = axis(judgement.evidence, challenge, PROFILE, moves_as=other, sounds_as=other)
    by_motion, by_sound = sorted(drawn.of("seen_before", None), key=lambda moment: "sounds" in moment.text)
    assert by_motion.t_s == pytest.approx(2.0 + row_s(judgement.evidence, 0), abs=0.15)
    assert by_sound.t_s == pytest.approx(2.0, abs=0.15)
    assert "likeness 1.00" in by_motion.text
    assert "from 0.0 to" in by_motion.text
    gone = axis(judgement.evidence, challenge, PROFILE, moves_as=Earlier("earlier", None))
    assert "is not kept any more" in gone.folded


def test_the_page_leads_from_checks_to_moments(lead: Visitor) -> None:
    """Under a check that counted against it stand moments and lanes; before the reveal no frame has a picture."""
    text = lead.get(PAGE).text
    first = text[text.index('<li class="check') : text.index("</li>", text.index('<li class="check'))]
    assert re.search(r'class="moment" data-at="[\d.]+" data-place="picture"', first)
    assert 'href="#over-time" data-place="picture">Picture</a>' in first
    assert 'class="frame' in text
    frames = text[text.index('<ul class="frames">') :]
    assert "<canvas" not in frames
    assert "once the face is revealed" in text
    lead.post(f"{PAGE}/reveal", PAGE, why="case 4711")
    text = lead.get(PAGE).text
    assert "<canvas" in text[text.index('<ul class="frames">') :]


def test_every_place_that_is_linked_is_on_the_page(lead: Visitor) -> None:
    """No link leads nowhere, and no id is there twice."""
    text = lead.get(PAGE).text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    for address, place in re.findall(r'<a href="#([^"]+)" data-place="([^"]+)"', text):
        assert address in ids
        assert len(re.findall(rf'data-place="{place}"(?: transform|>)', text)) >= 1


def test_the_help_names_every_key() -> None:
    """Each key that a script or a page listens to is in the help, and the help names no other."""
    package = resources.files("cameo_verifier.console")
    scripts = "".join(each.read_text() for each in package.joinpath("static").iterdir() if each.name.endswith(".js"))
    pages = "".join(each.read_text() for each in package.joinpath("templates").iterdir())
    listened = set(re.findall(r'\bkey === "([^"]+)"', scripts)) | set(re.findall(r'case "([^"]+)":', scripts))
    listened |= set(re.findall(r'data-key="([^"{}])"', pages)) | {"b", "a", "u"}
    named = {key for group in KEYS for pressed, _ in group.pressed for key in pressed.split()}
    assert {"Space" if key == " " else key for key in listened} | {"Escape"} == named


def test_the_help_is_on_every_page(lead: Visitor) -> None:
    """With the keys of all of them, as a dialog; not before anybody signed in."""
    for path in ("/", PAGE, f"{PAGE}/what-if"):
        text = lead.get(path).text
        assert '<dialog id="keys"' in text
        assert all(f"<h3>{group.page}</h3>" in text for group in KEYS)
    lead.client.cookies.clear()
    assert "<dialog" not in lead.get("/sign-in").text
