"""Revision 0031: what vouches for the capture of an attempt's recording."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; of attempts until now nothing is said."""
    op.add_column("attempts", sa.Column("capture", sa.String(32), nullable=False, server_default=sa.text("'none'")))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("attempts", "capture")
