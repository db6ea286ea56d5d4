"""Certificates for tests: an authority, and server and client certificates that it signs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)
LOOPBACK = x509.IPAddress(IPv4Address("127.0.0.1"))


class Authority:
    """A certificate authority."""

    def __init__(self, name: str = "authority") -> None:
        """Make its key and its certificate."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.pem = self._signed(self._name, self._key, [], DAY, authority=True).public_bytes(Encoding.PEM)

    def certificate(self, *names: x509.GeneralName, left: timedelta = DAY) -> tuple[bytes, bytes]:
        """Return a certificate for these names, which ends `left` from now, and its key; both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        chain = self._signed(subject, key, list(names), left, authority=False).public_bytes(Encoding.PEM)
        return chain, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: list[x509.GeneralName],
        left: timedelta,
        *,
        authority: bool,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(now + left)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, SHA256())


class Files:
    """A certificate and its key in files, as a site names them."""

    def __init__(self, folder: Path, name: str, pair: tuple[bytes, bytes]) -> None:
        """Write them."""
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        self.put(pair)

    def put(self, pair: tuple[bytes, bytes]) -> None:
        """Replace both, one after the other, each at once."""
        for path, content in zip((self.certificate, self.key), pair, strict=True):
            beside = path.with_suffix(".new")
            beside.write_bytes(content)
            beside.chmod(0o600)
            beside.replace(path)

    @property
    def settings(self) -> dict[str, Path]:
        """The two settings."""
        return {"tls_certificate": self.certificate, "tls_key": self.key}
