"""`cameo console token`, `tokens` and `revoke`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from cameo_credential.errors import CameoError, InvalidRequestError
from cameo_verifier.cli import app
from cameo_verifier.settings import Settings
from tests.conftest import ROOT
from tests.new_site import new_site
from tests.sources import PYTHONPATH

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
def data(tmp_path: Path) -> str:
    """The folder of a site."""
    return str(new_site(Settings(data=tmp_path / "data")).data)


def run(*arguments: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(app, ["console", *arguments])


def test_a_token_is_made_listed_and_taken_back(data: str) -> None:
    """The address to open holds it; the list holds how it stands and never what it says."""
    lines = run("token", "--name", "ann", "--role", "analyst", "--data", data).stdout.splitlines()
    assert lines[0].startswith("open http://127.0.0.1:8090/sign-in?token=")
    assert lines[1].startswith("good once, for ann as analyst, until ")
    made = json.loads(run("token", "--name", "ben", "--role", "lead", "--listen", "[::1]:99", "--data", data, "--json").stdout)
    assert (made["name"], made["role"], made["state"]) == ("ben", "lead", "waiting")
    assert made["url"] == f"http://[::1]:99/sign-in?token={made['token']}"
    listed = run("tokens", "--data", data, "--json").stdout
    assert sorted((each["name"], each["state"]) for each in json.loads(listed)["tokens"]) == [
        ("ann", "waiting"),
        ("ben", "waiting"),
    ]
    assert made["token"] not in listed
    assert run("revoke", "--name", "ann", "--data", data).stdout == "1 tokens of ann taken back\n"
    shown = [line.split() for line in run("tokens", "--data", data).stdout.splitlines()[1:]]
    assert sorted((words[0], words[1], words[-1]) for words in shown) == [
        ("ann", "analyst", "revoked"),
        ("ben", "lead", "waiting"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("token", "--name", "Ann", "--role", "lead"), "a name has 1 to 64"),
        (("token", "--name", "local", "--role", "lead"), "take another name"),
        (("token", "--name", "ann", "--role", "boss"), "none of analyst, lead"),
        (("token", "--name", "ann", "--role", "lead", "--hours", "0"), "at most 168"),
        (("token", "--name", "ann", "--role", "lead", "--hours", "nan"), "at most 168"),
        (("token", "--role", "lead"), "Missing option"),
        (("revoke", "--name", "ann"), "cameo console tokens"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_said(data: str, arguments: tuple[str, ...], message: str) -> None:
    """With exit code 2, and nothing is made."""
    ran = run(*arguments, "--data", data)
    assert message in (str(ran.exception) if isinstance(ran.exception, CameoError) else ran.stderr)
    assert isinstance(ran.exception, CameoError) or ran.exit_code == 2
    assert json.loads(run("tokens", "--data", data, "--json").stdout) == {"tokens": []}


def test_options_of_the_console_are_not_ignored_before_a_command(data: str) -> None:
    """`cameo console --data X token` would make a token somewhere else."""
    ran = run("--data", data, "token", "--name", "ann", "--role", "lead")
    assert (ran.exit_code, "put it behind 'token'" in ran.stderr) == (2, True)


def test_no_token_where_a_provider_says_who_people_are(data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could use it."""
    monkeypatch.setenv("CAMEO_OPENID_ISSUER", "https://id.example")
    ran = run("token", "--name", "ann", "--role", "lead", "--data", data)
    assert isinstance(ran.exception, InvalidRequestError)
    assert "https://id.example" in str(ran.exception)


def test_the_command_says_it_with_exit_code_2(data: str) -> None:
    """As typed."""
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
    command = [sys.executable, "-m", "cameo_verifier.cli", "console", "token", "--name", "Ann", "--role", "lead", "--data", data]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "a name has 1 to 64" in done.stderr
