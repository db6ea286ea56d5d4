"""Indexes by which other attempts with the same recording or the same face are found, and labels that were taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_MATCHED = sa.text("matches IS NOT NULL")


def upgrade() -> None:
    """Make the indexes and the column; attempts for which the gallery found nobody say so by null."""
    op.execute(sa.text("UPDATE attempts SET matches = NULL WHERE CAST(matches AS TEXT) IN ('{}', 'null')"))
    op.create_index("ix_attempts_recording_sha256", "attempts", ["recording_sha256"])
    op.create_index("ix_attempts_matched", "attempts", ["created_at"], sqlite_where=_MATCHED, postgresql_where=_MATCHED)
    op.create_index("ix_faces_attempt_id", "faces", ["attempt_id"])
    op.add_column("labels", sa.Column("withdrawn_at", sa.BigInteger))


def downgrade() -> None:
    """Drop them; labels that were taken back count again."""
    op.drop_column("labels", "withdrawn_at")
    op.drop_index("ix_faces_attempt_id", "faces")
    op.drop_index("ix_attempts_matched", "attempts")
    op.drop_index("ix_attempts_recording_sha256", "attempts")
