"""The public facts of the kit's networks, as delivered likenesses name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.models import index, manifest
from cameo_verifier.server.delivering import public_models
from cameo_verifier.settings import Settings

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


def test_without_a_kit_nothing_is_known(tmp_path: Path) -> None:
    """A server whose judges are elsewhere delivers all the same, and names the digest alone."""
    assert "face-embedding" not in {model.name for model in public_models(Settings(models=tmp_path)).values()}
