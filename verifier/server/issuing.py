"""From an accepted judgement to the credential it earned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import structlog

from verifier.credential.audience_keys import AudienceFolder
from verifier.credential.claims import Embedding, Provenance
from verifier.credential.issue import issue
from verifier.credential.key_set import KeyFile
from verifier.credential.pairwise import PairwiseKey
from verifier.evidence.identity import face_embedding
from verifier.store.credentials import IssuedCredential
from verifier.types import FaceTrack, Outcome, SoundTrack

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from verifier.credential.audience_keys import AudienceKey
    from verifier.errors import KeyFileError
    from verifier.server.allotting import Allotter
    from verifier.settings import Settings
    from verifier.store.attempts import Attempt
    from verifier.types import Judgement

log = structlog.get_logger(__name__)

_MODEL = "model:"
_FACE, _VOICE = "face-embedding", "speaker-embedding"


@dataclass(frozen=True, slots=True)
class Issuer:
    """The issuer's name, keys and audiences. `new_id` makes an unguessable id at every call."""

    name: str
    keys: KeyFile
    pairwise: PairwiseKey
    audiences: AudienceFolder
    statuses: Allotter
    ttl: timedelta
    new_id: Callable[[], str]

    @classmethod
    def open(cls, settings: Settings, *, statuses: Allotter, clock: Callable[[], datetime], new_id: Callable[[], str]) -> Self:
        """Load the keys of a site, or make them on first start.

        Raises:
            KeyFileError: a key file is malformed, open to others, or cannot be written.
        """
        return cls(
            name=settings.issuer,
            keys=KeyFile(settings.issuer_keys, clock=clock, report=_report, key_uri=settings.issuer_key_uri),
            pairwise=PairwiseKey.open(settings.pairwise_key),
            audiences=AudienceFolder(settings.audiences),
            statuses=statuses,
            ttl=timedelta(days=settings.credential_ttl_days),
            new_id=new_id,
        )

    def issue(
        self, attempt: Attempt, judgement: Judgement, *, cameo_id: str, audience: AudienceKey, now: datetime
    ) -> IssuedCredential:
        """Issue the credential of an accepted attempt; `cameo_id` is the cameo its owner can make of it.

        Raises:
            RuntimeError: a bug of ours, see `embeddings`.
            KeyFileError: no key may sign now.
            StoreError: no index of a status list could be had; nothing was issued.
        """
        face, voice = embeddings(judgement)
        models = _models(judgement)
        jti = self.new_id()
        issued = issue(
            issuer=self.name,
            subject=attempt.subject,
            audience_key=audience,
            keys=self.keys.current(),
            pairwise=self.pairwise,
            now=now,
            ttl=self.ttl,
            jti=jti,
            provenance=Provenance(
                cameo_id=cameo_id,
                attempt_id=attempt.id,
                challenge_id=attempt.challenge_id,
                models=models,
                profile=judgement.profile,
                profile_sha256=judgement.digests["profile"],
                evidence_sha256=judgement.evidence.media.sha256,
                confirmed=tuple(check.name for check in judgement.checks if check.outcome is Outcome.PASS),
                minor_safeguards=judgement.minor_safeguards,
            ),
            face=face,
            voice=voice,
            status=self.statuses.allot(jti, now=now),
        )
        return IssuedCredential(
            jti=issued.jti,
            attempt_id=attempt.id,
            audience=issued.audience,
            subject=issued.subject,
            issued_at=issued.issued_at,
            expires_at=issued.expires_at,
            receipt=issued.receipt,
            token=issued.credential,
        )


def _report(error: KeyFileError) -> None:
    log.error("the changed key file cannot be used; the keys before it stay in use", error=str(error))


def embeddings(judgement: Judgement) -> tuple[Embedding, Embedding]:
    """Return the face and the voice of an accepted judgement.

    Raises:
        RuntimeError: a bug of ours: it was accepted without a face, a voice or their models' digests.
    """
    face, voice, models = judgement.evidence.face, judgement.evidence.sound, _models(judgement)
    face_vector = face_embedding(face) if isinstance(face, FaceTrack) else None
    if face_vector is None or not isinstance(voice, SoundTrack):
        raise RuntimeError("a recording without a face or a voice was accepted")
    if not {_FACE, _VOICE} <= models.keys():
        raise RuntimeError("the judgement does not say which models made its embeddings")
    return Embedding(_FACE, models[_FACE], face_vector), Embedding(_VOICE, models[_VOICE], voice.embedding)


def _models(judgement: Judgement) -> dict[str, str]:
    return {name.removeprefix(_MODEL): digest for name, digest in judgement.digests.items() if name.startswith(_MODEL)}
