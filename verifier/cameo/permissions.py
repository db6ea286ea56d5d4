"""Who may use a cameo for what, and what its owner may change."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from verifier.cameo.model import Cameo, CameoState, Terms, WhoMayUse
from verifier.cameo.refusal import Refusal, RefusedError
from verifier.errors import CameoError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from verifier.cameo.model import UseCategory


class Answer(StrEnum):
    """Whether a use is permitted, and if not, why; the first that holds, from top to bottom of `decide`."""

    PERMITTED = "permitted"
    NOT_CHOSEN = "not_chosen"
    """The owner has not let this requester use it."""
    NOT_NOW = "not_now"
    """The cameo is paused."""
    NO_LONGER = "no_longer"
    """The cameo was revoked for good."""
    PURPOSE_EXCLUDED = "purpose_excluded"
    """The owner excludes a category the use falls into."""
    RELATIONSHIP_UNKNOWN = "relationship_unknown"
    """It takes a mutual relationship, and whether there is one could not be found out."""


class RelationshipNeededError(CameoError):
    """The answer depends on whether two people follow each other, and nobody has asked yet. Ask, then decide again."""

    def __init__(self, subject: str, requester: str) -> None:
        """Keep whom to ask about."""
        super().__init__("a relationship has to be asked for first")
        self.pair = (subject, requester)


@dataclass(frozen=True, slots=True)
class Relationships:
    """What has been asked: (subject, requester) to whether they are mutuals, None where it could not be found out."""

    answers: Mapping[tuple[str, str], bool | None] = field(default_factory=dict)

    def mutual(self, subject: str, requester: str) -> bool | None:
        """Return the answer.

        Raises:
            RelationshipNeededError: nobody has asked.
        """
        try:
            return self.answers[subject, requester]
        except KeyError:
            raise RelationshipNeededError(subject, requester) from None


def decide(cameo: Cameo, requester: str, purposes: frozenset[UseCategory], relationships: Relationships) -> Answer:
    """Say whether `requester` may use a cameo for `purposes` now.

    1. A cameo that was deleted, and a possible minor's for anyone but its owner, is unknown: not even its existence is told.
    2. It must be active (`NOT_NOW`, `NO_LONGER`).
    3. The requester must be the owner or among those the owner has chosen (`NOT_CHOSEN`, `RELATIONSHIP_UNKNOWN`).
    4. No category of the use may be excluded (`PURPOSE_EXCLUDED`); the owner's own uses are held to that too.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`.
        RelationshipNeededError: a relationship decides and was not asked for.
    """
    own = requester == cameo.subject
    if cameo.state is CameoState.CAMEO_DELETED or (cameo.minor_safeguards and not own):
        raise RefusedError(Refusal.CAMEO_UNKNOWN, metadata={"cameo_id": cameo.id})
    if cameo.state is not CameoState.CAMEO_ACTIVE:
        return Answer.NOT_NOW if cameo.state is CameoState.CAMEO_PAUSED else Answer.NO_LONGER
    chosen = own or _chosen(cameo, requester, relationships)
    if not chosen:
        return Answer.RELATIONSHIP_UNKNOWN if chosen is None else Answer.NOT_CHOSEN
    return Answer.PURPOSE_EXCLUDED if purposes & cameo.terms.categories else Answer.PERMITTED


def _chosen(cameo: Cameo, requester: str, relationships: Relationships) -> bool | None:
    match cameo.terms.who:
        case WhoMayUse.ONLY_ME:
            return False
        case WhoMayUse.SELECTED:
            return requester in cameo.terms.selected
        case WhoMayUse.MUTUALS:
            return relationships.mutual(cameo.subject, requester)
        case WhoMayUse.EVERYONE:
            return True


def require_changeable(cameo: Cameo) -> None:
    """Return if the owner can still change this cameo.

    Raises:
        RefusedError: `CAMEO_ENDED` or `CAMEO_GONE`.
    """
    if cameo.state is CameoState.CAMEO_REVOKED:
        raise RefusedError(Refusal.CAMEO_ENDED)
    if cameo.state is CameoState.CAMEO_DELETED:
        raise RefusedError(Refusal.CAMEO_GONE)


def require_active(cameo: Cameo) -> None:
    """Return if a cameo stands for its owner now.

    Raises:
        RefusedError: `CAMEO_IS_PAUSED`, `CAMEO_ENDED` or `CAMEO_GONE`.
    """
    require_changeable(cameo)
    if cameo.state is CameoState.CAMEO_PAUSED:
        raise RefusedError(Refusal.CAMEO_IS_PAUSED)


def require_terms(terms: Terms, *, minor_safeguards: bool) -> None:
    """Return if a cameo may have these terms.

    Raises:
        RefusedError: `MINOR_NEEDS_GUARDIAN`.
    """
    if minor_safeguards and terms.who is not WhoMayUse.ONLY_ME:
        raise RefusedError(Refusal.MINOR_NEEDS_GUARDIAN)


def consent_digest(*, cameo_id: str, attempt_id: str, text_version: str, locale: str, agreed_at: datetime) -> str:
    """Return the hex sha256 over a consent: of its canonical JSON, names in order, the time as ISO 8601 in UTC."""
    document = {
        "agreed_at": agreed_at.isoformat(),
        "attempt": attempt_id,
        "cameo": cameo_id,
        "locale": locale,
        "text_version": text_version,
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
