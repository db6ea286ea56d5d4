"""Who may use a cameo for what, and which terms are narrower than others."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from cameo_credential.errors import CameoError
from cameo_verifier.cameo.model import Cameo, CameoState, Terms, UseCategory, WhoMayUse
from cameo_verifier.cameo.refusal import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


WORDS_MAX = 20
"""Restrictions in words that a cameo can have."""
_WIDTH = {who: width for width, who in enumerate((WhoMayUse.ONLY_ME, WhoMayUse.SELECTED, WhoMayUse.MUTUALS, WhoMayUse.EVERYONE))}


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
    """The owner excludes a category the use falls into, or excludes any and the use says none."""
    ATTESTATION_ENDED = "attestation_ended"
    """The recording is too old to vouch for the person."""
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


def decide(
    cameo: Cameo,
    requester: str,
    purposes: frozenset[UseCategory],
    relationships: Relationships,
    *,
    attested_since: datetime | None = None,
) -> Answer:
    """Return whether `requester` may use a cameo for `purposes` now. `attested_since`: recordings before this are too old.

    1. A cameo that was deleted is unknown, and so is a possible minor's to anyone but its owner and those of the owner's mutuals
       whom the terms let in: not even its existence is told.
    2. It must be active (`NOT_NOW`, `NO_LONGER`).
    3. The requester must be the owner or among those the owner has chosen (`NOT_CHOSEN`, `RELATIONSHIP_UNKNOWN`).
    4. The recording must not be too old (`ATTESTATION_ENDED`).
    5. No category of the use may be excluded (`PURPOSE_EXCLUDED`); the owner's own uses are held to that too. A use that names no
       category passes only where none is excluded.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`.
        RelationshipNeededError: a relationship decides and was not asked for.
    """
    own = requester == cameo.subject
    hidden = cameo.minor_safeguards and not own and not _known_to_mutual(cameo, requester, relationships)
    if cameo.state is CameoState.CAMEO_DELETED or hidden:
        raise RefusedError(Refusal.CAMEO_UNKNOWN, metadata={"cameo_id": cameo.id})
    if cameo.state is not CameoState.CAMEO_ACTIVE:
        return Answer.NOT_NOW if cameo.state is CameoState.CAMEO_PAUSED else Answer.NO_LONGER
    chosen = own or _chosen(cameo, requester, relationships)
    if not chosen:
        return Answer.RELATIONSHIP_UNKNOWN if chosen is None else Answer.NOT_CHOSEN
    if attested_since and (cameo.attested_at is None or cameo.attested_at < attested_since):
        return Answer.ATTESTATION_ENDED
    unstated = not purposes or UseCategory.UNSPECIFIED in purposes
    excluded = bool(cameo.terms.categories) and (unstated or bool(purposes & cameo.terms.categories))
    return Answer.PURPOSE_EXCLUDED if excluded else Answer.PERMITTED


def takes_back(before: Cameo, after: Cameo, requester: str, purposes: frozenset[UseCategory]) -> bool:
    """Return whether a change may take a use from `requester` that was permitted before it.

    Whether the two are mutuals is not asked: it counts as taken back if it is for mutuals or for others. What was taken back once
    does not return with a later change.
    """
    for mutual in (True, False):
        graph = Relationships({(before.subject, requester): mutual})
        if _permits(before, requester, purposes, graph) and not _permits(after, requester, purposes, graph):
            return True
    return False


def _permits(cameo: Cameo, requester: str, purposes: frozenset[UseCategory], relationships: Relationships) -> bool:
    try:
        return decide(cameo, requester, purposes, relationships) is Answer.PERMITTED
    except RefusedError:
        return False


def _known_to_mutual(cameo: Cameo, requester: str, relationships: Relationships) -> bool:
    return bool(_chosen(cameo, requester, relationships)) and bool(relationships.mutual(cameo.subject, requester))


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


def narrower(one: Terms, other: Terms) -> bool:
    """Say whether a minor's `one` permits nothing that `other` does not, and drops nothing it asks for.

    A partial order but for the order and repetition of words. Every requester of a minor's cameo is a mutual of the owner's (see
    `decide`), so `SELECTED` lies within `MUTUALS`. A note may be a restriction too, and nobody here can read it: one that is
    changed or taken away is neither narrower nor wider, one that is added where there was none is narrower.
    """
    return (
        _reach(one, other) == (one.who, one.selected)
        and set(one.words) >= set(other.words)
        and one.categories >= other.categories
        and other.appearance_notes in {"", one.appearance_notes}
        and other.voice_notes in {"", one.voice_notes}
    )


def narrowed(standing: Terms, said: Terms) -> Terms:
    """Return `standing` with everything of `said` that narrows it, and nothing of it that does not.

    It permits what both permit, holds the restrictions of both, and keeps the notes that stand. It is narrower than `standing`,
    and `said` itself if that is.
    """
    who, selected = _reach(standing, said)
    words = said.words if set(said.words) >= set(standing.words) else tuple(dict.fromkeys((*standing.words, *said.words)))
    return Terms(
        who=who,
        selected=selected,
        words=words,
        categories=standing.categories | said.categories,
        appearance_notes=standing.appearance_notes or said.appearance_notes,
        voice_notes=standing.voice_notes or said.voice_notes,
    )


def _reach(one: Terms, other: Terms) -> tuple[WhoMayUse, frozenset[str]]:
    """Return the greatest audience within both: lists are compared only between equals."""
    if one.who is other.who:
        return one.who, one.selected & other.selected
    inner = min(one, other, key=lambda terms: _WIDTH[terms.who])
    return inner.who, inner.selected


CLOCKS_APART = timedelta(seconds=30)
"""How far the clocks of an app and of this server may differ."""


def require_consent_time(agreed_at: datetime, *, now: datetime, not_before: datetime | None = None) -> None:
    """Return if a consent can have been given then: not before its subject was there (`not_before`), and not in the future.

    Raises:
        RefusedError: `CONSENT_OUT_OF_TIME`.
    """
    if agreed_at > now + CLOCKS_APART or (not_before is not None and agreed_at < not_before - CLOCKS_APART):
        raise RefusedError(Refusal.CONSENT_OUT_OF_TIME, metadata={"field": "consent.agree_time"})


def consent_digest(*, cameo_id: str, text_version: str, locale: str, agreed_at: datetime) -> str:
    """Return the digest over a consent to a cameo.

    The attempt is not in it: a tombstone keeps its consent, and whoever tried all attempts would find the one it was made of.
    """
    document = {
        "agreed_at": agreed_at.isoformat(),
        "cameo": cameo_id,
        "locale": locale,
        "text_version": text_version,
    }
    return digest_of(document)


def digest_of(consent: Mapping[str, str]) -> str:
    """Return the hex sha256 over a consent: of its canonical JSON, names in order, times as ISO 8601 in UTC."""
    return hashlib.sha256(json.dumps(consent, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
