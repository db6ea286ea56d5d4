"""Links between attempts: all others with the same face, recording or subject, with their scores."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_credential.gallery_key import GalleryKey
from cameo_verifier.evidence.fingerprint import to_bytes
from cameo_verifier.profiles import load
from cameo_verifier.screening.transform import Transform
from cameo_verifier.server.issuing import embeddings
from cameo_verifier.settings import Settings
from cameo_verifier.store.attempts import fingerprints
from cameo_verifier.store.cameos import faces
from cameo_verifier.store.cameos.faces import Code, FaceStore
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence.retention import SWEEPER
from cameo_verifier.store.evidence.sealed_object import Kind
from tests.conftest import ASKED
from tests.unit.review.in_review import FIRST, TAKEN, keep_pair
from tests.unit.review.stored import keep
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cameo_verifier.types import F32
    from tests.unit.console.conftest import Visitor
    from tests.unit.review.stored import Judged
    from tests.unit.store.evidence_site import Site

SECOND, STRANGER, AGAIN = "enrolled-again", "somebody-else", "the-same-file"


def enrol(site: Site, vector: F32, model: str, subject: str, attempt_id: str) -> None:
    """Keep a face in the gallery."""
    key = GalleryKey.open(Settings(data=site.folder.parent).gallery_key)
    code = Code(Transform(key.secret, model).code(vector), key.id, model)
    with site.engine.begin() as connection:
        faces.enrol(connection, subject, code, attempt_id=attempt_id, now=ASKED)


def like(vector: F32, cosine: float) -> F32:
    """Return a unit vector with this cosine to another."""
    across = np.roll(vector, round(cosine * 10))
    across -= (across @ vector) * vector
    return np.asarray(cosine * vector + (1 - cosine**2) ** 0.5 * across / np.linalg.norm(across), np.float32)


@pytest.fixture
def site(judged: Judged, tmp_path: Path) -> Iterator[Site]:
    """`FIRST` of ann, `TAKEN` of ben with the same face and recording, and more of both kinds."""
    engine = open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}")
    opened = open_site(engine, tmp_path)
    keep_pair(opened, judged)
    judgement, challenge = judged("astronaut_bona_fide")
    other, its_challenge = judged("still_photo")
    face, _ = embeddings(judgement, challenge)
    for attempt_id, subject, cosine in ((SECOND, "cem", 0.9), (STRANGER, "dan", 0.5)):
        changed = replace(other.evidence.media, sha256=f"{attempt_id:0<64}")
        keep(opened, attempt_id, replace(other, evidence=replace(other.evidence, media=changed)), its_challenge, b"-", subject)
        enrol(opened, like(face.vector, cosine), face.model_sha256, subject, attempt_id)
    keep(opened, AGAIN, judgement, challenge, b"-", "eva")
    with engine.begin() as connection:
        for attempt_id in (FIRST, TAKEN):
            fingerprints.add(connection, attempt_id, to_bytes(judgement.evidence.fingerprint), now=ASKED)
    yield opened
    engine.dispose()


def links(visitor: Visitor, attempt_id: str) -> dict[str, list[str]]:
    """Return what the page of links says: by attempt, what the two share."""
    text = visitor.get(f"/attempts/{attempt_id}/links").text
    return {
        re.findall(r'href="/attempts/([^"/]+)"', item)[0]: re.findall(r"<span>([^<]+)</span>", item)
        for item in re.findall(r"<li>(.*?)</li>", text, re.DOTALL)
    }


def test_every_attempt_with_the_same_face_is_linked(analyst: Visitor) -> None:
    """Those the gallery has above the line, from tracks alone; a face below it is none, and one that is not kept says so."""
    found = links(analyst, TAKEN)
    assert found[FIRST][0] == "same face, 1.00"
    assert found[SECOND] == ["same face, 0.90"]
    assert STRANGER not in found
    assert load()["enrolled_cosine_max"].value > 0.5


def test_who_met_a_face_is_linked_from_where_it_was_enrolled(analyst: Visitor, site: Site) -> None:
    """The attempt in review is found from the one whose face it met, even when the recordings' own faces are gone."""
    site.room.vault.remove(FIRST, [Kind.TRACKS, Kind.RESULT], reader=SWEEPER, now=ASKED)
    found = links(analyst, FIRST)
    assert found[TAKEN][0] == "same face, 0.83"
    assert found[SECOND] == ["same face, 0.90"]
    assert "not kept" not in analyst.get(f"/attempts/{FIRST}/links").text


def test_every_attempt_with_the_same_recording_is_linked(analyst: Visitor, site: Site, judged: Judged) -> None:
    """By its fingerprint, with how it moves and sounds, and by its bytes where no fingerprint is left."""
    judgement, _ = judged("astronaut_bona_fide")
    found = links(analyst, TAKEN)
    assert found[FIRST][1:] == ["same file", "moves alike, 1.00", "sounds alike, 1.00"]
    assert found[AGAIN] == ["same file"]
    with site.engine.begin() as connection:
        fingerprints.add(connection, AGAIN, to_bytes(judgement.evidence.fingerprint), now=ASKED)
    assert links(analyst, TAKEN)[AGAIN] == ["same file", "moves alike, 1.00", "sounds alike, 1.00"]


def test_every_attempt_of_the_subject_is_linked(analyst: Visitor, site: Site, judged: Judged) -> None:
    """However many, the latest first, also where nothing was kept of them; those of others with nothing alike are not."""
    other, challenge = judged("still_photo")
    for number in range(15):
        keep(site, f"bens-{number}", other, challenge, b"-", "ben")
    found = links(analyst, TAKEN)
    assert [shares for name, shares in found.items() if name.startswith("bens-")] == [["same subject"]] * 15
    assert STRANGER not in found


def test_a_link_leads_to_the_two_side_by_side(analyst: Visitor) -> None:
    """Each has its page and a way to compare, and the attempt's page says where the list is."""
    text = analyst.get(f"/attempts/{TAKEN}/links").text
    assert f'href="/attempts/{TAKEN}/compare?with={SECOND}"' in text
    assert analyst.get(f"/attempts/{TAKEN}/compare?with={SECOND}").status_code == 200
    assert f'data-links="/attempts/{TAKEN}/links"' in analyst.get(f"/attempts/{TAKEN}").text
    assert analyst.get("/attempts/nobody/links").status_code == 404


def test_a_protected_person_is_named(analyst: Visitor, site: Site, judged: Judged) -> None:
    """Their face has no attempt to link to."""
    judgement, challenge = judged("astronaut_bona_fide")
    face, _ = embeddings(judgement, challenge)
    key = GalleryKey.open(Settings(data=site.folder.parent).gallery_key)
    code = Code(Transform(key.secret, face.model_sha256).code(like(face.vector, 0.5)), key.id, face.model_sha256)
    FaceStore(site.engine).protect("Somebody <Known>", [code], now=ASKED)
    text = analyst.get(f"/attempts/{TAKEN}/links").text
    cosine = re.search(r"<bdi>Somebody &lt;Known&gt;</bdi></b>, cosine ([0-9.]+)\.", text)
    assert cosine is not None
    # A kept code is rounded: 0.0008, one standard deviation.
    assert float(cosine[1]) == pytest.approx(0.5, abs=0.005)


def test_looking_makes_no_gallery(analyst: Visitor, site: Site) -> None:
    """Where the site has no key for one, none is made, and the page says that no face was looked for."""
    key = Settings(data=site.folder.parent).gallery_key
    key.unlink()
    assert "No face was looked for" in analyst.get(f"/attempts/{AGAIN}/links").text
    assert not key.exists()
