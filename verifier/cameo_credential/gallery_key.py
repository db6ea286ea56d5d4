"""The gallery key: the secret by which faces of the gallery are transformed, see `cameo_verifier.screening.transform`."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from cameo_credential import key_files

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES = 32
"""256 bits: beyond exhaustive search."""


@dataclass(frozen=True, slots=True)
class GalleryKey:
    """32 bytes. If lost, stored faces are unusable; if leaked, a copy of the database can be compared with photographs."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Check the length, with `ValueError`."""
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a gallery key has {KEY_BYTES} bytes, not {len(self.secret)}")

    @property
    def id(self) -> str:
        """The key's id, stored with each face: 16 hex digits that do not reveal the key."""
        return hmac.digest(self.secret, b"cameo gallery key id", "sha256").hex()[:16]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Load the key from its owner-only JWK file, or generate it on first use.

        Raises:
            KeyFileError: the file is malformed, open to others, or cannot be written.
        """
        return key_files.open_secret(path, KEY_BYTES, cls, kind="gallery key")
