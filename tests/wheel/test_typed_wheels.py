"""The types of each built wheel, as a strict type checker of a program elsewhere finds them."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "packaging/credential": """
from datetime import datetime
from pathlib import Path

from cameo_credential import AudienceKey, StatusSource, VerificationKeys, open_credential


def dimensions(token: str, folder: Path, now: datetime) -> tuple[int, ...]:
    opened = open_credential(
        token,
        audience_key=AudienceKey.load_private(folder / "audience.jwk"),
        issuer_keys=VerificationKeys.load(folder / "jwks.json"),
        expected_audience="https://generator.example",
        expected_issuer="https://cameo.example",
        status=StatusSource(),
        now=now,
    )
    reveal_type(opened.subject)
    reveal_type(opened.face.vector.dtype.name)
    return opened.face.vector.shape
""",
    "packaging/client": """
from cameo.v1.verification_service_pb2 import VerifyResponseResponse
from cameo_client import CallError, open_channel, verify


def hint(recording: bytes, challenge_id: str) -> str:
    with open_channel("127.0.0.1:50051") as channel:
        try:
            answer = verify(channel, recording, challenge_id=challenge_id, audience="https://generator.example")
        except CallError as error:
            reveal_type(error.reason)
            return error.metadata.get("hint", "")
    return answer.attempt.hint
""",
    ".": """
from cameo_challenges.model import Challenge, from_json
from cameo_verifier.reasons import Reason


def hints(reasons: list[Reason]) -> list[str]:
    return [reason.hint for reason in reasons]


def challenge(document: dict[str, object]) -> Challenge:
    issued = from_json(document)
    reveal_type(issued.id)
    return issued
""",
}


@pytest.mark.parametrize("project", PROGRAMS)
def test_a_strict_program_elsewhere_knows_the_types_of_the_wheel(project: str, tmp_path: Path) -> None:
    """A strict mypy finds no fault in a program on the wheel, knows the types of its values, and finds a wrong call."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT / project)]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    venv.create(tmp_path / "bare", with_pip=False)
    [site] = (tmp_path / "bare/lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # What the wheel stands on lies beside this interpreter; a `.pth` file there that leads to the checkout is not followed.
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (tmp_path / "program.py").write_text(PROGRAMS[project] + "\n\nlen(7)\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "program.py"]
    environment = {name: value for name, value in os.environ.items() if name not in {"MYPYPATH", "PYTHONPATH"}}
    bare = ["--python-executable", str(tmp_path / "bare/bin/python"), "--cache-dir", str(tmp_path / "cache")]
    told = subprocess.run([*command, *bare], check=False, cwd=tmp_path, env=environment, capture_output=True, text=True)
    faults = [line for line in told.stdout.splitlines() if ": error: " in line]
    assert [fault.partition(": error: ")[2].split(";")[0] for fault in faults] == [
        'Argument 1 to "len" has incompatible type "int"'
    ], told.stdout + told.stderr
    assert 'note: Revealed type is "str"' in told.stdout.replace("builtins.", "")
