"""A profile that confirms by what a place can never ask is refused where it starts."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from cameo_challenges.model import to_json
from cameo_verifier.checks.question import Phase
from cameo_verifier.cli import app
from cameo_verifier.errors import ProfileError
from cameo_verifier.pipeline import AFTERWARDS, require_askable
from cameo_verifier.profile import Profile
from cameo_verifier.profiles import built_in, load
from cameo_verifier.server.app import open_server
from cameo_verifier.settings import Settings
from fixtures.manifest import load as load_fixtures

if TYPE_CHECKING:
    from pathlib import Path

SERVED = ("seen_before", "protected_person", "already_enrolled", "elapsed")
BONA_FIDE = next(fixture for fixture in load_fixtures() if fixture.id == "astronaut_bona_fide")


def confirming(folder: Path, check: str) -> Path:
    file = folder / "confirms.toml"
    file.write_text(f'extends = "default"\n[roles]\n{check} = "confirm"\n')
    return file


def confirming_for_minors(folder: Path, check: str) -> Path:
    """Return a profile whose profile for minors alone confirms by that check."""
    file = folder / "site.toml"
    file.write_text(f'extends = "default"\nminor_profile = "{confirming(folder, check)}"\n')
    return file


@pytest.mark.parametrize("name", built_in())
def test_the_built_in_profiles_can_be_asked_anywhere(name: str) -> None:
    """On the command line, without earlier recordings, gallery or detector, as on a server with its gallery off."""
    require_askable(load(name), Settings())
    require_askable(load(name), Settings(gallery=False), received=True, later=(Phase.HISTORY,))


@pytest.mark.parametrize("check", SERVED)
def test_what_only_a_server_asks_is_refused_elsewhere(check: str, tmp_path: Path) -> None:
    """The error names the profile, the check and what to do; a server with everything takes the same profile."""
    profile = load(str(confirming(tmp_path, check)))
    with pytest.raises(ProfileError, match=f"profile 'confirms' confirms by '{check}'.* it needs .*veto or advise"):
        require_askable(profile, Settings())
    require_askable(profile, Settings(), received=True, later=AFTERWARDS)


def test_a_detector_that_is_not_there_cannot_confirm() -> None:
    """No file may let the detector decide; a profile that does all the same is refused where there is none."""
    default = load()
    profile = Profile("own", "", default.thresholds, {**default.roles, "synthetic_voice": default.role("phrase")}, "")
    with pytest.raises(ProfileError, match=r"'synthetic_voice'.*CAMEO_SYNTHETIC_VOICE_FILE"):
        require_askable(profile, Settings(), received=True, later=AFTERWARDS)


@pytest.mark.parametrize("written", [confirming, confirming_for_minors])
@pytest.mark.parametrize("check", ["protected_person", "already_enrolled"])
def test_a_server_without_a_gallery_does_not_start(check: str, written: object, tmp_path: Path) -> None:
    """Nothing is opened: no database, no key, no worker."""
    data = tmp_path / "data"
    file = written(tmp_path, check)  # type: ignore[operator]
    settings = Settings(data=data, gallery=False, profile=str(file), listen="127.0.0.1:0")
    with pytest.raises(ProfileError, match=f"'{check}'.*CAMEO_GALLERY"):
        asyncio.run(open_server(settings))
    assert not data.exists()


@pytest.mark.parametrize("written", [confirming, confirming_for_minors])
@pytest.mark.parametrize("check", ["seen_before", "protected_person", "elapsed"])
def test_the_command_line_refuses_it_before_it_judges(check: str, written: object, tmp_path: Path) -> None:
    """`verify` and `evaluate` end with the error."""
    file = str(written(tmp_path, check))  # type: ignore[operator]
    challenge = json.dumps(to_json(BONA_FIDE.challenge))
    suite = tmp_path / "manifest.jsonl"
    suite.write_text(json.dumps({"file": str(BONA_FIDE.file), "bona_fide": True}))
    for command in (
        ["verify", str(BONA_FIDE.file), "--challenge", challenge, "--profile", file],
        ["evaluate", str(suite), "--out", str(tmp_path / "out"), "--profile", file],
    ):
        result = CliRunner().invoke(app, command)
        assert isinstance(result.exception, ProfileError), command
        assert f"'{check}'" in str(result.exception)


def test_a_line_of_cases_that_is_refused_says_so(tmp_path: Path) -> None:
    """The others go on."""
    row = {"recording": "none.mp4", "challenge": to_json(BONA_FIDE.challenge)}
    cases = tmp_path / "cases.jsonl"
    cases.write_text(f"{json.dumps({**row, 'profile': str(confirming(tmp_path, 'elapsed'))})}\n{json.dumps(row)}\n")
    result = CliRunner().invoke(app, ["verify", "--cases", str(cases), "--jsonl"])
    first, second = map(json.loads, result.stdout.splitlines())
    assert "confirms by 'elapsed'" in first["error"]
    assert "no such file" in second["error"]
