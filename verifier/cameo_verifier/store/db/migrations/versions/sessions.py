"""Revision 0026: live sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("audience", sa.String(128), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("needs", sa.JSON, nullable=False),
        sa.Column("asked", sa.JSON),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt_id", sa.String(64)),
        sa.Column("ended_by", sa.String(64), nullable=False),
        sa.Column("server_id", sa.String(64), nullable=False),
        sa.Column("hello", sa.JSON),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_sessions_attempt_id"),
        sa.UniqueConstraint("attempt_id", name="uq_sessions_attempt_id"),
        sa.UniqueConstraint("subject", "request_id", name="uq_sessions_subject_request_id"),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("sessions")
