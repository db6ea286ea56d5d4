"""The capture page where something is in the way: each trouble has words of its own, and a way on where there is one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from cameo.v1 import error_reason_pb2
from cameo.v1.challenge_pb2 import Step
from cameo.v1.error_reason_pb2 import ErrorReason
from cameo.v1.session_service_pb2 import (
    GUIDANCE_CODE_SILENT_MICROPHONE,
    GUIDANCE_CODE_TOO_FEW_PICTURES,
    Guidance,
    Prompt,
    Start,
    Stop,
)
from cameo_verifier.server.capture_page.page import WEB
from cameo_verifier.server.wire.errors import RequestError
from tests.browser.test_capture import SHOTS, Person, people, person, server

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.scripted import Scripted

__all__ = ["people", "person", "server"]

WORDS = json.loads((WEB / "words" / "en.json").read_text())["troubles"]
MEDIA = "navigator.mediaDevices"
FAILS = """
  const found = {found};
  {media}.getUserMedia = () => Promise.reject(new DOMException("a test", "{name}"));
  {media}.enumerateDevices = async () => found.map((kind) => ({{ kind, deviceId: kind, label: kind }}));
"""


def shows(page: Page, trouble: str) -> None:
    """Wait for a trouble's words, and take a picture of the first of each."""
    page.get_by_role("heading", name=WORDS[trouble]["title"]).wait_for()
    assert page.get_by_text(WORDS[trouble]["text"]).count() == 1
    page.screenshot(path=SHOTS / f"capture-trouble-{trouble}.png")


@pytest.mark.parametrize(
    ("name", "found", "trouble"),
    [
        ("NotFoundError", [], "noCamera"),
        ("NotFoundError", ["audioinput"], "noCamera"),
        ("NotFoundError", ["videoinput"], "noMicrophone"),
        ("OverconstrainedError", ["videoinput"], "noMicrophone"),
        ("NotAllowedError", ["videoinput", "audioinput"], "refused"),
        ("NotReadableError", ["videoinput", "audioinput"], "inUse"),
        ("AbortError", ["videoinput", "audioinput"], "inUse"),
    ],
)
def test_a_camera_that_cannot_be_opened(person: Person, name: str, found: list[str], trouble: str) -> None:
    """The browser's error in words; the button tries the same session again."""
    person.page.add_init_script(FAILS.format(media=MEDIA, name=name, found=found))
    shows(person.begin(), trouble)
    assert person.page.get_by_role("button", name="Try again").count() == 1


ELSEWHERE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/130.0.0.0 Mobile Safari/537.36 Instagram 300.0"
)


@pytest.mark.parametrize(
    ("lacks", "agent", "trouble"),
    [
        ("MediaRecorder.isTypeSupported = () => false", None, "noCodec"),
        ("delete window.MediaRecorder", None, "oldBrowser"),
        (f"Object.defineProperty({MEDIA}, 'getUserMedia', {{ value: undefined }})", None, "oldBrowser"),
        (f"Object.defineProperty({MEDIA}, 'getUserMedia', {{ value: undefined }})", ELSEWHERE, "webView"),
        ("Object.defineProperty(window, 'isSecureContext', { value: false })", None, "insecure"),
        ("Object.defineProperty(navigator, 'onLine', { value: false })", None, "offline"),
    ],
)
def test_a_browser_that_cannot_capture(people: Callable[..., Person], lacks: str, agent: str | None, trouble: str) -> None:
    """It is said at once, before anybody agrees to anything."""
    someone = people(user_agent=agent) if agent else people()
    someone.page.add_init_script(lacks)
    shows(someone.open(), trouble)


def test_a_link_without_a_token(people: Callable[..., Person]) -> None:
    """It is not complete."""
    shows(people(token="").open(), "badLink")


@pytest.mark.parametrize(
    ("reason", "trouble"),
    [
        ("SESSION_EXPIRED", "expired"),
        ("CALLER_TOKEN_REFUSED", "expired"),
        ("SESSION_USED", "used"),
        ("SESSION_IN_USE", "inUseElsewhere"),
        ("SESSION_UNKNOWN", "badLink"),
        ("UPLOAD_TOO_SLOW", "tooSlow"),
        ("PREPARATION_TOO_LONG", "tooLong"),
        ("OVERLOADED", "overloaded"),
        ("PATH_UNAVAILABLE", "noPath"),
        ("SERVER_FAULT", "failed"),
    ],
)
def test_what_the_server_refuses(person: Person, server: Scripted, reason: str, trouble: str) -> None:
    """Its reason in words; a delay with its seconds, and the same session again where nothing is spent."""
    page = person.begin()
    server.wait("hello")
    server.say(
        error=RequestError(
            ErrorReason.Value(f"ERROR_REASON_{reason}"), "a test", retry_after_s=7.2 if reason == "OVERLOADED" else 0
        )
    )
    shows(page, trouble)
    if reason == "OVERLOADED":
        assert page.get_by_text("Try again in 8 seconds.").count() == 1
        page.get_by_role("button", name="Try again").click()
        server.welcome()
        page.get_by_text("Look at the camera").wait_for()


