"""Attestations as platforms make them: a chain like Apple's under a root of the test's own, and tokens like Google's."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey

from cameo_credential.encoding import to_base64url

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

NOW = datetime(2026, 12, 1, tzinfo=UTC)
APP_ID, PACKAGE = "TEAM123456.com.example.cameo", "com.example.cameo"
PRODUCTION, DEVELOPMENT = b"appattest" + bytes(7), b"appattestdevelop"
_DAY = timedelta(days=1)


def _point(key: EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class Apple:
    """App Attest with a root of its own."""

    def __init__(self) -> None:
        self._root_key, self._ca_key = generate_private_key(SECP384R1()), generate_private_key(SECP384R1())
        self.root = self.certificate("root", self._root_key, "root", self._root_key, authority=True)
        self.ca = self.certificate("ca", self._ca_key, "root", self._root_key, authority=True)

    @staticmethod
    def certificate(  # noqa: D102 - says its name
        name: str,
        key: EllipticCurvePrivateKey,
        issuer: str,
        by: EllipticCurvePrivateKey,
        *,
        authority: bool = False,
        nonce: bytes | None = None,
        until: datetime = NOW + _DAY,
    ) -> x509.Certificate:
        usage = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - _DAY)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        )
        if authority:
            builder = builder.add_extension(x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True)
        if nonce is not None:
            value = bytes.fromhex("3024a1220420") + nonce
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.840.113635.100.8.2"), value)
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(by, SHA256())

    def attest(  # noqa: D102 - what `attestKey` returns; arguments make it wrong
        self,
        client_data_hash: bytes,
        *,
        app: str = APP_ID,
        counter: int = 0,
        environment: bytes = PRODUCTION,
        until: datetime = NOW + _DAY,
        key_id: bytes | None = None,
        curve: Any = SECP256R1,
        **changed: object,
    ) -> bytes:
        key = generate_private_key(curve())
        named = sha256(_point(key)).digest() if key_id is None else key_id
        data = sha256(app.encode()).digest() + b"\x40" + counter.to_bytes(4) + environment + len(named).to_bytes(2) + named
        nonce = sha256(data + client_data_hash).digest()
        leaf = self.certificate("leaf", key, "ca", self._ca_key, nonce=nonce, until=until)
        chain = [each.public_bytes(Encoding.DER) for each in (leaf, self.ca)]
        made = {"fmt": "apple-appattest", "attStmt": {"x5c": chain, "receipt": b"receipt"}, "authData": data}
        return cbor2.dumps({**made, **changed})


@dataclass
class Google:
    """Play Integrity with keys of its own."""

    decryption: OctKey = field(default_factory=lambda: OctKey.generate_key(256))
    verification: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))

    def keys(self, path: Path) -> Path:
        """Write the file of the site's keys."""
        public = self.verification.as_der(private=False)
        lines = {"DECRYPTION_KEY": self.decryption.raw_value, "VERIFICATION_KEY": public}
        path.write_text("".join(f"{name}={base64.b64encode(value).decode()}\n" for name, value in lines.items()), "ascii")
        return path

    def attest(self, digest: bytes, **changed: dict[str, object]) -> str:
        """Return a token; parts of its payload may be changed."""
        payload: dict[str, dict[str, object]] = {
            "requestDetails": {"requestPackageName": PACKAGE, "nonce": to_base64url(digest), "timestampMillis": "1796083200000"},
            "appIntegrity": {"appRecognitionVerdict": "PLAY_RECOGNIZED", "packageName": PACKAGE, "versionCode": "42"},
            "deviceIntegrity": {"deviceRecognitionVerdict": ["MEETS_BASIC_INTEGRITY", "MEETS_DEVICE_INTEGRITY"]},
            "accountDetails": {"appLicensingVerdict": "LICENSED"},
        }
        for name, part in changed.items():
            payload[name] = {**payload[name], **part}
        signed = jws.serialize_compact({"alg": "ES256"}, json.dumps(payload).encode(), self.verification)
        sealed = {"alg": "A256KW", "enc": "A256GCM"}
        return jwe.encrypt_compact(sealed, signed, self.decryption, algorithms=list(sealed.values()))
