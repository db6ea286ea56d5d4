"""Revision 0009: guardians of minors, changes that wait for them, and who paused a cameo."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the columns; every existing pause counts as the owner's."""
    op.create_table(
        "guardianships",
        sa.Column("guardian", sa.String(128), nullable=False),
        sa.Column("minor", sa.String(128), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("guardian_consent", sa.JSON),
        sa.Column("minor_consent", sa.JSON),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("guardian", "minor", name="pk_guardianships"),
    )
    op.create_index("ix_guardianships_minor_created_at", "guardianships", ["minor", "created_at"])
    op.create_index("ix_guardianships_guardian_created_at", "guardianships", ["guardian", "created_at"])
    op.add_column("cameos", sa.Column("change", sa.JSON))
    op.add_column("cameos", sa.Column("paused_by", sa.JSON))
    op.execute(sa.text("UPDATE cameos SET paused_by = '[\"\"]' WHERE state = 'paused'"))


def downgrade() -> None:
    """Drop the table and the columns."""
    op.drop_column("cameos", "paused_by")
    op.drop_column("cameos", "change")
    op.drop_table("guardianships")
