"""An HTTP server of one status list, on loopback."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def serving(body: Callable[[], bytes], accept: str = "application/statuslist+jwt") -> Iterator[str]:
    """Serve what `body` returns at the yielded URI, for requests of a status list, or of another media type."""

    class Handler(_Silent):
        def do_GET(self) -> None:
            found = self.path == "/status/1" and self.headers["Accept"] == accept
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(body() if found else b"")

    with _served(Handler) as uri:
        yield uri


@contextmanager
def redirecting(code: int, to: str) -> Iterator[str]:
    """Answer with a redirect at the yielded URI."""

    class Handler(_Silent):
        def do_GET(self) -> None:
            self.send_response(code)
            self.send_header("Location", to)
            self.end_headers()

    with _served(Handler) as uri:
        yield uri


class _Silent(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/status/1"
        finally:
            server.shutdown()
