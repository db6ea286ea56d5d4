"""Evidence in a local folder and in the memory of an object store; `tests/s3` has the same on S3's wire."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.store.evidence.errors import StorageError
from cameo_verifier.store.evidence.objects import open_objects
from tests.unit.store.objects_contract import AnyPlace, objects, site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["objects", "site"]


class TestFolder(AnyPlace):
    """On the disk."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> str:
        """A folder that is made when the first object is kept."""
        return str(tmp_path / "evidence")


class TestMemory(AnyPlace):
    """Through the library of object stores, without a wire."""

    @pytest.fixture
    def place(self) -> str:
        """Gone with the process."""
        return "memory:///"


def test_a_url_nobody_knows_says_so() -> None:
    """At once, not when the first object is kept."""
    with pytest.raises(StorageError, match="nowhere://x cannot be opened"):
        open_objects("nowhere://x")


class _Unwell(BaseHTTPRequestHandler):
    """Answers everything with 503."""

    def _answer(self) -> None:
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PUT = _answer  # noqa: N815 - the names that `http.server` looks for

    def log_message(self, *_: object) -> None:  # type: ignore[override]
        """Say nothing."""


@contextmanager
def _unwell() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Unwell)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def test_a_store_that_is_unwell_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person waits for a verdict meanwhile: an error of a few seconds, with what the store answered."""
    with _unwell() as endpoint:
        for name, value in {"ENDPOINT": endpoint, "ALLOW_HTTP": "true", "ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        store = open_objects("s3://evidence/site")
        for ask in (lambda: store.put("aa/a1/tracks", b"x"), lambda: store.get("aa/a1/tracks")):
            began = time.monotonic()
            with pytest.raises(StorageError, match=r"s3://evidence/site refused: .*503"):
                ask()
            assert time.monotonic() - began < 60
