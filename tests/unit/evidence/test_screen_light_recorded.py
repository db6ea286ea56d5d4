"""Screen light from the recording to the check's answer: a committed clip, relit and encoded, through the real models."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_challenges.colours import LENGTH, sequence
from cameo_challenges.model import Challenge
from cameo_verifier.live_record import Arrival, LiveRecord, Reveal
from cameo_verifier.pipeline import verify
from cameo_verifier.profiles import load
from cameo_verifier.review.relighting import Room, relit
from cameo_verifier.review.screen_light import FLAT, GENUINE, LATE, ORDER, UNLIT, present, read_take
from cameo_verifier.review.screen_light_rates import ALL, late_rates, light_document, light_rates, light_tables
from cameo_verifier.settings import Settings
from cameo_verifier.types import FaceTrack, Outcome
from fixtures.studio.encode import write_mp4
from tests.conftest import ROOT

if TYPE_CHECKING:
    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.review.screen_light import Take

FPS = 15
ASKED = sequence(1_234_567)
SENT_S = tuple(0.6 + 0.8 * place for place in range(LENGTH))
DELAY_S = 0.2


@pytest.fixture(scope="module")
def take(kit: ModelKit) -> Take:
    found = read_take(ROOT / "fixtures" / "astronaut_bona_fide.mp4", kit, Settings())
    assert found is not None
    return found


def test_a_relit_recording_passes_and_an_unlit_one_does_not(kit: ModelKit, take: Take) -> None:
    """The pipeline measures the light, keeps it with the tracks, and tells the colours from others and from none."""
    t_s = np.arange(7 * FPS) / FPS
    count = len(take.filmed.linear)
    rows = [min(place % (2 * count), 2 * count - 1 - place % (2 * count)) for place in range(len(t_s))]
    shown_s = [sent + DELAY_S for sent in SENT_S]
    live = LiveRecord(
        colours=tuple(Reveal(sent) for sent in SENT_S),
        arrivals=tuple(Arrival(float(end), float(end) + 0.1) for end in np.arange(0.25, 7.25, 0.25)),
    )

    def outcome(share: float, asked: tuple[int, ...]) -> Outcome:
        pictures = relit(take.filmed, rows, t_s, ASKED, shown_s, Room(share=share), np.random.default_rng(1))
        file = io.BytesIO()
        write_mp4(file, pictures, np.zeros(0, np.float32), fps=FPS, crf=23)
        judged = verify(file.getvalue(), Challenge((), colours=asked), profile=load(), kit=kit, settings=Settings(), live=live)
        assert isinstance(judged.evidence.face, FaceTrack)
        assert len(judged.evidence.face.lit) == len(judged.evidence.face.lit_t_s) > 5 * FPS
        return next(check.outcome for check in judged.checks if check.name == "screen_light")

    assert outcome(0.2, ASKED) is Outcome.PASS
    assert outcome(0.2, sequence(7_654)) is Outcome.FAIL
    assert outcome(0.0, ASKED) is Outcome.FAIL


def test_uploads_measure_no_light(kit: ModelKit) -> None:
    """Without a live record nothing is measured, nothing kept and nothing asked."""
    file = ROOT / "fixtures" / "astronaut_bona_fide.mp4"
    judged = verify(file, Challenge((), colours=ASKED), profile=load(), kit=kit, settings=Settings())
    assert isinstance(judged.evidence.face, FaceTrack)
    assert not len(judged.evidence.face.lit)
    assert "screen_light" not in {check.name for check in judged.checks}


def test_a_simulated_session_has_a_person_and_every_attack(take: Take) -> None:
    """One condition yields the person, late, other, absent and flat light; the report counts them."""
    condition = "screen 30 % of the room's light"
    presented = list(present(take, condition))
    kinds = {each.kind for each in presented}
    assert kinds == {GENUINE, LATE, ORDER, UNLIT, FLAT}
    everything, alone = light_rates(presented, load())
    assert (everything.condition, alone.condition) == (ALL, condition)
    assert (alone.refused.count, alone.refused.trials) == (0, 1)
    assert not sum(found.count for kind, found in alone.accepted.items() if kind != ORDER)
    assert late_rates(presented, load())[1.5].count == 0
    document = light_document(presented, load())
    assert [each["condition"] for each in document["conditions"]] == [ALL, condition]
    assert [table.row_count for table in light_tables(presented, load())][:2] == [2, len(document["late"])]
