"""Migration of a database from before credentials were linked to cameos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import command
from sqlalchemy import text

from cameo_verifier.store.db import engine as opening

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_BEFORE, _THIS = "0007", "0008"
_LIST = (
    "INSERT INTO status_lists (number, capacity, used, decoy_key, decoys_invalid, decoys_suspended, created_at)"
    " VALUES (1, 1024, 5, :bytes, 0, 0, 1)"
)
_ENTRY = "INSERT INTO status_entries (list_number, idx, jti, decoy_rank, status, changed_at) VALUES (1, :n, :j, 7, 0, 1)"
_STATES = ("active", "paused", "revoked", "deleted")


def _fill(connection: Connection) -> None:
    connection.execute(text(_LIST), {"bytes": b"0"})
    for number, state in enumerate((*_STATES, "unclaimed")):
        gone = state == "deleted"
        ids = {letter: f"{letter}{number}" for letter in "casj"} | {"cameo": f"cameo-{number}"}
        values = {"n": number, "state": state, "receipt": "" if gone else "r", "bytes": b"0", "f": False, **ids}
        for statement in (
            "INSERT INTO challenges VALUES (:c, :s, NULL, '{}', 1, 2, 1)",
            "INSERT INTO attempts VALUES (:a, :c, :s, '', 'r', 'judged', 'ACCEPTED', '[]', '[]', 'p', '{}', '{}', '', 1, :n, :f)",
            (
                "INSERT INTO credentials (jti, attempt_id, audience, sub, issued_at, expires_at, receipt)"
                " VALUES (:j, :a, 'g', 'p', 1, 2, :receipt)"
            ),
            _ENTRY,
            "INSERT INTO faces VALUES (:n + 1, 'enrolled', :s, 'k', 'm', :bytes, :n)",
            *(["INSERT INTO likenesses VALUES (:cameo, :a, :bytes, :bytes, 1)"] if not gone else []),
            *(
                ["INSERT INTO cameos VALUES (:cameo, :s, :a, 'r', :state, '{}', :f, '{}', 1, 1, 1, '')"]
                if state in _STATES
                else []
            ),
        ):
            bound = text(statement)
            connection.execute(bound, {name: values[name] for name in bound._bindparams})
        if gone:
            connection.execute(text("UPDATE cameos SET attempt_id = NULL WHERE state = 'deleted'"))


def _migrated(connection: Connection, to: str) -> None:
    config = opening._alembic()
    config.attributes["connection"] = connection
    (command.upgrade if to == _THIS else command.downgrade)(config, to)


def test_each_credential_finds_its_cameo_and_takes_on_its_standing(engine: Engine) -> None:
    """Valid, suspended and revoked as its cameo is; a deleted one's row is gone; faces find their attempts."""
    with engine.begin() as connection:
        _migrated(connection, _BEFORE)
        _fill(connection)
        _migrated(connection, _THIS)
        linked = connection.execute(text("SELECT jti, cameo_id, request_id, receipt FROM credentials ORDER BY jti")).all()
        statuses = connection.execute(text("SELECT jti, status FROM status_entries ORDER BY jti")).all()
        faces = connection.execute(text("SELECT owner, attempt_id FROM faces ORDER BY number")).all()
    assert [tuple(row) for row in linked] == [(f"j{number}", f"cameo-{number}", "", "r") for number in (0, 1, 2, 4)]
    assert [tuple(row) for row in statuses] == [("j0", 0), ("j1", 2), ("j2", 1), ("j3", 1), ("j4", 0)]
    assert [tuple(row) for row in faces] == [(f"s{number}", f"a{number}") for number in range(5)]
