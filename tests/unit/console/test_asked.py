"""The challenge and the hints on the attempt's page."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from cameo_verifier.reasons import Reason
from cameo_verifier.server.wire.convert import attempt as message
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from tests.conftest import ASKED

if TYPE_CHECKING:
    from tests.unit.console.conftest import Visitor
    from tests.unit.store.evidence_site import Site


def section(text: str) -> str:
    """Return the part of the page that says what was asked."""
    found = re.search(r'<section class="panel" id="asked".*?</section>', text, re.DOTALL)
    assert found is not None
    return found[0]


def test_the_page_says_what_was_asked_and_when(lead: Visitor, site: Site) -> None:
    """Every prompt in its order, when the challenge was issued, until when it held, and when it was answered."""
    asked = section(lead.get("/attempts/still_photo").text)
    kept = ChallengeStore(site.engine).get("c-still_photo").challenge
    shown = re.findall(r'<span class="soft">(say|turn)</span> <b><bdi>([^<]+)</bdi></b>', asked)
    assert shown == [("say", step.text) if hasattr(step, "text") else ("turn", step.turn.value) for step in kept.steps]
    assert len(shown) > 2
    answered = ASKED + timedelta(seconds=25)
    assert f"In <code>en</code>, issued {ASKED:%Y-%m-%d %H:%M:%S}" in asked
    assert f"answered {answered:%Y-%m-%d %H:%M:%S}, after 25.0 s" in asked


def test_the_page_says_the_hint_that_the_person_got(lead: Visitor, site: Site) -> None:
    """It is the sentence that the app is sent, word for word; an attempt that was accepted had none."""
    attempt = AttemptStore(site.engine).get("still_photo")
    assert message(attempt, full=False).hint == attempt.reasons[0].hint == Reason.FROZEN_OR_LOOPED.hint
    assert f"<q>{Reason.FROZEN_OR_LOOPED.hint}</q>".replace("'", "&#39;") in section(lead.get("/attempts/still_photo").text)
    accepted = section(lead.get("/attempts/astronaut_bona_fide").text)
    assert "<q>" not in accepted
    assert "No hint." in accepted
