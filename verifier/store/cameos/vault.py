"""The vault: likenesses at rest, each under a data key of its own.

A random data key encrypts the likeness (AES-256-GCM), the site's vault key wraps the data key (the same), and both ciphertexts
are bound to the id of the cameo: moved to another row they do not open. Destroying the wrapped key destroys the likeness,
wherever a copy of it may be; without the vault key a stolen database holds no face and no voice.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from verifier.errors import CameoError

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_BYTES = 32
_NONCE_BYTES = 12
"""96 bits, which NIST SP 800-38D section 5.2.1.1 recommends; a data key encrypts once, so its nonce cannot repeat."""
_KEY, _LIKENESS, _NAMED_KEY = b"cameo data key\0", b"cameo likeness\0", b"named data key\0"


class VaultError(CameoError):
    """A likeness does not open: it was altered, moved to another cameo, or sealed under another vault key."""


@dataclass(frozen=True, slots=True)
class SealedLikeness:
    """Ciphertext, safe to keep; nonces stand in front."""

    cameo_id: str
    wrapped_key: bytes = field(repr=False)
    sealed: bytes = field(repr=False)


class Vault:
    """Seals and opens under one vault key."""

    def __init__(self, key: bytes, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        """Keep the key, 32 bytes; another length raises `ValueError`. `id` says which key it is, and nothing else about it."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a vault key has {KEY_BYTES} bytes, not {len(key)}")
        self.id = hmac.digest(key, b"cameo vault key id", "sha256").hex()[:16]
        self._key = AESGCM(key)
        self._random_bytes = random_bytes

    def wrap(self, data_key: bytes, name: str) -> bytes:
        """Encrypt a data key that is kept under a name, apart from what it encrypts."""
        return self._encrypt(self._key, data_key, _NAMED_KEY + name.encode())

    def unwrap(self, wrapped_key: bytes, name: str) -> bytes:
        """Return a data key.

        Raises:
            VaultError: it was altered, moved to another name, or wrapped by another vault key.
        """
        return _decrypt(self._key, wrapped_key, _NAMED_KEY + name.encode())

    def seal(self, cameo_id: str, likeness: bytes) -> SealedLikeness:
        """Encrypt a likeness under a fresh data key."""
        data_key = self._random_bytes(KEY_BYTES)
        return SealedLikeness(
            cameo_id,
            wrapped_key=self._encrypt(self._key, data_key, _KEY + cameo_id.encode()),
            sealed=self._encrypt(AESGCM(data_key), likeness, _LIKENESS + cameo_id.encode()),
        )

    def open(self, sealed: SealedLikeness) -> bytes:
        """Return the likeness.

        Raises:
            VaultError: it does not open.
        """
        cameo_id = sealed.cameo_id.encode()
        data_key = _decrypt(self._key, sealed.wrapped_key, _KEY + cameo_id)
        return _decrypt(AESGCM(data_key), sealed.sealed, _LIKENESS + cameo_id)

    def _encrypt(self, key: AESGCM, plaintext: bytes, bound_to: bytes) -> bytes:
        nonce = self._random_bytes(_NONCE_BYTES)
        return nonce + key.encrypt(nonce, plaintext, bound_to)


def _decrypt(key: AESGCM, ciphertext: bytes, bound_to: bytes) -> bytes:
    try:
        return key.decrypt(ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        raise VaultError("it does not open under this vault key and name") from None
