"""What the browser of a live session said about itself, on the attempt's page."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.review.browser_facts import facts, misfits
from cameo_verifier.types import MediaInfo
from tests.unit.review.stored import add_session

if TYPE_CHECKING:
    from typing import Any

    from tests.unit.console.conftest import Visitor
    from tests.unit.store.evidence_site import Site

HELLO = {
    "user_agent": "Mozilla/5.0 <b>Firefox/140.0",
    "mime_type": "video/webm;codecs=vp8,opus",
    "track_settings": {"width": "1280", "height": "720", "frameRate": "30", "facingMode": "user"},
    "display": [390, 844],
    "display_hz": 60.0,
}
MISFIT = "states webm, sends mp4 <i>"
MEDIA = MediaInfo("webm", 1000, "0" * 64, 10.0, width=720, height=1280, fps=25.0)


def test_what_fits_the_recording_is_not_marked() -> None:
    """An upright phone, in the dark; what is unknown is left out, and an upload has said nothing."""
    found = facts(HELLO, MEDIA)
    assert [fact.name for fact in found if fact.doubt] == []
    assert [fact.name for fact in found][2:] == [
        "camera's picture",
        "camera's rate",
        "camera's facingMode",
        "display",
        "display's refresh",
    ]
    assert [fact.name for fact in facts({"user_agent": "x"}, None)] == ["user agent"]
    assert facts(None, MEDIA) == ()
    assert (misfits(None), misfits(HELLO), misfits(HELLO | {"misfits": ["states webm"]})) == ((), (), ("states webm",))


@pytest.mark.parametrize(
    ("name", "said", "media"),
    [
        ("recorder", {}, {"container": "mp4"}),
        ("recorder", {"mime_type": "video/mp4"}, {"container": "mp4"}),
        ("camera's picture", {}, {"width": 640, "height": 480}),
        ("camera's rate", {}, {"fps": 60.0}),
        ("container and codecs", {"misfits": ["states vp8, sends vp9"]}, {}),
    ],
)
def test_what_does_not_fit_is_marked(name: str, said: dict[str, Any], media: dict[str, Any]) -> None:
    """Container, size, rate, and what was found when the answer was judged, each alone."""
    assert [fact.name for fact in facts(HELLO | said, replace(MEDIA, **media)) if fact.doubt] == [name]


def test_the_page_shows_it_to_analysts(lead: Visitor, site: Site) -> None:
    """Of a live session, escaped, and marked; the page of an upload has no such part."""
    assert 'id="browser"' not in lead.get("/attempts/still_photo").text
    with site.engine.begin() as connection:
        add_session(connection, attempt_id="still_photo", hello=HELLO | {"misfits": [MISFIT]})
    found = re.search(r'<section class="panel" id="browser".*?</section>', lead.get("/attempts/still_photo").text, re.DOTALL)
    assert found is not None
    assert "Firefox/140.0" in found[0]
    assert "<b>Firefox" not in found[0]
    assert "but the recording" in found[0]
    assert "states webm, sends mp4 &lt;i&gt;" in found[0]