def test_a_connection_that_breaks_before_the_first_prompt_is_made_again(person: Person, server: Scripted) -> None:
    """The camera stays open; a server that has not noticed yet is asked again; nobody has to press anything."""
    page = person.begin()
    server.welcome()
    server.wait_for_media()
    server.drop()
    server.wait("hello")
    server.say(error=RequestError(error_reason_pb2.ERROR_REASON_SESSION_IN_USE, "not noticed yet"))
    server.welcome()
    server.wait_for_media()
    page.get_by_text("Look at the camera").wait_for()
    assert len(server.tokens) == 3


NO_SERVER = """() => {
  window.WebSocket = class extends EventTarget {
    constructor() { super(); setTimeout(() => this.dispatchEvent(new Event("close"))); }
    close() {}
  }
}"""


def test_a_connection_that_stays_away_is_given_up(person: Person, server: Scripted) -> None:
    """After five seconds of the page's clock, which this test moves."""
    page = person.page
    page.add_init_script(
        "const now = performance.now.bind(performance); window.later = 0; performance.now = () => now() + window.later;"
    )
    person.begin()
    server.welcome()
    server.wait_for_media()
    page.evaluate(NO_SERVER)
    server.drop()
    page.get_by_text("The connection broke. Connecting again").wait_for()
    page.evaluate("window.later = 6000")
    shows(page, "unreachable")


def test_a_connection_that_breaks_after_the_first_prompt_ends_it(person: Person, server: Scripted) -> None:
    """An answer with a hole cannot be judged: the app begins again."""
    page = person.begin()
    server.welcome()
    server.say(start=Start())
    server.wait("started")
    server.say(prompt=Prompt(number=0, step=Step(say="one two")))
    server.wait("shown")
    server.drop()
    shows(page, "lost")
    assert page.get_by_role("button", name="Back to the app").count() == 1


def test_a_connection_that_breaks_after_the_answer_says_that_it_was_sent(person: Person, server: Scripted) -> None:
    """Nothing is to be done again."""
    page = person.begin()
    server.welcome()
    server.say(start=Start())
    server.wait("started")
    server.say(stop=Stop())
    server.wait("bye")
    server.drop()
    shows(page, "lostAfter")


@pytest.mark.parametrize(
    ("code", "trouble"),
    [(GUIDANCE_CODE_SILENT_MICROPHONE, "silentMicrophone"), (GUIDANCE_CODE_TOO_FEW_PICTURES, "slowCamera")],
)
def test_what_moving_does_not_mend_is_said_after_a_while(person: Person, server: Scripted, code: int, trouble: str) -> None:
    """A silent microphone and a slow camera: first as guidance, then in words of their own, when ten seconds have passed."""
    page = person.page
    page.add_init_script(
        "const wait = setTimeout; window.setTimeout = (does, ms, ...rest) => wait(does, ms === 10000 ? 0 : ms, ...rest)"
    )
    person.begin()
    server.welcome()
    server.say(guidance=Guidance(codes=[code]))
    shows(page, trouble)
    page.get_by_role("button", name="Try again").click()
    server.welcome()


def test_each_trouble_is_told_in_each_language() -> None:
    """Every data file has the same texts, none of them empty, with the same places for numbers."""
    english = flat(json.loads((WEB / "words" / "en.json").read_text()))
    files = sorted((WEB / "words").glob("*.json"))
    assert {path.stem for path in files} == set(re.findall(r"(\w\w): \"", (WEB / "words.js").read_text()))
    for path in files:
        texts = flat(json.loads(path.read_text()))
        assert texts.keys() == english.keys(), path.stem
        for name, text in texts.items():
            assert text.strip(), (path.stem, name)
            assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", english[name])), (path.stem, name)


def flat(texts: dict[str, object], prefix: str = "") -> dict[str, str]:
    """Return the texts by their path."""
    found: dict[str, str] = {}
    for name, value in texts.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": str(value)}
    return found
