"""Search of the gallery for every face that matches one attempt's: read from the store on request, not cached.

The server's index returns the holder of a face; it stays in memory, and drops deleted people within a minute. Analysts search
seldom and want all matches, so each face is read and compared at that moment.
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
    """A face of the gallery, its holder, and its cosine with the attempt's face."""

    number: int
    holder: Holder
    cosine: float


def same_faces(
    faces: FaceStore, settings: Settings, profile: Profile, attempt: Attempt, opened: Opened | None
) -> list[SameFace] | None:
    """Return the gallery's faces above the profile's thresholds, most similar first; None if the attempt's own face is not kept.

    An attempt enrolled in the gallery is searched for by its enrolled face, any other by its tracks.

    Args:
        faces: the gallery.
        settings: the site's settings, which name the gallery's key.
        profile: has the threshold of each collection.
        attempt: the attempt whose face is searched for.
        opened: the attempt with its tracks; None if they cannot be read.

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
    # Without a key file there is no gallery: a search must not create the key.
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
