"""Composition of consent records: what a person agreed to, by the text they saw and the terms in effect, as JSON-LD.

The fields are those of ISO/IEC TS 27560, see `cameo_credential.consent_receipt`. A record is of one event: a consent that was
given, widened, approved by a guardian, or withdrawn. It says whom and what for the terms permit, and names no other person but a
guardian: of a list of selected users it has the number, and of all terms the digest.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cameo_credential.consent_receipt import CONTEXT, PROFILE

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from cameo_verifier.cameo.model import Cameo, Terms


class RecordKind(StrEnum):
    """The event that a consent record is of."""

    CONSENT_GIVEN = "given"
    CONSENT_WIDENED = "widened"
    CONSENT_APPROVED = "approved"
    """By a guardian, for a minor."""
    CONSENT_WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Party:
    """The controller.

    Attributes:
        id: the issuer of its credentials, a URL.
        name, address, contact: of the legal entity.
        jurisdiction, storage: ISO 3166-1 codes; empty if not stated.
        notice: URL of the texts that people consent to.
        withdrawal: URL at which a consent is withdrawn.
    """

    id: str
    name: str
    address: str
    contact: str
    jurisdiction: str
    storage: str
    notice: str
    withdrawal: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The site's side of every record: the controller, how long records are kept after a withdrawal, the attestation period."""

    controller: Party
    record_kept: timedelta
    reattest_after: timedelta


def compose(
    policy: Policy, record_id: str, kind: RecordKind, cameo: Cameo, terms: Terms, *, guardians: frozenset[str], now: datetime
) -> dict[str, Any]:
    """Return the record of an event.

    Args:
        policy: the site's side.
        record_id: an id, a UUID.
        kind: the event.
        cameo: the cameo after the event.
        terms: those it is about: in effect, or requested and approved.
        guardians: who has approved them; empty if none had to.
        now: when it happened, in UTC.
    """
    party = policy.controller
    return {
        "@context": CONTEXT,
        "@id": f"urn:uuid:{record_id}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": record_id,
        "dct:conformsTo": f"{PROFILE}#record",
        "dct:created": now.isoformat(),
        "dpv:hasDataSubject": _person(cameo),
        "dpv:hasDataController": _controller(party),
        "dpv:hasJurisdiction": _place(party.jurisdiction),
        "dpv:hasLegalBasis": {"@id": "dpv:ExplicitlyExpressedConsent"},
        "dpv:hasNotice": _notice(party, cameo),
        "dpv:hasProcess": _process(policy, terms),
        "dpv:hasConsentControl": {"@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": party.withdrawal},
        "dpv:hasConsentStatus": _events(policy, kind, cameo, guardians=guardians, now=now),
        "cameo:cameo": cameo.id,
        "cameo:terms_sha256": _digest(terms),
    }


def _person(cameo: Cameo) -> dict[str, Any]:
    kind = ["dpv:DataSubject", "dpv:Child"] if cameo.minor_safeguards else "dpv:DataSubject"
    return {"@type": kind, "dct:identifier": cameo.subject}


def _controller(party: Party) -> dict[str, Any]:
    return {
        "@id": party.id,
        "@type": ["dpv:LegalEntity", "dpv:DataController"],
        "dct:identifier": party.id,
        "dpv:hasName": party.name,
        "dpv:hasAddress": party.address,
        "dpv:hasContact": party.contact,
    }


def _notice(party: Party, cameo: Cameo) -> dict[str, Any]:
    consent = cameo.consent
    return {
        "@id": party.notice,
        "@type": "dpv:ConsentNotice",
        "dct:hasVersion": consent.text_version,
        "dct:language": consent.locale,
        "cameo:text_sha256": consent.text_sha256,
        "cameo:consent_sha256": consent.digest,
    }


