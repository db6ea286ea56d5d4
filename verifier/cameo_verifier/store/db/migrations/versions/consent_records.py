"""Revision 0023: records of consents, encrypted with their subjects' data keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0019"
branch_labels = None
depends_on = None

_INDEXES = (("subject", "created_at"), ("cameo_id",), ("kind", "created_at"))


def upgrade() -> None:
    """Create the table and its indexes; cameos from before have no records."""
    op.create_table(
        "consent_records",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("cameo_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consent_records"),
    )
    for columns in _INDEXES:
        op.create_index(f"ix_consent_records_{'_'.join(columns)}", "consent_records", list(columns))


def downgrade() -> None:
    """Drop the table: the records are gone."""
    op.drop_table("consent_records")
