"""A new site, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.review.evidence_room import EvidenceRoom
from cameo_verifier.store.db.engine import open_database

if TYPE_CHECKING:
    from cameo_verifier.settings import Settings


def new_site(settings: Settings) -> Settings:
    """Create the database and the first keys, as `cameo serve` does, and return the settings."""
    engine = open_database(settings.database)
    EvidenceRoom.open(settings, engine)
    engine.dispose()
    return settings
