"""A real receiver of webhooks: an HTTP server on a free loopback port, scripted by a test."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from cameo_verifier.server import http_resources
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request


@dataclass(frozen=True)
class Came:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Its `webhook-id`."""
        return self.headers["webhook-id"]

    @property
    def document(self) -> dict[str, Any]:
        """Its body."""
        document: dict[str, Any] = json.loads(self.body)
        return document


@dataclass
class Receiver:
    """What came, and what to do with what comes next: one of `script` each, then take it.

    Of the script, a number is a status, "hang" answers nothing, "redirect" leads to /elsewhere, and "flood" takes it with a reply
    that never ends.
    """

    url: str = ""
    script: list[int | str] = field(default_factory=list)
    came: list[Came] = field(default_factory=list)
    taken: list[Came] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: Request) -> Response:
        """Answer a request."""
        found = Came(request.url.path, dict(request.headers), await request.body())
        self.came.append(found)
        match self.script.pop(0) if self.script else 204:
            case "hang":
                await self.stopping.wait()
                return Response(status_code=500)
            case "redirect":
                return RedirectResponse(self.url.replace("/hook", "/elsewhere"), status_code=307)
            case "flood":
                self.taken.append(found)
                return StreamingResponse(self._flood())
            case int(status):
                if status in range(200, 300):
                    self.taken.append(found)
                return Response(status_code=status)
            case other:
                raise AssertionError(other)

    async def _flood(self) -> AsyncIterator[bytes]:
        while not self.stopping.is_set():
            yield b"x" * 4096
            await asyncio.sleep(0)

    async def until(self, holds: Callable[[Receiver], bool], *, within_s: float = PATIENCE_S) -> None:
        """Wait until something holds of this receiver."""
        await eventually(lambda: holds(self), within_s=within_s)

    def types(self) -> list[str]:
        """Return the types of what was taken, in the order it came."""
        return [each.document["type"].removeprefix("cameo.") for each in self.taken]


async def eventually(holds: Callable[[], bool], *, within_s: float = PATIENCE_S) -> None:
    """Wait until something holds that nobody tells us of."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - it happens elsewhere
            await asyncio.sleep(0.05)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run a receiver; what hangs ends with it."""
    receiver = Receiver()
    app = Starlette(routes=[Route(path, receiver.answer, methods=["GET", "POST"]) for path in ("/hook", "/elsewhere")])
    async with http_resources.serve(app, "127.0.0.1:0") as address:
        receiver.url = f"http://{address}/hook"
        try:
            yield receiver
        finally:
            receiver.stopping.set()
