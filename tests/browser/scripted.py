"""A capture page over a server whose part a test plays: it says what it wants, and sees all that the browser sends."""

from __future__ import annotations

import asyncio
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from cameo.v1.session_service_pb2 import CaptureRequest, CaptureResponse, Result, Welcome
from cameo_verifier.server.capture_page import page, stream
from cameo_verifier.server.capture_seal import CaptureSeal
from cameo_verifier.server.http_resources import serve
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from starlette.websockets import WebSocket


SESSION = "a session"


class _Dropped(BaseException):
    """The connection is to break."""


@dataclass(slots=True)
class Scripted:
    """The server's part of one session after another.

    Attributes:
        address: host and port.
        tokens: the tokens that came, one for each connection.
        heard: what the browser said, without the media.
        media: bytes of the current recording.
        sealed: number of slices of the current connection that were sealed, each verified.
    """

    address: str = ""
    tokens: list[str] = field(default_factory=list)
    heard: queue.Queue[CaptureRequest] = field(default_factory=queue.Queue)
    media: int = 0
    sealed: int = 0
    _seal: CaptureSeal | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _says: asyncio.Queue[CaptureResponse | BaseException] = field(default_factory=asyncio.Queue)
    _came: threading.Event = field(default_factory=threading.Event)

    def say(self, *, error: Exception | None = None, **message: Any) -> None:
        """Send a message, given by its field, or end the session with an error."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._says.put_nowait, error or CaptureResponse(**message))

    def wait(self, kind: str) -> CaptureRequest:
        """Return the next message, which must be of that kind."""
        said = self.heard.get(timeout=PATIENCE_S)
        assert said.WhichOneof("message") == kind, said
        return said

    def wait_for_media(self) -> None:
        """Wait until more of the recording came."""
        self._came.clear()
        assert self._came.wait(PATIENCE_S)

    def welcome(self, prompts: int = 3, **said: Any) -> CaptureRequest:
        """Wait for the browser, and let it prepare."""
        hello = self.wait("hello")
        self.say(welcome=Welcome(language="en", prompts=prompts, session_id=SESSION, **said))
        return hello

    def drop(self) -> None:
        """Break the connection, without a word."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._says.put_nowait, _Dropped())

    def end(self, **result: Any) -> None:
        """Send the result."""
        self.say(result=Result(**result))

    async def capture(self, token: str, requests: AsyncIterator[CaptureRequest]) -> AsyncGenerator[CaptureResponse]:
        """Serve one connection."""
        self.tokens.append(token)
        self._says, self.media, self.sealed, self._seal = asyncio.Queue(), 0, 0, None
        reading = asyncio.create_task(self._read(requests, self._says))
        try:
            while True:
                said = await self._says.get()
                if isinstance(said, BaseException):
                    raise said
                if self._seal is not None and said.WhichOneof("message") in {"welcome", "start", "prompt", "light"}:
                    said.seal_nonce = self._seal.renew(said, 0.0)
                yield said
                if said.HasField("result"):
                    return
        finally:
            reading.cancel()

    async def _read(self, requests: AsyncIterator[CaptureRequest], says: asyncio.Queue[CaptureResponse | BaseException]) -> None:
        try:
            async for request in requests:
                if request.hello.seal_key:
                    self._seal = CaptureSeal(request.hello.seal_key, SESSION, late_s=PATIENCE_S)
                elif self._seal is not None:
                    self._seal.verify(request, 0.0)
                    self.sealed += request.HasField("seal")
                if request.HasField("media"):
                    self.media += len(request.media)
                    self._came.set()
                else:
                    if request.HasField("started"):
                        self.media = 0
                    self.heard.put(request)
        except Exception as error:  # noqa: BLE001 - the session ends by it
            says.put_nowait(error)


class ScriptedSite:
    """A thread that serves the page; a context manager."""

    def __init__(self) -> None:
        self.part = Scripted()
        self._open, self._loop = threading.Event(), asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self) -> Scripted:
        """Begin to serve."""
        self._thread.start()
        assert self._open.wait(PATIENCE_S)
        return self.part

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    async def _serve(self) -> None:
        self.part._loop = asyncio.get_running_loop()
        with_errors = stream.route(self.part.capture, lambda _: 3.0)

        async def endpoint(socket: WebSocket) -> None:
            with suppress(_Dropped):
                await with_errors.endpoint(socket)

        app = Starlette(routes=[*page.routes(), WebSocketRoute(with_errors.path, endpoint)])
        async with serve(app, "127.0.0.1:0") as self.part.address:
            self._open.set()
            await self._stop.wait()
