"""The public facts of the kit's networks, as delivered likenesses name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_credential.item_kind import ItemKind
from cameo_credential.items import NEAR_ZERO, ItemModel, VectorItem, compose_item
from cameo_verifier.media.recording import open_recording
from cameo_verifier.models import index, manifest
from cameo_verifier.server.delivering import public_models
from cameo_verifier.settings import Settings
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
