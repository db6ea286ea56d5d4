"""What the capture page does with a display: colours, languages, reading order, the keyboard; and its package."""

from __future__ import annotations

import json
import subprocess
import tarfile
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from cameo.v1.attempt_pb2 import VERDICT_ACCEPTED, VERDICT_RETRY
from cameo.v1.challenge_pb2 import TURN_LEFT, Step
from cameo.v1.reason_pb2 import REASON_BLURRED, REASON_CHALLENGE_SPENT
from cameo.v1.session_service_pb2 import GUIDANCE_CODE_TOO_DARK, Guidance, Light, Prompt, Start, Stop
from cameo_verifier.server.capture_page.page import WEB
from tests.browser.test_capture import SHOTS, Person, people, person, server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.scripted import Scripted

__all__ = ["people", "person", "server"]

COLOURS = (0xD02020, 0x20A040, 0x2A6FDB, 0xE0C020, 0x808080)
WATCH = """
  window.lit = [];
  new MutationObserver(() => {}).observe(document, { childList: true });
  const set = CSSStyleDeclaration.prototype.setProperty;
  CSSStyleDeclaration.prototype.setProperty = function (name, value) {
    if (name === "--light") window.lit.push([performance.now(), value]);
    set.call(this, name, value);
  };
"""

FOCUSED = """() => {
  let at = document.activeElement;
  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at.textContent;
}"""


def begun(someone: Person, server: Scripted) -> None:
    """Come as far as the first prompt."""
    someone.begin()
    server.welcome()
    server.say(start=Start())
    server.wait("started")
    server.say(prompt=Prompt(number=0, step=Step(say="seven zero marble")))
    server.wait("shown")


def test_colours_never_flash(person: Person, server: Scripted) -> None:
    """However fast they come, each stays for 475 ms of the page's clock, and each is confirmed when it is shown."""
    person.page.add_init_script(WATCH)
    begun(person, server)
    for number, rgb in enumerate(COLOURS):
        server.say(light=Light(number=number, rgb=rgb))
    shown = [server.wait("shown").shown for _ in COLOURS]
    assert [(each.number, each.colour) for each in shown] == [(number, True) for number in range(len(COLOURS))]
    lit = person.page.evaluate("window.lit")
    assert [value for _, value in lit] == [f"#{rgb:06x}" for rgb in COLOURS]
    assert min(after - before for (before, _), (after, _) in pairwise(lit)) >= 475
    assert person.page.locator(".stage").evaluate("stage => getComputedStyle(stage).backgroundColor") == "rgb(128, 128, 128)"
    server.say(stop=Stop())
    server.wait("bye")


def test_who_wants_no_motion_sees_no_colours(people: Callable[..., Person], server: Scripted) -> None:
    """They are neither shown nor confirmed; what comes after is."""
    someone = people(reduced_motion="reduce")
    begun(someone, server)
    server.say(light=Light(number=0, rgb=COLOURS[0]))
    server.say(prompt=Prompt(number=1, step=Step(turn=TURN_LEFT)))
    shown = server.wait("shown").shown
    assert (shown.number, shown.colour) == (1, False)
    assert someone.page.locator(".stage[data-lit]").count() == 0


@pytest.mark.parametrize("tag", sorted(path.stem for path in (WEB / "words").glob("*.json")))
def test_each_language_from_end_to_end(people: Callable[..., Person], server: Scripted, tag: str) -> None:
    """On a phone, by the browser's language: nothing is wider than the screen, and the reader is told the language."""
    words = json.loads((WEB / "words" / f"{tag}.json").read_text())
    someone = people(locale=tag, viewport={"width": 360, "height": 740})
    page = someone.open()
    button = page.get_by_role("button", name=words["intro"]["begin"])
    button.wait_for()
    assert page.evaluate("document.documentElement.lang") == tag
    page.screenshot(path=SHOTS / f"capture-intro-{tag}.png")
    button.click()
    server.welcome()
    server.say(guidance=Guidance(codes=[GUIDANCE_CODE_TOO_DARK]))
    page.get_by_text(words["guidance"]["GUIDANCE_CODE_TOO_DARK"]).wait_for()
    page.screenshot(path=SHOTS / f"capture-guidance-{tag}.png")
    server.say(start=Start())
    server.wait("started")
    server.say(prompt=Prompt(number=0, step=Step(turn=TURN_LEFT)))
    server.wait("shown")
    page.screenshot(path=SHOTS / f"capture-turn-{tag}.png")
    server.say(stop=Stop())
    server.wait("bye")
    server.end(verdict=VERDICT_ACCEPTED)
    page.get_by_role("heading", name=words["results"]["accepted"]["title"]).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_hint_is_in_the_pages_language(people: Callable[..., Person], server: Scripted) -> None:
    """A German page before an English session; a hint that only a newer server knows is marked as English."""
    words = json.loads((WEB / "words" / "de.json").read_text())
    for reason, shown, lang in (
        (REASON_BLURRED, words["hints"]["REASON_BLURRED"], "de"),
        (REASON_CHALLENGE_SPENT, "Ask for another one.", "en"),
    ):
        page = people(locale="de").open()
        page.get_by_role("button", name=words["intro"]["begin"]).click()
        server.welcome()
        server.end(verdict=VERDICT_RETRY, reasons=[reason], hint="Ask for another one.", hint_language="en", again=True)
        page.get_by_text(shown).wait_for()
        assert page.locator(".lead").evaluate("(lead) => lead.closest('[lang]').lang") == lang


