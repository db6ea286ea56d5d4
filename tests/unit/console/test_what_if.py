"""What-if thresholds: on one attempt, as a file, and over all labelled attempts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cameo_verifier import profiles
from cameo_verifier.console.profile_file import profile_file
from cameo_verifier.console.what_if import groups, slider
from cameo_verifier.evidence.fingerprint import to_bytes
from cameo_verifier.evidence.likeness_rules import LIKENESS
from cameo_verifier.store.attempts import fingerprints
from tests.conftest import ASKED
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from httpx2 import Response

    from tests.unit.console.conftest import Visitor
    from tests.unit.review.stored import Judged

PAGE = "/attempts/astronaut_bona_fide/what-if"
NAMES = sorted(set(profiles.load().thresholds).difference(LIKENESS))
"""Thresholds that decide about an answer, not about what is taken from it for a likeness."""


def ask(visitor: Visitor, document: object) -> Response:
    """Ask what the attempt would be judged."""
    headers = {"X-CSRF-Token": visitor.csrf(), "Accept": "application/json"}
    return visitor.client.post(PAGE, json=document, headers=headers)


def test_a_moved_threshold_moves_the_verdict(lead: Visitor) -> None:
    """A line that no lips reach asks the bona fide attempt again, by that check alone, and says what it was before."""
    told = ask(lead, {"values": {"lips_part_min": 0.99}}).json()
    assert (told["before"], told["verdict"], told["reasons"]) == ("ACCEPTED", "RETRY", ["lip sync inconclusive"])
    assert told["moved"] == ["lips_part_min"]
    assert [check["name"] for check in told["checks"] if check["changed"]] == ["lips"]
    assert told["checks"][0]["outcome"] == "counts against"


def test_nothing_moved_changes_nothing(lead: Visitor) -> None:
    """The values of the profile itself give its own verdict, and count as not moved."""
    told = ask(lead, {"values": {"lips_part_min": profiles.load()["lips_part_min"].value}}).json()
    assert (told["verdict"], told["moved"]) == ("ACCEPTED", [])
    assert not any(check["changed"] for check in told["checks"])


def test_trying_leaves_the_attempt_as_it_was(lead: Visitor) -> None:
    """The stored verdict is what it was, and so is the profile that is live."""
    ask(lead, {"values": {"lips_part_min": 0.99}})
    assert 'class="verdict accepted"' in lead.get("/attempts/astronaut_bona_fide").text
    assert profiles.load()["lips_part_min"].value != 0.99


@pytest.mark.parametrize(
    "document",
    [
        {"values": {"no_such": 1}},
        {"values": {"lips_part_min": "NaN"}},
        {"values": {"lips_part_min": "a"}},
        {"values": []},
    ],
)
def test_what_is_no_threshold_is_refused(lead: Visitor, document: object) -> None:
    """An unknown name, a value that is no finite number, or another shape gives a 400."""
    assert ask(lead, document).status_code == 400


def test_every_threshold_has_one_slider() -> None:
    """The page offers each threshold that judges once, between two ends that its value lies within."""
    offered = [slider.threshold.name for group in groups(profiles.load(), ["lips"]) for slider in group.sliders]
    assert sorted(offered) == NAMES
    assert groups(profiles.load(), ["lips"])[0].check == "lips"
    for name in NAMES:
        found = slider(profiles.load()[name])
        assert found.low <= found.threshold.value <= found.high
        assert 50 <= (found.high - found.low) / found.step <= 400


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(NAMES), st.floats(-1e6, 1e6), max_size=5), st.text(max_size=40))
def test_a_saved_profile_is_the_one_that_was_tried(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, float], who: str
) -> None:
    """The file loads as the very profile that was tried: its digest, and that of the profile for possible minors."""
    tried = profiles.varied("default", "tried", values, source=f"tried by {who}", date="2026-11-22")
    file = tmp_path_factory.mktemp("profile") / "tried.toml"
    file.write_text(profile_file(tried, "default", frozenset(values)), "utf-8")
    loaded = profiles.load(str(file))
    assert loaded.digest == tried.digest
    assert loaded.minor is not None
    assert tried.minor is not None
    assert loaded.minor.digest == tried.minor.digest


def test_a_lead_saves_a_file(lead: Visitor, tmp_path: Path) -> None:
    """The download extends the site's profile and moves what was moved, and says who tried it."""
    form = {"name": "stricter-lips", "t.lips_part_min": "0.5", "t.live_p20_min": str(profiles.load()["live_p20_min"].value)}
    answer = lead.post("/what-if/profile", **form)
    assert answer.headers["content-disposition"] == 'attachment; filename="stricter-lips.toml"'
    file = tmp_path / "stricter-lips.toml"
    file.write_text(answer.text)
    loaded = profiles.load(str(file))
    assert loaded["lips_part_min"].value == 0.5
    assert loaded["lips_part_min"].source == "tried by local in the console"
    assert answer.text.count("[thresholds.") == 1


@pytest.mark.parametrize("name", ["", "../x", 'a"b', "A", "a" * 65, "a\nb"])
def test_a_file_has_a_plain_name(lead: Visitor, name: str) -> None:
    """Whatever else a name holds, it is refused."""
    assert lead.post("/what-if/profile", **{"name": name, "t.lips_part_min": "0.5"}).status_code == 400


