"""Unlinkability: whoever has the database cannot link a tombstone with what is left of the recording or of the credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic import command
from sqlalchemy import text

from cameo_verifier.store.db import engine as opening
from cameo_verifier.store.evidence import unlinking
from tests import linker
from tests.unit.store.lives import DELETED, PEOPLE, REJECTED_BEFORE, Lives

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

_BEFORE, _THIS = "0018", "head"
_AS_BEFORE = (
    "UPDATE cameos SET state = 'deleted', attempt_id = NULL, attested_at = NULL, updated_at = :at WHERE id = :cameo",
    "UPDATE status_entries SET status = 1, changed_at = :at WHERE jti IN (SELECT jti FROM credentials WHERE cameo_id = :cameo)",
    "DELETE FROM credentials WHERE cameo_id = :cameo",
    "DELETE FROM suspensions WHERE cameo_id = :cameo",
    "DELETE FROM likenesses WHERE cameo_id = :cameo",
    "DELETE FROM faces WHERE owner = :subject",
    "UPDATE subject_keys SET subject = NULL, wrapped_key = NULL, destroyed_at = :at WHERE subject = :subject",
    (
        "UPDATE evidence SET removed_at = :at, sha256 = '' WHERE kind != 'credential'"
        " AND attempt_id IN (SELECT id FROM attempts WHERE subject = :subject)"
    ),
    "UPDATE challenges SET subject = '', request_id = NULL WHERE subject = :subject",
    "UPDATE events SET subject = '' WHERE attempt_id IN (SELECT id FROM attempts WHERE subject = :subject)",
    "UPDATE attempts SET subject = '' WHERE subject = :subject",
)
"""What the deletion of a cameo did before this revision."""


@pytest.fixture
def lives(engine: Engine, tmp_path: Path) -> Lives:
    """A site at which people live."""
    lives = Lives(engine, tmp_path)
    lives.go_by()
    return lives


def test_no_value_leads_from_a_deleted_person_to_their_recording_or_credentials(engine: Engine, lives: Lives) -> None:
    """No value that a tombstone, an account or a use has is in a row of an erased recording or of a status list."""
    lives.end()
    assert linker.equalities(linker.groups(_rewritten(engine))) == []


def test_no_order_leads_there(engine: Engine, lives: Lives) -> None:
    """Neither do times, numbers or the places of rows: what is the nearest of one is not the nearest of the other."""
    lives.end()
    assert linker.orders(linker.groups(_rewritten(engine))) == []


def test_the_linker_sees_every_side(engine: Engine, lives: Lives) -> None:
    """It holds a group of each deleted person's account, of each of their recordings and of their receipt and each credential."""
    lives.end()
    sides = [group.side for group in linker.groups(linker.rows(engine))]
    recordings = len(DELETED) + len(set(REJECTED_BEFORE) & set(DELETED))
    counts = {"account": len(DELETED), "recording": recordings, "credential": 3 * len(DELETED), "live": PEOPLE - len(DELETED)}
    assert {side: sides.count(side) for side in counts} == counts


@pytest.mark.usefixtures("lives")
def test_who_was_deleted_before_is_unlinked_by_the_migration(engine: Engine) -> None:
    """The linker finds people in a database from before, by values and by order, and nobody once that is migrated."""
    with engine.begin() as connection:
        config = opening._alembic()
        config.attributes["connection"] = connection
        command.downgrade(config, _BEFORE)
        of_cameo = text("UPDATE audit_log SET attempt_id = :attempt, what = 'cameo' WHERE what = :what")
        for number in range(PEOPLE):
            connection.execute(of_cameo, {"attempt": f"a{number}", "what": f"cameo cameo-{number}"})
        for number, at in DELETED.items():
            values = {"cameo": f"cameo-{number}", "subject": f"account-{number}", "at": int(at.timestamp() * 1_000_000)}
            for statement in _AS_BEFORE:
                connection.execute(bound := text(statement), {name: values[name] for name in bound._bindparams})
    before = linker.groups(linker.rows(engine))
    assert linker.equalities(before)
    assert linker.orders(before)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, _THIS)
    after = linker.groups(_rewritten(engine))
    assert linker.equalities(after) == []
    assert linker.orders(after) == []


def _rewritten(engine: Engine) -> list[linker.Row]:
    """Return every row after the hourly rewriting; without places on PostgreSQL, which has none to give."""
    unlinking.shuffle(engine)
    assert opening.rewrite(engine, 1)
    return linker.rows(engine, places=engine.dialect.name == "sqlite")
