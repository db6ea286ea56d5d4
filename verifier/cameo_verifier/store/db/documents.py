"""JSON documents in rows: terms, pending changes, consents, and what a request asks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cameo_credential.item_kind import VECTOR_KINDS, ItemKind
from cameo_verifier.cameo.model import Change, ChangeState, Consent, Terms, UseCategory, WhoMayUse
from cameo_verifier.cameo.verification_options import NOTHING, Enrolment, VerificationOptions


def change_to_json(change: Change | None) -> dict[str, Any] | None:
    """Return the document of a change, None if it is None."""
    if change is None:
        return None
    return {
        "number": change.number,
        "terms": terms_to_json(change.terms),
        "resume": change.resume,
        "proposed_at": change.proposed_at.isoformat(),
        "approved_by": sorted(change.approved_by),
        "state": change.state.value,
    }


def change_from_json(document: dict[str, Any] | None) -> Change | None:
    """Return the change of a document, None if it is None."""
    if document is None:
        return None
    return Change(
        number=document["number"],
        terms=terms_from_json(document["terms"]),
        resume=document["resume"],
        proposed_at=datetime.fromisoformat(document["proposed_at"]),
        approved_by=frozenset(document["approved_by"]),
        state=ChangeState(document["state"]),
    )


def terms_to_json(terms: Terms) -> dict[str, Any]:
    """Return the document of terms."""
    return {
        "who": terms.who.value,
        "selected": sorted(terms.selected),
        "words": list(terms.words),
        "categories": sorted(category.value for category in terms.categories),
        "appearance_notes": terms.appearance_notes,
        "voice_notes": terms.voice_notes,
        "generators": None if terms.generators is None else sorted(terms.generators),
        "items": sorted(terms.items),
        "offline": sorted(terms.offline),
    }


def terms_from_json(document: dict[str, Any]) -> Terms:
    """Return the terms of a document."""
    return Terms(
        who=WhoMayUse(document["who"]),
        selected=frozenset(document["selected"]),
        words=tuple(document["words"]),
        categories=frozenset(map(UseCategory, document["categories"])),
        appearance_notes=document["appearance_notes"],
        voice_notes=document["voice_notes"],
        generators=None if document.get("generators") is None else frozenset(document["generators"]),
        # Terms from before items could be chosen have none.
        items=frozenset(map(ItemKind, document["items"])) if "items" in document else VECTOR_KINDS,
        offline=frozenset(document.get("offline", ())),
    )


def consent_to_json(consent: Consent) -> dict[str, Any]:
    """Return the document of a consent."""
    return {
        "text_version": consent.text_version,
        "locale": consent.locale,
        "agreed_at": consent.agreed_at.isoformat(),
        "digest": consent.digest,
        "text_sha256": consent.text_sha256,
    }


def consent_from_json(document: dict[str, Any]) -> Consent:
    """Return the consent of a document."""
    agreed_at = datetime.fromisoformat(document["agreed_at"])
    text_sha256 = document.get("text_sha256", "")
    return Consent(document["text_version"], document["locale"], agreed_at, document["digest"], text_sha256)


def asked_to_json(asked: VerificationOptions) -> dict[str, Any] | None:
    """Return the document of what a request asks, None if it asks nothing."""
    if asked == NOTHING:
        return None
    given = asked.enrolment
    return {
        "device_key": None if asked.device_key is None else dict(asked.device_key),
        "enrolment": None
        if given is None
        else {
            "text_version": given.text_version,
            "locale": given.locale,
            "agreed_at": given.agreed_at.isoformat(),
            "terms": terms_to_json(given.terms),
            "text_sha256": given.text_sha256,
        },
    }


def asked_from_json(document: dict[str, Any] | None) -> VerificationOptions:
    """Return what a request asks, of a document."""
    if document is None:
        return NOTHING
    given = document["enrolment"]
    if given is None:
        return VerificationOptions(document["device_key"])
    agreed_at = datetime.fromisoformat(given["agreed_at"])
    terms = terms_from_json(given["terms"])
    enrolment = Enrolment(given["text_version"], given["locale"], agreed_at, given["text_sha256"], terms)
    return VerificationOptions(document["device_key"], enrolment)