@pytest.mark.parametrize("path", ["/what-if/profile", "/runs"])
def test_only_a_lead_saves_and_runs(analyst: Visitor, path: str) -> None:
    """An analyst is told so, and sees no button for it."""
    answer = analyst.post(path, **{"name": "x", "t.lips_part_min": "0.5"})
    assert answer.status_code == 403
    assert "only a lead" in answer.text
    assert "Save as file" not in analyst.get(PAGE).text


def test_a_run_shows_what_flips(visit: Callable[..., Visitor]) -> None:
    """Over all labelled attempts the page shows which verdicts flip, by which check, and the rates of before and after."""
    lead = visit().sign_in()
    lead.post("/attempts/astronaut_bona_fide/label", truth="bona_fide")
    lead.post("/attempts/still_photo/label", truth="attack", species="still_photo")
    begun = lead.post("/runs", **{"t.lips_part_min": "0.99"})
    assert begun.status_code == 303
    where = begun.headers["location"]
    deadline = time.monotonic() + PATIENCE_S
    while "Judging again" in (text := lead.get(where).text) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "lips part min to <b>0.99</b>" in text
    assert '<span class="verdict accepted">accepted</span></td><td><span class="verdict retry">retry</span></td><td>lips' in text
    assert "/attempts/astronaut_bona_fide" in text
    assert "APCER still photo" in text
    assert "100.0 %" in text
    assert 'BPCER<br><small class="soft">of 1 accepted</small>' in text
    assert where in lead.get("/runs").text


def test_a_run_over_everyone_says_what_it_costs_them(lead: Visitor) -> None:
    """Without a label there is no rate, but how many that were accepted would not be any more, and which."""
    begun = lead.post("/runs", over="everyone", **{"t.lips_part_min": "0.99"})
    deadline = time.monotonic() + PATIENCE_S
    while "Judging again" in (text := lead.get(begun.headers["location"]).text) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "over 2 attempts, all there are or the latest of them" in text
    cost = text[text.index("would not be accepted any more, of 1 that were") :]
    assert "<summary>1</summary>" in cost[:200]
    assert "/attempts/astronaut_bona_fide" in cost[:300]


def test_an_unknown_run_is_not_found(lead: Visitor) -> None:
    """An id that is none gives a 404."""
    assert lead.get("/runs/none").status_code == 404


def test_two_attempts_stand_side_by_side(lead: Visitor) -> None:
    """The other attempt of the subject is offered and shown, with both scores of each check; a face is in neither."""
    text = lead.get("/attempts/still_photo/compare").text
    assert text.count("data-viewer") == 2
    assert "same subject" in text
    assert "<video" not in text
    assert lead.get("/attempts/still_photo/compare?with=nobody").status_code == 404


def test_the_recording_that_is_most_like_it_comes_first(lead: Visitor, judged: Judged) -> None:
    """By its fingerprint, before whatever else the subject sent, and with how alike the two are."""
    (judgement, _) = judged("still_photo")
    with lead.site.engine.begin() as connection:
        fingerprints.add(connection, "still_photo", to_bytes(judgement.evidence.fingerprint), now=ASKED)
        fingerprints.add(connection, "astronaut_bona_fide", to_bytes(judgement.evidence.fingerprint), now=ASKED)
    text = lead.get("/attempts/still_photo/compare").text
    assert "moves alike, 1.00, sounds alike, 1.00, same subject" in text
    assert text.count("data-viewer") == 2


def test_the_lines_of_a_minor_are_those_that_move(visit: Callable[..., Visitor], tmp_path: Path) -> None:
    """An attempt that the profile for minors judges shows its lines, and moving one of them moves what it is judged."""
    file = tmp_path / "careful.toml"
    file.write_text('extends = "default"\n[thresholds]\nadult_age_min = 90\n')
    minors = profiles.load(str(file)).minor
    assert minors is not None
    strict, loose = minors["voice_group_min"].value, profiles.load()["voice_group_min"].value
    assert strict > loose
    lead = visit(profile=str(file)).sign_in()
    text = lead.get(PAGE).text
    assert 'name="minor" value="1"' in text
    assert f'name="t.voice_group_min" step="any" required value="{strict}"' in text
    assert 'name="t.adult_age_min" step="any" required value="90.0"' in text
    assert "under <bdi>minor</bdi>" in text

    def limits(**values: float) -> dict[str, str]:
        answer = lead.client.post(PAGE, json={"values": values}, headers={"X-CSRF-Token": lead.csrf()})
        return {check["name"]: f"{check['outcome']} {check['limit']}" for check in answer.json()["checks"]}

    assert limits()["second_voice"] == f"pass ≥ {strict}"
    assert limits(voice_group_min=0.99)["second_voice"] == "counts against < 0.99"
    assert limits(voice_group_min=0.0)["second_voice"] == f"pass ≥ {loose}"
    assert limits(adult_age_min=1.0)["second_voice"] == f"pass ≥ {loose}"

    saved = lead.post("/what-if/profile", minor="1", name="strict-minor", **{"t.voice_group_min": "0.9"})
    assert 'extends = "minor"' in saved.text
    kept = tmp_path / "strict-minor.toml"
    kept.write_text(saved.text)
    assert profiles.load(str(kept))["voice_group_min"].value == 0.9
    refused = lead.post("/what-if/profile", minor="1", name="x", **{"t.adult_age_min": "10"})
    assert (refused.status_code, "an adult" in refused.text) == (400, True)
