"""Revision 0030: events of live sessions that ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the session to events."""
    op.add_column("events", sa.Column("session_id", sa.String(64), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("events", "session_id")
