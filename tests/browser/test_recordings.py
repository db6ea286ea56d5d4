"""Recordings of every kind in a real browser: turned ones, codecs that it does not know, and those of possible minors."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cameo_verifier import profiles
from cameo_verifier.console.overlay import OUTLINES
from cameo_verifier.evidence.collect import collect
from cameo_verifier.evidence.tracks import Tracks
from cameo_verifier.pipeline import verify
from cameo_verifier.review.rejudge import rejudge
from cameo_verifier.settings import Settings
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.types import FaceTrack
from tests.browser.conftest import SHOTS
from tests.browser.test_console import at, seen_colour, signed_in, until
from tests.conftest import ASKED
from tests.unit.review.recoded import recoded
from tests.unit.review.stored import RECORDINGS, keep
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from cameo_verifier.models.kit import ModelKit
    from tests.browser.conftest import Watched
    from tests.unit.review.stored import Judged
    from tests.unit.store.evidence_site import Site

NAME, MINOR = "astronaut_bona_fide", "minor"
KINDS: dict[str, dict[str, Any]] = {
    "rotated": {"video": "libx264", "quarter_turns": 1},
    "rotated_hevc": {"video": "libx265", "quarter_turns": 3},
    "hevc": {"video": "libx265", "container": "mov"},
    "mpeg4": {"video": "mpeg4"},
    "mpeg1": {"video": "mpeg1video", "container": "mpegts"},
}
PREVIEWED = sorted(set(KINDS) - {"rotated"})
SECONDS = 3.0
OFF = 0.05
"""Of a face's width: how far outlines may lie from where the models see the face on the screen."""


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile to which everybody may be a minor."""
    file = tmp_path_factory.mktemp("profile") / "careful.toml"
    file.write_text('extends = "default"\n[thresholds]\nadult_age_min = 90\n')
    return file


@pytest.fixture(scope="module")
def site(judged: Judged, kit: ModelKit, careful: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One recording as five cameras would have sent it, each judged by the real pipeline, and one of a possible minor."""
    folder = tmp_path_factory.mktemp("recordings")
    engine = open_database(f"sqlite:///{folder / 'cameo.sqlite3'}")
    site = open_site(engine, folder)
    recording = RECORDINGS[NAME].read_bytes()
    judgement, challenge = judged(NAME)
    minor = rejudge(Tracks(judgement.evidence, judgement.circumstances), challenge, profiles.load(str(careful)))
    assert minor.minor_safeguards
    keep(site, MINOR, minor, challenge, recording, MINOR)
    for day, (kind, how) in enumerate(KINDS.items(), 1):
        made = recoded(recording, **how)
        asked = replace(challenge, id=f"challenge-{kind}", issued_at=ASKED + timedelta(days=day))
        received = ASKED + timedelta(days=day, seconds=20)
        seen = verify(made, asked, profile=profiles.load(), kit=kit, settings=Settings(), received_at=received, keep=True)
        keep(site, kind, seen, asked, seen.kept, kind)
    yield site
    engine.dispose()


