"""Reason codes and what they promise."""

from __future__ import annotations

import pytest

from cameo_verifier.reasons import Kind, Reason, Sense
from tests.conftest import ROOT


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_kind_a_sense_and_a_hint(reason: Reason) -> None:
    """Each code is stable, classified and comes with one sentence for the person."""
    assert reason.value == reason.name
    assert reason.kind in Kind
    assert reason.sense in Sense
    assert reason.hint.endswith(".")


def test_hints_give_no_attack_away() -> None:
    """An attacker learns nothing from the hint: attacks on picture or sound share their sentences."""
    hints = {reason.hint for reason in Reason if reason.kind is Kind.ATTACK}
    assert hints == {
        "Record yourself live, on your own, with this device's camera.",
        "Be alone in the picture.",
        "Be the only one who speaks.",
    }


def test_the_page_of_reasons_is_true() -> None:
    """docs/reasons.md names every code once, in order, with its kind, its sense and the hint the person sees."""
    page = (ROOT / "docs/reasons.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{reason}` | {reason.kind} | {reason.sense} | {reason.hint} |" for reason in Reason]
