"""The site that commands about kept evidence work on."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.review.evidence_room import EvidenceRoom
from verifier.store.engine import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from verifier.settings import Settings


@dataclass(frozen=True, slots=True)
class Site:
    """An open database and its evidence."""

    engine: Engine
    room: EvidenceRoom


@contextmanager
def open_site(settings: Settings) -> Iterator[Site]:
    """Open the database and the evidence of a site, and close them afterwards.

    Raises:
        StoreError: the database cannot be used.
        KeyFileError: a key file is malformed or open to others.
    """
    engine = open_database(settings.database)
    try:
        yield Site(engine, EvidenceRoom.open(settings, engine))
    finally:
        engine.dispose()
