"""Issue of a cameo's credentials, and revocation of single ones.

A signature may be made far away, in a key service, so no transaction waits for it: `basis` reads the cameo's state, and `keep`
stores the credential made from it if the cameo is unchanged. So no credential is issued under outdated terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from cameo_credential.token_status import Status
from cameo_verifier.cameo.model import EventKind
from cameo_verifier.cameo.permissions import Answer, require_active
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.store.attempts import attempts
from cameo_verifier.store.cameos import cameos, events, guardians, guardianships, holdings, likenesses
from cameo_verifier.store.credentials import credentials, statuses
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence import ends
from cameo_verifier.store.evidence.ends import End

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

    from cameo_verifier.cameo.model import Cameo
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.store.cameos.holdings import HeldCredential
    from cameo_verifier.store.cameos.vault import SealedLikeness
    from cameo_verifier.store.credentials.credentials import IssuedCredential


@dataclass(frozen=True, slots=True)
class Basis:
    """The data a credential is issued from: the cameo as read, its attempt, and the encrypted likeness."""

    cameo: Cameo
    attempt: Attempt
    likeness: SealedLikeness


@dataclass(frozen=True, slots=True)
class Revocation:
    """The revocation of a single credential."""

    jti: str
    revoked_at: datetime
    reason: str


class IssuanceStore:
    """Credentials of cameos in the database behind `engine`. `subject`: the caller; None is the app, which sees all."""

    def __init__(self, engine: Engine) -> None:
        self._engine = writing(engine)

    def basis(
        self, cameo_id: str, *, subject: str | None, audience: str, request_id: str, guardian: str = ""
    ) -> Basis | IssuedCredential:
        """Return the data to issue a credential from, or the credential that an earlier request with this id got.

        Only a `guardian`, for whom `subject` is None, may give a minor's likeness to an audience that has no credential of it
        yet.

        Raises:
            RefusedError: `USE_NOT_PERMITTED`, of an audience not permitted to hold one; `CAMEO_UNKNOWN`, `CAMEO_IS_PAUSED`,
                `CAMEO_ENDED`, `CAMEO_GONE`, `MINOR_NEEDS_GUARDIAN` or `REQUEST_ID_REUSED`.
            StoreError: the database failed.
        """
        with store_errors(), self._engine.begin() as connection:
            cameo = cameos.get(connection, cameo_id, subject=subject, hold=True)
            if guardian:
                guardians.require_theirs(connection, cameo, guardian)
            require_active(cameo)
            _require_let(cameo, audience)
            if cameo.minor_safeguards and not guardian and audience not in _audiences(connection, cameo_id):
                raise RefusedError(Refusal.MINOR_NEEDS_GUARDIAN)
            earlier = _earlier(connection, cameo.attempt_id, request_id, audience)
            if earlier is not None:
                return earlier
            return Basis(cameo, attempts.get(connection, cameo.attempt_id), likenesses.of(connection, cameo_id))

    def keep(self, credential: IssuedCredential, basis: Basis) -> IssuedCredential:
        """Store a credential made from `basis`; if the same request was sent twice concurrently, return the first one's.

        Raises:
            RefusedError: `CAMEO_CHANGED`: make it again from the cameo's new state; or as `basis`. Nothing was stored.
            StoreError: the database failed; nothing was stored.
        """
        with store_errors(), self._engine.begin() as connection:
            cameo = cameos.get(connection, basis.cameo.id, subject=basis.cameo.subject, hold=True)
            require_active(cameo)
            earlier = _earlier(connection, cameo.attempt_id, credential.request_id, credential.audience)
            if earlier is not None:
                return earlier
            if cameo.version != basis.cameo.version:
                raise RefusedError(Refusal.CAMEO_CHANGED)
            credentials.add(connection, credential)
            issued = events.Happened(cameo, EventKind.CREDENTIAL_WAS_ISSUED, credential.issued_at, credential_id=credential.jti)
            events.append_all(connection, [issued])
            return credential

    def of_subject(
        self, subject: str, *, guardian: str = "", after: tuple[datetime, str] | None, limit: int
    ) -> list[HeldCredential]:
        """Return a person's credentials, see `holdings.credentials_of`; none to a `guardian` who is not linked to them.

        Raises:
            StoreError: the database failed.
        """
        with store_errors(), self._engine.begin() as connection:
            if guardian and guardian not in guardianships.guardians_of(connection, subject):
                return []
            return holdings.credentials_of(connection, subject, after=after, limit=limit)

    def revoke(self, jti: str, *, subject: str | None, reason: str, request_id: str, now: datetime) -> Revocation:
        """Revoke one credential, which is final, and delete its token; a revoked one keeps its first reason.

        Raises:
            RefusedError: `CREDENTIAL_UNKNOWN` or `REQUEST_ID_REUSED`.
            StoreError: the database failed.
        """
        table = tables.credentials
        revoked = {"revoked_at": now, "revoke_reason": reason, "revoke_request_id": request_id, "token": None}
        with store_errors(), self._engine.begin() as connection:
            _seen(connection, jti, subject)
            statuses.change(connection, tables.status_entries.c.jti == jti, Status.INVALID)
            statement = update(table).where(table.c.jti == jti, table.c.revoked_at.is_(None)).values(revoked)
            newly = connection.execute(statement).rowcount == 1
            row = _seen(connection, jti, subject)
            if newly:  # a repeated request ends nothing that was granted since
                cameos.end_grants(connection, row.cameo_id, now=now, audience=row.audience)
                ends.note(connection, End.CREDENTIAL, jti)
                kind = EventKind.CREDENTIAL_WAS_REVOKED
                events.append_of_credentials(connection, row.cameo_id, row.subject, kind, now=now, credential_id=jti)
        if (row.revoke_request_id == request_id) and row.revoke_reason != reason:
            raise RefusedError(Refusal.REQUEST_ID_REUSED)
        return Revocation(jti, row.revoked_at, row.revoke_reason)


def _require_let(cameo: Cameo, audience: str) -> None:
    if not cameo.terms.let_hold(audience):
        term = "generators"
        if cameo.terms.admit(audience):
            term = "offline_audiences" if audience not in cameo.terms.offline else "items"
        metadata = {"cameo_id": cameo.id, "answer": Answer.GENERATOR_NOT_CHOSEN.name, "term": term}
        raise RefusedError(Refusal.USE_NOT_PERMITTED, metadata=metadata)


def _audiences(connection: Connection, cameo_id: str) -> set[str]:
    table = tables.credentials
    return set(connection.execute(select(table.c.audience).where(table.c.cameo_id == cameo_id)).scalars())


def _earlier(connection: Connection, attempt_id: str, request_id: str, audience: str) -> IssuedCredential | None:
    table = tables.credentials
    query = select(table).where(table.c.attempt_id == attempt_id, table.c.request_id == request_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.audience != audience:
        raise RefusedError(Refusal.REQUEST_ID_REUSED)
    return credentials.credential(row)


def _seen(connection: Connection, jti: str, subject: str | None) -> Row[Any]:
    table, of = tables.credentials, tables.cameos
    query = select(table, of.c.subject).join(of, of.c.id == table.c.cameo_id).where(table.c.jti == jti)
    row = connection.execute(query).one_or_none()
    if row is None or (subject is not None and row.subject != subject):
        raise RefusedError(Refusal.CREDENTIAL_UNKNOWN)
    return row
