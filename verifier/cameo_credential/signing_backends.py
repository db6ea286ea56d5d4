"""Signing backends: hold a private signing key, by default in a file, or in a PKCS#11 token or a key service the site installs.

A key that is held elsewhere stands in the key file by a URI. The scheme of the URI names an entry point of the group
`cameo.signing_backends`, which is called with the URI and returns a `SigningBackend`; ours is `pkcs11`. What a backend signs is
never believed: every token is verified with the public key in the key file before it is given out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cameo_credential.elliptic import COORDINATE_BYTES
from cameo_credential.errors import KeyFileError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

GROUP = "cameo.signing_backends"


class SigningBackend(Protocol):
    """Signs with one key: Ed25519 (RFC 8032), or ECDSA on P-256 with SHA-256. May be called by several threads at once."""

    def public_key(self) -> bytes:
        """Return the public key: 32 bytes of Ed25519, or the 65 of an uncompressed point on P-256 (SEC 1 section 2.3.3)."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, 64 bytes; of ECDSA its R and S (RFC 7518 section 3.4)."""


@dataclass(frozen=True, slots=True)
class FileBackend:
    """The default: a private key out of an owner-only file, in the memory of this process."""

    private: Ed25519PrivateKey | EllipticCurvePrivateKey = field(repr=False)

    def public_key(self) -> bytes:
        """Return the public key, 32 or 65 bytes."""
        public = self.private.public_key()
        if isinstance(public, EllipticCurvePublicKey):
            return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return public.public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, 64 bytes."""
        if isinstance(self.private, EllipticCurvePrivateKey):
            numbers = decode_dss_signature(self.private.sign(message, ECDSA(SHA256())))
            return b"".join(number.to_bytes(COORDINATE_BYTES["P-256"]) for number in numbers)
        return self.private.sign(message)


def open_backend(uri: str) -> SigningBackend:
    """Return the backend of a key URI such as ``"examplekms://project/key"``.

    Raises:
        KeyFileError: the URI has no scheme, nothing is installed for it, or the backend cannot be opened.
    """
    backend: SigningBackend = load_backend(uri, GROUP, use="signing")
    return backend


def load_backend(uri: str, group: str, *, use: str) -> Any:  # noqa: ANN401 - what the group's entry points return
    """Return what the entry point of a group returns for a key URI; `use` names the key in messages.

    Raises:
        KeyFileError: see `open_backend`.
    """
    scheme = urlsplit(uri).scheme
    found = entry_points(group=group, name=scheme) if scheme else ()
    if not found:
        raise KeyFileError(
            f"nothing that is installed opens the {use} key {uri!r}: it takes an entry point {scheme!r} of {group!r}"
        )
    [*_, entry] = found
    try:
        return entry.load()(uri)
    except KeyFileError as error:
        raise KeyFileError(f"the {use} key {uri!r} cannot be opened: {error}") from error
    except Exception as error:  # a site's own code
        raise KeyFileError(f"the {use} key {uri!r} cannot be opened: {type(error).__name__}: {error}") from error
