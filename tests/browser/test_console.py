"""An analyst's walk through the console in a real browser."""

from __future__ import annotations

import json
import time
import tomllib
from typing import TYPE_CHECKING, Literal

import pytest

from cameo_verifier.store.attempts.labels import LabelStore, Truth
from tests.browser.conftest import SHOTS
from tests.conftest import ASKED
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.conftest import Watched
    from tests.unit.store.evidence_site import Site

PAGES = {
    "queue": "/",
    "filtered": "/?verdict=REJECTED&reason=FROZEN_OR_LOOPED",
    "nothing": "/?subject=nobody",
    "attempt": "/attempts/still_photo",
    "hostile": "/attempts/two_faces",
    "what_if": "/attempts/still_photo/what-if",
    "compare": "/attempts/still_photo/compare",
    "hostile_compare": "/attempts/two_faces/compare?with=still_photo",
    "runs": "/runs",
    "subject": "/subject?id=ann",
    "links": "/attempts/still_photo/links",
}
SIZES = ((360, 780), (1440, 900), (3840, 2160))


def signed_in(walk: Watched) -> Page:
    """Sign in with the printed token and wait for the queue."""
    page = walk.page
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("#queue")
    page.wait_for_load_state("networkidle")
    return page


def at(page: Page, path: str) -> None:
    """Open a page of the console and wait until it has drawn what it draws."""
    page.goto("/".join(page.url.split("/")[:3]) + path)
    for number in range(page.locator(".stage").count()):
        page.locator(".stage[data-ready]").nth(number).wait_for()
    if page.locator("video").count():
        # A browser may go on fetching a video for as long as it likes.
        until(page, "document.querySelector('video').readyState >= 2")
    else:
        page.wait_for_load_state("networkidle")


def until(page: Page, expression: str) -> None:
    """Wait until an expression holds; the pages' policy lets nobody evaluate text inside them, so it is asked from outside."""
    deadline = time.monotonic() + PATIENCE_S
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def seen_colour(page: Page) -> bool:
    """Whether the stage's canvas has a mark on it."""
    return bool(
        page.evaluate(
            "() => { const c = document.querySelector('.stage canvas');"
            " return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((value) => value > 0); }"
        )
    )


