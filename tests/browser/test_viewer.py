"""The viewer of one attempt in a real browser: stage beside lanes, from a check to its moment, frames, zoom, speed, help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.browser.conftest import SHOTS
from tests.browser.test_console import at, serious, signed_in, until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Watched


SPREAD = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const green = data.filter((_, at) => at % 4 === 1);
  const mean = green.reduce((sum, value) => sum + value, 0) / green.length;
  return Math.sqrt(green.reduce((sum, value) => sum + (value - mean) ** 2, 0) / green.length);
}"""
"""Deviation of what is drawn on a canvas, in levels."""


def box(found: Locator) -> dict[str, float]:
    """Return where an element is drawn."""
    drawn: Any = found.bounding_box()
    assert drawn is not None
    return dict(drawn)


def revealed(page: Page, attempt: str) -> None:
    """Open an attempt and reveal its face."""
    at(page, f"/attempts/{attempt}")
    page.get_by_label("Why do you need to see it?").fill("case 4711")
    page.get_by_role("button", name="Reveal").click()
    until(page, "document.querySelector('video')?.readyState >= 2")
    page.locator(".stage[data-ready]").wait_for()


def seconds(page: Page) -> float:
    """Return the moment that the stage shows."""
    return float(page.locator(".now").first.inner_text().removesuffix(" s"))


@pytest.mark.parametrize("path", ["/attempts/still_photo", "/attempts/screen_replay", "/attempts/still_photo/compare"])
def test_stage_and_lanes_are_in_view_together(walk: Watched, path: str) -> None:
    """On a laptop, wherever the page is scrolled to among the lanes."""
    page = signed_in(walk)
    at(page, path)
    page.locator(".axis").first.evaluate("axis => axis.scrollIntoView()")
    stage, axis = box(page.locator(".stage").first), box(page.locator(".axis").first)
    assert stage["y"] >= 0
    assert stage["y"] + stage["height"] <= 900
    assert min(axis["y"] + axis["height"], 900) - max(axis["y"], 0) >= 0.5 * min(axis["height"], 900)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"viewer_{path.replace('/', '_')}.png")
    page.set_viewport_size({"width": 360, "height": 780})
    stage, axis = box(page.locator(".stage").first), box(page.locator(".axis").first)
    assert axis["x"] < stage["x"] + stage["width"]


def test_a_check_leads_to_its_moment(walk: Watched) -> None:
    """A click under a check moves stage and lanes there, marks its lane, and leaves the stage in view; so does a lane's link."""
    page = signed_in(walk)
    at(page, "/attempts/still_photo")
    first = page.locator(".check.against").first
    moment = first.locator(".moment").first
    moment.click()
    assert seconds(page) == pytest.approx(float(moment.get_attribute("data-at") or "nan"), abs=0.006)
    assert page.locator(".row.lit").get_attribute("data-place") == moment.get_attribute("data-place") == "picture"
    stage, lane = box(page.locator(".stage")), box(page.locator(".row.lit"))
    assert stage["y"] >= 0
    assert 0 <= lane["y"] < 900
    cursor = page.locator(".cursor").first.get_attribute("x1")
    assert cursor != "10"
    depth = page.locator(".check", has=page.get_by_role("heading", name="Depth", exact=True))
    depth.get_by_role("link", name="Depth against turn").click()
    assert page.locator(".picture.lit").get_attribute("id") == "picture-depth"
    assert 0 <= box(page.locator("#picture-depth"))["y"] < 900
    page.locator(".check").get_by_role("link", name="Head", exact=True).first.click()
    assert page.locator(".lit").get_attribute("data-place") == "head"
    assert walk.trouble == []


def test_frames_are_stepped_one_by_one(walk: Watched) -> None:
    """By comma and full stop, arrows and buttons: one analysed frame each, of the video too."""
    page = signed_in(walk)
    revealed(page, "screen_replay")
    times = page.request.get(page.url.partition("?")[0] + "/overlay").json()["times"]
    page.locator("h1").click()
    for keys, row in ((".", 1), (".", 2), ("ArrowRight", 3), (",", 2), ("ArrowLeft", 1), (",", 0), (",", 0)):
        page.keyboard.press(keys)
        assert seconds(page) == pytest.approx(times[row], abs=0.011), keys
    page.get_by_role("button", name="Next frame").click()
    page.get_by_role("button", name="Next frame").click()
    page.get_by_role("button", name="Previous frame").click()
    assert seconds(page) == pytest.approx(times[1], abs=0.011)
    until(page, f"Math.abs(document.querySelector('video').currentTime - {times[1]}) < 0.01")
    assert walk.trouble == []


