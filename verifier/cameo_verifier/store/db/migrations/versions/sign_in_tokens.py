"""Revision 0016: sign-in tokens of named local people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "sign_in_tokens",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("spent_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_tokens"),
        sa.UniqueConstraint("digest", name="uq_sign_in_tokens_digest"),
    )
    op.create_index("ix_sign_in_tokens_name", "sign_in_tokens", ["name"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("sign_in_tokens")
