"""Play Integrity: verification of Google's integrity tokens, each a JWS (ES256) inside a JWE (A256KW, A256GCM).

They are decrypted here, with the app's own response encryption keys; nothing is asked of Google. That goes for tokens of classic
requests, which bind `nonce`.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey

from cameo_credential.encoding import to_base64url
from cameo_credential.errors import CredentialError, KeyFileError
from cameo_credential.signature import JWT_TYPES, TokenKind, verify_jws
from cameo_verifier.server.attestation.errors import AttestationError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from cameo_verifier.attestation_settings import PlayIntegritySettings

_NAMES = ("DECRYPTION_KEY", "VERIFICATION_KEY")
_AES_BYTES = 32
_TOKEN = TokenKind(JWT_TYPES, foreign=True)


@dataclass(frozen=True, slots=True)
class _VerificationKey:
    """Google's public key for the tokens of one app, which name no key."""

    key: ECKey
    algorithms: tuple[str, ...] = ("ES256",)


class PlayIntegrity:
    """Verifies integrity tokens of one app."""

    def __init__(self, settings: PlayIntegritySettings, *, decryption: OctKey, verification: ECKey) -> None:
        """Keep the parts: what counts, and the app's keys."""
        self._settings, self._decryption, self._verification = settings, decryption, _VerificationKey(verification)

    @classmethod
    def of(cls, settings: PlayIntegritySettings, path: Path) -> PlayIntegrity:
        """Return it with the keys of a file.

        Raises:
            KeyFileError: the file is missing, or has not both keys.
        """
        try:
            lines = (line.strip().partition("=") for line in path.read_text("ascii").splitlines())
            found = {name.strip(): base64.b64decode(value.strip(), validate=True) for name, _, value in lines if value}
            decryption, verification = (found[name] for name in _NAMES)
            if len(decryption) != _AES_BYTES:
                raise ValueError("no AES-256")  # noqa: TRY301 - reported like every other
            key = ECKey.import_key(verification)
            if key.curve_name != "P-256":
                raise ValueError("another curve")  # noqa: TRY301 - the same
        except OSError as error:
            raise KeyFileError(f"cannot read {path}: {error.strerror}") from None
        except (ValueError, KeyError, JoseError):
            raise KeyFileError(
                f"{path} has no lines {' and '.join(f'{name}=…' for name in _NAMES)} with keys in base64"
            ) from None
        return cls(settings, decryption=OctKey.import_key(decryption), verification=key)

    def verify(self, token: str, digest: bytes, now: datetime) -> None:
        """Check that Google attests `digest` for the app on a device that counts.

        Raises:
            AttestationError: it does not.
        """
        del now  # the digest has a nonce of this session
        try:
            signed = jwe.decrypt_compact(token, self._decryption, algorithms=["A256KW", "A256GCM"]).plaintext or b""
            _, claims = verify_jws(signed.decode("ascii"), {"": self._verification}.get, _TOKEN)
            request, app, device = claims["requestDetails"], claims["appIntegrity"], claims["deviceIntegrity"]
            bound = request.get("nonce") or request.get("requestHash")
            names = {request.get("requestPackageName"), app.get("packageName")}
            recognised, meets = app.get("appRecognitionVerdict"), device.get("deviceRecognitionVerdict") or ()
        except (JoseError, CredentialError, ValueError, LookupError, TypeError, AttributeError):
            raise AttestationError("is no integrity token of the app's keys") from None
        if not isinstance(bound, str) or bound.rstrip("=") != to_base64url(digest):
            raise AttestationError("is of another session or of another key")
        if names != {self._settings.app}:
            raise AttestationError("is of another app")
        if recognised not in self._settings.app_verdicts:
            raise AttestationError(f"calls the app {recognised}")
        if not set(meets) & set(self._settings.device_verdicts):
            raise AttestationError(f"says of the device {', '.join(map(str, meets)) or 'nothing'}")