def test_the_walk(walk: Watched, site: Site, tmp_path: Path) -> None:
    """Sign in, filter, open, reveal, scrub, label, what if, save, run, compare: each does what it says, without trouble."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page = signed_in(walk)
    filter_and_open(page)
    reveal_and_scrub(page, site)
    label_two(page, site)
    try_and_save(page, tmp_path)
    page.get_by_role("button", name="Run on all labelled").click()
    page.wait_for_selector("text=Verdicts that flip")
    assert page.locator("table").first.get_by_text("lips").count() == 1
    page.screenshot(path=SHOTS / "run.png", full_page=True)
    compare(page)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    # A download ends the navigation that began it.
    assert [each for each in walk.trouble if "what-if/profile" not in each] == []


def filter_and_open(page: Page) -> None:
    """Find the photograph by its reason, open it by keyboard; its outlines can be switched off, its face is not there."""
    page.get_by_label("Verdict").select_option("REJECTED")
    page.get_by_label("Reason").select_option("FROZEN_OR_LOOPED")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**reason=FROZEN_OR_LOOPED**")
    assert page.locator("#queue tbody tr").count() == 1
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/attempts/still_photo?**")
    page.locator(".stage[data-ready]").wait_for()
    assert seen_colour(page)
    page.get_by_role("checkbox", name="Outlines").uncheck()
    assert not seen_colour(page)
    page.get_by_role("checkbox", name="Outlines").check()
    assert page.locator("video").count() == 0


def reveal_and_scrub(page: Page, site: Site) -> None:
    """Reveal the face, which the audit log knows of, and move the video by a click on the axis and by a moment of the list."""
    page.get_by_label("Why do you need to see it?").fill("case 4711")
    page.get_by_role("button", name="Reveal").click()
    until(page, "document.querySelector('video')?.readyState >= 2")
    assert [line.why for line in site.room.audit.lines(attempt_id="still_photo") if line.action == "reveal"] == ["case 4711"]
    axis = page.locator(".axis").first
    axis.scroll_into_view_if_needed()
    box = axis.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    until(page, "Math.abs(document.querySelector('video').currentTime - 5) < 0.3")
    assert page.locator(".now").inner_text().startswith(("4.9", "5.0"))
    page.get_by_text("The same in words").click()
    page.locator(".moments .moment").first.click()
    until(page, "document.querySelector('video').currentTime < 1.5")
    page.screenshot(path=SHOTS / "revealed.png")


def label_two(page: Page, site: Site) -> None:
    """Label the photograph on its page, and the person in the queue, both with the keyboard."""
    page.locator("h1").click()
    page.keyboard.press("a")
    page.get_by_label("Species of an attack").fill("still_photo")
    page.get_by_label("Note").fill("held still <script>document.title='owned'</script>\u202e")
    page.get_by_role("button", name="Keep label").click()
    page.wait_for_selector(".history .truth.attack")
    (label,) = LabelStore(site.engine).history("still_photo")
    assert (label.truth, label.species, label.analyst) == (Truth.ATTACK, "still_photo", "local")
    page.get_by_role("link", name="Queue").first.click()
    page.wait_for_selector("#queue")
    page.wait_for_load_state("networkidle")
    row = page.locator('tr[data-id="astronaut_bona_fide"]')
    row.get_by_role("link").focus()
    page.keyboard.press("b")
    row.locator(".truth.bona_fide").wait_for()


def try_and_save(page: Page, folder: Path) -> None:
    """Move a line until the person is asked again, and save the profile."""
    at(page, "/attempts/astronaut_bona_fide/what-if")
    page.locator("#s-lips_part_min").fill("0.99")
    page.wait_for_selector("#verdict .retry")
    assert page.locator("#reasons").inner_text() == "lip sync inconclusive"
    assert page.locator("#verdict-checks .changed").count() == 1
    page.get_by_label("Name of the profile").fill("stricter-lips")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save as file").click()
    saved = folder / saving.value.suggested_filename
    saving.value.save_as(saved)
    assert saved.name == "stricter-lips.toml"
    assert tomllib.loads(saved.read_text())["thresholds"]["lips_part_min"]["value"] == 0.99


def compare(page: Page) -> None:
    """Hold the photograph against the person's other attempt; both move together."""
    at(page, "/attempts/still_photo")
    page.keyboard.press("c")
    page.wait_for_selector(".sides")
    page.locator(".stage[data-ready]").nth(1).wait_for()
    page.locator(".time").first.fill("3")
    assert page.locator(".now").all_inner_texts() == ["3.00 s", "3.00 s"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_whole_and_accessible(walk: Watched, site: Site, axe: str, scheme: Literal["light", "dark"]) -> None:
    """At 360 px, on a desk and at 4K, in light and dark: no sideways scrolling, no serious finding of axe-core, no trouble."""
    page = walk.page
    page.emulate_media(color_scheme=scheme)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"sign_in_{scheme}.png")
    findings = {"sign_in": serious(page, axe)}
    signed_in(walk)
    for name, path in {**PAGES, "run": a_run(page, site), "revealed": a_reveal(page)}.items():
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            at(page, path)
            page.screenshot(path=SHOTS / f"{name}_{scheme}_{width}.png", full_page=width < 3840)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width} px"
            if width != 3840:
                findings[f"{name} {width}"] = serious(page, axe)
    assert {name: found for name, found in findings.items() if found} == {}
    assert walk.trouble == []


def a_run(page: Page, site: Site) -> str:
    """Run the site's own profile over a label of each kind; the path of what was found."""
    labels = LabelStore(site.engine)
    labels.add("run-1", attempt_id="astronaut_bona_fide", truth=Truth.BONA_FIDE, analyst="ana", now=ASKED)
    labels.add("run-2", attempt_id="screen_replay", truth=Truth.ATTACK, species="screen_replay", analyst="ana", now=ASKED)
    at(page, "/attempts/astronaut_bona_fide/what-if")
    page.locator("#s-lips_part_min").fill("0.99")
    page.wait_for_selector("#verdict .retry")
    page.get_by_role("button", name="Run on all labelled").click()
    page.wait_for_selector("text=Verdicts that flip")
    return "/" + page.url.split("/", 3)[3]


def a_reveal(page: Page) -> str:
    """Reveal a face; the path of its attempt."""
    at(page, "/attempts/screen_replay")
    page.get_by_label("Why do you need to see it?").fill("case 4711")
    page.get_by_role("button", name="Reveal").click()
    until(page, "document.querySelector('video')?.readyState >= 2")
    return "/attempts/screen_replay"


def serious(page: Page, axe: str) -> list[str]:
    """Return what axe-core finds that is serious or worse."""
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {json.dumps(node['target'])}"
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("name", ["queue", "hostile", "hostile_compare"])
def test_nothing_hostile_runs(walk: Watched, name: str) -> None:
    """Scripts in ids, words, details and metadata are text: no title changes, no element is made, no direction turns."""
    page = signed_in(walk)
    at(page, PAGES[name])
    assert page.title() != "owned"
    assert page.locator("img[src='x'], main script, main b:text-is('h264')").count() == 0
    assert "\u202e" not in page.content()
    assert page.get_by_text("‹U+202E›").count() > 0
    assert walk.trouble == []
