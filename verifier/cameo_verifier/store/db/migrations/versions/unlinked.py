"""Times that lead from a tombstone to what is left of its recording: dropped, or set to the start of their day."""

from __future__ import annotations

import json
from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_DAY_US = 24 * 60 * 60 * 1_000_000
_UNLINKED = "(SELECT id FROM attempts WHERE subject = '' AND state != 'open')"
_TIMES = {
    "evidence": ("kept_at", "removed_at"),
    "fingerprints": ("created_at",),
    "opinions": ("created_at",),
    "labels": ("created_at", "withdrawn_at"),
}
"""Tables whose rows belong to an attempt, with their times."""
_NAMED_BY_ATTEMPT = "(SELECT at FROM audit_log WHERE action IN ('suspend', 'lift') AND attempt_id != '')"


def upgrade() -> None:
    """Drop the times of status changes and destroyed keys; unlink the attempts of people who were deleted.

    The audit log named the attempt of a suspended cameo, at the time of the cameo's event; its lines stay as they are, so these
    events get the time at which the cameo was created, and the grants that ended then the time at which they would have expired.
    """
    op.drop_column("status_entries", "changed_at")
    op.drop_column("subject_keys", "destroyed_at")
    op.execute(f"UPDATE subject_keys SET created_at = {_day('created_at')} WHERE subject IS NULL")  # noqa: S608 - constants
    op.execute("UPDATE evidence SET removed_at = kept_at WHERE sha256 = ''")
    op.execute(
        "UPDATE events SET at = (SELECT created_at FROM cameos WHERE cameos.id = events.cameo_id)"  # noqa: S608 - constants
        f" WHERE at IN {_NAMED_BY_ATTEMPT} AND cameo_id IN (SELECT id FROM cameos)"
    )
    op.execute(f"UPDATE grants SET revoked_at = expires_at WHERE revoked_at IN {_NAMED_BY_ATTEMPT}")  # noqa: S608
    _unlink_challenges()
    op.execute(f"UPDATE events SET subject = '', attempt_id = '', at = {_day('at')} WHERE attempt_id IN {_UNLINKED}")  # noqa: S608
    op.execute(f"DELETE FROM evidence WHERE kind = 'credential' AND attempt_id IN {_UNLINKED}")  # noqa: S608
    for table, times in _TIMES.items():
        op.execute(f"UPDATE {table} SET {_days(*times)} WHERE attempt_id IN {_UNLINKED}")  # noqa: S608
    op.execute(
        f"UPDATE attempts SET request_id = '', matches = NULL, {_days('created_at', 'finished_at', 'ruled_at')}"  # noqa: S608
        " WHERE subject = '' AND state != 'open'"
    )


def downgrade() -> None:
    """Add the columns again; what they held is gone."""
    op.add_column("status_entries", sa.Column("changed_at", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("subject_keys", sa.Column("destroyed_at", sa.BigInteger))
    op.execute("UPDATE subject_keys SET destroyed_at = created_at WHERE wrapped_key IS NULL")


def _unlink_challenges() -> None:
    table = sa.table("challenges", sa.column("id"), sa.column("document", sa.JSON))
    bind = op.get_bind()
    of_unlinked = sa.text(f"id IN (SELECT challenge_id FROM attempts WHERE id IN {_UNLINKED})")  # noqa: S608
    for row in bind.execute(sa.select(table).where(of_unlinked)).all():
        document = json.loads(row.document) if isinstance(row.document, str) else row.document
        coarse = {name: _start_of_day(document[name]) for name in ("issued_at", "expires_at") if name in document}
        bind.execute(sa.update(table).where(table.c.id == row.id).values(document={**document, **coarse}))
    times = _days("issued_at", "expires_at", "spent_at")
    op.execute(f"UPDATE challenges SET request_id = NULL, {times} WHERE {of_unlinked.text}")  # noqa: S608


def _start_of_day(time: str) -> str:
    return datetime.fromisoformat(time).replace(hour=0, minute=0, second=0, microsecond=0).isoformat()


def _day(column: str) -> str:
    return f"{column} - {column} % {_DAY_US}"


def _days(*columns: str) -> str:
    return ", ".join(f"{column} = {_day(column)}" for column in columns)
