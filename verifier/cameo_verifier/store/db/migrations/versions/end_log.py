"""The ends that are not in the deletion log yet, and the last line of it that the database has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables. Deletions until now are in no log: an older copy of the database brings them back."""
    op.create_table(
        "unlogged_ends",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("of_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("kind", "of_id", name="pk_unlogged_ends"),
    )
    made = op.create_table(
        "end_log",
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_end_log"),
    )
    op.bulk_insert(made, [{"id": 1, "number": 0}])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("end_log")
    op.drop_table("unlogged_ends")
