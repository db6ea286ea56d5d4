"""The light wheel that a generator installs, in an environment that has nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from datetime import UTC, datetime, timedelta
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest

from cameo_credential.audience_keys import AudienceKey
from cameo_credential.claims import Embedding, Provenance, StatusReference
from cameo_credential.issue import issue
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.key_files import create_json
from cameo_credential.pairwise import PairwiseKey
from cameo_credential.status_list import StatusList, publish
from tests.served_list import serving

ROOT = Path(__file__).parents[2]
KEYS = "http://127.0.0.1:8080/.well-known/jwks.json"
"""Where the README's program finds the keys."""
NEEDED = ("joserfc", "cryptography", "numpy")
"""What the wheel may depend on; cryptography brings cffi and pycparser."""
BROUGHT = ("cffi", "pycparser")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(ROOT / "packaging/credential"),
    ]
    subprocess.run(build, check=True, capture_output=True)
    [made] = folder.glob("cameo_credential-*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare environment with the wheel and links to the three libraries it names, and the interpreter in it.

    The libraries come out of this environment: a test fetches nothing.
    """
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    [site] = (folder / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for name in (*NEEDED, *BROUGHT):
        found = distribution(name)
        for top in {Path(str(file)).parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            (site / top).symlink_to(Path(str(found.locate_file(top))))
    return folder / "bin" / "python"


def _run(python: Path, folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run([python, "-I", "-c", program], check=False, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_wheel_names_three_libraries_and_holds_one_package(wheel: Path) -> None:
    """Its dependencies are joserfc, cryptography and numpy; its files are one package."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        [metadata] = [archive.read(name).decode() for name in names if name.endswith("METADATA")]
    required = {line.split()[1] for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line}
    assert {name.split(">")[0].split("<")[0] for name in required} == set(NEEDED)
    assert {name for name in names if not name.startswith(("cameo_credential/", "cameo_credential-"))} == set()
    assert {"cameo_credential/credential.schema.json", "cameo_credential/py.typed"} <= set(names)


def test_every_module_imports_with_nothing_else_installed(python: Path, tmp_path: Path) -> None:
    """All of `cameo_credential` loads, and nothing of this project that is not in the wheel."""
    program = """
import importlib, pkgutil, sys, cameo_credential
for module in pkgutil.iter_modules(cameo_credential.__path__):
    importlib.import_module(f"cameo_credential.{module.name}")
heavy = {"cameo", "cameo_challenges", "cameo_verifier", "grpc", "sqlalchemy", "pydantic", "cv2", "av"}
print(sorted(heavy & {name.split(".")[0] for name in sys.modules}))
"""
    ran = _run(python, tmp_path, program)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["[]"]


def test_the_program_of_the_readme_runs_on_the_wheel_alone(python: Path, tmp_path: Path) -> None:
    """The README's program opens a credential that was just issued, with keys and status fetched, in the bare environment."""
    now, lasts = datetime.now(UTC), timedelta(minutes=5)
    audience, keys = AudienceKey.generate("https://generator.example"), IssuerKeys(SigningKey.generate(now=now))
    published = json.dumps(keys.public("https://cameo.localhost").to_jwks()).encode()
    with serving(lambda: listed.encode("ascii")) as uri, serving(lambda: published, "application/jwk-set+json") as keys_uri:
        listed = publish(StatusList.of(np.zeros(8, np.uint8)), uri=uri, keys=keys, now=now, ttl=lasts, lifetime=lasts)
        vector = np.full(512, 512**-0.5, np.float32)
        issued = issue(
            issuer="https://cameo.localhost",
            subject="account-7",
            audience_key=audience.public(),
            keys=keys,
            pairwise=PairwiseKey(bytes(32)),
            now=now,
            ttl=timedelta(days=1),
            jti="jti-1",
            provenance=Provenance("c", "a", "h", {}, "default", "1" * 64, "2" * 64, ("phrase",), minor_safeguards=False),
            face=Embedding("face", "3" * 64, vector),
            voice=Embedding("voice", "4" * 64, vector),
            status=StatusReference(3, uri),
        )
        create_json(tmp_path / "audience.jwk", audience.to_jwk(), secret=True)
        (tmp_path / "credential.jwe").write_text(issued.credential)
        [program] = [block for block in (ROOT / "README.md").read_text().split("```python\n")[1:] if "open_credential(" in block]
        assert KEYS in program
        ran = _run(python, tmp_path, program.split("```")[0].replace(KEYS, keys_uri))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == f"{issued.subject} (512,) speech_and_turns ('phrase',)\n"
