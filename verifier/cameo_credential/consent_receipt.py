"""Consent records and receipts by ISO/IEC TS 27560:2023, in JSON-LD with the W3C Data Privacy Vocabulary (DPV).

A receipt is a copy of a record for the person it is about, signed by the issuer. Properties and profiles are those of the DPV
community group's guide to the standard, https://w3id.org/dpv/guides/consent-27560; what is not of the guide is under `cameo:`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cameo_credential.errors import CredentialError
from cameo_credential.refusal import Refusal
from cameo_credential.signature import verified_claims
from cameo_credential.signer import TokenType, sign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cameo_credential.issuer_keys import IssuerKeys, VerificationKeys

PROFILE = "https://w3id.org/dpv/schema/dpv-27560"
CONTEXT = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "dct": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "schema": "https://schema.org/",
    "cameo": "urn:cameo:consent:1#",
}
"""Prefixes of the documents, in the documents themselves: a reader fetches nothing."""
MAX_TOKEN_CHARS = 131_072
"""A receipt has some 4,000 characters, and 60,000 with the names of 100 generators."""

_REQUIRED = {
    "schema version": "dct:conformsTo",
    "record id": "dct:identifier",
    "PII principal id": "dpv:hasDataSubject/dct:identifier",
    "privacy notice": "dpv:hasNotice/@id",
    "language": "dpv:hasNotice/dct:language",
    "purpose": "dpv:hasProcess/dpv:hasPurpose",
    "PII type": "dpv:hasProcess/dpv:hasPersonalData",
    "storage location": "dpv:hasProcess/dpv:hasStorageCondition/dpv:hasLocation",
    "retention period": "dpv:hasProcess/dpv:hasStorageCondition/dpv:hasDuration",
    "recipient third parties": "dpv:hasProcess/dpv:hasRecipient",
    "jurisdiction": "dpv:hasJurisdiction",
    "withdrawal method": "dpv:hasConsentControl/dpv:isExercisedAt",
    "party id": "dpv:hasDataController/@id",
    "party name": "dpv:hasDataController/dpv:hasName",
    "party address": "dpv:hasDataController/dpv:hasAddress",
    "party contact": "dpv:hasDataController/dpv:hasContact",
    "party type": "dpv:hasDataController/@type",
    "event time": "dpv:hasConsentStatus/dpv:isIndicatedAtTime",
    "validity duration": "dpv:hasConsentStatus/dpv:hasDuration",
    "entity id": "dpv:hasConsentStatus/dpv:isIndicatedBy",
    "event type and state": "dpv:hasConsentStatus/@type",
}
"""Fields that the standard requires of a record, to the paths of properties that hold them."""


@dataclass(frozen=True, slots=True)
class ConsentReceipt:
    """A verified receipt: its id, when it was made, and the record that it copies, as JSON-LD."""

    id: str
    made_at: datetime
    record: Mapping[str, Any]


def sign_receipt(record: Mapping[str, Any], *, receipt_id: str, issuer: str, keys: IssuerKeys, now: datetime) -> str:
    """Return the signed receipt of a record, a compact JWS.

    Raises:
        RuntimeError: a bug of ours: the record lacks a required field, or the token is longer than readers take.
    """
    if missing := missing_fields(record):
        raise RuntimeError(f"a consent record without {', '.join(missing)}")
    claims = {
        "iss": issuer,
        "iat": int(now.timestamp()),
        "jti": receipt_id,
        "@context": CONTEXT,
        "@id": f"urn:uuid:{receipt_id}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": receipt_id,
        "dct:conformsTo": f"{PROFILE}#receipt",
        "dct:created": now.isoformat(),
        "dct:publisher": {"@id": issuer},
        "schema:recipient": {"@id": "dpv:DataSubject"},
        "dpv:hasRecordOfActivity": dict(record),
    }
    token = sign(claims, key=keys.active, typ=TokenType.CONSENT)
    if len(token) > MAX_TOKEN_CHARS:
        raise RuntimeError(f"a consent receipt of {len(token)} characters, more than the {MAX_TOKEN_CHARS} that readers take")
    return token


def open_receipt(token: str, *, issuer_keys: VerificationKeys, expected_issuer: str) -> ConsentReceipt:
    """Verify a receipt. It records the past and never expires; the key that signed it must not have expired when it was made.

    Raises:
        CredentialError: with one of the reasons of `Refusal`; `malformed` where a field that the standard requires is missing.
    """
    if len(token) > MAX_TOKEN_CHARS:
        raise CredentialError(Refusal.MALFORMED, f"a consent receipt has at most {MAX_TOKEN_CHARS} characters")
    key, claims = verified_claims(token, issuer_keys, TokenType.CONSENT)
    if claims.get("iss") != expected_issuer:
        raise CredentialError(Refusal.WRONG_ISSUER, f"the consent receipt was not issued by {expected_issuer!r}")
    try:
        record, made_at = claims["dpv:hasRecordOfActivity"], datetime.fromtimestamp(claims["iat"], UTC)
        missing = missing_fields(record)
        named = claims["@context"] == CONTEXT and claims["@type"] == "dpv:ConsentReceipt" and claims["jti"]
    except (AttributeError, KeyError, OSError, OverflowError, TypeError, ValueError):
        raise CredentialError(Refusal.MALFORMED, "the consent receipt's claims cannot be read") from None
    if missing or not named:
        what = f"lacks {', '.join(missing)}" if missing else "is not a dpv:ConsentReceipt"
        raise CredentialError(Refusal.MALFORMED, f"the consent receipt {what}")
    if made_at >= key.expires_at:
        raise CredentialError(Refusal.EXPIRED, "the key that signed the consent receipt had ended when it was made")
    return ConsentReceipt(str(claims["jti"]), made_at, record)


def missing_fields(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the fields that the standard requires of a record and that this one lacks."""
    return tuple(name for name, path in _REQUIRED.items() if not _has(record, path.split("/")))


def _has(value: Any, path: list[str]) -> bool:  # noqa: ANN401 - any JSON
    """Return whether a path of properties ends in a value: of every entry of a list, except for alternatives of storage."""
    if isinstance(value, list):
        either = path and path[0] in {"dpv:hasLocation", "dpv:hasDuration"} and all("Storage" in _type(each) for each in value)
        return bool(value) and (any if either else all)(_has(each, path) for each in value)
    if not path:
        return value not in ({}, "", None)
    return isinstance(value, dict) and path[0] in value and _has(value[path[0]], path[1:])


def _type(value: Any) -> str:  # noqa: ANN401 - any JSON
    return str(value.get("@type", "")) if isinstance(value, dict) else ""
