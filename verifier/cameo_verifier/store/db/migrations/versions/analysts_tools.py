"""Revision 0015: indexes to find attempts of the same recording or face, withdrawn labels, and suspensions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_MATCHED = sa.text("matches IS NOT NULL")


def upgrade() -> None:
    """Create the indexes, the column and the table; set `matches` to null for attempts without a match."""
    op.execute(sa.text("UPDATE attempts SET matches = NULL WHERE CAST(matches AS TEXT) IN ('{}', 'null')"))
    op.create_index("ix_attempts_recording_sha256", "attempts", ["recording_sha256"])
    op.create_index("ix_attempts_matched", "attempts", ["created_at"], sqlite_where=_MATCHED, postgresql_where=_MATCHED)
    op.create_index("ix_faces_attempt_id", "faces", ["attempt_id"])
    op.add_column("labels", sa.Column("withdrawn_at", sa.BigInteger))
    op.create_table(
        "suspensions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("cameo_id", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("suspended", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("analyst", sa.String(128), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suspensions"),
        sa.UniqueConstraint("cameo_id", "number", name="uq_suspensions_cameo_id_number"),
    )


def downgrade() -> None:
    """Drop them; withdrawn labels count again, and suspended cameos stay paused."""
    op.drop_table("suspensions")
    op.drop_column("labels", "withdrawn_at")
    op.drop_index("ix_faces_attempt_id", "faces")
    op.drop_index("ix_attempts_matched", "attempts")
    op.drop_index("ix_attempts_recording_sha256", "attempts")
