"""Issued credentials: the attempt, audience and expiry of each, without the embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, insert, select, update

from cameo_credential.token_status import Status
from cameo_verifier.cameo.model import EventKind
from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.cameos import events
from cameo_verifier.store.credentials import statuses
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence import ends
from cameo_verifier.store.evidence.ends import End

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from cameo_verifier.cameo.model import Cameo

_NOT_LET = "the owner no longer lets this generator hold the likeness"

FIRST = ""
"""`request_id` of the credential that came with the verdict."""


@dataclass(frozen=True, slots=True)
class IssuedCredential:
    """An issued credential.

    Attributes:
        jti: the credential's id.
        attempt_id: the attempt it is issued for.
        cameo_id: the cameo.
        request_id: of the request to issue it; empty for the one that came with the verdict.
        audience: the generator it is for.
        subject: the pseudonym, `sub`.
        issued_at, expires_at: times in UTC.
        token: the JWE, which only the audience can decrypt; empty once deleted.
    """

    jti: str
    attempt_id: str
    cameo_id: str
    request_id: str
    audience: str
    subject: str
    issued_at: datetime
    expires_at: datetime
    token: str


class CredentialStore:
    """Credentials in the database behind `engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, jti: str) -> IssuedCredential:
        """Return a credential by its id.

        Raises:
            NotFoundError: no credential has this id.
            StoreError: the database failed.
        """
        with store_errors(), self._engine.connect() as connection:
            row = connection.execute(select(tables.credentials).where(tables.credentials.c.jti == jti)).one_or_none()
        if row is None:
            raise NotFoundError("no such credential")
        return credential(row)

    def drop_tokens(self, *, issued_before: datetime) -> int:
        """Delete the encrypted tokens of credentials issued before a time, and return their number.

        They are stored only for retries after a lost reply.

        Raises:
            StoreError: the database failed.
        """
        table = tables.credentials
        statement = update(table).where(table.c.issued_at < issued_before, table.c.token.is_not(None)).values(token=None)
        with store_errors(), self._engine.begin() as connection:
            return connection.execute(statement).rowcount


def first(connection: Connection, attempt_id: str) -> IssuedCredential | None:
    """Return the credential that came with the verdict on an attempt; None if there is none, or none any more."""
    table = tables.credentials
    row = connection.execute(select(table).where(table.c.attempt_id == attempt_id, table.c.request_id == FIRST)).one_or_none()
    return None if row is None else credential(row)


def add(connection: Connection, credential: IssuedCredential) -> None:
    """Store a credential, inside a transaction of the caller."""
    row: dict[str, Any] = {
        "jti": credential.jti,
        "attempt_id": credential.attempt_id,
        "cameo_id": credential.cameo_id,
        "request_id": credential.request_id,
        "audience": credential.audience,
        "sub": credential.subject,
        "issued_at": credential.issued_at,
        "expires_at": credential.expires_at,
        "token": credential.token or None,
    }
    connection.execute(insert(tables.credentials).values(row))


def revoke_unadmitted(connection: Connection, cameo: Cameo, *, now: datetime) -> None:
    """Revoke the credentials of generators that the terms of a locked cameo no longer permit to hold one."""
    table = tables.credentials
    query = select(table.c.jti, table.c.audience).where(table.c.cameo_id == cameo.id, table.c.revoked_at.is_(None))
    jtis = [row.jti for row in connection.execute(query) if not cameo.terms.let_hold(row.audience)]
    if jtis:
        statuses.change(connection, tables.status_entries.c.jti.in_(jtis), Status.INVALID)
        revoked = {"revoked_at": now, "revoke_reason": _NOT_LET, "token": None}
        connection.execute(update(table).where(table.c.jti.in_(jtis)).values(revoked))
        ends.note(connection, End.CREDENTIAL, *jtis)
        kind = EventKind.CREDENTIAL_WAS_REVOKED
        events.append_all(connection, [events.Happened(cameo, kind, now, credential_id=jti) for jti in sorted(jtis)])


def credential(row: Row[Any]) -> IssuedCredential:
    """Return the credential of a row of the table."""
    return IssuedCredential(
        jti=row.jti,
        attempt_id=row.attempt_id,
        cameo_id=row.cameo_id,
        request_id=row.request_id,
        audience=row.audience,
        subject=row.sub,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        token=row.token or "",
    )
