"""Revision 0004: status lists, and the index of each credential."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; credentials issued earlier have no status."""
    op.create_table(
        "status_lists",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("decoy_key", sa.LargeBinary, nullable=False),
        sa.Column("decoys_invalid", sa.BigInteger, nullable=False),
        sa.Column("decoys_suspended", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_status_lists"),
    )
    op.create_table(
        "status_entries",
        sa.Column("list_number", sa.Integer, nullable=False),
        sa.Column("idx", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("jti", sa.String(64), nullable=False),
        sa.Column("decoy_rank", sa.BigInteger, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("list_number", "idx", name="pk_status_entries"),
        sa.UniqueConstraint("jti", name="uq_status_entries_jti"),
        sa.ForeignKeyConstraint(["list_number"], ["status_lists.number"], name="fk_status_entries_list_number"),
    )
    op.create_index("ix_status_entries_list_number_status", "status_entries", ["list_number", "status"])
    op.create_index("ix_status_entries_list_number_decoy_rank", "status_entries", ["list_number", "decoy_rank"])


def downgrade() -> None:
    """Drop the tables: revocations are lost, and no list can be published."""
    op.drop_table("status_entries")
    op.drop_table("status_lists")
