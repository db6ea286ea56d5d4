"""What deleting a cameo destroys, inside the transaction that turns the cameo into a tombstone.

1. Its credentials: revoked, all of them; their rows, with pseudonyms, receipts and kept tokens, are deleted. An entry of a status
   list stays, under an id that leads nowhere.
2. The likeness and the data key that opens it.
3. The face in the gallery. One that another attempt of the subject enrolled stays for as long as the likeness of that attempt
   does: another cameo of theirs, or one they still can make.
4. The person's account id beside the attempt and the challenge. The judgement stays, and the fingerprint, by which a recording
   that is sent again is known; nobody is named beside them any more.

Terms, notes and the reason are the cameo's own: `cameos.delete` overwrites them. Whatever else is kept of a person or of their
recording is destroyed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from verifier.store import faces, likenesses, statuses, tables
from verifier.token_status import Status

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from verifier.cameo.model import Cameo


def erase(connection: Connection, cameo: Cameo, *, now: datetime) -> None:
    """Destroy what is kept of a cameo, inside a transaction of the caller; the steps are those of the module."""
    statuses.change_of_cameo(connection, cameo.id, Status.INVALID, now=now)
    connection.execute(delete(tables.credentials).where(tables.credentials.c.cameo_id == cameo.id))  # step 1
    likenesses.destroy(connection, cameo.id)  # step 2
    faces.forget_without_likeness(connection, cameo.subject)  # step 3
    _unlink(connection, cameo.attempt_id)  # step 4


def _unlink(connection: Connection, attempt_id: str) -> None:
    attempts, challenges = tables.attempts, tables.challenges
    challenge_id = connection.execute(select(attempts.c.challenge_id).where(attempts.c.id == attempt_id)).scalar_one()
    connection.execute(update(attempts).where(attempts.c.id == attempt_id).values(subject=""))
    connection.execute(update(challenges).where(challenges.c.id == challenge_id).values(subject="", request_id=None))
