"""Serialization of a likeness for encrypted storage: face and voice embeddings, and pictures and sound.

It is issued and delivered from that. A line of JSON is followed by the files of the media items, in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_credential.claims import MAX_DIMENSION, Embedding
from cameo_credential.encoding import from_base64url, from_json, to_base64url, to_json
from cameo_credential.item_kind import MEDIA_KINDS, ItemKind
from cameo_credential.media_items import MediaItem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LAYOUT = "float32-le"


def to_bytes(face: Embedding, voice: Embedding | None, media: Sequence[MediaItem] = ()) -> bytes:
    """Return the embeddings, with their models, and the media items; `voice` is None of a person who was not asked to speak."""
    listed = [
        {
            "kind": each.kind.value,
            "media_type": each.media_type,
            "preprocessing": each.preprocessing,
            "facts": dict(each.facts),
            "size": len(each.data),
        }
        for each in media
    ]
    header = {"dtype": _LAYOUT, "face": _document(face), "voice": voice and _document(voice), "media": listed}
    return b"\n".join((to_json(header), b"".join(each.data for each in media)))


def from_bytes(data: bytes) -> tuple[Embedding, Embedding | None]:
    """Return the face embedding, and the voice embedding where there is one.

    Raises:
        ValueError: the bytes are not as `to_bytes` writes them.
    """
    document, _ = _parts(data)
    try:
        voice = document["voice"]
        return _embedding(document["face"]), None if voice is None else _embedding(voice)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the likeness cannot be read: {error}") from None


def media_from_bytes(data: bytes) -> tuple[MediaItem, ...] | None:
    """Return the media items; None where a version that made none wrote the likeness.

    Raises:
        ValueError: the bytes are not as `to_bytes` writes them.
    """
    document, rest = _parts(data)
    if "media" not in document:
        return None
    found, at = [], 0
    try:
        for each in document["media"]:
            kind, size = ItemKind(each["kind"]), int(each["size"])
            if kind not in MEDIA_KINDS or not 0 <= size <= len(rest) - at:
                raise ValueError("a media item of the likeness is cut off, or is none")
            found.append(MediaItem(kind, each["media_type"], each["preprocessing"], each["facts"], rest[at : at + size]))
            at += size
    except (KeyError, TypeError) as error:
        raise ValueError(f"the likeness cannot be read: {error}") from None
    return tuple(found)


def _parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    header, _, rest = data.partition(b"\n")
    document = from_json(header)
    if document.get("dtype") != _LAYOUT:
        raise ValueError("the layout of the likeness is unknown")
    return document, rest


def _document(embedding: Embedding) -> dict[str, Any]:
    data = embedding.vector.astype("<f4").tobytes()
    return {"model": embedding.model, "model_sha256": embedding.model_sha256, "data": to_base64url(data)}


def _embedding(document: Mapping[str, Any]) -> Embedding:
    vector = np.frombuffer(from_base64url(document["data"]), dtype="<f4").astype(np.float32)
    if not 1 <= vector.size <= MAX_DIMENSION:
        raise ValueError(f"an embedding has 1 to {MAX_DIMENSION} values, not {vector.size}")
    return Embedding(document["model"], document["model_sha256"], vector)
