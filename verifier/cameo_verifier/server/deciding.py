"""Manual review: analysts decide attempts with the verdict `REVIEW`, which end in a receipt or in none; the app is notified.

A signature may be made far away, in a key service, so no transaction waits for it: the waiting likeness is decrypted and the
receipt issued first, then everything is stored at once, unless another opinion was given meanwhile; see
`cameo_verifier.store.attempts.opinions`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import structlog

from cameo_credential import decoys, likeness
from cameo_credential.gallery_key import GalleryKey
from cameo_verifier.errors import StoreError
from cameo_verifier.review.vault_file import open_vault
from cameo_verifier.screening.transform import Transform
from cameo_verifier.server.issuing import Issuer
from cameo_verifier.status.index_allocator import IndexAllocator
from cameo_verifier.store.attempts.opinions import ApprovalResult, OpinionStore
from cameo_verifier.store.cameos.faces import Code
from cameo_verifier.store.credentials.statuses import StatusStore
from cameo_verifier.store.db.engine import scrub
from cameo_verifier.types import Ruling

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Engine

    from cameo_credential.claims import Embedding
    from cameo_verifier.review.evidence_room import EvidenceRoom
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.store.attempts.opinions import OpinionRequest

log = structlog.get_logger(__name__)

FOUR_EYES = 2


@dataclass(frozen=True, slots=True)
class Deciding:
    """Applies opinions of analysts; thread-safe. issuer: opens it, at the first approval."""

    settings: Settings
    engine: Engine
    room: EvidenceRoom
    clock: Callable[[], datetime]
    issuer: Callable[[], Issuer]

    @property
    def opinions(self) -> OpinionStore:
        """The store of opinions."""
        return OpinionStore(self.engine, self.room.audit, needed=FOUR_EYES if self.settings.review_four_eyes else 1)

    def decide(self, said: OpinionRequest) -> Attempt:
        """Store an analyst's opinion and, if it settles the attempt, everything that follows from it; return the attempt.

        Raises:
            NotFoundError: there is no such attempt.
            RequestError: `AUDIENCE_UNKNOWN`: whom it was for is no longer registered.
            RefusedError: as `OpinionStore.keep`, or `ATTESTATION_ENDED`.
            VaultError: the likeness does not open under the site's vault key.
            KeyFileError: no key may sign now.
            StoreError: the database failed, or another analyst gave an opinion meanwhile; nothing was stored.
        """
        now = self.clock()
        basis = self.opinions.basis(said)
        earned = None
        if basis is not None:
            attempt, waiting = basis
            sealing = open_vault(self.settings.vault_key)
            face, _ = likeness.from_bytes(sealing.open(waiting))
            issuer = self.issuer()
            issuer.signature_for(attempt.audience)
            earned = ApprovalResult(issuer.receipt(attempt, attempt, cameo_id=waiting.cameo_id, now=now), self._code(face))
        decided = self.opinions.keep(said, now=now, earned=earned)
        if decided.ruling is not None:
            log.info("decided", attempt_id=decided.id, ruling=decided.ruling.value)
            scrub(self.engine)
        if earned is not None and decided.ruling is Ruling.APPROVED:
            self._note(decided, earned, now)
        return decided

    def expire(self, *, before: datetime) -> int:
        """Decline attempts that have waited since before a time, and destroy their likenesses; return the number of likenesses.

        Raises:
            StoreError: the database failed.
        """
        return self.opinions.expire(before=before, now=self.clock())

    def _note(self, attempt: Attempt, earned: ApprovalResult, now: datetime) -> None:
        try:
            self.room.vault.keep_digest(attempt.id, earned.receipt.token, now=now)
        except StoreError as error:
            log.error("the digest of a receipt could not be kept", attempt_id=attempt.id, error=str(error))  # noqa: TRY400 - the message says it all

    def _code(self, face: Embedding) -> Code | None:
        """Return the transformed face for the gallery; None if the site has no gallery."""
        if not self.settings.gallery:
            return None
        key = GalleryKey.open(self.settings.gallery_key)
        return Code(Transform(key.secret, face.model_sha256).code(face.vector), key.id, face.model_sha256)


def issuer_of(
    settings: Settings, engine: Engine, clock: Callable[[], datetime], new_id: Callable[[], str]
) -> Callable[[], Issuer]:
    """Return a function that opens the issuer of a site, on its first call."""

    @cache
    def opened() -> Issuer:
        allocator = IndexAllocator(
            StatusStore(engine), settings.status_base, settings.status_capacity, secrets.randbelow, _new_key
        )
        return Issuer.open(settings, statuses=allocator, clock=clock, new_id=new_id)

    return opened


def _new_key() -> bytes:
    return secrets.token_bytes(decoys.KEY_BYTES)
