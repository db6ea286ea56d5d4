"""Erasure: the data destroyed when a cameo is deleted, in the transaction that turns it into a tombstone.

1. Its credentials: all are revoked; their rows, with pseudonyms and stored tokens, are deleted. An entry of a status list
   stays, under an id that leads nowhere: events of the cameo do not name it any more. Suspensions of them, with the analysts'
   reasons, are deleted too.
2. The likeness and its data key.
3. The face in the gallery. One that another attempt of the subject enrolled stays as long as the likeness of that attempt
   does: for another cameo of theirs, or one they can still create.
4. All that leads from the attempt to the person's account, and from every other of their attempts that ended and has neither a
   likeness nor a credential, which is theirs to revoke: see `unlinking`. Their receipts are revoked and deleted. The judgements
   stay, and the fingerprints, by which a repeated recording is recognised; they name nobody any more.
5. The data key of all evidence of the person, which makes every copy of it unreadable; the objects themselves
   are removed by the next sweep (`retention`). Evidence of a later attempt has another key. A recording that is spooled
   until it is judged is deleted at once, and so is the likeness of an attempt in manual review.

Terms, notes and the reason are the cameo's own: `cameos.delete` overwrites them. All other data of a person or of their recording
is destroyed here. No row that stays has the time of the deletion, which the tombstone has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete

from cameo_credential.token_status import Status
from cameo_verifier.store.cameos import events, faces, likenesses
from cameo_verifier.store.credentials import statuses
from cameo_verifier.store.db import tables
from cameo_verifier.store.evidence import ends, evidence
from cameo_verifier.store.evidence.ends import End
from cameo_verifier.store.evidence.unlinking import unlink

if TYPE_CHECKING:
    from sqlalchemy import Connection


def erase(connection: Connection, cameo_id: str, subject: str) -> None:
    """Destroy the data of a cameo, inside a transaction of the caller; the steps are those of the module."""
    statuses.change_of_cameo(connection, cameo_id, Status.INVALID)
    connection.execute(delete(tables.credentials).where(tables.credentials.c.cameo_id == cameo_id))  # step 1
    events.forget_credentials(connection, cameo_id)
    connection.execute(delete(tables.suspensions).where(tables.suspensions.c.cameo_id == cameo_id))
    likenesses.destroy(connection, cameo_id)  # step 2
    faces.forget_without_likeness(connection, subject)  # step 3
    evidence.withdraw(connection, subject)  # step 5, while the subject still leads to it
    unlink(connection, subject)  # step 4, after the likeness
    ends.note(connection, End.CAMEO_DELETED, cameo_id)
