"""Commands on an existing site, and their refusals without one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from cameo_credential.errors import CameoError, InvalidRequestError
from cameo_verifier.cli import app
from cameo_verifier.errors import NotFoundError
from cameo_verifier.settings import Settings
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.types import Verdict
from tests.new_site import new_site
from tests.unit.cli.test_help import commands
from tests.unit.store.evidence_site import Site, open_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import click

EVERY = {" ".join(path): command for path, command in commands(typer.main.get_command(app))}
OF_NO_SITE = {"challenge issue", "credential keygen", "credential open", "data verify", "demo", "inspect", "verify"}
SITED = {name: command for name, command in EVERY.items() if name not in OF_NO_SITE and not name.startswith("models ")}
BEFORE_A_SITE = {"serve", "token", "try"}
"""Commands that make a site, for a while too, or the key by which a server that is not started yet will know callers."""
WHY = ("--why", "case 7")


def least(command: click.Command) -> list[str]:
    """Return the least that a command asks for."""
    given: list[str] = []
    for parameter in command.params:
        if parameter.required:
            value = "tracks" if parameter.name == "kind" else "x"
            given += [value] if parameter.param_type_name == "argument" else [parameter.opts[0], value]
    return given


def run(*arguments: str) -> Any:
    """Run a command that succeeds and return its document."""
    ran = CliRunner().invoke(app, [*arguments, "--json"])
    if isinstance(ran.exception, CameoError):
        raise ran.exception
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site with attempts of ann, which no variable names."""
    engine = open_database(Settings(data=tmp_path / "data").database)
    opened = open_site(engine, tmp_path / "data")
    opened.kept("first", "ann")
    opened.judged("second", "ann", Verdict.ACCEPTED)
    yield opened
    engine.dispose()


@pytest.mark.parametrize("name", sorted(SITED))
def test_every_command_on_a_site_is_told_where_it_is(name: str) -> None:
    """All of them take `--data`."""
    assert "--data" in {option for parameter in SITED[name].params for option in parameter.opts}


@pytest.mark.parametrize("name", sorted(set(SITED) - BEFORE_A_SITE))
def test_a_folder_without_a_site_is_refused_and_stays_as_it_is(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the folder and what makes a site there; no key and no database is made, whoever names it."""
    labelled = ["--labelled", "--out", str(tmp_path / "out")] if name == "evaluate" else []
    for folder, variable, option in (("a", True, False), ("b", False, True)):
        where = tmp_path / folder
        monkeypatch.setenv("CAMEO_DATA", str(where if variable else tmp_path / "elsewhere"))
        given = ["--data", str(where)] if option else []
        ran = CliRunner().invoke(app, [*name.split(), *least(SITED[name]), *labelled, *given])
        assert isinstance(ran.exception, InvalidRequestError), ran.output
        assert f"no site in {where}" in str(ran.exception)
        assert f"`cameo serve --data {where}`" in str(ran.exception)
    assert list(tmp_path.iterdir()) == []


def test_keys_without_their_database_are_no_site(tmp_path: Path) -> None:
    """Half a site is none: a fresh database beside old keys would hold nothing and have no problems."""
    settings = new_site(Settings(data=tmp_path / "data"))
    assert run("audit", "verify", "--data", str(settings.data)) == {"lines": 0, "problems": []}
    (tmp_path / "data" / "cameo.sqlite3").unlink()
    with pytest.raises(InvalidRequestError, match=r"cameo\.sqlite3 is missing"):
        run("audit", "verify", "--data", str(settings.data))


@pytest.mark.parametrize(
    "arguments",
    [
        ("attempts", "show", "TYPO"),
        ("audit", "show", "TYPO"),
        ("evidence", "list", "TYPO"),
        ("evidence", "forget", "TYPO", *WHY),
        ("gallery", "forget", "TYPO"),
        ("label", "TYPO"),
        ("label", "TYPO", "bona_fide"),
        ("replay", "TYPO", *WHY),
        ("replay", "first", "TYPO", *WHY),
    ],
    ids=" ".join,
)
def test_what_nobody_knows_is_an_error(site: Site, arguments: tuple[str, ...]) -> None:
    """An id or account that the site never had is named, and nothing is done or logged."""
    with pytest.raises(NotFoundError, match=r"no attempt has the id TYPO$|knows no account 'TYPO'"):
        run(*arguments, "--data", str(site.settings.data))
    assert site.room.audit.lines() == []


def test_reading_evidence_of_nobody_s_leaves_no_line(site: Site, tmp_path: Path) -> None:
    """Nor a file."""
    arguments = ["evidence", "read", "TYPO", "tracks", "--out", str(tmp_path / "out"), *WHY, "--data", str(site.settings.data)]
    ran = CliRunner().invoke(app, arguments)
    assert str(ran.exception) == "no attempt has the id TYPO"
    assert not (tmp_path / "out").exists()
    assert site.room.audit.lines() == []


def test_forgetting_twice_is_no_error(site: Site) -> None:
    """Whoever is known is known after their evidence is gone, and so is who was asked and never answered."""
    data = ("--data", str(site.settings.data))
    assert run("evidence", "forget", "ann", *WHY, *data) == {"subject": "ann", "attempts": 1}
    assert run("evidence", "forget", "ann", *WHY, *data) == {"subject": "ann", "attempts": 0}
    assert run("gallery", "forget", "ann", *data) == {"subject": "ann", "removed": 0}


def test_attempts_are_listed_and_shown(site: Site) -> None:
    """The newest first, by condition and limit; one with its checks, what is kept of it and what analysts say."""
    data = ("--data", str(site.settings.data))
    assert [each["attempt"] for each in run("attempts", "list", *data)["attempts"]] == ["second", "first"]
    assert [each["attempt"] for each in run("attempts", "list", "--limit", "1", *data)["attempts"]] == ["second"]
    (first,) = run("attempts", "list", "--where", "verdict=REJECTED", *data)["attempts"]
    run("label", "first", "attack", "--species", "screen", "--who", "ana", *data)
    shown = run("attempts", "show", "first", *data)
    assert first.items() <= (shown | {"label": ""}).items()
    assert (shown["verdict"], shown["reasons"], shown["label"]) == ("REJECTED", ["FLAT_FACE"], "attack screen")
    assert shown["kept"] == ["recording", "result", "tracks"]
    assert shown["checks"]
    text = CliRunner().invoke(app, ["attempts", "show", "first", *data]).stdout
    assert "REJECTED FLAT_FACE" in text
    assert "label: attack screen" in text
    listed = CliRunner().invoke(app, ["attempts", "list", *data]).stdout
    assert [line.split()[0] for line in listed.splitlines()[1:]] == ["second", "first"]
