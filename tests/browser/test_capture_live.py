"""The capture page against the real server and models: the studio renders a person in place of camera and recorder.

That is an injection, and what it shows is the flow, not how real people fare. The recorder goes at the server's pace, whatever
the machine's: it waits after each slice until the server has analysed it, and the server's time for live sessions passes with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cameo.v1.attempt_pb2 import VERDICT_ACCEPTED
from cameo.v1.session_service_pb2 import SESSION_STATE_JUDGED
from fixtures.studio import Persona, Voice
from fixtures.studio.live import LivePerson
from tests.browser.live_site import LiveSite, Puppet
from tests.browser.test_capture import SHOTS
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from cameo_verifier.models.kit import ModelKit

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSite]:
    """The server."""
    with LiveSite(tmp_path_factory.mktemp("live")) as opened:
        yield opened


def test_a_person_who_does_as_the_page_says_is_accepted(site: LiveSite, camera_browser: Browser, kit: ModelKit) -> None:
    """The page leads through preparation and every prompt; the app reads the same verdict, with a receipt."""
    created = site.create()
    context = camera_browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.set_default_timeout(1000 * PATIENCE_S)
    page = context.new_page()
    person = LivePerson(Persona.ASTRONAUT, Voice.REED, seed=5, kit=kit)
    puppet = Puppet(person, site.time, LivePerson.answer)
    puppet.sit_down(page)
    page.goto(site.url(created.capture_token))
    page.get_by_role("button", name="Agree and start").click()
    page.get_by_text("Say aloud").or_(page.get_by_text("Turn your head")).first.wait_for()
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "capture-live-prompt.png")
    page.locator("cameo-capture[state=result], cameo-capture[state=trouble]").wait_for()
    page.screenshot(path=SHOTS / "capture-live-result.png")
    found = site.session(created.session.id)
    assert len(puppet.steps) == 5, found
    assert (found.session.state, found.result.attempt.verdict) == (SESSION_STATE_JUDGED, VERDICT_ACCEPTED), found
    assert found.result.receipt.token
    page.get_by_role("heading", name="Done. It is you").wait_for()
    context.close()
