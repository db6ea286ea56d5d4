"""Revision 0008: several credentials per attempt, their cameo, revocation of single ones, and the attempt of a face."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LINKED = """
UPDATE credentials SET cameo_id = coalesce(
    (SELECT id FROM cameos WHERE cameos.attempt_id = credentials.attempt_id),
    (SELECT cameo_id FROM likenesses WHERE likenesses.attempt_id = credentials.attempt_id),
    '')
"""
# Written in one transaction, hence with equal times.
_ENROLLED = """
UPDATE faces SET attempt_id =
    (SELECT max(id) FROM attempts WHERE attempts.subject = faces.owner AND attempts.finished_at = faces.created_at)
WHERE collection = 'enrolled'
"""
_OF_DELETED = "SELECT jti FROM credentials WHERE receipt = ''"
_OF_STATE = "SELECT jti FROM credentials JOIN cameos ON cameos.id = credentials.cameo_id WHERE cameos.state = '{}'"
_STATUS = "UPDATE status_entries SET status = {} WHERE status <> 1 AND jti IN ({})"


def upgrade() -> None:
    """Change the tables, and give each credential the status that its cameo has."""
    with op.batch_alter_table("credentials") as table:
        table.drop_constraint("uq_credentials_attempt_id", type_="unique")
        for name in ("cameo_id", "request_id"):
            table.add_column(sa.Column(name, sa.String(64), nullable=False, server_default=""))
        table.add_column(sa.Column("revoked_at", sa.BigInteger))
        table.add_column(sa.Column("revoke_reason", sa.Text))
        table.add_column(sa.Column("revoke_request_id", sa.String(64)))
        table.create_unique_constraint("uq_credentials_attempt_id_request_id", ["attempt_id", "request_id"])
    with op.batch_alter_table("credentials") as table:
        for name in ("cameo_id", "request_id"):
            table.alter_column(name, server_default=None)
    op.create_index("ix_credentials_cameo_id", "credentials", ["cameo_id"])
    op.add_column("faces", sa.Column("attempt_id", sa.String(64)))
    op.execute(_LINKED)
    op.execute(_ENROLLED)
    for status, jtis in ((1, _OF_DELETED), (1, _OF_STATE.format("revoked")), (2, _OF_STATE.format("paused"))):
        op.execute(_STATUS.format(status, jtis))
    op.execute("DELETE FROM credentials WHERE receipt = ''")


def downgrade() -> None:
    """Delete all credentials except those that attempts earned themselves, and the links; statuses stay."""
    op.execute("DELETE FROM credentials WHERE request_id <> ''")
    op.drop_column("faces", "attempt_id")
    op.drop_index("ix_credentials_cameo_id", "credentials")
    with op.batch_alter_table("credentials") as table:
        table.drop_constraint("uq_credentials_attempt_id_request_id", type_="unique")
        for name in ("cameo_id", "request_id", "revoked_at", "revoke_reason", "revoke_request_id"):
            table.drop_column(name)
        table.create_unique_constraint("uq_credentials_attempt_id", ["attempt_id"])
