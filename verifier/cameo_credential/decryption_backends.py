"""Decryption backends: hold an audience's private key outside its file, in a PKCS#11 token or a key service it installs.

Such a key is on P-256. It stands in the audience's key file by its public half and a URI, whose scheme names an entry point of
the group `cameo.decryption_backends`; ours is `pkcs11`. The backend agrees on a secret with each token's ephemeral key (ECDH),
which is on the curve by then; keys are derived and contents decrypted here.
"""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey

from cameo_credential.errors import KeyFileError
from cameo_credential.issuer_keys import key_of_bytes
from cameo_credential.signing_backends import load_backend

GROUP = "cameo.decryption_backends"


class DecryptionBackend(Protocol):
    """Agrees on secrets with one private key on P-256. May be called by several threads at once."""

    def public_key(self) -> bytes:
        """Return the public key: the 65 bytes of an uncompressed point (SEC 1 section 2.3.3)."""

    def agree(self, public: bytes) -> bytes:
        """Return the shared secret with another's public key, in the same form: 32 bytes (SP 800-56A rev. 3 section 5.7.1.2)."""


class HeldKey(ECKey):
    """A public key whose private half a backend holds."""

    backend: DecryptionBackend

    def exchange_derive_key(self, key: ECKey) -> bytes:
        """Return the shared secret with a public key."""
        return self.backend.agree(_point(key))


def open_held(uri: str) -> HeldKey:
    """Return the key whose private half is held at a URI.

    Raises:
        KeyFileError: nothing is installed for the URI, the backend cannot be opened, or its key is not on P-256.
    """
    backend: DecryptionBackend = load_backend(uri, GROUP, use="decryption")
    try:
        public = key_of_bytes(backend.public_key())
    except Exception as error:  # an audience's own code, or no key of a known kind
        raise KeyFileError(f"the decryption key {uri!r} has no public key: {type(error).__name__}") from error
    if not isinstance(public, ECKey):
        raise KeyFileError(f"the decryption key {uri!r} is not on P-256")
    held = HeldKey.import_key(public.as_dict(private=False))
    held.backend = backend
    return held


def _point(key: ECKey) -> bytes:
    return key.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
