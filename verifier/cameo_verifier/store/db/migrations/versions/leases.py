"""Revision 0012: leases of servers, the server of an attempt, and spooled recordings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the tables; open attempts belong to no server, and are ended by the next one."""
    op.add_column("attempts", sa.Column("server_id", sa.String(64), nullable=False, server_default=sa.text("''")))
    op.create_table(
        "servers",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("boot", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_servers"),
    )
    op.create_table(
        "spooled_recordings",
        sa.Column("attempt_id", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("judgings", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_spooled_recordings"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_spooled_recordings_attempt_id"),
    )


def downgrade() -> None:
    """Drop the tables, with recordings not judged yet, and the column."""
    op.drop_table("spooled_recordings")
    op.drop_table("servers")
    op.drop_column("attempts", "server_id")
