"""The secret that turns the faces of the gallery, see `cameo_verifier.screening.transform`."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from cameo_credential import key_files

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES = 32
"""More than any search through keys reaches."""


@dataclass(frozen=True, slots=True)
class GalleryKey:
    """32 bytes. Lost, every kept face says nothing; leaked, a copy of the database can be compared with photographs."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a secret of another length, with `ValueError`."""
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a gallery key has {KEY_BYTES} bytes, not {len(self.secret)}")

    @property
    def id(self) -> str:
        """What is kept beside a face to say which key turned it: 16 hex digits that do not lead back to the key."""
        return hmac.digest(self.secret, b"cameo gallery key id", "sha256").hex()[:16]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Load the key from its owner-only JWK file, or make it on first use.

        Raises:
            KeyFileError: the file is malformed, open to others, or cannot be written.
        """
        return key_files.open_secret(path, KEY_BYTES, cls, kind="gallery key")
