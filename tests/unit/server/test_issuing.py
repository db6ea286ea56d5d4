"""What a site has before it issues anything."""

from __future__ import annotations

import secrets
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from cameo_credential.errors import KeyFileError
from cameo_verifier.server.issuing import Issuer
from cameo_verifier.settings import Settings
from cameo_verifier.status.index_allocator import IndexAllocator
from cameo_verifier.store.credentials.statuses import StatusStore

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


def _open(engine: Engine, settings: Settings) -> Issuer:
    statuses = IndexAllocator(StatusStore(engine), settings.status_base, 1024, secrets.randbelow, lambda: secrets.token_bytes(32))
    return Issuer.open(settings, statuses=statuses, clock=lambda: datetime.now(UTC), new_id=secrets.token_hex)


def test_a_new_site_has_the_folder_of_audiences(engine: Engine, tmp_path: Path) -> None:
    """Before the first is registered, for its owner alone, so that a backup of a young site finds what it copies."""
    settings = Settings(data=tmp_path / "data")
    _open(engine, settings)
    assert stat.S_IMODE(settings.audiences.stat().st_mode) == 0o700
    assert list(settings.audiences.iterdir()) == []


def test_a_file_in_its_place_is_named(engine: Engine, tmp_path: Path) -> None:
    """The error is one of keys, and says where."""
    settings = Settings(data=tmp_path)
    settings.audiences.touch()
    with pytest.raises(KeyFileError, match="audiences cannot be made"):
        _open(engine, settings)
