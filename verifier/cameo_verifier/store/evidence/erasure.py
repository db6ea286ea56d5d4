"""Erasure: the data destroyed when a cameo is deleted, in the transaction that turns it into a tombstone.

1. Its credentials: all are revoked; their rows, with pseudonyms, receipts and stored tokens, are deleted. An entry of a status
   list stays, under an id that leads nowhere. Suspensions of them, with the analysts' reasons, are deleted too.
2. The likeness and its data key.
3. The face in the gallery. One that another attempt of the subject enrolled stays as long as the likeness of that attempt
   does: for another cameo of theirs, or one they can still create.
4. The person's account id in the attempt, the challenge and the event of its decision, and in every other of their
   attempts that ended and has neither a likeness nor a credential, which is theirs to revoke. The judgements stay, and the
   fingerprints, by which a repeated recording is recognised; they name nobody any more.
5. The data key of all evidence of the person, which makes every copy of it unreadable; the objects themselves
   are removed by the next sweep (`retention`). Evidence of a later attempt has another key. A recording that is spooled
   until it is judged is deleted at once, and so is the likeness of an attempt in manual review.

Terms, notes and the reason are the cameo's own: `cameos.delete` overwrites them. All other data of a person or of their recording
is destroyed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select, update

from cameo_credential.token_status import Status
from cameo_verifier.store.attempts.attempts import AttemptState
from cameo_verifier.store.cameos import faces, likenesses
from cameo_verifier.store.credentials import statuses
from cameo_verifier.store.db import tables
from cameo_verifier.store.evidence import evidence

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from cameo_verifier.cameo.model import Cameo

_OF_ATTEMPTS = (tables.likenesses, tables.credentials)
"""Tables whose rows make an attempt still its owner's, to use or to revoke."""


def erase(connection: Connection, cameo: Cameo, *, now: datetime) -> None:
    """Destroy the data of a cameo, inside a transaction of the caller; the steps are those of the module."""
    statuses.change_of_cameo(connection, cameo.id, Status.INVALID, now=now)
    connection.execute(delete(tables.credentials).where(tables.credentials.c.cameo_id == cameo.id))  # step 1
    connection.execute(delete(tables.suspensions).where(tables.suspensions.c.cameo_id == cameo.id))
    likenesses.destroy(connection, cameo.id)  # step 2
    faces.forget_without_likeness(connection, cameo.subject)  # step 3
    evidence.withdraw(connection, cameo.subject, now=now)  # step 5, while the subject still leads to it
    _unlink(connection, cameo.subject)  # step 4, after the likeness


def _unlink(connection: Connection, subject: str) -> None:
    attempts, challenges, events = tables.attempts, tables.challenges, tables.events
    ended = (attempts.c.subject == subject) & (attempts.c.state != AttemptState.OPEN.value)
    kept = [select(of.c.attempt_id).where(of.c.attempt_id == attempts.c.id).exists() for of in _OF_ATTEMPTS]
    # Locked in a fixed order: two cameos of a person may be deleted concurrently.
    query = select(attempts.c.id, attempts.c.challenge_id).where(ended, ~or_(*kept)).order_by(attempts.c.id).with_for_update()
    for row in connection.execute(query).all():
        connection.execute(update(attempts).where(attempts.c.id == row.id).values(subject=""))
        connection.execute(update(challenges).where(challenges.c.id == row.challenge_id).values(subject="", request_id=None))
        connection.execute(update(events).where(events.c.attempt_id == row.id).values(subject=""))
