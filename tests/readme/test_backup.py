"""The backup that docs/operations.md describes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from sqlalchemy import text

from cameo_verifier.store.db.engine import open_database

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")


def test_the_backup_of_a_running_site_opens(tmp_path: Path) -> None:
    """The command copies a database that is open elsewhere, with what was just written, into one that a server opens."""
    [command] = re.findall(r"^\$ python -c '([^']*VACUUM INTO[^']*)'$", PAGE, re.MULTILINE)
    engine = open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}")
    try:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE written (word TEXT)"))
            connection.execute(text("INSERT INTO written VALUES ('just now')"))
        subprocess.run([sys.executable, "-c", command], check=True, cwd=tmp_path)
    finally:
        engine.dispose()
    copied = open_database(f"sqlite:///{tmp_path / 'backup.sqlite3'}")
    try:
        with copied.connect() as connection:
            assert connection.execute(text("SELECT word FROM written")).scalar_one() == "just now"
    finally:
        copied.dispose()
