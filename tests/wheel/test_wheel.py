"""The built wheel, not the source tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from challenges.model import to_json
from fixtures.manifest import load

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and install it, alone, into an empty folder."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the interpreter far away from the source tree, with the installed wheel first on its path."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=False, cwd=installed.parent, env=environment, capture_output=True, text=True)


def test_the_wheel_holds_every_room_and_no_recording(installed: Path) -> None:
    """Code, protos' code, profiles, manifest and migrations are packaged; the studio, clips, tests and weights are not."""
    names = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert {"verifier/profiles/default.toml", "verifier/models/manifest.toml", "cameo/v1/verification_service_pb2.py"} <= names
    assert {"verifier/console/templates/queue.html", "verifier/console/static/console.css"} <= names
    assert "challenges/languages/en/words.toml" in names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"cameo", "challenges", "verifier"}
    assert any(name.startswith("verifier/store/db/migrations/") for name in names)
    assert not [name for name in names if name.endswith((".mp4", ".onnx", ".bin", ".task")) or name.startswith("tests")]


def test_the_installed_command_judges_a_recording(installed: Path, kit: object) -> None:
    """`cameo verify` of the wheel accepts the bona fide fixture, with the wheel's own modules."""
    assert kit
    probe = run(
        installed,
        "-c",
        "import verifier, cameo.v1.attempt_pb2 as wire, challenges as c; print(verifier.__file__, wire.__file__, c.__file__)",
    )
    assert all(Path(part).is_relative_to(installed) for part in probe.stdout.split()), probe.stdout
    clip = next(fixture for fixture in load() if fixture.verdict == "ACCEPTED")
    document = json.dumps(to_json(clip.challenge))
    judged = run(installed, "-m", "verifier.cli", "verify", str(clip.file), "--challenge", document, "--json")
    assert judged.returncode == 0, judged.stderr + judged.stdout
    assert json.loads(judged.stdout)["verdict"] == "ACCEPTED"
