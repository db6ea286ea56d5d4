"""Recordings of honest people that the service once got wrong, each for a kind: what a device, a room or a body explains."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from cameo_challenges.model import from_json
from cameo_verifier.pipeline import verify
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Kind
from cameo_verifier.settings import Settings
from cameo_verifier.types import Verdict
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit

pytestmark = pytest.mark.devdata

RECORDINGS = (
    "a1_browser_timeslice.webm",
    "a3_clock_from_50000s.mkv",
    "b1_sound_starts_0.9s_late.mp4",
    "b2_picture_starts_1s_late.mp4",
    "c1_sound_250ms_late.mp4",
    "d1_stereo_opposite_phase.mp4",
    "e1_hand_jerks_12.5fps.mp4",
    "e2_phone_turned.webm",
    "f1_hello_and_thanks.mp4",
    "f2_zero_and_oh_mixed.mp4",
    "g1_television_20dB_below.mp4",
    "g2_screen_reader_20dB.mp4",
    "h1_dark_glasses.mp4",
    "h2_face_mask.mp4",
    "i1_mirrored.mp4",
    "m1_stands_back.mp4",
)
ALSO_RIGHT = {"g1_television_20dB_below.mp4": Verdict.ACCEPTED, "g2_screen_reader_20dB.mp4": Verdict.ACCEPTED}
"""Whoever understands a person over a television 20 dB below may as well accept."""
RENAMED = {"SOUND_OUT_OF_STEP": "LIP_SYNC_INCONCLUSIVE", "VOICE_UNEVEN": "VOICE_INCONCLUSIVE"}
"""Reasons that have another name since the cases were written down."""


@pytest.fixture(scope="module")
def cases() -> tuple[Path, dict[str, dict[str, Any]]]:
    """The folder (`CAMEO_FAULTS`, or `../shared/faults` beside the repository) and its cases by recording."""
    folder = ROOT.parent / "shared" / "faults" if not (given := os.environ.get("CAMEO_FAULTS")) else ROOT.joinpath(given)
    if not folder.is_dir():
        pytest.skip(f"no recordings of faults at {folder} (set CAMEO_FAULTS)")
    rows = [json.loads(line) for line in (folder / "cases.jsonl").read_text("utf-8").splitlines() if line.strip()]
    return folder, {row["recording"]: row for row in rows}


def test_every_case_is_tried(cases: tuple[Path, dict[str, dict[str, Any]]]) -> None:
    """The list above leaves none out."""
    assert sorted(cases[1]) == sorted(RECORDINGS)


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_fault_of_a_device_a_room_or_a_body_accuses_nobody(
    kit: ModelKit, cases: tuple[Path, dict[str, dict[str, Any]]], name: str
) -> None:
    """The verdict is the expected one, its first reason too, and no reason is of an attack."""
    folder, rows = cases
    case = rows[name]
    decision = verify(folder / name, from_json(case["challenge"]), profile=load(), kit=kit, settings=Settings()).decision
    assert not [reason for reason in decision.reasons if reason.kind is Kind.ATTACK]
    if decision.verdict is not ALSO_RIGHT.get(name):
        assert decision.verdict == case["expected"]["verdict"]
        expected = [RENAMED.get(reason, reason) for reason in case["expected"]["reasons"]]
        assert [reason.value for reason in decision.reasons[:1]] == expected or not expected
