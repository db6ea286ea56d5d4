"""`cameo --version`, what that loads, and completion in a shell."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

import pytest
from typer.testing import CliRunner

import cameo_credential
from cameo_verifier.cli import app
from tests.conftest import ROOT
from tests.sources import PYTHONPATH


def _run(*arguments: str, **variables: str) -> str:
    environment = {**os.environ, **variables, "PYTHONPATH": PYTHONPATH, "TERM": "dumb"}
    command = [sys.executable, "-m", "cameo_verifier.cli", *arguments]
    return subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout


def test_the_version_is_that_of_the_distribution() -> None:
    """One line: the command and the version that the project declares."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"cameo {declared}\n")


def test_a_command_loads_what_it_needs() -> None:
    """The command starts without the store, the media decoders, gRPC and the keys; each takes part of a second to load."""
    heavy = {"sqlalchemy", "alembic", "av", "grpc", "cryptography", "joserfc", "urllib.request"}
    program = f"import sys, cameo_verifier.cli; print(*sorted({heavy} & set(sys.modules)))"
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
    assert subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout == "\n"


def test_what_a_generator_needs_is_importable_from_the_package() -> None:
    """Each public name of `cameo_credential` is there, though its module is imported when it is first asked for."""
    assert set(cameo_credential._MODULES) == set(cameo_credential.__all__)
    assert all(getattr(cameo_credential, name) is not None for name in cameo_credential.__all__)
    with pytest.raises(AttributeError, match="no attribute 'close_credential'"):
        _ = cameo_credential.close_credential  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_shell_completes_commands_and_options() -> None:
    """The script for bash binds `cameo` to a variable, and with that one set the command completes itself."""
    script = _run(_CAMEO_COMPLETE="source_bash")
    assert "_CAMEO_COMPLETE=complete_bash" in script
    assert script.rstrip().endswith("complete -o default -F _cameo_completion cameo")
    assert _run(_CAMEO_COMPLETE="complete_bash", COMP_WORDS="cameo rep", COMP_CWORD="1").split() == ["replay"]
    assert "--where" in _run(_CAMEO_COMPLETE="complete_bash", COMP_WORDS="cameo replay --w", COMP_CWORD="2").split()
