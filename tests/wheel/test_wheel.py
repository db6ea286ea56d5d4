"""The built wheel, not the source tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cameo_challenges.model import to_json
from fixtures.manifest import load

ROOT = Path(__file__).parents[2]


PROJECTS = ("packaging/client", "packaging/credential", ".")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Build the three wheels into the folder `site` beside them; return the names of the files of each."""
    folder = tmp_path_factory.mktemp("wheels")
    for project in PROJECTS:
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT / project)]
        subprocess.run(build, check=True, capture_output=True)
    found = {}
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "site")
            found[wheel.name] = archive.namelist()
    return {str(folder / "site"): [], **found}


@pytest.fixture(scope="module")
def installed(wheels: dict[str, list[str]]) -> Path:
    """Return the folder into which all three are installed, and nothing else."""
    return Path(next(iter(wheels)))


def test_no_two_wheels_hold_one_file(wheels: dict[str, list[str]]) -> None:
    """They are installed side by side, and one can be removed without harm to the others."""
    files = [name for names in wheels.values() for name in names]
    assert len(wheels) == 1 + len(PROJECTS)
    assert len(files) == len(set(files))


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the interpreter far away from the source tree, with the installed wheel first on its path."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=False, cwd=installed.parent, env=environment, capture_output=True, text=True)


def test_the_wheel_holds_every_room_and_no_recording(installed: Path) -> None:
    """Code, protos' code, profiles, manifest and migrations are packaged; the studio, clips, tests and weights are not."""
    names = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert {
        "cameo_verifier/profiles/default.toml",
        "cameo_verifier/models/manifest.toml",
        "cameo/v1/verification_service_pb2.py",
    } <= names
    assert {"cameo_verifier/console/templates/queue.html", "cameo_verifier/console/static/console.css"} <= names
    assert "cameo_challenges/languages/en/words.toml" in names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {
        "cameo",
        "cameo_challenges",
        "cameo_client",
        "cameo_credential",
        "cameo_verifier",
    }
    assert any(name.startswith("cameo_verifier/store/db/migrations/") for name in names)
    assert not [name for name in names if name.endswith((".mp4", ".onnx", ".bin", ".task")) or name.startswith("tests")]


def test_the_installed_command_judges_a_recording(installed: Path, kit: object) -> None:
    """`cameo verify` of the wheel accepts the bona fide fixture, with the wheel's own modules."""
    assert kit
    probe = run(
        installed,
        "-c",
        "import cameo_challenges, cameo_client, cameo_credential, cameo_verifier, cameo.v1.attempt_pb2 as wire;"
        "print(*(each.__file__ for each in (cameo_challenges, cameo_client, cameo_credential, cameo_verifier, wire)))",
    )
    assert all(Path(part).is_relative_to(installed) for part in probe.stdout.split()), probe.stdout
    clip = next(fixture for fixture in load() if fixture.verdict == "ACCEPTED")
    document = json.dumps(to_json(clip.challenge))
    judged = run(installed, "-m", "cameo_verifier.cli", "verify", str(clip.file), "--challenge", document, "--json")
    assert judged.returncode == 0, judged.stderr + judged.stdout
    assert json.loads(judged.stdout)["verdict"] == "ACCEPTED"
