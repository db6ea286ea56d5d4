"""Request options of a verification: a device key for the receipt, and enrolment, which makes a cameo at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cameo_verifier.cameo.model import Terms


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The owner's consent, see `model.Consent`, and terms, with which an accepted adult's answer becomes a cameo at once."""

    text_version: str
    locale: str
    agreed_at: datetime
    text_sha256: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class VerificationOptions:
    """The options of a verification request, for an accepted answer.

    device_key: public JWK for the receipt's `cnf`, None for a receipt without. enrolment: None makes no cameo yet.
    """

    device_key: Mapping[str, str] | None = None
    enrolment: Enrolment | None = None


NOTHING = VerificationOptions()
