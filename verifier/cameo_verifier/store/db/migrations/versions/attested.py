"""When the recording behind a cameo was judged: what grants ask, beside credentials."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, with the time of each cameo's attempt; a tombstone has none."""
    op.add_column("cameos", sa.Column("attested_at", sa.BigInteger))
    op.execute(
        "UPDATE cameos SET attested_at = (SELECT attempts.created_at FROM attempts WHERE attempts.id = cameos.attempt_id)"
        " WHERE attempt_id IS NOT NULL"
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("cameos", "attested_at")
