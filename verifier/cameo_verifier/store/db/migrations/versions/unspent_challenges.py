"""An index of the challenges nobody answered, by which those that expired are found and removed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_UNSPENT = sa.text("spent_at IS NULL")


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_challenges_expires_at", "challenges", ["expires_at"], sqlite_where=_UNSPENT, postgresql_where=_UNSPENT)


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_challenges_expires_at", "challenges")
