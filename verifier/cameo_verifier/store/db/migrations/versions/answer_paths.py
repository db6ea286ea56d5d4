"""Revision 0029: the kind of challenge that an attempt answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; attempts until now answered words and turns."""
    op.add_column("attempts", sa.Column("path", sa.String(32), nullable=False, server_default=sa.text("'speech_and_turns'")))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("attempts", "path")
