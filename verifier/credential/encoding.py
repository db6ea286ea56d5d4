"""Base64url and JSON with one spelling each, so that no byte of a token can change unnoticed.

Base64 leaves up to four bits unused in its last character and JSON lets a name appear twice; a lenient reader takes many
texts for one value. Both readers here refuse whatever the writers would not have written (RFC 7515 section 2, RFC 8725
section 3.12).
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any


def to_base64url(data: bytes) -> str:
    """Return the base64url text of `data`, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """Return the bytes of canonical, unpadded base64url text.

    Raises:
        ValueError: another alphabet, padding, an impossible length, or unused bits that are not zero.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64url: {error}") from None
    if to_base64url(data) != text:
        raise ValueError("not canonical base64url")
    return data


def to_json(document: dict[str, Any]) -> bytes:
    """Return compact UTF-8 JSON; numbers that JSON cannot say (NaN, infinities) raise `ValueError`."""
    return json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def from_json(data: bytes) -> dict[str, Any]:
    """Return the object in UTF-8 JSON text.

    Raises:
        ValueError: not JSON, not an object, or a name appears twice.
    """
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the input's fault, not a caller's wrong type
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name appears twice")
    return document
