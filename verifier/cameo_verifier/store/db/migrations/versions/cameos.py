"""Revision 0007: cameos with encrypted likenesses, terms, grants, outputs, events and follows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; likenesses of earlier attempts were not stored, so no cameo can be created of those."""
    _likenesses_and_cameos()
    _uses()
    _events()
    op.create_table(
        "follows",
        sa.Column("follower", sa.String(128), nullable=False),
        sa.Column("followee", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("follower", "followee", name="pk_follows"),
    )


def _likenesses_and_cameos() -> None:
    op.create_table(
        "likenesses",
        sa.Column("cameo_id", sa.String(64), nullable=False),
        sa.Column("attempt_id", sa.String(64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("cameo_id", name="pk_likenesses"),
        sa.UniqueConstraint("attempt_id", name="uq_likenesses_attempt_id"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_likenesses_attempt_id"),
    )
    op.create_table(
        "cameos",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("attempt_id", sa.String(64)),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("terms", sa.JSON, nullable=False),
        sa.Column("minor_safeguards", sa.Boolean, nullable=False),
        sa.Column("consent", sa.JSON, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cameos"),
        sa.UniqueConstraint("attempt_id", name="uq_cameos_attempt_id"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_cameos_attempt_id"),
    )
    op.create_index("ix_cameos_subject_created_at", "cameos", ["subject", "created_at"])


def _uses() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("audience", sa.String(128), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("requester", sa.String(128), nullable=False),
        sa.Column("job_id", sa.String(128), nullable=False),
        sa.Column("purposes", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("spent_at", sa.BigInteger),
        sa.Column("spent_by_request", sa.String(64)),
        sa.Column("revoked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
        sa.UniqueConstraint("audience", "request_id", name="uq_grants_audience_request_id"),
    )
    op.create_table(
        "grant_cameos",
        sa.Column("grant_id", sa.String(64), nullable=False),
        sa.Column("cameo_id", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("grant_id", "cameo_id", name="pk_grant_cameos"),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.id"], name="fk_grant_cameos_grant_id"),
        sa.ForeignKeyConstraint(["cameo_id"], ["cameos.id"], name="fk_grant_cameos_cameo_id"),
    )
    op.create_index("ix_grant_cameos_cameo_id_number", "grant_cameos", ["cameo_id", "number"])
    op.create_table(
        "outputs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("grant_id", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("c2pa_manifest", sa.String(256), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("creator", sa.String(128), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outputs"),
        sa.UniqueConstraint("grant_id", "sha256", name="uq_outputs_grant_id_sha256"),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.id"], name="fk_outputs_grant_id"),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("cameo_id", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("grant_id", sa.String(64), nullable=False),
        sa.Column("output_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_events"),
    )
    op.create_index("ix_events_subject_number", "events", ["subject", "number"])
    counter = op.create_table(
        "event_counter",
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event_counter"),
    )
    op.bulk_insert(counter, [{"id": 1, "last": 0}])


def downgrade() -> None:
    """Drop the tables, with every cameo and its history."""
    for table in ("follows", "event_counter", "events", "outputs", "grant_cameos", "grants", "cameos", "likenesses"):
        op.drop_table(table)
