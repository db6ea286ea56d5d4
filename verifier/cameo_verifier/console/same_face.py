"""Every face of the gallery that is one attempt's: read from the store when it is asked for, and kept nowhere.

The server's index answers whose face one is; it stays in memory, and forgets within a minute who was forgotten. Analysts ask
seldom and want all, so each face is read and compared as it is now.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from cameo_credential.gallery_key import GalleryKey
from cameo_verifier.checks import already_enrolled, protected_person
from cameo_verifier.evidence.identity import face_embedding
from cameo_verifier.screening.identification import MODEL
from cameo_verifier.screening.transform import CODE_SCALE, DIMENSIONS, Transform
from cameo_verifier.store.cameos.faces import Collection
from cameo_verifier.types import FaceTrack

if TYPE_CHECKING:
    from cameo_verifier.console.cases import Opened
    from cameo_verifier.profile import Profile
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.store.cameos.faces import FaceStore, Holder
    from cameo_verifier.types import F32

_LINES = {Collection.PROTECTED: protected_person.THRESHOLD, Collection.ENROLLED: already_enrolled.THRESHOLD}


@dataclass(frozen=True, slots=True)
class SameFace:
    """A face of the gallery, whose it is, and its cosine with the one asked for."""

    number: int
    holder: Holder
    cosine: float


def same_faces(
    faces: FaceStore, settings: Settings, profile: Profile, attempt: Attempt, opened: Opened | None
) -> list[SameFace] | None:
    """Return the faces of the gallery above the profile's lines, the most alike first; None where the attempt's own is not kept.

    An attempt whose own face the gallery has is asked for by that, any other by its tracks.

    Args:
        faces: the gallery.
        settings: the site's, which name the gallery's key.
        profile: with the line of each collection.
        attempt: whose face it is.
        opened: the same with its tracks; None where they cannot be read.

    Raises:
        KeyFileError: the gallery's key cannot be used.
        StoreError: the database could not be read.
    """
    own = faces.of_attempt(attempt.id)
    if own is not None:
        number, code = own
        turned = np.frombuffer(code.code, np.int8).astype(np.float32) / CODE_SCALE
        return [each for each in _above(faces, profile, code.key_id, code.model, turned) if each.number != number]
    track = opened.tracks.evidence.face if opened is not None else None
    face = face_embedding(track) if isinstance(track, FaceTrack) else None
    model = attempt.digests.get(MODEL, "")
    # Without a file there is no gallery: a look must not make its key.
    if face is None or not model or not settings.gallery_key.exists():
        return None
    key = GalleryKey.open(settings.gallery_key)
    return _above(faces, profile, key.id, model, _transform(key.secret, model).turn(face))


def _above(faces: FaceStore, profile: Profile, key_id: str, model: str, turned: F32) -> list[SameFace]:
    floor = min(profile[line].value for line in _LINES.values())
    cosines: dict[int, float] = {}
    for rows in faces.after(0, key_id=key_id, model=model):
        numbers, codes = zip(*rows, strict=True)
        these = np.frombuffer(b"".join(codes), np.int8).reshape(-1, DIMENSIONS).astype(np.float32) @ turned / CODE_SCALE
        cosines.update((numbers[place], float(these[place])) for place in np.flatnonzero(these > floor))
    same = [
        SameFace(number, holder, cosines[number])
        for number, holder in faces.holders(cosines).items()
        if not profile[_LINES[holder.collection]].holds(cosines[number])
    ]
    return sorted(same, key=lambda each: -each.cosine)


@lru_cache(maxsize=2)
def _transform(secret: bytes, model: str) -> Transform:
    return Transform(secret, model)
