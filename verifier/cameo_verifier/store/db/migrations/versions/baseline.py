"""Revision 0001: challenges, attempts and credentials."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "challenges",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("request_id", sa.String(64)),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("spent_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_challenges"),
        sa.UniqueConstraint("subject", "request_id", name="uq_challenges_subject_request_id"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("challenge_id", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("audience", sa.String(128), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("verdict", sa.String(16)),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("checks", sa.JSON, nullable=False),
        sa.Column("profile", sa.String(128), nullable=False),
        sa.Column("digests", sa.JSON, nullable=False),
        sa.Column("timings_ms", sa.JSON, nullable=False),
        sa.Column("recording_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.UniqueConstraint("challenge_id", name="uq_attempts_challenge_id"),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenges.id"], name="fk_attempts_challenge_id"),
    )
    op.create_index("ix_attempts_subject_created_at", "attempts", ["subject", "created_at"])
    op.create_index("ix_attempts_state_created_at", "attempts", ["state", "created_at"])
    op.create_table(
        "credentials",
        sa.Column("jti", sa.String(64), nullable=False),
        sa.Column("attempt_id", sa.String(64), nullable=False),
        sa.Column("audience", sa.String(128), nullable=False),
        sa.Column("sub", sa.String(64), nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.Column("token", sa.Text),
        sa.PrimaryKeyConstraint("jti", name="pk_credentials"),
        sa.UniqueConstraint("attempt_id", name="uq_credentials_attempt_id"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_credentials_attempt_id"),
    )
    op.create_index("ix_credentials_issued_at", "credentials", ["issued_at"])


def downgrade() -> None:
    """Drop the tables with all their data."""
    op.drop_table("credentials")
    op.drop_table("attempts")
    op.drop_table("challenges")
