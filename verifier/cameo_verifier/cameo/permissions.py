"""Permission rules: who may use a cameo for what, and the order of terms by width."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from cameo_credential.errors import CameoError
from cameo_verifier.cameo.model import Cameo, CameoState, Consent, Terms, UseCategory, WhoMayUse
from cameo_verifier.cameo.refusal import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cameo_verifier.cameo.verification_options import Enrolment

WORDS_MAX = 20
"""Maximum number of restrictions in words per cameo."""
_WIDTH = {who: width for width, who in enumerate((WhoMayUse.ONLY_ME, WhoMayUse.SELECTED, WhoMayUse.MUTUALS, WhoMayUse.EVERYONE))}


class Answer(StrEnum):
    """The decision on a use, with the reason for a refusal: the first that applies, in the order of `decide`."""

    PERMITTED = "permitted"
    NOT_CHOSEN = "not_chosen"
    """The owner has not permitted this requester."""
    NOT_NOW = "not_now"
    """The cameo is paused."""
    NO_LONGER = "no_longer"
    """The cameo was revoked, which is final."""
    PURPOSE_EXCLUDED = "purpose_excluded"
    """The owner excludes a category the use falls into, or excludes any and the use says none."""
    GENERATOR_NOT_CHOSEN = "generator_not_chosen"
    """The owner has not let this generator use it."""
    ATTESTATION_ENDED = "attestation_ended"
    """The recording is too old to vouch for the person."""
    RELATIONSHIP_UNKNOWN = "relationship_unknown"
    """The use needs a mutual relationship, and whether there is one could not be found out."""


class RelationshipNeededError(CameoError):
    """The decision depends on whether two people follow each other, which was not looked up: look it up, then decide again."""

    def __init__(self, subject: str, requester: str) -> None:
        """Keep the pair to look up."""
        super().__init__("a relationship has to be asked for first")
        self.pair = (subject, requester)


@dataclass(frozen=True, slots=True)
class Relationships:
    """Results of lookups: (subject, requester) to whether they are mutuals, None where it could not be found out."""

    answers: Mapping[tuple[str, str], bool | None] = field(default_factory=dict)

    def mutual(self, subject: str, requester: str) -> bool | None:
        """Return the result for a pair.

        Raises:
            RelationshipNeededError: the pair has not been looked up.
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
    generator: str = "",
    attested_since: datetime | None = None,
) -> Answer:
    """Decide whether `requester` may use a cameo for `purposes` now; recordings judged before `attested_since` are too old.

    1. A deleted cameo is unknown. So is the cameo of a possible minor to anyone but its owner and those of the owner's mutuals
       whom the terms permit: not even its existence is disclosed.
    2. The requester must be the owner or permitted by the owner (`NOT_CHOSEN`, `RELATIONSHIP_UNKNOWN`): nobody else is told more.
    3. It must be active (`NOT_NOW`, `NO_LONGER`).
    4. The generator, where one asks, must be permitted by the owner (`GENERATOR_NOT_CHOSEN`).
    5. The attestation must not have expired (`ATTESTATION_ENDED`).
    6. No category of the use may be excluded (`PURPOSE_EXCLUDED`); this applies to the owner's own uses too. A use without a
       category passes only where none is excluded.

    Raises:
        RefusedError: `CAMEO_UNKNOWN`.
        RelationshipNeededError: the decision depends on a relationship that was not looked up.
    """
    own = requester == cameo.subject
    hidden = cameo.minor_safeguards and not own and not _known_to_mutual(cameo, requester, relationships)
    if cameo.state is CameoState.CAMEO_DELETED or hidden:
        raise RefusedError(Refusal.CAMEO_UNKNOWN, metadata={"cameo_id": cameo.id})
    chosen = own or _chosen(cameo, requester, relationships)
    if not chosen:
        return Answer.RELATIONSHIP_UNKNOWN if chosen is None else Answer.NOT_CHOSEN
    if cameo.state is not CameoState.CAMEO_ACTIVE:
        return Answer.NOT_NOW if cameo.state is CameoState.CAMEO_PAUSED else Answer.NO_LONGER
    if generator and not cameo.terms.admit(generator):
        return Answer.GENERATOR_NOT_CHOSEN
    if attested_since and (cameo.attested_at is None or cameo.attested_at < attested_since):
        return Answer.ATTESTATION_ENDED
    unstated = not purposes or UseCategory.UNSPECIFIED in purposes
    excluded = bool(cameo.terms.categories) and (unstated or bool(purposes & cameo.terms.categories))
    return Answer.PURPOSE_EXCLUDED if excluded else Answer.PERMITTED


def widens(before: Terms, after: Terms) -> bool:
    """Return whether new terms may permit what those before did not; the notes say how, not whom or what for.

    The members of a list need not be mutuals, so a list is wider than `MUTUALS`.
    """
    named = before.who is WhoMayUse.MUTUALS and after.who is WhoMayUse.SELECTED
    plain = [replace(terms, appearance_notes="", voice_notes="") for terms in (after, before)]
    return named or not narrower(*plain)


def takes_back(before: Cameo, after: Cameo, requester: str, purposes: frozenset[UseCategory], generator: str = "") -> bool:
    """Return whether a change may take a use from `requester`, by a generator, that was permitted before it.

    Whether the two are mutuals is not asked: it counts as taken back if it is for mutuals or for others. What was taken back once
    does not return with a later change.
    """
    for mutual in (True, False):
        graph = Relationships({(before.subject, requester): mutual})
        if _permits(before, requester, purposes, graph, generator) and not _permits(after, requester, purposes, graph, generator):
            return True
    return False