def _process(policy: Policy, terms: Terms) -> dict[str, Any]:
    named = [{"@type": "dpv:ThirdParty", "dct:identifier": name} for name in sorted(terms.generators or ())]
    every = [{"@type": "dpv:ThirdParty", "dct:title": "every generator that is registered with the controller"}]
    return {
        "@type": "dpv:Process",
        "dct:title": "a likeness of face and voice, with which generators make videos as its owner permits",
        "dpv:hasPurpose": {
            "@type": "dpv:Purpose",
            "skos:broader": {"@id": "dpv:ServiceProvision"},
            "cameo:who_may_use": terms.who.value,
            "cameo:selected_users": len(terms.selected),
            "cameo:excluded_categories": sorted(category.value for category in terms.categories),
            "cameo:restrictions": list(terms.words),
        },
        "dpv:hasPersonalData": [
            {"@type": ["dpv:SpecialCategoryPersonalData", "pd:Biometric"], "dct:title": "pictures and vectors of the face"},
            {"@type": ["dpv:SpecialCategoryPersonalData", "pd:Biometric"], "dct:title": "sound and vectors of the voice"},
        ],
        "dpv:hasProcessing": [{"@id": f"dpv:{name}"} for name in ("Collect", "Store", "Disclose")],
        "dpv:hasRecipient": named or (every if terms.generators is None else [{"@id": policy.controller.id}]),
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": _place(policy.controller.storage)},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": _until_event("deletion of the cameo by the data subject")},
            {
                "@type": "dpv:StorageDuration",
                "dct:title": "this record, after the consent is withdrawn",
                "dpv:hasDuration": {"@type": "dpv:TemporalDuration", "rdf:value": _iso8601(policy.record_kept)},
            },
        ],
    }


def _events(policy: Policy, kind: RecordKind, cameo: Cameo, *, guardians: frozenset[str], now: datetime) -> list[dict[str, Any]]:
    """Return the consent that was given, and this event, oldest first."""
    subject: dict[str, Any] = {"@type": "dpv:DataSubject", "dct:identifier": cameo.subject}
    approving = [{"@type": "dpv:GuardianOfDataSubject", "dct:identifier": guardian} for guardian in sorted(guardians)]
    until = _until_event("withdrawal by the data subject")
    if cameo.attested_at is not None:
        end = (cameo.attested_at + policy.reattest_after).isoformat()
        until = {"@type": "dpv:UntilTimeDuration", "rdf:value": end}
    given = _event(["dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"], cameo.consent.agreed_at, subject, until)
    match kind:
        case RecordKind.CONSENT_GIVEN:
            return [given]
        case RecordKind.CONSENT_WITHDRAWN:
            over = _until_event("a new consent by the data subject")
            return [given, _event("dpv:ConsentWithdrawn", now, subject, over)]
        case _:
            by = [subject, *approving] if approving else subject
            return [given, _event(["dpv:RenewedConsentGiven", "dpv:ExplicitlyExpressedConsent"], now, by, until)]


def _event(kinds: str | list[str], at: datetime, by: Any, until: dict[str, str]) -> dict[str, Any]:  # noqa: ANN401 - one or several
    return {"@type": kinds, "dpv:isIndicatedAtTime": at.isoformat(), "dpv:isIndicatedBy": by, "dpv:hasDuration": until}


def _until_event(what: str) -> dict[str, str]:
    return {"@type": "dpv:UntilEventDuration", "rdf:value": what}


def _place(code: str) -> dict[str, str]:
    return {"@id": f"loc:{code}"} if code else {"dct:title": "not stated"}


def _iso8601(duration: timedelta) -> str:
    days, seconds = divmod(round(duration.total_seconds()), 86400)
    return f"P{days}D" if not seconds else f"P{days}DT{seconds}S"


def _digest(terms: Terms) -> str:
    document = {
        "who": terms.who.value,
        "selected": sorted(terms.selected),
        "words": list(terms.words),
        "categories": sorted(category.value for category in terms.categories),
        "appearance_notes": terms.appearance_notes,
        "voice_notes": terms.voice_notes,
        "generators": None if terms.generators is None else sorted(terms.generators),
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
