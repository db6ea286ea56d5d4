"""Consent records and receipts as a JSON-LD processor of others reads them (pyld, JSON-LD 1.1), without fetching anything."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cameo_credential.consent_receipt import CONTEXT
from cameo_credential.encoding import from_base64url
from cameo_verifier.cameo.consent_record import RecordKind
from tests.conftest import ROOT
from tests.unit.credential.test_consent_receipt import CAMEO, receipt, record

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHON = ROOT / ".venv-interop" / "bin" / "python"
DPV, OURS = "https://w3id.org/dpv#", "urn:cameo:consent:1#"
MINORS = replace(CAMEO, minor_safeguards=True)
DOCUMENTS = {
    **{kind.value: record(kind) for kind in RecordKind},
    "of a minor": record(RecordKind.CONSENT_APPROVED, MINORS, guardians=frozenset({"mother", "father"})),
    "receipt": json.loads(from_base64url(receipt().split(".")[1])),
}

KNOWN = frozenset(
    [
        "Child",
        "ConsentGiven",
        "ConsentNotice",
        "ConsentReceipt",
        "ConsentRecord",
        "ConsentWithdrawn",
        "DataController",
        "DataSubject",
        "ExplicitlyExpressedConsent",
        "GuardianOfDataSubject",
        "LegalEntity",
        "Process",
        "Purpose",
        "RenewedConsentGiven",
        "ServiceProvision",
        "SpecialCategoryPersonalData",
        "StorageDuration",
        "StorageLocation",
        "TemporalDuration",
        "ThirdParty",
        "UntilEventDuration",
        "UntilTimeDuration",
        "WithdrawConsent",
        "Collect",
        "Store",
        "Disclose",
        "hasAddress",
        "hasConsentControl",
        "hasConsentStatus",
        "hasContact",
        "hasDataController",
        "hasDataSubject",
        "hasDuration",
        "hasJurisdiction",
        "hasLegalBasis",
        "hasLocation",
        "hasName",
        "hasNotice",
        "hasPersonalData",
        "hasProcess",
        "hasProcessing",
        "hasPurpose",
        "hasRecipient",
        "hasRecordOfActivity",
        "hasStorageCondition",
        "isExercisedAt",
        "isIndicatedAtTime",
        "isIndicatedBy",
    ]
)
# Those of consent, its status and controls, of data subjects, entities and durations were compared by hand with the published
# modules (w3c/dpv, 2.0/dpv/modules); the others were seen in copies, or in a part of its guide to ISO/IEC TS 27560.
"""Terms of DPV 2 that are used here."""
_CLASSES = frozenset(f"{DPV}{term}" for term in KNOWN if term[0].isupper())


def read(documents: list[Any]) -> list[dict[str, Any]]:
    """Return what pyld says of documents."""
    command = [str(PYTHON), str(Path(__file__).with_name("open_jsonld.py"))]
    ran = subprocess.run(command, input=json.dumps(documents), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    said: list[dict[str, Any]] = json.loads(ran.stdout)
    return said


def nodes(document: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of an expanded document."""
    if isinstance(document, list):
        for each in document:
            yield from nodes(each)
    elif isinstance(document, dict):
        yield document
        for value in document.values():
            yield from nodes(value)


def leaves(document: Any) -> int:
    """Count the names and values of a document, without contexts."""
    if isinstance(document, dict):
        return sum(1 + leaves(value) for name, value in document.items() if name != "@context")
    return sum(map(leaves, document)) if isinstance(document, list) else 1


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_that_a_record_says_is_lost(name: str) -> None:
    """The processor drops what has no name in the context: compacted again, the document is as long as before."""
    document = (
        DOCUMENTS[name]
        if name != "receipt"
        else {key: DOCUMENTS[name][key] for key in DOCUMENTS[name] if ":" in key or key[0] == "@"}
    )
    [said] = read([document])
    assert "refused" not in said
    assert leaves(said["compacted"]) == leaves(document)
    assert len(said["statements"]) == len(set(said["statements"])) > 30


@pytest.mark.parametrize("name", DOCUMENTS)
def test_its_terms_are_the_vocabulary_s(name: str) -> None:
    """Every IRI under DPV's namespace is a term of it; no class of it is given properties, as if a person were the class."""
    [said] = read([DOCUMENTS[name]])
    used = {term for each in nodes(said["expanded"]) for term in (*each, *each.get("@type", ()), each.get("@id", ""))}
    assert {term.removeprefix(DPV) for term in used if term.startswith(DPV)} <= KNOWN
    assert not [each for each in nodes(said["expanded"]) if each.get("@id") in _CLASSES and len(each) > 1]
    subjects = {re.match(r"<[^>]+>", line) for line in said["statements"]}
    assert not {f"<{each}>" for each in _CLASSES} & {found.group(0) for found in subjects if found}


def test_the_mandatory_fields_are_statements() -> None:
    """Of a given consent: who, by whose word, when, what for, with which text, and how to withdraw."""
    [said] = read([DOCUMENTS["given"]])
    [top] = said["expanded"]
    value = lambda node, term: node[f"{DPV}{term}"][0]  # noqa: E731 - read here only
    dct = CONTEXT["dct"]
    assert top["@type"] == [f"{DPV}ConsentRecord"]
    assert value(top, "hasDataSubject")[f"{dct}identifier"] == [{"@value": "ann"}]
    assert value(top, "hasNotice")[f"{OURS}text_sha256"] == [{"@value": "5e" * 32}]
    assert value(value(top, "hasConsentControl"), "isExercisedAt") == {"@value": "https://s.example/me"}
    event = value(top, "hasConsentStatus")
    assert set(event["@type"]) == {f"{DPV}ConsentGiven", f"{DPV}ExplicitlyExpressedConsent"}
    by = value(event, "isIndicatedBy")
    assert (by["@type"], by[f"{dct}identifier"]) == ([f"{DPV}DataSubject"], [{"@value": "ann"}])


def test_a_minor_is_one_by_type() -> None:
    """And each guardian who approved is named."""
    [said] = read([DOCUMENTS["of a minor"]])
    [top] = said["expanded"]
    assert set(top[f"{DPV}hasDataSubject"][0]["@type"]) == {f"{DPV}DataSubject", f"{DPV}Child"}
    guardians = [each for each in nodes(said["expanded"]) if each.get("@type") == [f"{DPV}GuardianOfDataSubject"]]
    assert [each[f"{CONTEXT['dct']}identifier"][0]["@value"] for each in guardians] == ["father", "mother"]


def test_a_context_from_elsewhere_is_not_fetched() -> None:
    """The processor is told not to; our documents need none."""
    [said] = read([{**DOCUMENTS["given"], "@context": "https://w3id.org/dpv"}])
    assert "loading remote context failed" in said["refused"]
