"""Revision 0002: fingerprints of recordings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "fingerprints",
        sa.Column("attempt_id", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_fingerprints"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_fingerprints_attempt_id"),
    )
    op.create_index("ix_fingerprints_created_at", "fingerprints", ["created_at"])


def downgrade() -> None:
    """Drop the table: recordings seen until now are not recognised."""
    op.drop_table("fingerprints")
