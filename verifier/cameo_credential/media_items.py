"""Media items: pictures and sound of a likeness, detached from the token that lists them.

Pixels and sound are too large for a token. Each is encrypted as an object of its own (AES-256-GCM) under a content key that is
made anew for every delivery, and travels beside the token; the token, which only the audience can read, holds the object's
SHA-256, size and key. An object is bound to grant, cameo and kind: that of another delivery does not open.

An object is the nonce (12 bytes), the ciphertext, and the tag (16 bytes). The additional data is the text `GRANT CAMEO KIND`, the
two ids and the kind.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cameo_credential.encoding import from_base64url, to_base64url
from cameo_credential.errors import CredentialError
from cameo_credential.item_kind import MEDIA_KINDS, ItemKind
from cameo_credential.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

CONTENT_ALGORITHM = "A256GCM"
WHERE = "likenesses.objects"
"""Where the objects are: the field of `SpendGrantResponse` in which they come with the token."""
MAX_OBJECT_BYTES = 512 * 1024
"""A crop has about 100 kB, a clip of 10 s at most 480 kB: an issuer cannot make a reader hold megabytes of one."""
_KEY_BYTES, _NONCE_BYTES, _TAG_BYTES = 32, 12, 16


@dataclass(frozen=True, slots=True)
class MediaItem:
    """A picture or sound of a likeness.

    Attributes:
        kind: `face_crop` or `voice_clip`.
        media_type: of `data`, such as `image/jpeg`.
        preprocessing: how it was made of the recording, exactly.
        facts: what was measured of it, as JSON: see docs/credential.md.
        data: the file.
    """

    kind: ItemKind
    media_type: str
    preprocessing: str
    facts: Mapping[str, Any] = field(repr=False)
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DetachedItem:
    """A media item as the token lists it; `open_objects` returns the item itself.

    Attributes:
        kind, media_type, preprocessing, facts: as of `MediaItem`.
        sha256: hex digest of the object.
        size: of the object, in bytes.
        key: the content key, 32 bytes.
        bound_to: the additional data of the object.
        expires_at: first moment at which it can no longer be opened.
    """

    kind: ItemKind
    media_type: str
    preprocessing: str
    facts: Mapping[str, Any] = field(repr=False)
    sha256: str
    size: int
    key: bytes = field(repr=False)
    bound_to: str
    expires_at: datetime


def seal_media(item: MediaItem, *, grant_id: str, cameo_id: str) -> tuple[dict[str, Any], bytes]:
    """Return the claim of a media item and its object, under a content key made for them.

    Raises:
        RuntimeError: a bug of ours: the item is no media, or too large for readers.
    """
    if item.kind not in MEDIA_KINDS or len(item.data) > MAX_OBJECT_BYTES - _NONCE_BYTES - _TAG_BYTES:
        raise RuntimeError(f"an item of kind {item.kind} with {len(item.data)} bytes cannot be detached")
    key, nonce = secrets.token_bytes(_KEY_BYTES), secrets.token_bytes(_NONCE_BYTES)
    made = nonce + AESGCM(key).encrypt(nonce, item.data, _bound_to(grant_id, cameo_id, item.kind).encode())
    claim = {
        "kind": item.kind.value,
        "media_type": item.media_type,
        "preprocessing": item.preprocessing,
        "facts": dict(item.facts),
        "object": {
            "sha256": hashlib.sha256(made).hexdigest(),
            "size": len(made),
            "enc": CONTENT_ALGORITHM,
            "key": to_base64url(key),
            "in": WHERE,
        },
    }
    return claim, made


def read_detached(claim: Mapping[str, Any], *, grant_id: str, cameo_id: str, expires_at: datetime) -> DetachedItem:
    """Return the detached item of a claim of a media kind.

    Raises:
        ValueError: the claim is malformed.
    """
    kind, facts, told = ItemKind(claim["kind"]), claim.get("facts"), claim.get("object")
    if not isinstance(facts, dict) or not isinstance(told, dict):
        raise ValueError("'facts' or 'object' of an item is missing or not an object")  # noqa: TRY004 - the token's fault
    texts = [claim.get("media_type"), claim.get("preprocessing"), told.get("sha256"), told.get("key")]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a member of an item is missing or not a string")
    media_type, preprocessing, sha256, key = map(str, texts)
    size = told.get("size")
    if type(size) is not int or not _NONCE_BYTES + _TAG_BYTES <= size <= MAX_OBJECT_BYTES:  # bool is an int to Python
        raise ValueError(f"an object has more than {MAX_OBJECT_BYTES} bytes, or none")
    if told.get("enc") != CONTENT_ALGORITHM or len(content_key := from_base64url(key)) != _KEY_BYTES:
        raise ValueError("the encryption of an object is unknown")
    bound_to = _bound_to(grant_id, cameo_id, kind)
    return DetachedItem(kind, media_type, preprocessing, facts, sha256, size, content_key, bound_to, expires_at)


def open_objects(items: Iterable[DetachedItem], objects: Iterable[bytes], *, now: datetime) -> tuple[MediaItem, ...]:
    """Verify and decrypt the objects of detached items, in the order of the items; other objects are ignored.

    Args:
        items: of an opened delivery, see `cameo_credential.delivery.Delivery.detached`.
        objects: as they came with the delivery's token, in any order.
        now: the time to judge validity at.

    Raises:
        CredentialError: `expired`; `wrong_object`: none of the objects has the digest and size that the token says, as one that
            was truncated, altered or of another delivery has not; `tampered`: one does not decrypt for this grant.
    """
    by_digest = {hashlib.sha256(each).hexdigest(): each for each in objects if len(each) <= MAX_OBJECT_BYTES}
    return tuple(_opened(item, by_digest.get(item.sha256), now) for item in items)


def _opened(item: DetachedItem, sealed: bytes | None, now: datetime) -> MediaItem:
    if now >= item.expires_at:
        raise CredentialError(Refusal.EXPIRED, f"the object could be opened until {item.expires_at.isoformat()}")
    if sealed is None or len(sealed) != item.size:
        raise CredentialError(Refusal.WRONG_OBJECT, f"no object is the token's {item.kind}: truncated, altered or another's")
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        data = AESGCM(item.key).decrypt(nonce, rest, item.bound_to.encode())
    except InvalidTag:
        raise CredentialError(Refusal.TAMPERED, "the object was made for another grant, cameo or kind") from None
    return MediaItem(item.kind, item.media_type, item.preprocessing, item.facts, data)


def _bound_to(grant_id: str, cameo_id: str, kind: ItemKind) -> str:
    return f"{grant_id} {cameo_id} {kind}"
