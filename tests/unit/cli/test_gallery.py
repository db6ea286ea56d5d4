"""`cameo gallery`, with the real models on the fixtures' people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.cli import app
from cameo_verifier.errors import NotFoundError
from cameo_verifier.settings import Settings
from cameo_verifier.store.cameos.faces import FaceStore
from cameo_verifier.store.db.engine import open_database
from fixtures.manifest import load
from tests.new_site import new_site

if TYPE_CHECKING:
    from pathlib import Path

FIXTURES = {fixture.id: fixture for fixture in load()}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A site of its own for the commands."""
    monkeypatch.setenv("CAMEO_DATA", str(tmp_path / "data"))
    return new_site(Settings())


def photo(fixture: str, folder: Path) -> Path:
    """Take a still of a fixture."""
    path = folder / f"{fixture}.png"
    with av.open(str(FIXTURES[fixture].file)) as reader:
        next(reader.decode(video=0)).to_image().save(path)
    return path


def side_by_side(fixture: str, folder: Path) -> Path:
    """Take a still of a fixture and show it twice in one picture, both faces of a size."""
    path = folder / "crowd.png"
    with av.open(str(photo(fixture, folder))) as reader:
        rgb = next(reader.decode(video=0)).to_ndarray(format="rgb24")
    av.VideoFrame.from_ndarray(np.hstack([rgb, rgb]), "rgb24").to_image().save(path)
    return path


def run(*arguments: str) -> dict[str, Any]:
    """Run a command that succeeds and return its document."""
    result = CliRunner().invoke(app, ["gallery", *arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


@pytest.mark.models
def test_a_person_is_protected_listed_allowed_and_protected_no_longer(site: Settings, tmp_path: Path) -> None:
    """Photographs add up, an account is allowed and disallowed, and nothing is left in the end."""
    astronaut = str(photo("astronaut_bona_fide", tmp_path))
    assert run("add", "Ada", astronaut, astronaut) == {"name": "Ada", "added": 2}
    assert run("allow", "Ada", "account-9") == {"name": "Ada", "subject": "account-9"}
    [ada] = run("list")["protected"]
    assert (ada["name"], ada["faces"], ada["subjects"]) == ("Ada", [1, 2], ["account-9"])
    run("disallow", "Ada", "account-9")
    assert run("list")["protected"][0]["subjects"] == []
    assert "Ada" in CliRunner().invoke(app, ["gallery", "list"]).stdout
    assert run("remove", "Ada") == {"name": "Ada", "removed": 2}
    assert run("list") == {"protected": []}
    engine = open_database(site.database)
    assert FaceStore(engine).holders([1, 2]) == {}
    engine.dispose()


@pytest.mark.models
def test_faces_of_a_lost_key_are_pruned(site: Settings, tmp_path: Path) -> None:
    """They stay while the key is there and go once another has taken its place."""
    run("add", "Ada", str(photo("astronaut_bona_fide", tmp_path)))
    assert run("prune") == {"removed": 0}
    site.gallery_key.unlink()
    assert run("prune") == {"removed": 1}


@pytest.mark.models
@pytest.mark.usefixtures("site")
def test_what_cannot_be_done_says_why(tmp_path: Path) -> None:
    """No file, no single face, nobody of that name: each has its message, and nothing is kept."""
    crowd = str(side_by_side("astronaut_bona_fide", tmp_path))
    grey = tmp_path / "grey.png"
    av.VideoFrame(320, 320, "gray").to_image().save(grey)
    for arguments, error, message in (
        (("add", "Ada", "nowhere.png"), InvalidRequestError, "no such file"),
        (("add", "Ada", crowd), InvalidRequestError, "more than one face"),
        (("add", "Ada", str(grey)), InvalidRequestError, "no face from the front"),
        (("add", "", crowd), InvalidRequestError, "1 to 128 characters"),
        (("allow", "Ada", "account-9"), NotFoundError, "nobody named 'Ada'"),
        (("disallow", "Ada", "account-9"), InvalidRequestError, "was not allowed"),
        (("remove", "Ada"), NotFoundError, "nobody named 'Ada'"),
    ):
        with pytest.raises(error, match=message):
            run(*arguments)
    assert run("list") == {"protected": []}
