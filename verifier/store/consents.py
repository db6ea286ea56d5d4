"""Consents as they are kept: JSON in the row of what was consented to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from verifier.cameo.model import Consent


def to_json(consent: Consent) -> dict[str, Any]:
    """Return the document of a consent."""
    return {
        "text_version": consent.text_version,
        "locale": consent.locale,
        "agreed_at": consent.agreed_at.isoformat(),
        "digest": consent.digest,
    }


def from_json(document: dict[str, Any]) -> Consent:
    """Return the consent of a document."""
    agreed_at = datetime.fromisoformat(document["agreed_at"])
    return Consent(document["text_version"], document["locale"], agreed_at, document["digest"])