def test_speed_and_zoom(walk: Watched) -> None:
    """Slower and faster by keys, as the list says; closer to the face and back, which stays on the stage."""
    page = signed_in(walk)
    revealed(page, "screen_replay")
    page.locator("h1").click()
    for key, rate in (("<", 0.5), ("<", 0.25), (">", 0.5), (">", 1), (">", 2), (">", 2)):
        page.keyboard.press(key)
        assert page.evaluate("document.querySelector('video').playbackRate") == rate
        assert float(page.get_by_label("Speed").input_value()) == rate
    before = box(page.locator(".stage canvas"))
    for _ in range(3):
        page.keyboard.press("+")
    closer, stage = box(page.locator(".stage canvas")), box(page.locator(".stage"))
    assert closer["width"] == pytest.approx(1.5**3 * before["width"], rel=0.02)
    middle = page.evaluate(
        "() => { const f = viewers[0].face(); const s = viewers[0].stage; return [f[0] / s.clientWidth, f[1] / s.clientHeight]; }"
    )
    assert 0.1 < middle[0] < 0.9
    assert 0.1 < middle[1] < 0.9
    page.mouse.move(stage["x"] + 200, stage["y"] + 150)
    page.mouse.down()
    page.mouse.move(stage["x"] + 160, stage["y"] + 130)
    page.mouse.up()
    assert box(page.locator(".stage canvas"))["x"] == pytest.approx(closer["x"] - 40, abs=2)
    page.screenshot(path=SHOTS / "viewer_closer.png")
    page.keyboard.press("0")
    assert box(page.locator(".stage canvas")) == before
    assert walk.trouble == []


def test_the_help_opens_by_key_and_by_button(walk: Watched, axe: str) -> None:
    """A modal dialog with the keys of all pages, which takes the focus, keeps the page's keys out, and gives the focus back."""
    page = signed_in(walk)
    for path in ("/", "/attempts/still_photo"):
        at(page, path)
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keys")
        dialog.wait_for()
        assert dialog.get_by_text("next, previous analysed frame").count() == 1
        assert dialog.get_by_text("label it unsure").count() == 1
        assert page.evaluate("document.activeElement.closest('dialog') !== null")
        assert serious(page, axe) == []
        url = page.url
        page.keyboard.press("w")
        page.keyboard.press("j")
        assert page.url == url
        page.screenshot(path=SHOTS / "viewer_keys.png")
        page.keyboard.press("Escape")
        assert dialog.count() == 0
        button = page.get_by_role("button", name="Keys")
        button.click()
        dialog.get_by_role("button", name="Close").click()
        assert button.evaluate("button => button === document.activeElement")
    page.get_by_label("Note").fill("what?")
    assert page.get_by_role("dialog", name="Keys").count() == 0
    assert walk.trouble == []


def test_frames_are_cut_out_once_the_face_is_shown(walk: Watched) -> None:
    """Before the reveal no request asks for the recording; after it each crop is drawn, and shows what the stage shows."""
    page = signed_in(walk)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    at(page, "/attempts/screen_replay")
    page.locator("#picture-wide").scroll_into_view_if_needed()
    page.locator("#picture-wide .frame").first.click()
    assert page.locator(".frame canvas").count() == 0
    assert [url for url in asked if "/recording" in url] == []
    revealed(page, "screen_replay")
    page.locator("#picture-spectrum .frame").scroll_into_view_if_needed()
    page.locator("#picture-spectrum .frame.drawn").wait_for()
    page.screenshot(path=SHOTS / "viewer_spectrum.png")
    page.locator("#picture-close").scroll_into_view_if_needed()
    page.locator("#picture-close .frame.drawn").first.wait_for()
    for name in ("close", "spectrum"):
        spread = page.locator(f"#picture-{name} .frame.drawn canvas").last.evaluate(SPREAD)
        assert spread > 20, name
    assert walk.trouble == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_lanes_and_pictures_are_whole_and_accessible(walk: Watched, axe: str, scheme: Literal["light", "dark"]) -> None:
    """With everything unfolded, at 360 px, on a desk and at 4K: no sideways scrolling, no serious finding, no trouble."""
    page = signed_in(walk)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    revealed(page, "screen_replay")
    for width, height in ((360, 780), (1440, 900), (3840, 2160)):
        page.set_viewport_size({"width": width, "height": height})
        at(page, "/attempts/screen_replay")
        for folded in page.locator("details").all():
            folded.evaluate("folded => { folded.open = true; }")
        page.locator("#picture-edges").scroll_into_view_if_needed()
        page.locator("#picture-edges .frame.drawn").first.wait_for()
        page.screenshot(path=SHOTS / f"viewer_all_{scheme}_{width}.png", full_page=width < 3840)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width < 3840:
            assert serious(page, axe) == []
    assert walk.trouble == []
