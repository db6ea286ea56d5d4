"""What an accepted attempt earns with its verdict: a receipt, and the cameo and the credential that its request asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from cameo_verifier.cameo.model import CameoState, EventKind
from cameo_verifier.store.cameos import cameos, events
from cameo_verifier.store.credentials import credentials, receipts
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from cameo_verifier.cameo.model import Cameo
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.store.cameos.consent_records import ConsentRecords
    from cameo_verifier.store.credentials.credentials import IssuedCredential
    from cameo_verifier.store.credentials.receipts import KeptReceipt


@dataclass(frozen=True, slots=True)
class Earned:
    """What an attempt earned with its verdict. Only an accepted one has a receipt, and only a cameo has a credential."""

    receipt: KeptReceipt | None = None
    cameo: Cameo | None = None
    credential: IssuedCredential | None = None

    def __post_init__(self) -> None:
        """Check that nothing comes into being without what it rests on, with `RuntimeError`."""
        if (self.cameo is not None and self.receipt is None) or (self.credential is not None and self.cameo is None):
            raise RuntimeError("no cameo comes into being without a verification, and no credential without a cameo")


NOTHING_EARNED = Earned()


def add(connection: Connection, attempt: Attempt, earned: Earned, *, records: ConsentRecords | None) -> None:
    """Store what an attempt earned, inside a transaction of the caller; a minor's cameo with a request is a bug of ours.

    The consent to a cameo is recorded in `records`.
    """
    if earned.cameo is not None and attempt.minor_safeguards:
        raise RuntimeError("a possible minor's cameo was to be made without the guardians")
    if earned.receipt is not None:
        receipts.add(connection, earned.receipt)
    if earned.cameo is not None:
        cameos.add(connection, earned.cameo, request_id=attempt.request_id.lower(), records=records)
    if earned.cameo is not None and earned.credential is not None:
        credentials.add(connection, earned.credential)
        kind, issued = EventKind.CREDENTIAL_WAS_ISSUED, earned.credential
        events.append_of_credentials(
            connection, earned.cameo.id, earned.cameo.subject, kind, now=issued.issued_at, credential_id=issued.jti
        )


class EarnedStore:
    """Reads the database behind `engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, attempt: Attempt) -> Earned:
        """Return what is left of what an attempt earned, the cameo as it is now, the credential only while that is active.

        Raises:
            StoreError: the database failed.
        """
        table = tables.cameos
        mine = (table.c.attempt_id == attempt.id) & (table.c.request_id == attempt.request_id.lower())
        with store_errors(), self._engine.connect() as connection:
            receipt = receipts.of_attempt(connection, attempt.id)
            row = connection.execute(select(table).where(mine)).one_or_none()
            if row is None:
                return Earned(receipt)
            cameo = cameos.from_row(row)
            active = cameo.state is CameoState.CAMEO_ACTIVE
            return Earned(receipt, cameo, credentials.first(connection, attempt.id) if active else None)
