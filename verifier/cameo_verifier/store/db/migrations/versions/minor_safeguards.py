"""Revision 0003: whether an attempt was a possible minor's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; it is false for earlier attempts, whose age was not estimated."""
    op.add_column("attempts", sa.Column("minor_safeguards", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("attempts", "minor_safeguards")
