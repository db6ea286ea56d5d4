"""One attempt's page: its checks and axis, the reveal of its face, and its labels."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.checks import BY_NAME
from cameo_verifier.console.rendering import compared, plain
from cameo_verifier.evidence.likeness_rules import LIKENESS
from cameo_verifier.media.remux import judged_only
from cameo_verifier.profiles import load
from cameo_verifier.settings import MediaLimits
from tests.unit.review.stored import RECORDINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.console.conftest import Clock, Visitor

PAGE = "/attempts/still_photo"


def test_every_check_and_threshold_is_explained() -> None:
    """Each check that a profile gives a role has a sentence, and each threshold belongs to a check."""
    profile = load()
    assert set(BY_NAME) == set(profile.roles)
    assert {name for question in BY_NAME.values() for name in question.thresholds} == set(profile.thresholds) - set(LIKENESS)


def test_the_page_says_what_counted_against_it(lead: Visitor) -> None:
    """Verdict, reasons, and first of all checks those that decided."""
    text = lead.get(PAGE).text
    assert '<span class="verdict rejected">rejected</span>' in text
    first = text[text.index('<li class="check') :]
    assert first.startswith('<li class="check fail against">')
    assert "Living picture" in first[:400]


def test_who_opens_an_attempt_is_in_the_log(lead: Visitor) -> None:
    """Its tracks and result are read in the name of whoever opened it, once, however often the page asks."""
    before = len(lead.log())
    lead.get(PAGE)
    lead.get(f"{PAGE}/overlay")
    lead.get(PAGE)
    assert [(line.who, line.action, line.what, line.why) for line in lead.log()[before:]] == [
        ("local", "read", "tracks", "opened in the console"),
        ("local", "read", "result", "opened in the console"),
    ]


def test_no_recording_leaves_before_the_reveal(lead: Visitor) -> None:
    """Without a reveal the page has no video, and its address gives nothing, to anybody."""
    assert "<video" not in lead.get(PAGE).text
    answer = lead.client.get(f"{PAGE}/recording")
    assert answer.status_code == 403
    assert b"ftyp" not in answer.content


def test_a_reveal_is_in_the_log_before_the_face_is_out(lead: Visitor) -> None:
    """The line holds who and why; then the recording is served whole and in parts, for a quarter of an hour."""
    answer = lead.post(f"{PAGE}/reveal", PAGE, why="case 4711")
    assert answer.status_code == 303
    line = lead.log()[-1]
    assert (line.who, line.action, line.attempt_id, line.what, line.why) == (
        "local",
        "reveal",
        "still_photo",
        "recording",
        "case 4711",
    )
    assert "<video" in lead.get(PAGE).text
    recording = judged_only(RECORDINGS["still_photo"], sound_track=0, limits=MediaLimits())
    whole = lead.client.get(f"{PAGE}/recording")
    assert (whole.content, whole.headers["content-type"]) == (recording, "video/mp4")
    part = lead.client.get(f"{PAGE}/recording", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, recording[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(recording)}"
    assert lead.client.get("/attempts/astronaut_bona_fide/recording").status_code == 403


def test_a_revealed_face_is_hidden_again(lead: Visitor, clock: Clock) -> None:
    """After a quarter of an hour the recording is refused."""
    lead.post(f"{PAGE}/reveal", PAGE, why="case 4711")
    clock.now += timedelta(minutes=16)
    assert lead.client.get(f"{PAGE}/recording").status_code == 403


@pytest.mark.parametrize("why", ["", "   ", "x" * 1001])
def test_a_reveal_needs_a_reason(lead: Visitor, why: str) -> None:
    """Without one nothing is logged and nothing is shown."""
    before = lead.log()
    assert lead.post(f"{PAGE}/reveal", PAGE, why=why).status_code == 400
    assert [line for line in lead.log()[len(before) :] if line.action == "reveal"] == []
    assert lead.client.get(f"{PAGE}/recording").status_code == 403


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ("bytes=0-", 206),
        ("bytes=-5", 206),
        ("bytes=99999999-", 416),
        ("bytes=9-3", 416),
        ("bytes=-", 200),
        ("lines=1-2", 200),
        ("bytes=1-2,5-6", 200),
    ],
)
def test_ranges_of_a_recording(lead: Visitor, wanted: str, status: int) -> None:
    """One range is answered with it, an impossible one with 416, and what is not understood with the whole."""
    lead.post(f"{PAGE}/reveal", PAGE, why="case 4711")
    assert lead.client.get(f"{PAGE}/recording", headers={"Range": wanted}).status_code == status


def test_labels_are_kept_with_their_history(visit: Callable[..., Visitor]) -> None:
    """A label is kept under the analyst's name; another one does not overwrite it, and the queue shows the latest."""
    lead = visit().sign_in()
    page = "/attempts/astronaut_bona_fide"
    lead.post(f"{page}/label", page, truth="unsure", note="look again")
    answer = lead.post(f"{page}/label", page, truth="bona_fide", note="<b>a person</b>")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{page}#labels")
    text = lead.get(page).text
    assert text.index("&lt;b&gt;a person&lt;/b&gt;") < text.index("look again")
    assert 'class="truth bona_fide"' in lead.get("/?label=bona_fide").text


