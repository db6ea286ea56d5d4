"""Issuing: from an accepted judgement to its receipt, and from a cameo to its credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import structlog

from cameo.v1 import error_reason_pb2
from cameo_credential import owner_only
from cameo_credential.audience_keys import AudienceFolder
from cameo_credential.claims import Embedding, OwnerTerms, Provenance
from cameo_credential.errors import InvalidRequestError, KeyFileError
from cameo_credential.issue import issue
from cameo_credential.issuer_keys import SIGNATURE_ALGORITHM
from cameo_credential.key_set import KeyFile
from cameo_credential.pairwise import PairwiseKey
from cameo_credential.receipt import issue_receipt
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.evidence.identity import face_embedding
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.store.attempts.attempts import Attempt
from cameo_verifier.store.credentials.credentials import FIRST, IssuedCredential
from cameo_verifier.store.credentials.receipts import KeptReceipt
from cameo_verifier.types import FaceTrack, Outcome, SoundTrack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from cameo_challenges.model import Challenge
    from cameo_credential.audience_keys import AudienceKey
    from cameo_verifier.cameo.model import Cameo
    from cameo_verifier.settings import Settings
    from cameo_verifier.status.index_allocator import IndexAllocator
    from cameo_verifier.types import Judgement

log = structlog.get_logger(__name__)

_MODEL = "model:"
_FACE, _VOICE = "face-embedding", "speaker-embedding"
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Issuer:
    """The issuer's name, keys and audiences.

    Attributes:
        name: `iss` of its tokens.
        keys: the signing keys.
        pairwise: the key of the pseudonyms.
        audiences: the registered audiences.
        statuses: allots indices of status lists.
        ttl: period of validity of a credential.
        reattest_after: maximum time after the recording until which a credential is valid.
        new_id: generates an unguessable id at every call.
    """

    name: str
    keys: KeyFile
    pairwise: PairwiseKey
    audiences: AudienceFolder
    statuses: IndexAllocator
    ttl: timedelta
    reattest_after: timedelta
    new_id: Callable[[], str]

    @classmethod
    def open(
        cls, settings: Settings, *, statuses: IndexAllocator, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> Self:
        """Load the keys of a site, or generate them and make the folder of audiences on first start.

        Raises:
            KeyFileError: a key file is malformed, open to others, or cannot be written.
        """
        try:
            owner_only.make_folder(settings.audiences)
        except OSError as error:
            raise KeyFileError(f"{settings.audiences} cannot be made: {error}") from error
        return cls(
            name=settings.issuer,
            keys=KeyFile(settings.issuer_keys, clock=clock, report=_report, key_uri=settings.issuer_key_uri),
            pairwise=PairwiseKey.open(settings.pairwise_key),
            audiences=AudienceFolder(settings.audiences),
            statuses=statuses,
            ttl=timedelta(days=settings.credential_ttl_days),
            reattest_after=timedelta(days=settings.reattest_days),
            new_id=new_id,
        )

    def audience(self, name: str) -> AudienceKey:
        """Return the key of a registered audience.

        Raises:
            RequestError: `AUDIENCE_UNKNOWN`.
        """
        try:
            return self.audiences.get(name)
        except InvalidRequestError:
            raise _unknown_audience() from None

    def signature_for(self, name: str) -> str:
        """Return the signature algorithm (`alg`) that a registered audience requires.

        Raises:
            RequestError: `AUDIENCE_UNKNOWN`.
            KeyFileError: a file in the folder of audiences is malformed.
        """
        signature = self.audiences.signatures().get(name)
        if signature is None:
            raise _unknown_audience()
        return signature

    def attested_since(self, now: datetime) -> datetime:
        """Return the earliest time of judgement whose attestation is still valid."""
        return now - self.reattest_after

    def receipt(self, attempt: Attempt, judged: Judgement | Attempt, *, cameo_id: str, now: datetime) -> KeptReceipt:
        """Issue the receipt of an accepted attempt.

        Args:
            attempt: the attempt.
            judged: its judgement just made, or itself as stored.
            cameo_id: the cameo that its owner can create of it.
            now: the time.

        Raises:
            RefusedError: `ATTESTATION_ENDED`.
            KeyFileError: no key may sign now.
            StoreError: no index of a status list could be allotted; nothing was issued.
        """
        jti, keys = self.new_id(), self.keys.current()
        # One that was registered when the recording came, and is no longer, gets what it would have got.
        signature = self.audiences.signatures().get(attempt.audience, SIGNATURE_ALGORITHM)
        keys.by(signature)  # before an index is allotted
        issued = issue_receipt(
            issuer=self.name,
            subject=attempt.subject,
            audience=attempt.audience,
            keys=keys,
            pairwise=self.pairwise,
            now=now,
            ttl=self._ttl(attempt, now),
            jti=jti,
            provenance=_provenance(attempt, judged, cameo_id=cameo_id),
            new_salt=self.new_id,
            status=self.statuses.allot(jti, now=now, algorithm=signature),
            device_key=attempt.asked.device_key,
            signature=signature,
        )
        return KeptReceipt(jti, attempt.id, cameo_id, issued.issued_at, issued.expires_at, issued.token)

    def issue(
        self,
        attempt: Attempt,
        judged: Judgement | Attempt,
        cameo: Cameo,
        likeness: tuple[Embedding, Embedding | None],
        *,
        audience: AudienceKey,
        now: datetime,
        request_id: str = FIRST,
    ) -> IssuedCredential:
        """Issue a credential of a cameo, under its terms; arguments and errors as of `receipt`."""
        face, voice = likeness
        jti, keys = self.new_id(), self.keys.current()
        keys.by(audience.signature)  # before an index is allotted
        issued = issue(
            issuer=self.name,
            subject=attempt.subject,
            audience_key=audience,
            keys=keys,
            pairwise=self.pairwise,
            now=now,
            ttl=self._ttl(attempt, now),
            jti=jti,
            provenance=_provenance(attempt, judged, cameo_id=cameo.id),
            face=face,
            voice=voice,
            status=self.statuses.allot(jti, now=now, algorithm=audience.signature),
            terms=_terms(cameo),
        )
        return IssuedCredential(
            jti=issued.jti,
            attempt_id=attempt.id,
            cameo_id=cameo.id,
            request_id=request_id,
            audience=issued.audience,
            subject=issued.subject,
            issued_at=issued.issued_at,
            expires_at=issued.expires_at,
            token=issued.credential,
        )

    def _ttl(self, attempt: Attempt, now: datetime) -> timedelta:
        left = attempt.created_at + self.reattest_after - now
        if left < _SECOND:
            raise RefusedError(Refusal.ATTESTATION_ENDED)
        return min(self.ttl, _to_a_day(now, left))


def _to_a_day(now: datetime, left: timedelta) -> timedelta:
    """Return the time left until the start of the last day, if that is to come: the second would tell whose recording it was."""
    day = (now + left).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - now if day - now >= _SECOND else left


def _unknown_audience() -> RequestError:
    return RequestError(
        error_reason_pb2.ERROR_REASON_AUDIENCE_UNKNOWN, "no generator of this name is registered; check `audience`"
    )


def _provenance(attempt: Attempt, judged: Judgement | Attempt, *, cameo_id: str) -> Provenance:
    """Return the provenance, from the judgement just made or as stored."""
    return Provenance(
        cameo_id=cameo_id,
        attempt_id=attempt.id,
        challenge_id=attempt.challenge_id,
        models=_models(judged.digests),
        profile=judged.profile,
        profile_sha256=judged.digests["profile"],
        evidence_sha256=judged.recording_sha256 if isinstance(judged, Attempt) else judged.evidence.media.sha256,
        confirmed=tuple(check.name for check in judged.checks if check.outcome is Outcome.PASS),
        minor_safeguards=judged.minor_safeguards,
        path=attempt.path.value,
        capture=attempt.capture,
    )


def _terms(cameo: Cameo) -> OwnerTerms:
    terms = cameo.terms
    return OwnerTerms(
        consent_sha256=cameo.consent.digest,
        restrictions=terms.words,
        restricted_categories=tuple(sorted(terms.categories)),
        appearance_notes=tuple(note for note in (terms.appearance_notes, terms.voice_notes) if note),
    )


def _report(error: KeyFileError) -> None:
    log.error("the changed key file cannot be used; the keys before it stay in use", error=str(error))


def embeddings(judgement: Judgement, challenge: Challenge) -> tuple[Embedding, Embedding | None]:
    """Return the face and the voice embedding of an accepted judgement; no voice where nothing was to be said.

    Raises:
        RuntimeError: a bug of ours: it was accepted without a face, an asked voice or their models' digests.
    """
    found = embeddings_if_any(judgement, challenge)
    if found is None:
        raise RuntimeError("a recording without a face or a voice, or without the digests of their models, was accepted")
    return found


def embeddings_if_any(judgement: Judgement, challenge: Challenge) -> tuple[Embedding, Embedding | None] | None:
    """Return the face and the voice embedding of a judgement; None without either, or without the digests of their models.

    Where nothing was to be said there is no voice: whoever is heard then need not be the person.
    """
    face, sound, models = judgement.evidence.face, judgement.evidence.sound, _models(judgement.digests)
    vector = face_embedding(face) if isinstance(face, FaceTrack) else None
    if vector is None or not {_FACE, _VOICE} <= models.keys():
        return None
    of_face = Embedding(_FACE, models[_FACE], vector)
    if not challenge.spoken:
        return of_face, None
    return (of_face, Embedding(_VOICE, models[_VOICE], sound.embedding)) if isinstance(sound, SoundTrack) else None


def _models(digests: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(_MODEL): digest for name, digest in digests.items() if name.startswith(_MODEL)}
