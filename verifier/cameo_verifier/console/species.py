"""Attack species that an analyst can choose from: those of the attack suite, and any that labels have named."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cameo_verifier.store.attempts.labels import LabelStore

SUITE = (
    "answered_in_advance",
    "backwards",
    "dub_other_voice",
    "dub_recut",
    "dub_same_voice",
    "earlier_recording",
    "face_swapped",
    "mirrored",
    "mouth_animated",
    "phone",
    "phone_bezel",
    "photo_still",
    "photo_zoomed",
    "picture_backwards",
    "picture_frozen",
    "picture_looped",
    "print_bent",
    "print_holes",
    "print_refilmed",
    "print_still",
    "print_waved",
    "screen_bands",
    "screen_gamma",
    "screen_glare",
    "screen_moire",
    "screen_refilmed",
    "screen_refilmed_close",
    "second_speaker",
    "second_voice_off_camera",
    "sound_shifted",
    "spliced",
    "tablet",
    "tablet_bezel",
    "turns_missing",
    "two_people",
    "voice_off_camera",
    "wrong_order",
    "wrong_words",
)
"""Species of the attack suite; the package does not depend on the studio that renders them."""


def known(labels: LabelStore) -> list[str]:
    """Return all species there are to choose from, sorted.

    Raises:
        StoreError: the database failed.
    """
    return sorted({*SUITE, *labels.species()})
