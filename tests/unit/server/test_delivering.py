"""The public facts of the kit's networks, as delivered likenesses name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_credential.claims import Embedding
from cameo_credential.item_kind import VECTOR_KINDS, ItemKind
from cameo_credential.items import NEAR_ZERO, ItemModel, VectorItem, compose_item
from cameo_credential.likeness import to_bytes
from cameo_credential.media_items import MediaItem
from cameo_verifier.cameo.model import Terms
from cameo_verifier.media.recording import open_recording
from cameo_verifier.models import index, manifest
from cameo_verifier.server.delivering import Delivering, public_models
from cameo_verifier.settings import Settings
from cameo_verifier.store.cameos.vault import Vault
from cameo_verifier.store.db.documents import terms_from_json, terms_to_json
from fixtures.manifest import load

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit


def test_what_judges_is_named_by_the_file_anyone_can_get(kit: ModelKit) -> None:
    """By the digest of the converted file, the package and the digest of the published one."""
    settings = Settings()
    known, folder = public_models(settings), index.Kit(settings.models)
    for name in ("face-embedding", "speaker-embedding"):
        model = manifest.load()[name]
        [source] = model.sources
        found = known[kit.digests[name]]
        assert (found.name, found.sha256, found.licence) == (name, source.sha256, model.licence)
        assert found.source == f"{model.registry.value}:{model.package}@{model.version}/{source.path}"
        assert folder.digest(model) != source.sha256


def test_most_of_the_kit_s_voice_vector_is_zero_and_the_item_says_so(kit: ModelKit) -> None:
    """The same 389 of 512 values for two voices; without them the similarity is the same to 1e-3."""
    files = {fixture.id: fixture.file for fixture in load()}
    vectors = []
    for name in ("admiral_bona_fide", "astronaut_bona_fide"):
        with open_recording(files[name], limits=Settings().media) as recording:
            vectors.append(kit.speaker.embed(recording.sound()))
    one, other = vectors
    model = ItemModel("speaker-embedding", "", "ab" * 32)
    assert [compose_item(VectorItem(ItemKind.VOICE_VECTOR, model, each))["zeros"] for each in vectors] == [389, 389]
    dead = np.abs(one) < NEAR_ZERO
    assert np.array_equal(dead, np.abs(other) < NEAR_ZERO)
    assert float(one @ other) < 0.9
    assert float(one[~dead] @ other[~dead]) == pytest.approx(float(one @ other), abs=1e-3)
    assert float(np.linalg.norm(one[~dead])) == pytest.approx(1.0, abs=1e-3)


def test_without_a_kit_nothing_is_known(tmp_path: Path) -> None:
    """A server whose judges are elsewhere delivers all the same, and names the digest alone."""
    assert "face-embedding" not in {model.name for model in public_models(Settings(models=tmp_path)).values()}


def test_what_is_permitted_and_is_not_there_has_its_reason() -> None:
    """Of a likeness from before pictures and sound were kept, and of a recording without; what is not permitted is not told."""
    delivering = Delivering(Vault(bytes(32)), None, {})  # type: ignore[arg-type] # nothing is signed here
    vector = Embedding("m", "ab" * 32, np.eye(1, 512, dtype=np.float32)[0])
    crop = MediaItem(ItemKind.FACE_CROP, "image/jpeg", "", {}, b"a picture")
    everything = frozenset(ItemKind)
    before = to_bytes(vector, vector).replace(b',"media":[]', b"")
    for kept, permitted, media, missing in (
        (before, everything, [], {"face_crop": "not_made", "voice_clip": "not_made"}),
        (to_bytes(vector, vector), everything, [], {"face_crop": "no_frontal_picture", "voice_clip": "no_clear_speech"}),
        (to_bytes(vector, vector, [crop]), everything, [crop], {"voice_clip": "no_clear_speech"}),
        (to_bytes(vector, vector, [crop]), VECTOR_KINDS, [], {}),
        (before, VECTOR_KINDS, [], {}),
    ):
        items, found, reasons = delivering._parts(kept, permitted)
        assert (len(items), found, reasons) == (2, media, missing)


def test_who_was_not_asked_to_speak_has_neither_voice_nor_clip() -> None:
    """Both kinds are missing, and the reason says why."""
    delivering = Delivering(Vault(bytes(32)), None, {})  # type: ignore[arg-type] # nothing is signed here
    vector = Embedding("m", "ab" * 32, np.eye(1, 512, dtype=np.float32)[0])
    items, media, missing = delivering._parts(to_bytes(vector, None), VECTOR_KINDS | {ItemKind.VOICE_CLIP})
    assert ([item.kind for item in items], media) == ([ItemKind.FACE_VECTOR], [])
    assert missing == {ItemKind.VOICE_VECTOR: "not_asked_to_speak", ItemKind.VOICE_CLIP: "not_asked_to_speak"}


def test_terms_from_before_items_could_be_chosen_let_vectors_out_alone() -> None:
    """As the default does; what was chosen is read as it was written."""
    written = terms_to_json(Terms(items=frozenset({ItemKind.FACE_CROP})))
    assert terms_from_json(written).items == {ItemKind.FACE_CROP}
    del written["items"]
    assert terms_from_json(written).items == Terms().items == VECTOR_KINDS
