"""The vault: encryption of likenesses at rest, each under a data key of its own.

A random data key encrypts the likeness (AES-256-GCM), the site's vault key wraps the data key (also AES-256-GCM), and both
ciphertexts are bound to the id of the cameo: in another row they do not decrypt. Destroying the wrapped key destroys the likeness
here; in older copies of the database it is destroyed with the epoch of the vault key, whose secret goes into the wrapping key.
Without the vault key a stolen database reveals no face and no voice.

While the vault key or its epoch is replaced there are several wrapping keys: the first one wraps, all unwrap. See
`cameo_verifier.review.vault_rotation`.
"""

from __future__ import annotations

import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cameo_credential.errors import CameoError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEY_BYTES = 32
_NONCE_BYTES = 12
"""96 bits, as NIST SP 800-38D section 5.2.1.1 recommends; a data key encrypts once, so its nonce cannot repeat."""
_KEY, _LIKENESS, _NAMED_KEY = b"cameo data key\0", b"cameo likeness\0", b"named data key\0"


class VaultError(CameoError):
    """A likeness does not decrypt: it was altered, moved to another cameo, or encrypted under another vault key."""


@dataclass(frozen=True, slots=True)
class SealedLikeness:
    """An encrypted likeness; nonces precede the ciphertexts.

    vault_key_id: of the key that wrapped it just now; empty for a stored one.
    """

    cameo_id: str
    wrapped_key: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    vault_key_id: str = field(default="", compare=False)


class VaultKey:
    """A vault key."""

    def __init__(self, key: bytes) -> None:
        """Keep the key, 32 bytes; another length raises `ValueError`. `id` names the key and reveals nothing else about it."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a vault key has {KEY_BYTES} bytes, not {len(key)}")
        self.id = hmac.digest(key, b"cameo vault key id", "sha256").hex()[:16]
        self.cipher = AESGCM(key)

    @classmethod
    def of_epoch(cls, key: bytes, epoch: bytes) -> Self:
        """Return the wrapping key of an epoch: HKDF-SHA256 (RFC 5869) of the vault key, with the epoch's secret as salt.

        Without an epoch, `epoch` is empty, the vault key itself wraps.
        """
        return cls(HKDF(SHA256(), KEY_BYTES, salt=epoch, info=b"cameo vault epoch").derive(key) if epoch else key)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key wrapped by a vault key, and the id of the vault key."""

    vault_key_id: str
    wrapped: bytes = field(repr=False)


class Vault:
    """Encrypts and decrypts with the vault key, and decrypts with the former one during a rotation."""

    def __init__(
        self, keys: bytes | Callable[[], Sequence[VaultKey]], *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        """Keep the keys.

        Args:
            keys: one key, 32 bytes; or a function that returns the current keys, the wrapping one first, called at every use.
            random_bytes: returns this many random bytes.

        Raises:
            ValueError: the key has another length.
        """
        if isinstance(keys, bytes):
            only = (VaultKey(keys),)
            self._keys: Callable[[], Sequence[VaultKey]] = lambda: only
        else:
            self._keys = keys
        self._random_bytes = random_bytes

    @property
    def id(self) -> str:
        """The id of the wrapping key."""
        return self._keys()[0].id

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys that unwrap."""
        return tuple(key.id for key in self._keys())

    def wrap(self, data_key: bytes, name: str) -> WrappedKey:
        """Wrap a data key, bound to a name, that is stored apart from the data it encrypts."""
        key = self._keys()[0]
        return WrappedKey(key.id, self._encrypt(key.cipher, data_key, _NAMED_KEY + name.encode()))

    def unwrap(self, wrapped_key: bytes, name: str) -> bytes:
        """Return the unwrapped data key.

        Raises:
            VaultError: it was altered, moved to another name, or wrapped by another vault key.
        """
        return self._unwrapped(wrapped_key, _NAMED_KEY + name.encode())

    def seal(self, cameo_id: str, likeness: bytes) -> SealedLikeness:
        """Encrypt a likeness under a fresh data key."""
        key, data_key = self._keys()[0], self._random_bytes(KEY_BYTES)
        return SealedLikeness(
            cameo_id,
            wrapped_key=self._encrypt(key.cipher, data_key, _KEY + cameo_id.encode()),
            sealed=self._encrypt(AESGCM(data_key), likeness, _LIKENESS + cameo_id.encode()),
            vault_key_id=key.id,
        )

    def open(self, sealed: SealedLikeness) -> bytes:
        """Return the decrypted likeness.

        Raises:
            VaultError: it does not decrypt.
        """
        cameo_id = sealed.cameo_id.encode()
        data_key = self._unwrapped(sealed.wrapped_key, _KEY + cameo_id)
        return _decrypt(AESGCM(data_key), sealed.sealed, _LIKENESS + cameo_id)

    def rewrap(self, wrapped_key: bytes, name: str) -> bytes | None:
        """Return a data key of `wrap`, rewrapped by the present wrapping key; None if that wraps it already.

        Raises:
            VaultError: no key of this vault unwraps it.
        """
        return self._rewrapped(wrapped_key, _NAMED_KEY + name.encode())

    def rewrap_likeness(self, wrapped_key: bytes, cameo_id: str) -> bytes | None:
        """Return the data key of a likeness, rewrapped as `rewrap` does."""
        return self._rewrapped(wrapped_key, _KEY + cameo_id.encode())

    def _rewrapped(self, wrapped_key: bytes, bound_to: bytes) -> bytes | None:
        new, *former = self._keys()
        try:
            _decrypt(new.cipher, wrapped_key, bound_to)
        except VaultError:
            return self._encrypt(new.cipher, _decrypt_by_any(former, wrapped_key, bound_to), bound_to)
        return None

    def _unwrapped(self, wrapped_key: bytes, bound_to: bytes) -> bytes:
        return _decrypt_by_any(self._keys(), wrapped_key, bound_to)

    def _encrypt(self, key: AESGCM, plaintext: bytes, bound_to: bytes) -> bytes:
        nonce = self._random_bytes(_NONCE_BYTES)
        return nonce + key.encrypt(nonce, plaintext, bound_to)


def _decrypt_by_any(keys: Sequence[VaultKey], ciphertext: bytes, bound_to: bytes) -> bytes:
    for key in keys:
        with suppress(VaultError):
            return _decrypt(key.cipher, ciphertext, bound_to)
    raise VaultError("it does not open under this vault key and name")


def _decrypt(key: AESGCM, ciphertext: bytes, bound_to: bytes) -> bytes:
    try:
        return key.decrypt(ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        raise VaultError("it does not open under this vault key and name") from None
