"""Pairwise pseudonyms: names that differ per audience, so that two audiences cannot link a person by the ids they receive.

Accounts have the pairwise subject of OpenID Connect Core 1.0 section 8.1, computed with HMAC-SHA256 under a secret key. Ids of
cameos, attempts and challenges are 16 random bytes; an audience knows them by one block of AES-256 under a key of its own, so the
issuer finds the cameo again that an audience names, and nothing has to be stored for it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from cameo_credential import key_files
from cameo_credential.encoding import from_base64url, to_base64url

if TYPE_CHECKING:
    from pathlib import Path

ALIAS = "p_"
"""Beginning of an alias, which has 24 characters; an id has 22."""

_ID_BYTES = 16
_REMEMBERED = 8192

KEY_BYTES = 32
"""The length of the hash's output, the minimum that RFC 2104 section 3 recommends."""


@dataclass(frozen=True, slots=True)
class PairwiseKey:
    """The secret of all pseudonyms, 32 bytes. If lost, every subject changes; if leaked, pseudonyms can be linked."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Check the length, with `ValueError`."""
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a pairwise key has {KEY_BYTES} bytes, not {len(self.secret)}")

    def pseudonym(self, subject: str, audience: str) -> str:
        """Return the `sub` by which `audience` knows the account `subject`: 43 base64url characters."""
        # The length prefix distinguishes ("ab", "c") from ("a", "bc").
        encoded = subject.encode()
        message = len(encoded).to_bytes(8, "big") + encoded + audience.encode()
        return to_base64url(hmac.digest(self.secret, message, "sha256"))

    def alias(self, identifier: str, audience: str) -> str:
        """Return the name by which `audience` knows an id: 24 characters. Only an id of 16 bytes is found again by it."""
        return _alias(self, identifier, audience) if identifier else ""

    def identifier(self, name: str, audience: str) -> str:
        """Return the id that an alias of `audience` stands for; any other text is returned unchanged."""
        return _identifier(self, name, audience) if name.startswith(ALIAS) else name

    def digest(self, digest: str, audience: str) -> str:
        """Return the pseudonym of a digest for `audience`: 64 hex digits."""
        return self._digest(b"digest", digest, audience).hex()

    def cipher(self, audience: str) -> Cipher[modes.ECB]:
        """Return the permutation of `audience`: AES-256 on single blocks; ids are random, so no mode is needed."""
        return Cipher(algorithms.AES256(self._digest(b"key", "", audience)), modes.ECB())  # noqa: S305

    def other(self, text: str, audience: str) -> bytes:
        """Return the pseudonym of a text that is no id of 16 bytes: 16 bytes, which cannot be decrypted."""
        return self._digest(b"other", text, audience)[:16]

    def _digest(self, use: bytes, text: str, audience: str) -> bytes:
        encoded = text.encode()
        message = b"cameo alias " + use + b"\0" + len(encoded).to_bytes(8, "big") + encoded + audience.encode()
        return hmac.digest(self.secret, message, "sha256")

    @classmethod
    def open(cls, path: Path) -> Self:
        """Load the key from its owner-only JWK file, or generate it on first use.

        Raises:
            KeyFileError: the file is malformed, open to others, or cannot be written.
        """
        return key_files.open_secret(path, KEY_BYTES, cls, kind="pairwise key")


# A job's cameo is named in each of its calls, and an alias costs more than the whole of a check of what it names.
@lru_cache(_REMEMBERED)
def _alias(key: PairwiseKey, identifier: str, audience: str) -> str:
    raw = _bytes_of(identifier)
    if raw is None:
        return ALIAS + to_base64url(key.other(identifier, audience))
    encryptor = key.cipher(audience).encryptor()
    return ALIAS + to_base64url(encryptor.update(raw) + encryptor.finalize())


@lru_cache(_REMEMBERED)
def _identifier(key: PairwiseKey, name: str, audience: str) -> str:
    raw = _bytes_of(name.removeprefix(ALIAS))
    if raw is None:
        return name
    decryptor = key.cipher(audience).decryptor()
    return to_base64url(decryptor.update(raw) + decryptor.finalize())


def _bytes_of(identifier: str) -> bytes | None:
    """Return the 16 bytes of an id; None if it is not the one way to write them."""
    try:
        raw = from_base64url(identifier)
    except ValueError:
        return None
    return raw if len(raw) == _ID_BYTES and to_base64url(raw) == identifier else None
