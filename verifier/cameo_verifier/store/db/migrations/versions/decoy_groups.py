"""Decoys that change as their credential does: a group of indices for each credential."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace ranks by groups. Lists of before take no more credentials, and those in them have no decoys any more."""
    op.drop_index("ix_status_entries_list_number_decoy_rank", "status_entries")
    op.drop_column("status_entries", "decoy_rank")
    op.add_column("status_entries", sa.Column("group_number", sa.Integer))
    op.create_index("ix_status_entries_list_number_group_number", "status_entries", ["list_number", "group_number"], unique=True)
    op.drop_column("status_lists", "decoys_invalid")
    op.drop_column("status_lists", "decoys_suspended")
    op.execute("UPDATE status_lists SET used = capacity")


def downgrade() -> None:
    """Put ranks back, all equal; each credential's own status is as it was."""
    op.drop_index("ix_status_entries_list_number_group_number", "status_entries")
    op.drop_column("status_entries", "group_number")
    op.add_column("status_entries", sa.Column("decoy_rank", sa.BigInteger, nullable=False, server_default="2147483648"))
    op.create_index("ix_status_entries_list_number_decoy_rank", "status_entries", ["list_number", "decoy_rank"])
    for name in ("decoys_invalid", "decoys_suspended"):
        op.add_column("status_lists", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
