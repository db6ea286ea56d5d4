"""Serialization of a likeness (face and voice embeddings) for encrypted storage: it is reissued without a new recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_credential.claims import MAX_DIMENSION, Embedding
from cameo_credential.encoding import from_base64url, from_json, to_base64url, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

_LAYOUT = "float32-le"


def to_bytes(face: Embedding, voice: Embedding) -> bytes:
    """Return both embeddings, with their models, as JSON."""
    return to_json({"dtype": _LAYOUT, "face": _document(face), "voice": _document(voice)})


def from_bytes(data: bytes) -> tuple[Embedding, Embedding]:
    """Return the face and the voice embedding.

    Raises:
        ValueError: the bytes are not as `to_bytes` writes them.
    """
    document = from_json(data)
    if document.get("dtype") != _LAYOUT:
        raise ValueError("the layout of the likeness is unknown")
    try:
        return _embedding(document["face"]), _embedding(document["voice"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"the likeness cannot be read: {error}") from None


def _document(embedding: Embedding) -> dict[str, Any]:
    data = embedding.vector.astype("<f4").tobytes()
    return {"model": embedding.model, "model_sha256": embedding.model_sha256, "data": to_base64url(data)}


def _embedding(document: Mapping[str, Any]) -> Embedding:
    vector = np.frombuffer(from_base64url(document["data"]), dtype="<f4").astype(np.float32)
    if not 1 <= vector.size <= MAX_DIMENSION:
        raise ValueError(f"an embedding has 1 to {MAX_DIMENSION} values, not {vector.size}")
    return Embedding(document["model"], document["model_sha256"], vector)
