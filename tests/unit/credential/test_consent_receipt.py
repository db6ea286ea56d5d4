"""Consent receipts: the fields that ISO/IEC TS 27560 requires, and what is refused."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cameo_credential.consent_receipt import MAX_TOKEN_CHARS, missing_fields, open_receipt, sign_receipt
from cameo_credential.encoding import from_base64url, to_base64url, to_json
from cameo_credential.errors import CredentialError
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.signer import TokenType, sign
from cameo_verifier.cameo.consent_record import Party, Policy, RecordKind, compose
from cameo_verifier.cameo.model import Cameo, CameoState, Consent, Terms, UseCategory, WhoMayUse
from cameo_verifier.cameo.permissions import widens

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ISSUER = "https://cameo.localhost"
KEYS = IssuerKeys(SigningKey.generate(now=NOW))
TERMS = Terms(WhoMayUse.SELECTED, frozenset({"ben", "cleo"}), ("no cats",), frozenset({UseCategory.POLITICS}))
CONSENT = Consent("3", "en-GB", NOW - timedelta(minutes=1), "d1" * 32, "5e" * 32)
CAMEO = Cameo("cameo-1", "ann", "a1", CameoState.CAMEO_ACTIVE, TERMS, False, CONSENT, 1, NOW, NOW, "", attested_at=NOW)  # noqa: FBT003 - in the model's order
PARTY = Party(
    ISSUER, "Site Ltd", "1 Street, Cork", "mailto:privacy@s.example", "IE", "DE", "https://s.example/text", "https://s.example/me"
)
POLICY = Policy(PARTY, timedelta(days=1095), timedelta(days=180))

REQUIRED = {
    "schema version": ["dct:conformsTo"],
    "record id": ["dct:identifier"],
    "PII principal id": ["dpv:hasDataSubject", "dct:identifier"],
    "privacy notice": ["dpv:hasNotice", "@id"],
    "language": ["dpv:hasNotice", "dct:language"],
    "purpose": ["dpv:hasProcess", "dpv:hasPurpose"],
    "PII type": ["dpv:hasProcess", "dpv:hasPersonalData"],
    "recipient third parties": ["dpv:hasProcess", "dpv:hasRecipient"],
    "jurisdiction": ["dpv:hasJurisdiction"],
    "withdrawal method": ["dpv:hasConsentControl", "dpv:isExercisedAt"],
    "storage location": ["dpv:hasProcess", "dpv:hasStorageCondition", 0, "dpv:hasLocation"],
    "party id": ["dpv:hasDataController", "@id"],
    "party name": ["dpv:hasDataController", "dpv:hasName"],
    "party address": ["dpv:hasDataController", "dpv:hasAddress"],
    "party contact": ["dpv:hasDataController", "dpv:hasContact"],
    "party type": ["dpv:hasDataController", "@type"],
    "event time": ["dpv:hasConsentStatus", 0, "dpv:isIndicatedAtTime"],
    "validity duration": ["dpv:hasConsentStatus", 0, "dpv:hasDuration"],
    "entity id": ["dpv:hasConsentStatus", 0, "dpv:isIndicatedBy"],
    "event type and state": ["dpv:hasConsentStatus", 0, "@type"],
}
"""The mandatory fields of a record by clause 6 of the standard, as the guide of the DPV group maps them, to places in ours."""


def record(kind: RecordKind = RecordKind.CONSENT_GIVEN, cameo: Cameo = CAMEO, **how: Any) -> dict[str, Any]:
    """Compose a record."""
    return compose(POLICY, "0a1b", kind, cameo, cameo.terms, **{"guardians": frozenset(), "now": NOW} | how)


def receipt(document: dict[str, Any] | None = None, keys: IssuerKeys = KEYS, now: datetime = NOW) -> str:
    """Sign a receipt."""
    return sign_receipt(document or record(), receipt_id="9c8d", issuer=ISSUER, keys=keys, now=now)


def refusal(token: str, issuer: str = ISSUER) -> str:
    """Open a receipt that is refused."""
    with pytest.raises(CredentialError) as refused:
        open_receipt(token, issuer_keys=KEYS.public(ISSUER), expected_issuer=issuer)
    return refused.value.reason


@pytest.mark.parametrize("kind", RecordKind)
@pytest.mark.parametrize("generators", [None, frozenset(), frozenset({"https://g.example"})])
def test_a_record_has_every_field_that_the_standard_requires(kind: RecordKind, generators: frozenset[str] | None) -> None:
    """Of each kind of event, whatever generators the terms admit; a receipt of it opens to the same record."""
    document = record(kind, replace(CAMEO, terms=replace(TERMS, generators=generators)), guardians=frozenset({"mother"}))
    for name, path in REQUIRED.items():
        found: Any = document
        for step in path:
            found = found[step]
        assert found, name
    durations = [each.get("dpv:hasDuration") for each in document["dpv:hasProcess"]["dpv:hasStorageCondition"]]
    assert {"@type": "dpv:TemporalDuration", "rdf:value": "P1095D"} in durations
    opened = open_receipt(receipt(document), issuer_keys=KEYS.public(ISSUER), expected_issuer=ISSUER)
    assert (opened.id, opened.made_at, opened.record) == ("9c8d", NOW, document)


def test_a_record_says_who_agreed_to_which_text_and_when() -> None:
    """Digest, version and locale of the text, the subject and the guardians; of selected users only their number."""
    document = record(RecordKind.CONSENT_APPROVED, replace(CAMEO, minor_safeguards=True), guardians=frozenset({"mother"}))
    notice = document["dpv:hasNotice"]
    assert (notice["cameo:text_sha256"], notice["dct:hasVersion"], notice["dct:language"]) == ("5e" * 32, "3", "en-GB")
    assert document["dpv:hasDataSubject"]["@type"] == ["dpv:DataSubject", "dpv:Child"]
    given, approved = document["dpv:hasConsentStatus"]
    assert given["dpv:isIndicatedAtTime"] == CONSENT.agreed_at.isoformat()
    by = [each["dct:identifier"] for each in approved["dpv:isIndicatedBy"]]
    assert (by, approved["dpv:isIndicatedAtTime"]) == (["ann", "mother"], NOW.isoformat())
    assert document["dpv:hasProcess"]["dpv:hasPurpose"]["cameo:selected_users"] == 2
    assert "ben" not in json.dumps(document)
    withdrawn = record(RecordKind.CONSENT_WITHDRAWN)["dpv:hasConsentStatus"]
    assert [each["@type"] for each in withdrawn][1] == "dpv:ConsentWithdrawn"


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("empty", [False, True])
def test_a_record_without_a_required_field_is_neither_signed_nor_read(name: str, *, empty: bool) -> None:
    """Whether the field is missing or empty."""
    document = copy.deepcopy(record())
    *way, last = REQUIRED[name]
    place: Any = document
    for step in way:
        place = place[step]
    if empty:
        place[last] = ""
    else:
        del place[last]
    assert missing_fields(document)
    with pytest.raises(RuntimeError, match="without"):
        receipt(document)
    claims = json.loads(from_base64url(receipt().split(".")[1])) | {"dpv:hasRecordOfActivity": document}
    assert refusal(sign(claims, key=KEYS.active, typ=TokenType.CONSENT)) == "malformed"


def test_a_tampered_receipt_is_refused() -> None:
    """Every altered claim, every flipped bit of the signature, another type, issuer, key or context."""
    token = receipt()
    header, payload, signature = token.split(".")
    claims = json.loads(from_base64url(payload))
    for name in claims:
        altered = claims | {name: "x"}
        assert refusal(f"{header}.{to_base64url(to_json(altered))}.{signature}") == "bad_signature"
    raw = from_base64url(signature)
    for bit in range(len(raw) * 8):
        flipped = bytes(byte ^ (1 << bit % 8) if place == bit // 8 else byte for place, byte in enumerate(raw))
        assert refusal(f"{header}.{payload}.{to_base64url(flipped)}") == "bad_signature"
    for typ in set(TokenType) - {TokenType.CONSENT}:
        assert refusal(sign(claims, key=KEYS.active, typ=typ)) == "wrong_type"
    assert refusal(token, "https://other.example") == "wrong_issuer"
    assert refusal(receipt(keys=IssuerKeys(SigningKey.generate(now=NOW)))) == "unknown_key"
    for changed in (
        {"@context": {}},
        {"@type": "dpv:ConsentRecord"},
        {"jti": ""},
        {"iat": 1e300},
        {"dpv:hasRecordOfActivity": 7},
    ):
        assert refusal(sign(claims | changed, key=KEYS.active, typ=TokenType.CONSENT)) == "malformed"
    assert refusal("a" * (MAX_TOKEN_CHARS + 1)) == "malformed"
    assert refusal(receipt(now=KEYS.active.expires_at)) == "expired"


def test_the_longest_record_fits() -> None:
    """A hundred generators and twenty restrictions of the longest kind, in the widest characters."""
    names = frozenset(f"{number:03}" + "g" * 125 for number in range(100))
    words = tuple(f"{number:02}" + "\U0001f600" * 198 for number in range(20))
    wide = replace(CAMEO, terms=replace(TERMS, generators=names, words=words))
    assert len(receipt(record(cameo=wide))) <= MAX_TOKEN_CHARS


@pytest.mark.parametrize(
    ("before", "after", "wider"),
    [
        (Terms(), Terms(WhoMayUse.EVERYONE), True),
        (Terms(WhoMayUse.EVERYONE), Terms(), False),
        (Terms(WhoMayUse.MUTUALS), Terms(WhoMayUse.SELECTED, frozenset({"ben"})), True),
        (Terms(WhoMayUse.SELECTED, frozenset({"ben"})), TERMS, True),
        (TERMS, replace(TERMS, categories=frozenset()), True),
        (TERMS, replace(TERMS, words=()), True),
        (TERMS, replace(TERMS, voice_notes="softly"), False),
        (replace(TERMS, voice_notes="softly"), TERMS, False),
        (replace(TERMS, generators=frozenset({"g"})), TERMS, True),
        (TERMS, replace(TERMS, generators=frozenset({"g"})), False),
    ],
)
def test_what_widens_terms(before: Terms, after: Terms, *, wider: bool) -> None:
    """People, generators, categories and words; not the notes."""
    assert widens(before, after) is wider
