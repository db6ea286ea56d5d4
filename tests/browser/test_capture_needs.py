"""The capture page asks what a person cannot do where the app allows it, and says in `hello` what they answer."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from cameo.v1 import error_reason_pb2
from cameo.v1.session_service_pb2 import NEED_NO_LIGHT, NEED_NO_SPEECH
from cameo_verifier.server.capture_page.page import WEB
from cameo_verifier.server.wire.errors import RequestError
from tests.browser.test_capture import SHOTS, Person, people, person, server

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.scripted import Scripted

__all__ = ["people", "person", "server"]

WORDS = {path.stem: json.loads(path.read_text()) for path in (WEB / "words").glob("*.json")}
ASKS = f"h.{base64.urlsafe_b64encode(json.dumps({'ask_needs': True}).encode()).decode().rstrip('=')}.s"


def test_the_choice_is_told_and_can_be_made_again(people: Callable[..., Person], server: Scripted, axe: str) -> None:
    """By the keyboard, as a group that has a name; where there is no path, nothing is spent and the choice is kept."""
    page = people(token=ASKS, viewport={"width": 360, "height": 740}).open()
    group = page.get_by_role("group", name=WORDS["en"]["needs"]["title"])
    group.wait_for()
    page.evaluate(axe)
    assert page.evaluate("axe.run(document).then((found) => found.violations.map((each) => each.id))") == []
    box = group.get_by_role("checkbox", name=WORDS["en"]["needs"]["NEED_NO_SPEECH"])
    box.focus()
    page.keyboard.press("Space")
    page.screenshot(path=SHOTS / "capture-needs.png")
    page.get_by_role("button", name="Agree and start").click()
    assert list(server.wait("hello").hello.needs) == [NEED_NO_SPEECH]
    server.say(error=RequestError(error_reason_pb2.ERROR_REASON_PATH_UNAVAILABLE, "a test"))
    page.get_by_role("heading", name=WORDS["en"]["troubles"]["noPath"]["title"]).wait_for()
    page.get_by_role("button", name=WORDS["en"]["needs"]["again"]).click()
    box.wait_for()
    assert box.is_checked()
    box.uncheck()
    page.get_by_role("button", name="Agree and start").click()
    assert list(server.welcome().hello.needs) == []


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_who_wants_no_motion_asks_for_no_light(people: Callable[..., Person], server: Scripted, motion: str) -> None:
    """The setting of their system says so, unasked; without the app's leave nobody is asked for more."""
    page = people(reduced_motion=motion).begin()
    assert list(server.welcome().hello.needs) == ([NEED_NO_LIGHT] if motion == "reduce" else [])
    assert page.get_by_role("group").count() == 0


@pytest.mark.parametrize("tag", sorted(WORDS))
def test_each_language_asks(people: Callable[..., Person], tag: str) -> None:
    """In its own words, no wider than a phone."""
    page = people(token=ASKS, locale=tag, viewport={"width": 360, "height": 740}).open()
    for name in ("NEED_NO_SPEECH", "NEED_NO_TURNS", "NEED_NO_LIGHT"):
        page.get_by_role("checkbox", name=WORDS[tag]["needs"][name]).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
