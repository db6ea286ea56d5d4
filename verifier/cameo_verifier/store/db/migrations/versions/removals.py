"""Revision 0010: removals, with the platform of an output, the events about them, and the delivery state of webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and columns; earlier outputs have no platform, so their generators hold them."""
    op.add_column("outputs", sa.Column("platform", sa.String(128), nullable=False, server_default=sa.text("''")))
    op.add_column("outputs", sa.Column("shown_since", sa.BigInteger))
    op.create_index("ix_outputs_platform", "outputs", ["platform"])
    op.add_column("events", sa.Column("removal_id", sa.String(64), nullable=False, server_default=sa.text("''")))
    op.create_table(
        "removal_requests",
        sa.Column("cameo_id", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("output_id", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("cameo_id", "request_id", name="pk_removal_requests"),
        sa.ForeignKeyConstraint(["cameo_id"], ["cameos.id"], name="fk_removal_requests_cameo_id"),
    )
    op.create_table(
        "removals",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("cameo_id", sa.String(64), nullable=False),
        sa.Column("output_id", sa.String(64), nullable=False),
        sa.Column("holder_kind", sa.String(16), nullable=False),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("answer_reason", sa.Text, nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.Column("acknowledged_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_removals"),
        sa.UniqueConstraint(
            "cameo_id", "output_id", "holder_kind", "holder", name="uq_removals_cameo_id_output_id_holder_kind_holder"
        ),
        sa.ForeignKeyConstraint(["cameo_id"], ["cameos.id"], name="fk_removals_cameo_id"),
        sa.ForeignKeyConstraint(["output_id"], ["outputs.id"], name="fk_removals_output_id"),
    )
    op.create_index("ix_removals_cameo_id_number", "removals", ["cameo_id", "number"])
    op.create_index("ix_removals_holder_kind_holder_number", "removals", ["holder_kind", "holder", "number"])
    op.create_index("ix_removals_output_id", "removals", ["output_id"])
    op.create_table(
        "webhooks",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("cursor", sa.BigInteger, nullable=False),
        sa.Column("delivered", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failing_since", sa.BigInteger),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("last_error", sa.String(200), nullable=False),
        sa.Column("stopped_at", sa.BigInteger),
        sa.Column("claimed_by", sa.String(64)),
        sa.Column("claimed_until", sa.BigInteger),
        sa.PrimaryKeyConstraint("name", name="pk_webhooks"),
    )


def downgrade() -> None:
    """Drop the tables and columns, with every removal."""
    op.drop_table("webhooks")
    op.drop_table("removals")
    op.drop_table("removal_requests")
    op.drop_column("events", "removal_id")
    op.drop_index("ix_outputs_platform", "outputs")
    op.drop_column("outputs", "shown_since")
    op.drop_column("outputs", "platform")