def test_a_label_can_be_taken_back(lead: Visitor) -> None:
    """The page offers to undo one's own last label; it stays in the history, crossed out, and the log has a line."""
    page = "/attempts/astronaut_bona_fide"
    lead.post(f"{page}/label", page, truth="attack", species="mask")
    number = re.search(r'name="number" value="(\d+)"><button class="quiet">Undo', lead.get(page).text)
    assert number is not None
    answer = lead.post(f"{page}/unlabel?verdict=ACCEPTED", page, number=number[1])
    assert (answer.status_code, answer.headers["location"]) == (303, f"{page}?verdict=ACCEPTED#labels")
    [crossed] = re.findall(r'<li class="withdrawn">.*?</li>', lead.get(page).text)
    assert "<code>mask</code>" in crossed
    assert "taken back 2026-03-02" in crossed
    assert "Undo" not in crossed
    line = lead.log()[-1]
    assert (line.action, line.attempt_id, line.what) == ("unlabel", "astronaut_bona_fide", f"label {number[1]}")
    for wrong in ("", "x", "99"):
        assert lead.post(f"{page}/unlabel", page, number=wrong).status_code == 400


@pytest.mark.parametrize("form", [{"truth": "maybe"}, {}, {"truth": "attack"}, {"truth": "attack", "species": "<script>"}])
def test_a_label_that_means_nothing_is_refused(lead: Visitor, form: dict[str, str]) -> None:
    """It is a 400, and the history is as it was."""
    before = lead.get(PAGE).text.count("<li>")
    assert lead.post(f"{PAGE}/label", PAGE, **form).status_code == 400
    assert lead.get(PAGE).text.count("<li>") == before


@pytest.mark.parametrize("path", ["/attempts/nobody", "/attempts/nobody/overlay", "/attempts/%00%ff", "/attempts/nobody/what-if"])
def test_what_is_not_there_is_not_found(lead: Visitor, path: str) -> None:
    """An id that is none gives a 404, with the same headers and no trace."""
    answer = lead.get(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_characters_that_turn_the_text_are_shown() -> None:
    """Direction overrides, zero-width and control characters are written as their code points, letters of any script are not."""
    assert plain("\u202egnp.exe\u200b\x00") == "‹U+202E›gnp.exe‹U+200B›‹U+0000›"
    assert plain("Ünïcødé שלום") == "Ünïcødé שלום"


@pytest.mark.parametrize(
    ("score", "threshold", "at_least", "said"),
    [
        (37.1, 6.4, False, ("37.1", "> 6.4")),
        (5.01, 6.4, False, ("5.01", "≤ 6.4")),
        (0.8, 0.8, True, ("0.8", "≥ 0.8")),
        (0.84999, 0.85, True, ("0.84999", "< 0.85")),
        (-0.5, -0.25, False, ("−0.5", "≤ −0.25")),
        (1234.4, 1234.2, False, ("1234.4", "> 1234.2")),
        (math.nextafter(0.3, 0), 0.3, True, ("0.2999999999999999", "< 0.3")),
        (math.nan, 0.3, True, ("no number", "not ≥ 0.3")),
    ],
)
def test_a_score_is_said_to_stand_as_it_stands(score: float, threshold: float, at_least: bool, said: tuple[str, str]) -> None:  # noqa: FBT001 - a case
    """Above, below or on the line, and in as many digits as it takes to see that."""
    assert compared(score, threshold, at_least=at_least) == said


def test_no_check_of_a_page_states_what_is_not_so(lead: Visitor) -> None:
    """Whatever counts against the attempt is not shown as holding."""
    text = lead.get(PAGE).text
    found = re.findall(r"<b>([^<]+)</b> <span class=\"soft\">([≥≤<>]) ([^<]+)</span>", text)
    assert len(found) > 10
    for score, relation, limit in found:
        one, other = (float(each.replace("−", "-").replace(",", "")) for each in (score, limit))
        assert {"≥": one >= other, "≤": one <= other, "<": one < other, ">": one > other}[relation], (score, relation, limit)
