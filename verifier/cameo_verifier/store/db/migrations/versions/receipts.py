"""Revision 0020: receipts of their own, no credential without a cameo, and what a request asks beside the verdict."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_WITHOUT_CONSENT = "cameo_id NOT IN (SELECT id FROM cameos)"


def upgrade() -> None:
    """Add the table and the column; credentials without a cameo are revoked and deleted, with all their receipts.

    Digests of credentials count as a receipt's.
    """
    op.create_table(
        "receipts",
        sa.Column("jti", sa.String(64), nullable=False),
        sa.Column("attempt_id", sa.String(64), nullable=False),
        sa.Column("cameo_id", sa.String(64), nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("jti", name="pk_receipts"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_receipts_attempt_id_attempts"),
        sa.UniqueConstraint("attempt_id", name="uq_receipts_attempt_id"),
    )
    op.create_index("ix_receipts_cameo_id", "receipts", ["cameo_id"])
    op.add_column("attempts", sa.Column("asked", sa.JSON))
    op.execute(f"UPDATE status_entries SET status = 1 WHERE jti IN (SELECT jti FROM credentials WHERE {_WITHOUT_CONSENT})")  # noqa: S608
    op.execute(f"DELETE FROM credentials WHERE {_WITHOUT_CONSENT}")  # noqa: S608 - constants
    with op.batch_alter_table("credentials") as table:
        table.drop_column("receipt")
        table.create_foreign_key("fk_credentials_cameo_id_cameos", "cameos", ["cameo_id"], ["id"])
    op.execute("UPDATE evidence SET kind = 'receipt' WHERE kind = 'credential'")


def downgrade() -> None:
    """Drop them; a receipt of a credential is empty afterwards."""
    op.execute("UPDATE evidence SET kind = 'credential' WHERE kind = 'receipt'")
    with op.batch_alter_table("credentials") as table:
        table.drop_constraint("fk_credentials_cameo_id_cameos", type_="foreignkey")
        table.add_column(sa.Column("receipt", sa.Text, nullable=False, server_default=""))
    op.drop_column("attempts", "asked")
    op.drop_index("ix_receipts_cameo_id", "receipts")
    op.drop_table("receipts")
