"""The format of an encrypted object: a piece of evidence under its subject's data key, bound to its attempt and kind.

    magic, 8 bytes | id of the data key, 16 | nonce, 12 | length of the rest, u64 | CRC-32 of all before, u32 | AES-256-GCM

Associated data are magic, attempt and kind: an object that is moved to another attempt, or renamed to another kind, does not
decrypt. The checksum distinguishes a damaged header from truncation; it protects against accidents only, the cipher against all
else.
"""

from __future__ import annotations

import struct
import zlib
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cameo_verifier.store.evidence.errors import AlteredEvidenceError, TruncatedEvidenceError
from cameo_verifier.store.evidence.subject_keys import ID_BYTES, DataKey

if TYPE_CHECKING:
    from collections.abc import Callable

_MAGIC = b"CAMEOEV1"
_NONCE_BYTES = 12
"""96 bits, random: NIST SP 800-38D section 8.3 allows 2**32 objects under one key, more than any subject has."""
_FRONT = struct.Struct(f"<8s{ID_BYTES}s{_NONCE_BYTES}sQ")
_CHECK = struct.Struct("<I")
FRONT_BYTES = _FRONT.size + _CHECK.size


class Kind(StrEnum):
    """The kind of a piece of evidence."""

    RECORDING = "recording"
    """The file as it was received."""
    TRACKS = "tracks"
    """The evidence extracted from it, see `cameo_verifier.evidence.tracks`."""
    RESULT = "result"
    """Its challenge and judgement, see `cameo_verifier.store.attempts.result`."""
    CROPS = "crops"
    """A few pictures of the face side by side, a JPEG, see `cameo_verifier.evidence.crops`."""
    RECEIPT = "receipt"
    """The receipt it earned; only the digest is stored."""


def seal(data: bytes, *, attempt_id: str, kind: Kind, key: DataKey, random_bytes: Callable[[int], bytes]) -> bytes:
    """Return the encrypted object."""
    nonce = random_bytes(_NONCE_BYTES)
    sealed = AESGCM(key.key).encrypt(nonce, data, _bound_to(attempt_id, kind))
    front = _FRONT.pack(_MAGIC, bytes.fromhex(key.id), nonce, len(sealed))
    return front + _CHECK.pack(zlib.crc32(front)) + sealed


def key_id(data: bytes) -> str:
    """Return the id of the data key that an object needs.

    Raises:
        TruncatedEvidenceError: its end is missing.
        AlteredEvidenceError: it is no such object, or its header was altered.
    """
    if not data.startswith(_MAGIC[: len(data)]):
        raise AlteredEvidenceError("this is no sealed evidence")
    if len(data) < FRONT_BYTES:
        raise TruncatedEvidenceError(f"{len(data)} bytes are left, not even the front")
    front = data[: _FRONT.size]
    _, needed, _, length = _FRONT.unpack(front)
    if data[_FRONT.size : FRONT_BYTES] != _CHECK.pack(zlib.crc32(front)):
        raise AlteredEvidenceError("the front was altered")
    if len(data) - FRONT_BYTES < length:
        raise TruncatedEvidenceError(f"{len(data)} of {FRONT_BYTES + length} bytes are left")
    return bytes(needed).hex()


def unseal(data: bytes, *, attempt_id: str, kind: Kind, key: DataKey) -> bytes:
    """Return the decrypted data.

    Raises:
        TruncatedEvidenceError: the end is missing.
        AlteredEvidenceError: it was altered, or is another attempt's or of another kind.
    """
    if key_id(data) != key.id:
        raise AlteredEvidenceError("another data key sealed it")
    _, _, nonce, _ = _FRONT.unpack_from(data)
    try:
        return AESGCM(key.key).decrypt(nonce, data[FRONT_BYTES:], _bound_to(attempt_id, kind))
    except InvalidTag:
        raise AlteredEvidenceError("it was altered, or belongs to another attempt or kind") from None


def _bound_to(attempt_id: str, kind: Kind) -> bytes:
    return b"\0".join([_MAGIC, attempt_id.encode(), kind.value.encode()])
