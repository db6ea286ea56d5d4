"""Pairwise pseudonyms: subjects that differ per audience, so that two audiences cannot link a person by the subject.

This is the pairwise subject of OpenID Connect Core 1.0 section 8.1, computed with HMAC-SHA256 under a secret key.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from cameo_credential import key_files
from cameo_credential.encoding import to_base64url

if TYPE_CHECKING:
    from pathlib import Path

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

    @classmethod
    def open(cls, path: Path) -> Self:
        """Load the key from its owner-only JWK file, or generate it on first use.

        Raises:
            KeyFileError: the file is malformed, open to others, or cannot be written.
        """
        return key_files.open_secret(path, KEY_BYTES, cls, kind="pairwise key")