@pytest.fixture(autouse=True)
def judged_with_care(careful: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the console judge by that profile."""
    monkeypatch.setenv("CAMEO_PROFILE", str(careful))


def revealed(page: Page, attempt: str) -> None:
    """Open an attempt, reveal its face, and wait until it is there."""
    at(page, f"/attempts/{attempt}")
    page.get_by_label("Why do you need to see it?").fill("case 4711")
    page.get_by_role("button", name="Reveal").click()
    until(page, "document.querySelector('video')?.readyState >= 2")
    page.locator(".stage[data-ready]").wait_for()


def off_the_face(page: Page, attempt: str, kit: ModelKit, folder: Path) -> float:
    """Return how far the outlines lie from the face that is on the screen, as a share of its width, at `SECONDS`."""
    page.locator(".time").first.fill(str(SECONDS))
    until(page, f"(v => !v.seeking && Math.abs(v.currentTime - {SECONDS}) < 0.05)(document.querySelector('video'))")
    assert seen_colour(page)
    page.get_by_role("checkbox", name="Outlines").uncheck()
    canvas = page.locator(".stage canvas").first
    canvas.scroll_into_view_if_needed()
    drawn = canvas.bounding_box()
    assert drawn is not None
    shot = folder / f"{attempt}.png"
    page.screenshot(path=shot, clip={each: drawn[each] for each in ("x", "y", "width", "height")})
    page.get_by_role("checkbox", name="Outlines").check()
    face = collect(shot, kit, settings=Settings()).face
    assert isinstance(face, FaceTrack), "there is no face on the screen"
    seen = face.landmarks[0, [index for indices, _ in OUTLINES for index in indices], :2]
    overlay = page.request.get(f"{'/'.join(page.url.split('/')[:3])}/attempts/{attempt}/overlay").json()
    points = np.array(overlay["frames"][int(np.searchsorted(overlay["times"], SECONDS + 0.02, side="right")) - 1]).reshape(-1, 2)
    points *= drawn["width"] / overlay["width"]
    return float(np.linalg.norm(points - seen, axis=1).mean() / np.ptp(seen[:, 0]))


@pytest.mark.parametrize("kind", [*KINDS, MINOR])
def test_outlines_lie_on_the_face_that_is_played(walk: Watched, kit: ModelKit, tmp_path: Path, kind: str) -> None:
    """However the camera was held, and whatever it wrote: what plays is seen by the models where the outlines are drawn."""
    page = signed_in(walk)
    revealed(page, kind)
    assert page.get_by_text("This is a preview").count() == (kind in PREVIEWED)
    assert off_the_face(page, kind, kit, tmp_path) < OFF
    SHOTS.mkdir(parents=True, exist_ok=True)
    for scheme, width, height in (("light", 1440, 900), ("dark", 360, 780), ("dark", 3840, 2160)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # one of the two
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=SHOTS / f"recording_{kind}_{width}.png")
    assert walk.trouble == []


def test_a_preview_plays_with_its_sound_and_side_by_side(walk: Watched) -> None:
    """It runs on its own, as long as the axis says; the message that it is being made is gone; two move together."""
    page = signed_in(walk)
    revealed(page, "hevc")
    assert page.locator("[data-preview]").inner_text() == ""
    length = float(page.locator(".axis").first.get_attribute("data-duration") or 0)
    assert abs(page.evaluate("document.querySelector('video').duration") - length) < 0.2
    page.locator(".play").click()
    until(page, "document.querySelector('video').currentTime > 0.5")
    assert page.evaluate("document.querySelector('video').webkitAudioDecodedByteCount") > 0
    at(page, "/attempts/hevc/compare?with=mpeg4")
    page.get_by_label("The faces are hidden.").fill("case 9")
    page.get_by_role("button", name="Reveal").click()
    until(page, "[...document.querySelectorAll('video')].filter(video => video.readyState >= 2).length == 2")
    assert page.get_by_text("This is a preview").count() == 2
    page.locator(".time").first.fill("2")
    until(page, "[...document.querySelectorAll('video')].every(video => Math.abs(video.currentTime - 2) < 0.1)")
    page.screenshot(path=SHOTS / "recording_compare.png", full_page=True)
    assert walk.trouble == []


def test_sliders_move_the_lines_of_minors(walk: Watched) -> None:
    """The sliders of a possible minor's attempt are those that judged it, and moving one changes what it is judged."""
    page = signed_in(walk)
    at(page, f"/attempts/{MINOR}")
    assert page.get_by_text("minor safeguards apply").count() == 1
    page.keyboard.press("w")
    page.wait_for_selector("#vary")
    assert page.get_by_text("these are the lines that judge minors").count() == 1
    minors, everybody = profiles.load().judging(minor=True), profiles.load()
    slider = page.locator("#s-voice_group_min")
    assert float(slider.input_value()) == minors["voice_group_min"].value > everybody["voice_group_min"].value
    slider.fill("0.99")
    line = page.locator('#verdict-checks [data-check="second_voice"]')
    line.locator("b.bad").wait_for()
    assert "0.99" in line.inner_text()
    page.screenshot(path=SHOTS / "what_if_minor.png")
    page.get_by_role("button", name="Put back").click()
    line.locator("b.good").wait_for()
    assert walk.trouble == []
