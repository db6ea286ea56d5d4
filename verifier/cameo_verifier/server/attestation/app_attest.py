"""App Attest: verification of Apple's attestation objects.

The steps are those of Apple's "Validating apps that connect to your server". The receipt in the object, which a server may
exchange with Apple for a risk metric, is not read.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import cbor2
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from cameo_verifier.server.attestation.errors import AttestationError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

ROOT = x509.load_pem_x509_certificate((Path(__file__).parent / "apple_app_attestation_root_ca.pem").read_bytes())
"""Apple App Attestation Root CA, as Apple publishes it."""
_NONCE = x509.ObjectIdentifier("1.2.840.113635.100.8.2")
_NONCE_DER = bytes.fromhex("3024a1220420")
"""DER of a SEQUENCE of one OCTET STRING of 32 bytes tagged 1, before those bytes."""
_DATA = struct.Struct(">32sBI16sH")
"""WebAuthn authenticator data: SHA-256 of the App ID, flags, counter, AAGUID, length of the credential's id."""
_PRODUCTION, _DEVELOPMENT = b"appattest".ljust(16, b"\0"), b"appattestdevelop"
_CERTIFICATES = 2
_DEPTH = 4
"""Nesting of an attestation object: the object, its statement, the list of certificates, one of them."""


class AppAttest:
    """Verifies attestation objects of known apps."""

    def __init__(self, apps: Collection[str], *, development: bool, root: x509.Certificate = ROOT) -> None:
        """Keep the App IDs, whether those of the development environment count, and the certificate to trust."""
        self._apps = {sha256(app.encode()).digest() for app in apps}
        self._environments = {_PRODUCTION, _DEVELOPMENT} if development else {_PRODUCTION}
        # Apple's leaves name no subject alternative: what they have to hold is checked here.
        self._policy = (
            PolicyBuilder()
            .store(Store([root]))
            .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all())
        )

    def verify(self, attestation: bytes, client_data_hash: bytes, now: datetime) -> None:
        """Check that Apple attests `client_data_hash` for a known app.

        Raises:
            AttestationError: it does not.
        """
        certificates, data = _parts(attestation)
        try:
            leaf, *above = map(x509.load_der_x509_certificate, certificates)
            self._policy.time(now).build_client_verifier().verify(leaf, above)
            nonce = leaf.extensions.get_extension_for_oid(_NONCE).value
            key = leaf.public_key()
        except VerificationError:
            raise AttestationError("has certificates that are not valid now, or not of Apple's root") from None
        except (ValueError, x509.InvalidVersion, x509.ExtensionNotFound, x509.DuplicateExtension, UnsupportedAlgorithm):
            raise AttestationError("has a certificate that cannot be read") from None
        signed = sha256(data + client_data_hash).digest()
        if not isinstance(nonce, x509.UnrecognizedExtension) or nonce.value != _NONCE_DER + signed:
            raise AttestationError("is of another session, of another key, or was changed")
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise AttestationError("is of a key that is not on P-256")
        self._require_app(data, sha256(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)).digest())

    def _require_app(self, data: bytes, key_id: bytes) -> None:
        try:
            app, _, counter, environment, length = _DATA.unpack_from(data)
        except struct.error:
            raise AttestationError("has authenticator data that is too short") from None
        if app not in self._apps:
            raise AttestationError("is of another app")
        if counter != 0:
            raise AttestationError("is of a key that was used before")
        if environment not in self._environments:
            raise AttestationError("is of an environment that is not taken here")
        if data[_DATA.size : _DATA.size + length] != key_id:
            raise AttestationError("names another key than its certificate")


def _parts(attestation: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """Return certificates, the leaf first, and authenticator data.

    Raises:
        AttestationError: it is no attestation object.
    """
    stream = BytesIO(attestation)
    try:
        found = cbor2.load(
            stream, max_depth=_DEPTH, allow_indefinite=False, allow_duplicate_keys=False, strict_hashable_types=True
        )
        statement = found["attStmt"]
        certificates, data = tuple(statement["x5c"]), found["authData"]
        whole = found.keys() == {"fmt", "attStmt", "authData"} and statement.keys() == {"x5c", "receipt"}
    except (cbor2.CBORError, LookupError, TypeError, ValueError, AttributeError):
        raise AttestationError("is no attestation object") from None
    if not whole or stream.tell() != len(attestation) or found["fmt"] != "apple-appattest" or len(certificates) != _CERTIFICATES:
        raise AttestationError("is no attestation object of App Attest")
    if not all(isinstance(each, bytes) for each in (*certificates, data)):
        raise AttestationError("is no attestation object of App Attest")
    return certificates, data
