"""A secret of 32 bytes in an owner-only JWK file, such as the vault's key."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from verifier.credential import key_files
from verifier.credential.encoding import from_base64url, to_base64url
from verifier.errors import KeyFileError

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES = 32


def open_secret(path: Path) -> bytes:
    """Load the secret, or make it on first use.

    Raises:
        KeyFileError: the file is malformed, open to others, or cannot be written.
    """
    if not path.exists():
        key_files.create_json(path, {"kty": "oct", "k": to_base64url(secrets.token_bytes(KEY_BYTES))}, secret=True)
    document = key_files.read_json(path, secret=True)
    try:
        secret = from_base64url(document["k"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise KeyFileError(f"{path} is not a secret key: {error}") from None
    if document.get("kty") != "oct" or len(secret) != KEY_BYTES:
        raise KeyFileError(f"{path} is not a secret key of {KEY_BYTES} bytes")
    return secret
