"""Roles of checks, compared with what is written down of them; their thresholds are compared with docs/thresholds.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cameo_verifier.profile import CheckRole
from cameo_verifier.profiles import built_in, load

ROOT = Path(__file__).resolve().parents[2]
WORDS = {"confirm": CheckRole.CONFIRM, "veto": CheckRole.VETO, "advice": CheckRole.ADVISE}


@pytest.mark.parametrize("name", built_in())
def test_roles_are_those_of_the_threat_model(name: str) -> None:
    """docs/threat-model.md lists every check of every profile by its role; neither is changed without the other."""
    lines = (ROOT / "docs/threat-model.md").read_text("utf-8").splitlines()
    rows = [re.fullmatch(r"- \*\*(\w+)\*\*: ([a-z_` ]+)", line) for line in lines]
    told = {check: WORDS[row[1]] for row in rows if row for check in re.findall(r"`([a-z_]+)`", row[2])}
    assert told == dict(load(name).roles)
