"""Canonical base64url and JSON, so that no byte of a token can change unnoticed.

Base64 leaves up to four bits unused in its last character and JSON permits a name to appear twice; a lenient parser accepts many
texts for one value. Both parsers here refuse whatever the writers would not have written (RFC 7515 section 2, RFC 8725 section
3.12).
"""

from __future__ import annotations

import base64
import binascii
import json
import string
from typing import Any

_ALPHABET = (string.ascii_letters + string.digits + "-_").encode("ascii")
_TO_BASE64 = bytes.maketrans(b"-_+/=", b"+/***")
"""Maps the base64url alphabet to the base64 one, and characters of base64 alone to invalid ones."""


def to_base64url(data: bytes) -> str:
    """Return the base64url text of `data`, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """Return the bytes of canonical, unpadded base64url text.

    Raises:
        ValueError: another alphabet, padding, an impossible length, or unused bits that are not zero.
    """
    plain = text.encode("ascii").translate(_TO_BASE64)
    try:
        data = binascii.a2b_base64(plain + b"=" * (-len(plain) % 4), strict_mode=True)
    except binascii.Error as error:
        raise ValueError(f"not base64url: {error}") from None
    # Only the last, incomplete group has unused bits: it must equal its canonical encoding.
    if (left := len(plain) % 4) and binascii.b2a_base64(data[-(left - 1) :], newline=False)[:left] != plain[-left:]:
        raise ValueError("not canonical base64url")
    return data


def without_newline(token: str) -> str:
    """Return a token without the one line break that a text file ends with (LF or CR LF)."""
    return token.removesuffix("\n").removesuffix("\r") if token.endswith("\n") else token


def check_base64url(text: str) -> None:
    """Check that `from_base64url` would accept a text, without decoding it.

    Raises:
        ValueError: see there.
    """
    if text.encode("ascii").translate(None, _ALPHABET):
        raise ValueError("not base64url: a character of another alphabet")
    if left := len(text) % 4:
        from_base64url(text[-left:])


def to_json(document: dict[str, Any] | list[Any]) -> bytes:
    """Return compact UTF-8 JSON, with no more escapes than RFC 8259 asks for, so that a character takes at most six bytes.

    Raises:
        ValueError: a number has no JSON form (NaN, infinities), or a text no UTF-8 one (half of a surrogate pair).
    """
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def from_json(data: bytes) -> dict[str, Any]:
    """Return the object in UTF-8 JSON text.

    Raises:
        ValueError: not JSON (NaN and infinities are not), not an object, or a name appears twice.
    """
    document = _decoded(data)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the input's fault, not a caller's wrong type
    return document


def list_from_json(data: bytes) -> list[Any]:
    """Return the array in UTF-8 JSON text.

    Raises:
        ValueError: as `from_json`, or not an array.
    """
    document = _decoded(data)
    if not isinstance(document, list):
        raise ValueError("not a JSON array")  # noqa: TRY004 - the same
    return document


def _decoded(data: bytes) -> object:
    try:
        decoded: object = _DECODER.decode(data.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return decoded


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name appears twice")
    return document


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
