"""Revision 0013: manual review: opinions and decisions, waiting likenesses, and the events about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and columns; attempts already in review have no likeness, and can only be declined."""
    op.add_column("attempts", sa.Column("ruling", sa.String(16)))
    op.add_column("attempts", sa.Column("ruled_at", sa.BigInteger))
    op.add_column("attempts", sa.Column("matches", sa.JSON, nullable=True))
    op.add_column("events", sa.Column("attempt_id", sa.String(64), nullable=False, server_default=sa.text("''")))
    op.add_column("events", sa.Column("ruling", sa.String(16), nullable=False, server_default=sa.text("''")))
    op.create_index("ix_events_attempt_id", "events", ["attempt_id"])
    op.create_table(
        "waiting_likenesses",
        sa.Column("attempt_id", sa.String(64), nullable=False),
        sa.Column("cameo_id", sa.String(64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_waiting_likenesses"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_waiting_likenesses_attempt_id"),
    )
    op.create_index("ix_waiting_likenesses_created_at", "waiting_likenesses", ["created_at"])
    op.create_table(
        "opinions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("attempt_id", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("ruling", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("analyst", sa.String(128), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_opinions"),
        sa.UniqueConstraint("attempt_id", "number", name="uq_opinions_attempt_id_number"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_opinions_attempt_id"),
    )


def downgrade() -> None:
    """Drop the tables and columns, with the likenesses and opinions in review."""
    op.drop_table("opinions")
    op.drop_table("waiting_likenesses")
    op.drop_index("ix_events_attempt_id", "events")
    op.drop_column("events", "ruling")
    op.drop_column("events", "attempt_id")
    op.drop_column("attempts", "matches")
    op.drop_column("attempts", "ruled_at")
    op.drop_column("attempts", "ruling")
