"""Revision 0017: the id of the wrapping vault key, which a rotation changes and every writer of a wrapped key locks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its only row."""
    made = op.create_table(
        "vault_key",
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_vault_key"),
    )
    op.bulk_insert(made, [{"number": 1, "id": ""}])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("vault_key")
