"""A fresh database in a file, and challenges to put into it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_challenges.model import Challenge, Say, Turn, TurnHead
from cameo_verifier.store.db.engine import open_database
from tests import databases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

NOW = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The URL of a database that does not exist yet, or is empty."""
    with databases.fresh(tmp_path / "data") as made:
        yield made


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """An open database."""
    opened = open_database(url)
    yield opened
    opened.dispose()


@pytest.fixture
def issued() -> Callable[[str], Challenge]:
    """Make a challenge of three minutes under an id."""

    def make(identifier: str) -> Challenge:
        steps = (Say("set white"), TurnHead(Turn.LEFT), Say("three now"))
        return Challenge(steps, id=identifier, issued_at=NOW, expires_at=NOW + timedelta(seconds=180))

    return make
