"""A site with an attempt in manual review: its face is the one that another account enrolled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cameo_credential import likeness
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.gallery_key import GalleryKey
from cameo_verifier.checks.question import Case, Phase
from cameo_verifier.evidence.crops import crops
from cameo_verifier.pipeline import proceed
from cameo_verifier.profiles import load
from cameo_verifier.review.vault_file import open_vault
from cameo_verifier.screening.transform import Transform
from cameo_verifier.server.issuing import embeddings
from cameo_verifier.settings import MediaLimits, Settings
from cameo_verifier.store.cameos import faces
from cameo_verifier.store.cameos.faces import Code
from cameo_verifier.store.evidence.retention import SWEEPER
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.types import FaceTrack, GalleryAnswer, Match
from tests.unit.review.stored import RECORDINGS, keep

if TYPE_CHECKING:
    from tests.unit.review.stored import Judged
    from tests.unit.store.evidence_site import Site

NAME, FIRST, TAKEN = "astronaut_bona_fide", "enrolled-first", "taken"
AUDIENCE = "https://g.example"
COSINE = 0.83


_CROPS: dict[int, tuple[FaceTrack, bytes]] = {}


def _crops(recording: bytes, track: FaceTrack, fps: float) -> bytes:
    """Return the crops of a recording, once in a process: the track lasts as long."""
    if id(track) not in _CROPS:
        _CROPS[id(track)] = track, crops(recording, track, limits=MediaLimits(), fps=fps)
    return _CROPS[id(track)][1]


def keep_pair(site: Site, judged: Judged) -> None:
    """Keep ann's attempt `FIRST`, whose face is enrolled, and ben's attempt `TAKEN`, in review for it, as a server does."""
    judgement, challenge = judged(NAME)
    recording = RECORDINGS[NAME].read_bytes()
    track, asked_at = judgement.evidence.face, challenge.issued_at
    assert isinstance(track, FaceTrack)
    assert asked_at is not None
    settings = Settings(data=site.folder.parent)
    AudienceFolder(settings.audiences).add(AudienceKey.generate(AUDIENCE))
    pictures = _crops(recording, track, settings.analysis_fps)
    keep(site, FIRST, judgement, challenge, recording, "ann")
    face, voice = embeddings(judgement, challenge)
    key = GalleryKey.open(settings.gallery_key)
    code = Code(Transform(key.secret, face.model_sha256).code(face.vector), key.id, face.model_sha256)
    later = asked_at + timedelta(minutes=30)
    with site.engine.begin() as connection:
        faces.enrol(connection, "ann", code, attempt_id=FIRST, now=asked_at)
    site.room.vault.remove(FIRST, [Kind.RECORDING], reader=SWEEPER, now=later)
    site.room.vault.keep(FIRST, "ann", {Kind.CROPS: pictures}, now=asked_at)

    found = Match(1, COSINE)
    known = replace(judgement.circumstances, has_gallery=True, gallery=GalleryAnswer(0.45, None, found))
    reviewed = proceed(judgement, Case(judgement.evidence, challenge, known), load(), Phase.GALLERY)
    vault = open_vault(settings.vault_key)
    waiting = vault.seal("cameo-of-ben", likeness.to_bytes(face, voice))
    keep(site, TAKEN, reviewed, replace(challenge, issued_at=later), recording, "ben", waiting=waiting)
    site.room.vault.keep(TAKEN, "ben", {Kind.CROPS: pictures}, now=later)
