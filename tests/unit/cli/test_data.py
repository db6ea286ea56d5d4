"""`cameo data`: a person's archive from the site's own folder, and its check."""

from __future__ import annotations

import json
import stat
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from cameo_credential.errors import CredentialError, InvalidRequestError
from cameo_verifier.cli import app
from cameo_verifier.errors import NotFoundError
from cameo_verifier.settings import Settings
from cameo_verifier.store.db.engine import open_database
from tests.unit.store.evidence_site import PIECES, Site, open_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ISSUER = "https://cameo.localhost"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site that keeps evidence of two people."""
    monkeypatch.setenv("CAMEO_DATA", str(tmp_path / "data"))
    engine = open_database(Settings(data=tmp_path / "data").database)
    opened = open_site(engine, tmp_path / "data")
    monkeypatch.setenv("CAMEO_EVIDENCE", opened.settings.evidence)
    opened.kept("first", "ann")
    opened.kept("second", "bob")
    yield opened
    engine.dispose()


def run(*words: object) -> Any:
    """Run a command that prints a document."""
    ran = CliRunner().invoke(app, ["data", *map(str, words), "--json"])
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


def written(folder: Path, name: str = "ann.zip", subject: str = "ann") -> Path:
    """Export a person's data."""
    said = run("export", "--subject", subject, "--out", folder / name, "--why", "asked by letter", "--who", "eve")
    assert said == {"subject": subject, "file": str(folder / name), "bytes": (folder / name).stat().st_size}
    return folder / name


def keys(folder: Path) -> Path:
    """Write the issuer's public keys to a file."""
    ran = CliRunner().invoke(app, ["credential", "keys", "--json"])
    assert ran.exit_code == 0, ran.output
    (folder / "issuer.jwks").write_text(ran.stdout)
    return folder / "issuer.jwks"


def test_a_person_gets_all_and_nobody_else_can_read_it(site: Site, tmp_path: Path) -> None:
    """The archive is the issuer's, has the recording, nothing of the other person, and the audit log says who made it."""
    path = written(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = run("verify", path, "--issuer-keys", keys(tmp_path), "--issuer", ISSUER)
    assert (found["valid"], found["subject"]) == (True, "ann")
    with zipfile.ZipFile(path) as archive:
        assert archive.read("evidence/first/recording") in PIECES.values()
        assert not any("second" in name or b"second" in archive.read(name) for name in archive.namelist())
    shown = CliRunner().invoke(app, ["audit", "show", "--json"]).stdout
    assert "eve" in shown
    assert "asked by letter" in shown
    assert site.read("second")


def test_an_altered_archive_is_refused(site: Site, tmp_path: Path) -> None:  # noqa: ARG001 - there has to be one
    """As one of another issuer."""
    path, known = written(tmp_path), keys(tmp_path)
    with pytest.raises(CredentialError, match="not made by"):
        run("verify", path, "--issuer-keys", known, "--issuer", "https://other.example")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.txt", "x")
    with pytest.raises(CredentialError, match="other entries"):
        run("verify", path, "--issuer-keys", known, "--issuer", ISSUER)


def test_no_file_is_written_over_and_none_is_made_of_nobody(site: Site, tmp_path: Path) -> None:  # noqa: ARG001 - the same
    """A misspelt name would give an empty archive that looks like an answer."""
    path = written(tmp_path)
    before = path.read_bytes()
    with pytest.raises(InvalidRequestError, match="name a new file"):
        written(tmp_path)
    assert path.read_bytes() == before
    with pytest.raises(NotFoundError, match="nothing of 'anne'"):
        written(tmp_path, "anne.zip", "anne")
    assert not (tmp_path / "anne.zip").exists()


def test_of_a_broken_export_nothing_is_left(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - the same
    """Half an archive would look like one."""

    def break_off(*_: object, **__: object) -> Any:
        yield b"PK"
        raise OSError("the disk is full")

    monkeypatch.setattr("cameo_verifier.server.exporting.write_archive", break_off)
    with pytest.raises(OSError, match="disk is full"):
        written(tmp_path)
    assert not (tmp_path / "ann.zip").exists()
