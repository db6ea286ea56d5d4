"""Misspelt names, where other unknown names are permitted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.cli import app
from cameo_verifier.review.cases import read_cases
from cameo_verifier.settings import Settings, require_spelt, unknown
from tests.new_site import new_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("variable", "known"),
    [
        ("CAMEO_GALERY", "CAMEO_GALLERY"),
        ("cameo_profil", "CAMEO_PROFILE"),
        ("CAMEO_MEDIA_MAX_BYTE", "CAMEO_MEDIA_MAX_BYTES"),
        ("CAMEO_RETENTION_REJECTED_DAY", "CAMEO_RETENTION_REJECTED_DAYS"),
    ],
)
def test_a_misspelt_setting_is_refused(variable: str, known: str) -> None:
    """It would have changed nothing; the error names both."""
    with pytest.raises(InvalidRequestError, match=f"{variable[6:].upper()}.*did you mean '{known[6:]}'"):
        require_spelt({"PATH": "", variable: "x"})


def test_other_variables_are_left_alone() -> None:
    """Settings themselves, those of tests, those that Kubernetes sets, and what is nobody's."""
    ours = ("CAMEO_GALLERY", "cameo_media_max_bytes", "CAMEO_SYNTHETIC_VOICE_FILE", "CAMEO_DATABASE_URL", "CAMEO_OPENID_ISSUER")
    others = ("CAMEO_DEVDATA", "CAMEO_TEST_DATABASE", "CAMEO_SERVICE_HOST", "CAMEO_PORT", "CAMEO_PORT_50051_TCP_ADDR", "CAMEO")
    require_spelt({*ours, *others, "GALERY"})


def test_what_is_no_setting_is_named_with_what_is_near() -> None:
    """Nothing of ours, nothing of Kubernetes', and every other variable that begins like ours."""
    of_kubernetes = {f"CAMEO_{name}" for name in ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_GRPC", "PORT", "PORT_1_TCP_ADDR")}
    assert unknown({"CAMEO_GALLERY", "cameo_media_max_bytes", "PATH", *of_kubernetes}) == ()
    first, second = unknown({"CAMEO_QUEUE_UP", "CAMEO_X"})
    assert first == "CAMEO_QUEUE_UP is no setting and changes nothing; did you mean 'QUEUE'?"
    assert second == "CAMEO_X is no setting and changes nothing"


@pytest.mark.parametrize("command", ["serve", "console"])
def test_a_server_names_them_at_start(tmp_path: Path, command: str) -> None:
    """In the log of `serve`, on standard error of `console`, before anything is opened."""
    new_site(Settings(data=tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "cameo_verifier.cli", command, "--listen", "127.0.0.1:99999", "--data", tmp_path],
        env={**os.environ, "CAMEO_WALTZ": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "CAMEO_WALTZ is no setting" in done.stderr
    assert "cannot listen on 127.0.0.1:99999" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_says_so_before_it_does_anything() -> None:
    """Any command, also one that reads no settings."""
    command = [sys.executable, "-m", "cameo_verifier.cli", "challenge", "--help"]
    done = subprocess.run(command, env={**os.environ, "CAMEO_GALERY": "0"}, capture_output=True, text=True, check=False)
    assert (done.returncode, "did you mean 'GALLERY'" in done.stderr) == (2, True)


def test_a_misspelt_key_of_a_case_is_refused_and_notes_are_not(tmp_path: Path) -> None:
    """A line that names its profile wrongly is not judged by the default one; what else a line says is its own business."""
    row = {"recording": "none.mp4", "challenge": {"steps": [{"say": "five"}]}, "note": "x", "expected": "ACCEPTED"}
    cases = tmp_path / "cases.jsonl"
    cases.write_text(f"{json.dumps({**row, 'profil': 'minor'})}\n{json.dumps(row)}\n")
    first, second = map(json.loads, CliRunner().invoke(app, ["verify", "--cases", str(cases)]).stdout.splitlines())
    assert "'profil' is not known; did you mean 'profile'" in first["error"]
    assert "no such file" in second["error"]
    manifest = tmp_path / "manifest.jsonl"
    (tmp_path / "a.mp4").write_bytes(b"")
    for key, refused in (("recieved_s", True), ("conditions", True), ("persona", False)):
        manifest.write_text(json.dumps({"file": "a.mp4", "bona_fide": True, key: "x"}))
        if refused:
            with pytest.raises(InvalidRequestError, match=f"line 1 of manifest.jsonl: '{key}' is not known; did you mean"):
                read_cases(tmp_path)
        else:
            read_cases(tmp_path)
