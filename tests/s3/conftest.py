"""Evidence on S3's wire: collected only where there is a server for it (`make test-s3`)."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PYTHON = ROOT / ".venv-s3" / "bin" / "python"

collect_ignore_glob = [] if _PYTHON.exists() else ["test_*.py"]


@pytest.fixture(scope="session")
def server() -> Iterator[Mapping[str, str]]:
    """A server on a port of its own, with a bucket; see `server.py` for what it says of itself."""
    script = str(ROOT / "tests" / "s3" / "server.py")
    with subprocess.Popen(
        [_PYTHON, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


@pytest.fixture(autouse=True)
def configured(server: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a site that keeps its evidence there, as docs/replay.md says it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server["endpoint"])
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server["key"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server["secret"])
