"""Revision 0006: transformed faces of protected and enrolled people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; people enrolled earlier are not recognised."""
    op.create_table(
        "faces",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("collection", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("code", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_faces"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_faces_collection_owner", "faces", ["collection", "owner"])
    op.create_index("ix_faces_key_id_model_number", "faces", ["key_id", "model", "number"])
    op.create_table(
        "protected_allowances",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", "subject", name="pk_protected_allowances"),
    )


def downgrade() -> None:
    """Drop the tables: nobody is protected, and no enrolment is known."""
    op.drop_table("protected_allowances")
    op.drop_table("faces")
