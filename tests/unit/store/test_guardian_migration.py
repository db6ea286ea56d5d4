"""Migration of cameos from before there were guardians."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic import command
from sqlalchemy import text

from cameo_verifier.cameo.model import OWNER, CameoState
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.store.cameos import cameos
from cameo_verifier.store.db.engine import _alembic, open_database
from tests.unit.store.conftest import NOW

if TYPE_CHECKING:
    from sqlalchemy import Engine

CONSENT = '{"text_version": "1", "locale": "en", "agreed_at": "2026-03-01T12:00:00+00:00", "digest": ""}'
TERMS = '{"who": "only_me", "selected": [], "words": [], "categories": [], "appearance_notes": "", "voice_notes": ""}'


def test_a_pause_from_before_is_its_owner_s(url: str, engine: Engine) -> None:
    """A cameo that was paused stays so: its adult owner can resume it, a minor only with a guardian; an active one is active."""
    insert = text(
        "INSERT INTO cameos (id, subject, request_id, state, terms, minor_safeguards, consent, version, created_at, updated_at, "
        "reason) VALUES (:id, 'ann', 'r', :state, :terms, :minor, :consent, 1, 1, 1, '')"
    )
    config = _alembic()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0007")
        for identifier, state, minor in (("a", "paused", False), ("b", "active", False), ("c", "paused", True)):
            row = {"id": identifier, "state": state, "terms": TERMS, "minor": minor, "consent": CONSENT}
            connection.execute(insert, row)
    again = open_database(url)
    with again.begin() as connection:
        held = [cameos.get(connection, identifier, subject=None) for identifier in "abc"]
        assert [(each.paused_by, each.change) for each in held] == [({OWNER}, None), (frozenset(), None), ({OWNER}, None)]
        assert cameos.resume(connection, "a", subject="ann", now=NOW).state is CameoState.CAMEO_ACTIVE
        with pytest.raises(RefusedError) as refused:
            cameos.resume(connection, "c", subject="ann", now=NOW)
    assert refused.value.refusal is Refusal.MINOR_NEEDS_GUARDIAN
    again.dispose()
