"""Face identification: searches the gallery for the face of an acceptable recording.

The faces of protected people and of all who enrolled are in memory, transformed by the gallery's key as they are in the store.
Before each answer the faces added since are read, whichever server added them, and the owners of the matches are looked up in the
store: a removed face never matches. `refresh` drops such faces from memory too.

Two attempts with one face that are judged at the same moment do not match each other.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Self

import numpy as np
import structlog

from cameo_credential.errors import KeyFileError
from cameo_credential.gallery_key import GalleryKey
from cameo_verifier.checks import already_enrolled, protected_person
from cameo_verifier.evidence.identity import face_embedding
from cameo_verifier.screening.gallery import Gallery
from cameo_verifier.screening.transform import DIMENSIONS, Transform
from cameo_verifier.store.cameos.faces import Code, Collection
from cameo_verifier.types import FaceTrack, GalleryAnswer, Match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.profile import Profile
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.cameos.faces import FaceStore
    from cameo_verifier.types import F32, Judgement

log = structlog.get_logger(__name__)

MODEL = "model:face-embedding"
"""Name of the digest of the face-embedding model in a judgement."""


class FaceIdentification:
    """A search of the gallery; thread-safe."""

    def __init__(self, faces: FaceStore, key: GalleryKey, profile: Profile) -> None:
        self._faces, self._key, self._profile = faces, key, profile
        self._of_model: dict[str, tuple[Transform, Gallery]] = {}
        self._lock = Lock()

    @classmethod
    def open(cls, settings: Settings, faces: FaceStore, profile: Profile) -> Self:
        """Load the key of a site, or create it on first start, and read the faces transformed by it.

        Raises:
            KeyFileError: the key file cannot be used, or is not the one that transformed the stored faces.
            StoreError: the database could not be read.
        """
        key = GalleryKey.open(settings.gallery_key)
        if lost := faces.unreadable(key_id=key.id):
            raise KeyFileError(
                f"{settings.gallery_key} is not the key of {lost} faces in the gallery: put that file back, "
                "or run `cameo gallery prune` to forget them"
            )
        opened = cls(faces, key, profile)
        for model in faces.models(key_id=key.id):
            opened._read(model, opened._opened(model)[1])
        return opened

    def nearest(self, judgement: Judgement, *, subject: str) -> GalleryAnswer:
        """Return the nearest faces of the gallery to that of an acceptable recording.

        Raises:
            StoreError: the database could not be read; the face must not count as unknown then.
        """
        profile = self._profile.judging(minor=judgement.minor_safeguards)
        floor = min(profile[check.THRESHOLD].value for check in (protected_person, already_enrolled))
        return GalleryAnswer(floor, *self._nearest(judgement, subject=subject, floor=floor))

    def code(self, judgement: Judgement) -> Code:
        """Return the stored form of the face of an accepted judgement."""
        face, model = _face(judgement)
        with self._lock:
            transform, _ = self._opened(model)
        return Code(transform.code(face), self._key.id, model)

    def refresh(self) -> int:
        """Drop faces from memory that are no longer in the store, and return their number; read faces that were skipped.

        A database that assigns a number before it commits may show a lower one after a higher one.

        Raises:
            StoreError: the database could not be read.
        """
        gone = 0
        for model, (_, gallery) in tuple(self._of_model.items()):
            with self._lock:
                there = set(self._faces.numbers(key_id=self._key.id, model=model))
                gone += gallery.keep(there)
                _add_rows(gallery, self._faces.codes(there.difference(gallery.numbers.tolist())))
        return gone

    def _nearest(self, judgement: Judgement, *, subject: str, floor: float) -> tuple[Match | None, Match | None]:
        """Return the nearest protected person who is not the subject, and the nearest face enrolled by another subject."""
        face, model = _face(judgement)
        with self._lock:
            if model not in self._of_model and (skipped := self._faces.unreadable(key_id=self._key.id, model=model)):
                log.warning("faces of another model are not compared", count=skipped)
            transform, gallery = self._opened(model)
            self._read(model, gallery)
            found = gallery.nearest(transform.turn(face), floor=floor)
        holders = self._faces.holders([match.number for match in found])
        own = {Collection.ENROLLED: {subject}, Collection.PROTECTED: self._faces.allowed(subject)}
        others: dict[Collection, Match] = {}
        for match in found:
            holder = holders.get(match.number)
            if holder is not None and holder.owner not in own[holder.collection]:
                others.setdefault(holder.collection, match)
        return others.get(Collection.PROTECTED), others.get(Collection.ENROLLED)

    def _opened(self, model: str) -> tuple[Transform, Gallery]:
        if model not in self._of_model:
            self._of_model[model] = Transform(self._key.secret, model), Gallery()
        return self._of_model[model]

    def _read(self, model: str, gallery: Gallery) -> None:
        for rows in self._faces.after(gallery.last, key_id=self._key.id, model=model):
            _add_rows(gallery, rows)


def _add_rows(gallery: Gallery, rows: Sequence[tuple[int, bytes]]) -> None:
    if rows:
        numbers, codes = zip(*rows, strict=True)
        gallery.add(np.array(numbers, np.int64), np.frombuffer(b"".join(codes), np.int8).reshape(-1, DIMENSIONS))


def _face(judgement: Judgement) -> tuple[F32, str]:
    """Return the face of an acceptable recording and the digest of its model; raises `RuntimeError`, a bug of ours, without."""
    track = judgement.evidence.face
    face = face_embedding(track) if isinstance(track, FaceTrack) else None
    model = judgement.digests.get(MODEL)
    if face is None or model is None:
        raise RuntimeError("a recording without a face, or without the digest of its model, was accepted")
    return face, model