def _permits(
    cameo: Cameo, requester: str, purposes: frozenset[UseCategory], relationships: Relationships, generator: str
) -> bool:
    try:
        return decide(cameo, requester, purposes, relationships, generator=generator) is Answer.PERMITTED
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
    """Check that the owner can still change this cameo.

    Raises:
        RefusedError: `CAMEO_ENDED` or `CAMEO_GONE`.
    """
    if cameo.state is CameoState.CAMEO_REVOKED:
        raise RefusedError(Refusal.CAMEO_ENDED)
    if cameo.state is CameoState.CAMEO_DELETED:
        raise RefusedError(Refusal.CAMEO_GONE)


def require_active(cameo: Cameo) -> None:
    """Check that a cameo is active.

    Raises:
        RefusedError: `CAMEO_IS_PAUSED`, `CAMEO_ENDED` or `CAMEO_GONE`.
    """
    require_changeable(cameo)
    if cameo.state is CameoState.CAMEO_PAUSED:
        raise RefusedError(Refusal.CAMEO_IS_PAUSED)


def narrower(one: Terms, other: Terms) -> bool:
    """Return whether a minor's `one` permits nothing that `other` does not, and keeps every restriction of `other`.

    A partial order except for the order and repetition of words. Every requester of a minor's cameo is a mutual of the owner (see
    `decide`), so `SELECTED` lies within `MUTUALS`. A note may be a restriction too, and is not interpreted: a note that is
    changed or removed is neither narrower nor wider, one that is added where there was none is narrower.
    """
    return (
        _reach(one, other) == (one.who, one.selected)
        and set(one.words) >= set(other.words)
        and one.categories >= other.categories
        and _generators(one, other) == one.generators
        and one.items <= other.items
        and one.offline <= other.offline
        and other.appearance_notes in {"", one.appearance_notes}
        and other.voice_notes in {"", one.voice_notes}
    )


def intersect(standing: Terms, said: Terms) -> Terms:
    """Return the intersection of both terms.

    It permits what both permit, has the restrictions of both, and keeps the notes of `standing` if it has any. It is narrower
    than `standing`, and equals `said` if `said` is narrower.
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
        generators=_generators(standing, said),
        items=standing.items & said.items,
        offline=standing.offline & said.offline,
    )


def _generators(one: Terms, other: Terms) -> frozenset[str] | None:
    """Return the generators that both admit; None are all that are registered."""
    if one.generators is None or other.generators is None:
        return other.generators if one.generators is None else one.generators
    return one.generators & other.generators


def _reach(one: Terms, other: Terms) -> tuple[WhoMayUse, frozenset[str]]:
    """Return the widest audience within both; two lists are compared only if both are `SELECTED`."""
    if one.who is other.who:
        return one.who, one.selected & other.selected
    inner = min(one, other, key=lambda terms: _WIDTH[terms.who])
    return inner.who, inner.selected


CLOCKS_APART = timedelta(seconds=30)
"""How far the clocks of an app and of this server may differ."""


def require_consent_time(agreed_at: datetime, *, now: datetime, not_before: datetime | None = None) -> None:
    """Check that a time of consent is plausible: not before its subject existed (`not_before`), and not in the future.

    Raises:
        RefusedError: `CONSENT_OUT_OF_TIME`.
    """
    if agreed_at > now + CLOCKS_APART or (not_before is not None and agreed_at < not_before - CLOCKS_APART):
        raise RefusedError(Refusal.CONSENT_OUT_OF_TIME, metadata={"field": "consent.agree_time"})


def consent_digest(*, cameo_id: str, text_version: str, locale: str, agreed_at: datetime, text_sha256: str = "") -> str:
    """Return the digest over a consent to a cameo.

    The attempt is not part of it: a tombstone keeps its consent, and trying all attempts would reveal the one the cameo was made
    of.
    """
    document = {
        "agreed_at": agreed_at.isoformat(),
        "cameo": cameo_id,
        "locale": locale,
        "text_sha256": text_sha256,
        "text_version": text_version,
    }
    return digest_of(document)


def new_cameo(
    identifier: str,
    given: Enrolment,
    *,
    subject: str,
    attempt_id: str,
    attested_at: datetime,
    minor_safeguards: bool,
    now: datetime,
) -> Cameo:
    """Return the cameo of an accepted attempt, by its owner's consent and terms."""
    said = {"text_version": given.text_version, "locale": given.locale, "text_sha256": given.text_sha256}
    digest = consent_digest(cameo_id=identifier, agreed_at=given.agreed_at, **said)
    return Cameo(
        id=identifier,
        subject=subject,
        attempt_id=attempt_id,
        state=CameoState.CAMEO_ACTIVE,
        terms=given.terms,
        minor_safeguards=minor_safeguards,
        consent=Consent(agreed_at=given.agreed_at, digest=digest, **said),
        version=1,
        created_at=now,
        updated_at=now,
        reason="",
        attested_at=attested_at,
    )


def digest_of(consent: Mapping[str, str]) -> str:
    """Return the hex sha256 over a consent's canonical JSON: names in order, times as ISO 8601 in UTC."""
    return hashlib.sha256(json.dumps(consent, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
