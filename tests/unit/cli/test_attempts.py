"""`cameo attempts` and `cameo audit`, as a terminal of 80 columns shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from cameo_verifier.cli import app
from cameo_verifier.settings import Settings
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence.sealed_object import Kind
from tests.unit.store.evidence_site import READER, open_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("command", [("attempts", "list"), ("audit", "show")])
def test_an_attempt_s_id_is_whole(command: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads the list copies ids from it into the next command."""
    monkeypatch.setenv("CAMEO_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    engine = open_database(Settings().database)
    site, attempt_id = open_site(engine, tmp_path), str(uuid4())
    site.kept(attempt_id)
    site.room.vault.read(attempt_id, Kind.TRACKS, reader=READER, now=datetime.now(UTC))
    engine.dispose()
    shown = CliRunner().invoke(app, command, catch_exceptions=False)
    assert attempt_id in shown.stdout
