"""Revision 0023: consent records, grants of which nothing came, whose an output is, and credentials in events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0020"
branch_labels = None
depends_on = None

_UNFLAGGED = sa.text("spent_at IS NOT NULL AND overdue_at IS NULL")
_INDEXES = (("subject", "created_at"), ("cameo_id",), ("kind", "created_at"))


def upgrade() -> None:
    """Create table and columns; cameos from before have no records, outputs that two grants share keep no audience."""
    op.create_table(
        "consent_records",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("cameo_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consent_records"),
    )
    for columns in _INDEXES:
        op.create_index(f"ix_consent_records_{'_'.join(columns)}", "consent_records", list(columns))

    op.add_column("grants", sa.Column("overdue_at", sa.BigInteger))
    op.create_index("ix_grants_spent_at", "grants", ["spent_at"], sqlite_where=_UNFLAGGED, postgresql_where=_UNFLAGGED)
    op.add_column("outputs", sa.Column("audience", sa.String(128)))
    op.execute(
        "UPDATE outputs SET audience = (SELECT grants.audience FROM grants WHERE grants.id = outputs.grant_id)"
        " WHERE sha256 IN (SELECT sha256 FROM outputs GROUP BY sha256 HAVING count(*) = 1)"
    )
    op.create_index("uq_outputs_audience_sha256", "outputs", ["audience", "sha256"], unique=True)
    op.add_column("events", sa.Column("credential_id", sa.String(64), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    """Drop them: the records are gone."""
    op.drop_column("events", "credential_id")
    op.drop_index("uq_outputs_audience_sha256", "outputs")
    op.drop_column("outputs", "audience")
    op.drop_index("ix_grants_spent_at", "grants")
    op.drop_column("grants", "overdue_at")
    op.drop_table("consent_records")
