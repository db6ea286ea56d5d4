"""What stands around one attempt, in a real browser: its neighbours, links, undo, export and suspension."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

from cameo_verifier.store.attempts.labels import LabelStore
from tests.browser.conftest import SHOTS
from tests.browser.test_console import at, signed_in, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.conftest import Watched
    from tests.unit.store.evidence_site import Site


def test_the_queue_is_walked_by_keys(walk: Watched) -> None:
    """`]` and `[` go to the neighbours that the filter leaves, and the filter stays in the URL."""
    page = signed_in(walk)
    at(page, "/?verdict=REJECTED")
    ids = page.locator("#queue tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.id)")
    assert len(ids) > 2
    page.locator("#queue tbody a").first.click()
    page.wait_for_url(f"**/attempts/{ids[0]}?verdict=REJECTED")
    page.keyboard.press("]")
    page.wait_for_url(f"**/attempts/{ids[1]}?verdict=REJECTED")
    page.keyboard.press("]")
    page.wait_for_url(f"**/attempts/{ids[2]}?verdict=REJECTED")
    page.keyboard.press("[")
    page.wait_for_url(f"**/attempts/{ids[1]}?verdict=REJECTED")
    page.get_by_role("link", name="Queue, filtered").click()
    page.wait_for_url("**/?verdict=REJECTED")
    assert walk.trouble == []


def test_a_label_given_by_a_key_is_taken_back_by_a_key(walk: Watched, site: Site) -> None:
    """`z` in the queue: the row shows what it showed before, and the store has the label as taken back."""
    page = signed_in(walk)
    at(page, "/?find=WRONG_w")
    page.keyboard.press("j")
    before = page.locator("#queue td.label").inner_text()
    page.keyboard.press("u")
    page.locator("#queue td.label .unsure").wait_for()
    page.keyboard.press("z")
    until(page, "document.getElementById('said').textContent.includes('taken back')")
    assert page.locator("#queue td.label").inner_text() == before
    [label] = LabelStore(site.engine).history("wrong_words")
    assert label.withdrawn_at is not None
    assert walk.trouble == []


def test_links_come_to_the_page_and_lead_to_the_two(walk: Watched) -> None:
    """The list is there without a click, with what each shares, and *compare* opens both."""
    page = signed_in(walk)
    at(page, "/attempts/still_photo")
    page.locator(".links li").first.wait_for()
    assert "same subject" in page.locator(".links").inner_text()
    page.locator("#links").get_by_role("link", name="compare").first.click()
    page.wait_for_url("**/attempts/still_photo/compare?with=**")
    assert walk.trouble == []


def test_a_case_is_saved_with_its_evidence_for_a_reason(walk: Watched, tmp_path: Path) -> None:
    """The form gives an archive; what is in it is the attempt's."""
    page = signed_in(walk)
    at(page, "/attempts/screen_replay")
    page.get_by_label("With its evidence").check()
    page.get_by_label("Reason, with the evidence").fill("case 4711")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Export").click()
    path = tmp_path / saved.value.suggested_filename
    saved.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("case.json"))["attempt"]["id"] == "screen_replay"
        assert archive.read("evidence/recording.mp4")[4:8] == b"ftyp"


def test_a_credential_is_suspended_and_lifted(walk: Watched) -> None:
    """From the attempt that earned it, then from its subject's page; the page says who did and why."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page = signed_in(walk)
    at(page, "/attempts/astronaut_bona_fide")
    held = page.locator("#holdings")
    held.get_by_label("Why must nobody use it?").fill("stolen, ticket 12")
    held.get_by_role("button", name="Suspend").click()
    page.get_by_text("stolen, ticket 12").wait_for()
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert "suspended" in page.locator("#holdings h3").inner_text()
    page.get_by_role("link", name="ann", exact=True).first.click()
    page.wait_for_url("**/subject?id=ann")
    for width, height, scheme in ((360, 780, "dark"), (1440, 900, "light"), (3840, 2160, "light")):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.screenshot(path=SHOTS / f"subject-{width}-{scheme}.png", full_page=True)
    page.get_by_label("Why may it be used again?").fill("a mix-up")
    page.get_by_role("button", name="Lift the suspension").click()
    page.get_by_text("a mix-up").wait_for()
    assert page.locator("#holdings b.bad").count() == 0
    assert walk.trouble == []
