"""A session that ends while somebody writes, in a real browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cameo_verifier.store.attempts.labels import LabelStore
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.sign_in_tokens import SignInTokenStore
from tests.browser.conftest import SHOTS
from tests.browser.test_console import at, serious, signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Watched
    from tests.unit.store.evidence_site import Site

NOTE = "two hours of work:\nthe second voice is a radio"


def sign_in_again(page: Page, site: Site) -> None:
    """Follow the page's link to another tab and sign in there as ann, by a token of her own."""
    named = SignInTokenStore(site.engine, site.room.audit)
    reader, now = Reader("root", "a test"), datetime.now(UTC)
    _, token = named.make("ann", "analyst", lasts=timedelta(hours=1), reader=reader, now=now)
    with page.expect_popup() as opening:
        page.get_by_role("link", name="Sign in in a new tab").click()
    tab = opening.value
    tab.get_by_label("Token").fill(token)
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url("**/attempts/wrong_words")
    page.get_by_text("You are signed in as ann.").wait_for()
    tab.close()


def test_nothing_written_is_lost_when_the_session_ends(walk: Watched, site: Site, axe: str) -> None:
    """The form comes back whole; after signing in in another tab one press sends it, under the name that signed in."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page = signed_in(walk)
    at(page, "/attempts/wrong_words")
    page.locator("input[value=attack]").check()
    page.get_by_label("Species of an attack").fill("wrong_words")
    page.get_by_label("Note").fill(NOTE)
    page.context.clear_cookies()
    page.get_by_role("button", name="Keep label").click()
    page.get_by_role("heading", name="Not sent yet").wait_for()
    assert page.get_by_label("Note").input_value() == NOTE
    for scheme, width in (("light", 1440), ("dark", 360), ("light", 3840)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # one of the two
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=SHOTS / f"late_{scheme}_{width}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious(page, axe) == []
    sign_in_again(page, site)
    page.get_by_role("button", name="Send again").click()
    page.wait_for_url("**/attempts/wrong_words#labels")
    label = LabelStore(site.engine).history("wrong_words")[-1]
    assert (label.truth.value, label.species, label.note.replace("\r\n", "\n"), label.analyst) == (
        "attack",
        "wrong_words",
        NOTE,
        "ann",
    )
    # The refusal is what this is about.
    assert [each for each in walk.trouble if "401" not in each] == []


def test_sliders_go_on_after_signing_in_in_another_tab(walk: Watched, site: Site) -> None:
    """A page that stays open takes the token of the new session: what was set is judged, without reloading."""
    page = signed_in(walk)
    at(page, "/attempts/wrong_words/what-if")
    page.context.clear_cookies()
    page.locator("#s-lips_part_min").fill("0.99")
    page.get_by_text("Not judged: you are signed out.").wait_for()
    named = SignInTokenStore(site.engine, site.room.audit)
    _, token = named.make("ben", "lead", lasts=timedelta(hours=1), reader=Reader("root", "a test"), now=datetime.now(UTC))
    before = page.locator("body").get_attribute("data-csrf")
    tab = page.context.new_page()
    tab.goto("/".join(page.url.split("/")[:3]) + "/sign-in")
    tab.get_by_label("Token").fill(token)
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_selector("#queue")
    page.wait_for_selector(f"body:not([data-csrf='{before}'])")
    page.locator("#s-lips_part_min").fill("0.98")
    page.get_by_text("Moved: lips part min.").wait_for()
    tab.close()
    assert [each for each in walk.trouble if "401" not in each and "403" not in each] == []
