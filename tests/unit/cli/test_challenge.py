"""`cameo challenge issue`."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from cameo_challenges.issue import entropy_bits
from cameo_challenges.model import Say, TurnHead, from_json
from cameo_verifier.cli import app
from cameo_verifier.cli.output import COULD_NOT_JUDGE

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

RUNNER = CliRunner()


def test_json_holds_the_challenge_its_entropy_and_its_life() -> None:
    """One JSON document, with what `cameo verify` reads under `challenge`, the computed entropy and the seconds to live."""
    result = RUNNER.invoke(app, ["challenge", "issue", "--json"])
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert [type(step) for step in from_json(document["challenge"]).steps] == [Say, TurnHead, Say, TurnHead, Say]
    assert document["entropy_bits"] == round(entropy_bits(), 2)
    assert document["ttl_s"] == 180


def test_no_two_are_alike() -> None:
    """Nobody can choose the draw: two challenges differ in id and steps."""
    first, second = (json.loads(RUNNER.invoke(app, ["challenge", "issue", "--json"]).stdout)["challenge"] for _ in range(2))
    assert first["id"] != second["id"]
    assert first["steps"] != second["steps"]


def test_text_shows_every_step() -> None:
    """A person reads what to say and how to turn, how hard it is to guess, and how long there is."""
    result = RUNNER.invoke(app, ["challenge", "issue"])
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert [line.split()[1] for line in lines[:5]] == ["say", "turn", "say", "turn", "say"]
    assert lines[5] == f"{entropy_bits():.1f} bits of entropy, valid for 180 s"


def test_a_file_is_written_for_verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--out` writes the same challenge, with the life the site has set."""
    monkeypatch.setenv("CAMEO_CHALLENGE_TTL_S", "60")
    out = tmp_path / "challenge.json"
    shown = json.loads(RUNNER.invoke(app, ["challenge", "issue", "--json", "--out", str(out)]).stdout)
    written = json.loads(out.read_text("utf-8"))
    assert written == shown["challenge"]
    life = datetime.fromisoformat(written["expires_at"]) - datetime.fromisoformat(written["issued_at"])
    assert life.total_seconds() == 60


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """It exits with 2 and says which file."""
    result = RUNNER.invoke(app, ["challenge", "issue", "--out", str(tmp_path / "none" / "c.json")])
    assert result.exit_code == COULD_NOT_JUDGE
    assert "c.json" in result.stderr.replace("\n", "")
    assert result.stdout == ""
