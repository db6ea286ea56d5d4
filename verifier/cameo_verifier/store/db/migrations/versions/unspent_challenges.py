"""Revision 0014: an index of unspent challenges, to find and delete expired ones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_UNSPENT = sa.text("spent_at IS NULL")


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_challenges_expires_at", "challenges", ["expires_at"], sqlite_where=_UNSPENT, postgresql_where=_UNSPENT)


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_challenges_expires_at", "challenges")
