"""Revision 0011: evidence with subjects' data keys, the audit log and labels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; earlier attempts have no evidence."""
    _evidence()
    _audit()
    op.create_table(
        "labels",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("attempt_id", sa.String(64), nullable=False),
        sa.Column("truth", sa.String(16), nullable=False),
        sa.Column("species", sa.String(64), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("analyst", sa.String(128), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
        sa.UniqueConstraint("attempt_id", "number", name="uq_labels_attempt_id_number"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_labels_attempt_id"),
    )
    op.create_index("ix_labels_analyst_created_at", "labels", ["analyst", "created_at"])


def _evidence() -> None:
    op.create_table(
        "subject_keys",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(128)),
        sa.Column("vault_key_id", sa.String(16), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("destroyed_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_subject_keys"),
        sa.UniqueConstraint("subject", name="uq_subject_keys_subject"),
    )
    op.create_table(
        "evidence",
        sa.Column("attempt_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("kept_at", sa.BigInteger, nullable=False),
        sa.Column("removed_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("attempt_id", "kind", name="pk_evidence"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_evidence_attempt_id"),
    )
    op.create_index("ix_evidence_removed_at_kept_at", "evidence", ["removed_at", "kept_at"])


def _audit() -> None:
    op.create_table(
        "audit_log",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("attempt_id", sa.String(64), nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_attempt_id_number", "audit_log", ["attempt_id", "number"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "hash": "", "mac": ""}])


def downgrade() -> None:
    """Drop the tables; without the keys all evidence is unreadable."""
    for table in ("labels", "audit_head", "audit_log", "evidence", "subject_keys"):
        op.drop_table(table)
