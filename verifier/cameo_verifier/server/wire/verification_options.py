"""Conversion of the options of a verification request, with validation against the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_credential.key_binding import read_device_key
from cameo_verifier.cameo.verification_options import Enrolment, VerificationOptions
from cameo_verifier.server.wire.cameo_input import consent, invalid, terms

if TYPE_CHECKING:
    from cameo.v1.session_service_pb2 import CreateSessionRequest
    from cameo.v1.verification_service_pb2 import VerifyResponseConfig


def parsed(config: VerifyResponseConfig | CreateSessionRequest) -> VerificationOptions:
    """Return the options of a verification request.

    Raises:
        RequestError: `REQUEST_INVALID`.
    """
    try:
        device_key = read_device_key(config.device_key) if config.device_key else None
    except ValueError as error:
        raise invalid("device_key", f"must be the JWK of a public Ed25519 or P-256 key: {error}") from None
    if not config.HasField("enrolment"):
        return VerificationOptions(device_key)
    return VerificationOptions(device_key, Enrolment(*consent(config.enrolment.consent), terms(config.enrolment.terms)))