@pytest.mark.parametrize("width", [360, 1440])
def test_right_to_left(people: Callable[..., Person], server: Scripted, width: int) -> None:
    """The page reads from the right; an arrow to the person's left stands and points to the left of the mirror."""
    someone = people(viewport={"width": width, "height": 800})
    someone.url += "&dir=rtl"
    page = someone.begin_after(lambda: someone.page.screenshot(path=SHOTS / f"capture-intro-{width}-rtl.png"))
    server.welcome()
    server.say(start=Start())
    server.wait("started")
    server.say(prompt=Prompt(number=1, step=Step(turn=TURN_LEFT)))
    server.wait("shown")
    page.screenshot(path=SHOTS / f"capture-turn-{width}-rtl.png")
    assert page.locator(".icon.arrow path").get_attribute("transform") is None
    arrow = page.locator(".icon.arrow").bounding_box()
    words = page.locator(".big span").bounding_box()
    assert arrow is not None
    assert words is not None
    assert arrow["x"] < words["x"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_all_of_it_by_keyboard_and_by_ear(person: Person, server: Scripted) -> None:
    """Tab and Enter reach everything; each screen's heading takes the focus; what to do is told at once."""
    page = person.open()
    page.get_by_role("button", name="Agree and start").wait_for()
    seen = []
    for _ in range(8):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUSED).strip())
        if seen[-1] == "Agree and start":
            break
    assert seen[-1] == "Agree and start", seen
    page.keyboard.press("Enter")
    server.welcome()
    page.get_by_text("Look at the camera").wait_for()
    assert page.evaluate(FOCUSED) == "Camera"
    assert page.get_by_role("status").get_attribute("aria-live") == "assertive"
    server.say(start=Start())
    server.wait("started")
    server.say(prompt=Prompt(number=0, step=Step(say="one two")))
    server.wait("shown")
    assert "one two" in (page.get_by_role("status").text_content() or "")
    server.say(stop=Stop())
    server.wait("bye")
    server.end(verdict=VERDICT_RETRY, again=True, hint="Speak louder.")
    page.get_by_role("heading", name="That did not quite work").wait_for()
    assert page.evaluate(FOCUSED) == "That did not quite work"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("about:blank#the-app")


def test_the_package_holds_the_component_and_nothing_of_the_page(tmp_path: Path) -> None:
    """What `npm pack` makes: modules, style, types and texts, without a dependency; every module it imports is in it."""
    packed = subprocess.run(
        ["npm", "pack", "--json", "--pack-destination", str(tmp_path), str(WEB)],  # noqa: S607 - the system's own
        check=True,
        capture_output=True,
        text=True,
    )
    [told] = json.loads(packed.stdout)
    with tarfile.open(tmp_path / told["filename"]) as archive:
        names = {name.removeprefix("package/") for name in archive.getnames()}
        package = json.load(archive.extractfile("package/package.json"))  # type: ignore[arg-type]
    modules = {"cameo-capture.js", "camera.js", "lights.js", "recorder.js", "sealer.js", "stream.js", "view.js", "words.js"}
    texts = {f"words/{path.name}" for path in (WEB / "words").glob("*.json")}
    assert names == modules | texts | {"cameo-capture.css", "cameo-capture.d.ts", "package.json", "README.md"}
    assert "dependencies" not in package
    assert package["exports"]["."]["default"] == "./cameo-capture.js"
