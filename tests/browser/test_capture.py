"""The capture page in Chromium with its own fake camera, against a server whose part the test plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from cameo.v1.attempt_pb2 import VERDICT_ACCEPTED, VERDICT_RETRY
from cameo.v1.challenge_pb2 import TURN_LEFT, Step
from cameo.v1.session_service_pb2 import (
    GUIDANCE_CODE_COME_CLOSER,
    GUIDANCE_CODE_TOO_DARK,
    Guidance,
    Light,
    Progress,
    Prompt,
    Start,
    Stop,
)
from cameo_verifier.server.capture_page import page as served
from tests.browser.scripted import ScriptedSite
from tests.conftest import ROOT
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page, Response

    from tests.browser.scripted import Scripted


SHOTS = ROOT / "build" / "screenshots"


@pytest.fixture
def server() -> Iterator[Scripted]:
    """The server whose part the test plays."""
    with ScriptedSite() as part:
        yield part


class Person:
    """Somebody with a browser on the capture page; everything that goes wrong in it is written down."""

    def __init__(self, browser: Browser, server: Scripted, *, token: str = "t", **context: Any) -> None:  # noqa: S107 - no secret
        self.context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", **context})
        self.context.set_default_timeout(1000 * PATIENCE_S)
        self.page: Page = self.context.new_page()
        self.trouble: list[str] = []
        self.page.on("console", lambda message: self.trouble.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        own = f"http://{server.address}/"
        self.page.on("request", lambda r: None if r.url.startswith(own) else self.trouble.append(f"elsewhere: {r.url}"))
        self.url = f"{own}capture#{token}"

    def open(self) -> Page:
        """Open the page, from a page of the app."""
        self.page.goto("about:blank#the-app")
        self.page.goto(self.url)
        return self.page

    def begin(self) -> Page:
        """Open the page, and press the button."""
        return self.begin_after(lambda: None)

    def begin_after(self, look: Callable[[], None]) -> Page:
        """Open the page, look at it, and press the button."""
        button = self.open().get_by_role("button", name="Agree and start")
        button.wait_for()
        look()
        button.click()
        return self.page


@pytest.fixture
def people(camera_browser: Browser, server: Scripted) -> Iterator[Callable[..., Person]]:
    """Return a function that opens a browser of somebody whose camera is Chromium's fake device."""
    opened: list[Person] = []

    def open_(**context: Any) -> Person:
        opened.append(Person(camera_browser, server, **context))
        return opened[-1]

    yield open_
    for someone in opened:
        someone.context.close()


@pytest.fixture
def person(people: Callable[..., Person]) -> Person:
    """Somebody at a desk."""
    return people()


def test_a_session_from_the_first_screen_to_the_verdict(person: Person, server: Scripted) -> None:
    """Consent, camera, guidance, a new recording at `start`, each prompt confirmed when it is on the screen, the verdict."""
    page = person.begin()
    hello = server.welcome().hello
    assert server.tokens == ["t"]
    assert (hello.mime_type, hello.track_settings["width"]) == ("video/webm;codecs=vp8,opus", "1280")
    server.wait_for_media()
    server.say(guidance=Guidance(codes=[GUIDANCE_CODE_TOO_DARK]))
    page.get_by_text("More light on your face, please").wait_for()
    server.say(guidance=Guidance())
    page.get_by_text("Good. Stay like this").wait_for()

    server.say(start=Start())
    assert server.wait("started").started.client_ms > 0
    server.wait_for_media()
    server.say(prompt=Prompt(number=0, step=Step(say="seven zero marble")))
    page.get_by_text("seven zero marble").wait_for()
    first = server.wait("shown").shown
    assert (first.number, first.colour, first.media_ms > 0) == (0, False, True)
    server.say(progress=Progress(analysed_ms=900, done=1))
    server.say(prompt=Prompt(number=1, step=Step(turn=TURN_LEFT)))
    page.get_by_text("to your left").wait_for()
    assert server.wait("shown").shown.number == 1
    assert page.get_by_role("progressbar").get_attribute("aria-valuenow") == "1"

    server.say(stop=Stop())
    server.wait("bye")
    assert server.media > 0
    page.get_by_role("heading", name="Thank you").wait_for()
    server.end(verdict=VERDICT_ACCEPTED, attempt_id="a")
    page.get_by_role("heading", name="Done. It is you").wait_for()
    assert person.trouble == []
    assert server.sealed > 3, "each slice and the end"


def test_a_browser_that_makes_no_key_seals_nothing(person: Person, server: Scripted) -> None:
    """The session goes on as it did."""
    person.page.add_init_script("SubtleCrypto.prototype.generateKey = () => Promise.reject(new Error('none'))")
    person.begin()
    assert not server.welcome().hello.seal_key
    server.wait_for_media()
    assert server.sealed == 0
    assert person.trouble == []


def test_the_browser_is_told_to_load_nothing_from_elsewhere(person: Person) -> None:
    """The page and each of its files come with the same headers, of which the browser enforces the policy."""
    answers: list[Response] = []
    person.page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - a list's own method takes no mark
    person.open().get_by_role("button", name="Agree").wait_for()
    assert len(answers) > 8
    for answer in answers:
        headers = {name: answer.headers.get(name.lower()) for name in served.HEADERS}
        assert headers == served.HEADERS, answer.url
    tried = person.page.evaluate(
        """async () => {
          const came = (url) => fetch(url).then(() => 'came', () => 'refused');
          const script = document.createElement('script');
          try { script.textContent = 'window.owned = 1'; document.body.append(script) } catch {}
          return [await came('https://example.com/'), typeof window.owned]
        }"""
    )
    assert tried == ["refused", "undefined"]


SIZES = {360: 740, 1440: 900, 3840: 2160}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", SIZES)
def test_it_fits_and_anyone_can_use_it(
    people: Callable[..., Person], server: Scripted, axe: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    """Each screen at three widths in both schemes: nothing is wider than the window, WCAG 2.2 AA by axe, a picture of each."""
    someone = people(viewport={"width": width, "height": SIZES[width]}, color_scheme=scheme)
    page = someone.page
    page.add_init_script(axe)

    def look(screen: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"capture-{screen}-{width}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), screen
        rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = page.evaluate("rules => axe.run(document, {runOnly: rules}).then(found => found.violations)", rules)
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == [], screen

    someone.begin_after(lambda: look("intro"))
    server.welcome(prompts=5)
    server.wait_for_media()
    server.say(guidance=Guidance(codes=[GUIDANCE_CODE_COME_CLOSER]))
    page.get_by_text("Come closer").wait_for()
    look("guidance")
    server.say(guidance=Guidance())
    page.get_by_text("Good. Stay like this").wait_for()
    look("ready")
    server.say(start=Start())
    server.wait("started")
    server.say(prompt=Prompt(number=0, step=Step(say="seven zero marble")))
    server.wait("shown")
    look("say")
    server.say(progress=Progress(done=1))
    server.say(prompt=Prompt(number=1, step=Step(turn=TURN_LEFT)))
    server.wait("shown")
    look("turn")
    server.say(light=Light(number=0, rgb=0x2A6FDB))
    server.wait("shown")
    look("light")
    server.say(stop=Stop())
    server.wait("bye")
    page.get_by_role("heading", name="Thank you").wait_for()
    look("judging")
    server.end(verdict=VERDICT_RETRY, hint="Face the light, and look at the camera.", again=True)
    page.get_by_role("button", name="Try again").wait_for()
    look("retry")
