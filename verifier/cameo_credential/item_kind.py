"""The kinds of items of a likeness: vectors, which lie in the token, and media, which lie beside it."""

from __future__ import annotations

from enum import StrEnum


class ItemKind(StrEnum):
    """The kind of an item."""

    FACE_VECTOR = "face_vector"
    VOICE_VECTOR = "voice_vector"
    FACE_CROP = "face_crop"
    VOICE_CLIP = "voice_clip"


MEDIA_KINDS = frozenset({ItemKind.FACE_CROP, ItemKind.VOICE_CLIP})
"""The kinds whose items are detached, see `media_items`."""
VECTOR_KINDS = frozenset(ItemKind) - MEDIA_KINDS
