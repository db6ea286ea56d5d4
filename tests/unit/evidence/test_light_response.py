"""The response of a face to a display's colours, in computed light."""

from __future__ import annotations

import numpy as np
import pytest

from cameo_challenges.colours import sequence
from cameo_verifier.evidence.light_response import Answers, Response
from cameo_verifier.evidence.screen_light import SKIN, colours_seen
from cameo_verifier.live_record import Arrival, LiveRecord, Reveal
from tests.lit import DELAY_S, FPS, SENT_S, T_S, landmarks, lit, record

ASKED = sequence(1_234_567)


def answer(seen: np.ndarray, live: LiveRecord | None = None) -> Response:
    return Answers(T_S, seen.astype(np.float32), landmarks(), live or record()).to(ASKED)


def test_the_light_of_the_display_matches() -> None:
    """A face with a tenth of its light from the display follows each colour, after the delay and the way of the bytes."""
    found = answer(lit(ASKED))
    assert found.match > 0.97
    assert found.strength > 10
    assert found.delay_s == pytest.approx(DELAY_S + 0.1, abs=1 / FPS + 0.05)


def test_no_light_is_no_strength() -> None:
    """Without light from the display the noise explains itself."""
    assert abs(answer(lit(ASKED, share=0.0)).strength) < 5


def test_light_on_everything_is_none() -> None:
    """What is lit like its background, as in a display that becomes brighter, has no answer, however strong the light."""
    assert abs(answer(lit(ASKED, share=0.3, background=1.0)).strength) < 5


def test_the_delay_is_told_by_the_server_s_clock() -> None:
    """What was sent half a second earlier has half a second more."""
    quick = answer(lit(ASKED))
    late = LiveRecord(colours=tuple(Reveal(sent - 0.5) for sent in SENT_S), arrivals=record().arrivals)
    assert answer(lit(ASKED), late).delay_s == pytest.approx(quick.delay_s + 0.5, abs=0.06)


def test_bytes_that_never_arrived_give_no_delay() -> None:
    """Where no bytes arrived for the answer, there is no delay that a threshold could accept."""
    live = record()
    early = LiveRecord(colours=live.colours, arrivals=tuple(each for each in live.arrivals if each.media_s < SENT_S[2]))
    assert np.isnan(answer(lit(ASKED), early).delay_s)


@pytest.mark.parametrize("what", ["skin", "background", "arrivals", "colours"])
def test_too_little_gives_no_match(what: str) -> None:
    """Without skin, background, arrivals, or as many reveals as colours there is nothing to tell."""
    seen, live = lit(ASKED), record()
    if what == "skin":
        seen[:, : len(SKIN)] = np.nan
    elif what == "background":
        seen[:, len(SKIN) + 5 :] = np.nan
    live = LiveRecord(
        colours=live.colours[:5] if what == "colours" else live.colours, arrivals=() if what == "arrivals" else live.arrivals
    )
    assert np.isnan(answer(seen, live).match)


def test_places_may_come_and_go() -> None:
    """Half of the background, hidden by turns, changes nothing that counts."""
    seen = lit(ASKED)
    seen[::2, len(SKIN) :: 2] = np.nan
    seen[1::2, len(SKIN) + 1 :: 2] = np.nan
    assert answer(seen).match > 0.95


def test_places_are_skin_and_what_is_far_from_it() -> None:
    """Points of the skin have the colour of the skin, and no place of the grid that the person covers counts."""
    rgb = np.full((480, 640, 3), (40, 80, 160), np.uint8)
    points = np.zeros((478, 3), np.float32)
    points[:, 0], points[:, 1] = np.linspace(270, 370, 478), np.linspace(180, 300, 478)
    rgb[160:320, 270:370], rgb[320:480, 250:390] = (200, 150, 120), (200, 150, 120)
    seen = colours_seen(rgb, points)
    wall, skin = (
        np.array([((level / 255 + 0.055) / 1.055) ** 2.4 for level in colour]) for colour in ((40, 80, 160), (200, 150, 120))
    )
    np.testing.assert_allclose(seen[: len(SKIN)], np.broadcast_to(skin, (len(SKIN), 3)), rtol=0.02)
    background = seen[len(SKIN) :][np.isfinite(seen[len(SKIN) :, 0])]
    assert len(background) > 40
    np.testing.assert_allclose(background, np.broadcast_to(wall, background.shape), rtol=0.02)


def test_clipped_and_black_places_do_not_count() -> None:
    """White and black show no change of light."""
    points = np.zeros((478, 3), np.float32)
    points[:, 0], points[:, 1] = np.linspace(100, 200, 478), np.linspace(100, 220, 478)
    for level in (0, 255):
        assert np.isnan(colours_seen(np.full((480, 640, 3), level, np.uint8), points)).all()


def test_arrivals_in_slices_are_late_by_up_to_one() -> None:
    """Bytes that arrive in slices of a quarter of a second are counted from when their slice arrived."""
    ends = np.arange(0.25, 8.25, 0.25)
    sliced = LiveRecord(colours=record().colours, arrivals=tuple(Arrival(float(end), float(end) + 0.1) for end in ends))
    found = answer(lit(ASKED), sliced)
    assert DELAY_S + 0.1 <= found.delay_s + 0.07 < DELAY_S + 0.1 + 0.25 + 0.15
