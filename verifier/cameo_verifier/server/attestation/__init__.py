"""App attestation: a platform's statement that the seal's key belongs to a genuine copy of an app; see `cameo.v1.Attestation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo.v1 import error_reason_pb2
from cameo_credential.errors import InvalidRequestError
from cameo_verifier.server.attestation.errors import AttestationError
from cameo_verifier.server.attestation.play_integrity import PlayIntegrity
from cameo_verifier.server.wire.cameo_input import invalid
from cameo_verifier.server.wire.errors import RequestError

if TYPE_CHECKING:
    from datetime import datetime

    from cameo.v1.session_service_pb2 import Attestation
    from cameo_verifier.attestation_settings import AppAttestSettings, PlayIntegritySettings
    from cameo_verifier.server.attestation.app_attest import AppAttest

MAX_BYTES = 16 * 1024
"""Largest attestation object or token; Apple's take 6 KiB."""


class Attestations:
    """Verifies the attestations that a site takes."""

    def __init__(self, app_attest: AppAttest | None = None, play_integrity: PlayIntegrity | None = None) -> None:
        """Keep the verifiers; what has none is refused."""
        self._app_attest, self._play_integrity = app_attest, play_integrity

    @classmethod
    def of(cls, app_attest: AppAttestSettings, play_integrity: PlayIntegritySettings) -> Attestations:
        """Return the verifiers of a site's settings.

        Raises:
            InvalidRequestError: a setting needs another, or an extra that is not installed.
            KeyFileError: the file of keys is missing or has none.
        """
        return cls(_app_attest(app_attest), _play_integrity(play_integrity))

    def verify(self, given: Attestation, digest: bytes, now: datetime) -> None:
        """Check that a platform attests a digest.

        Args:
            given: what the client sent.
            digest: SHA-256 of the first nonce and the seal's key.
            now: the time in UTC.

        Raises:
            RequestError: `ATTESTATION_INVALID`: it does not verify; `REQUEST_INVALID`: the site does not take its kind.
        """
        kind = given.WhichOneof("statement")
        if kind is None:
            raise invalid("attestation", "is empty")
        statement = getattr(given, kind)
        if len(statement) > MAX_BYTES:
            raise invalid(f"attestation.{kind}", f"has at most {MAX_BYTES} bytes")
        verifier = self._app_attest if kind == "app_attest" else self._play_integrity
        if verifier is None:
            raise invalid(f"attestation.{kind}", "is not taken here: the site names no app that it attests")
        try:
            verifier.verify(statement, digest, now)
        except AttestationError as error:
            reason = error_reason_pb2.ERROR_REASON_ATTESTATION_INVALID
            raise RequestError(reason, f"the attestation {error}; nothing is spent", metadata={"field": kind}) from None


def _app_attest(settings: AppAttestSettings) -> AppAttest | None:
    if not settings.apps:
        return None
    try:
        from cameo_verifier.server.attestation.app_attest import AppAttest  # noqa: PLC0415 - its CBOR decoder is an extra
    except ImportError:
        raise InvalidRequestError("CAMEO_APP_ATTEST_APPS needs the extra `app-attest` of cameo-verifier") from None
    return AppAttest(settings.apps, development=settings.development)


def _play_integrity(settings: PlayIntegritySettings) -> PlayIntegrity | None:
    if not settings.app:
        return None
    if settings.keys is None:
        raise InvalidRequestError("CAMEO_PLAY_INTEGRITY_APP needs CAMEO_PLAY_INTEGRITY_KEYS")
    return PlayIntegrity.of(settings, settings.keys)
