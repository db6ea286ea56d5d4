"""The WebSocket of the capture page: what it accepts, what it refuses, and how it ends."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from cameo.v1 import error_reason_pb2
from cameo.v1.session_service_pb2 import Bye, CaptureRequest, CaptureResponse, Hello, Progress, Prompt, Seal, Welcome
from cameo_verifier.server.capture_page import page, stream
from cameo_verifier.server.http_resources import serve
from cameo_verifier.server.wire.errors import RequestError
from tests.grpc.test_http_resources import fetch
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from websockets.asyncio.client import ClientConnection

HELLO = '{"hello": {"userAgent": "a test"}}'


class Echo:
    """Tells what came: a welcome, then progress of as many milliseconds as media has bytes."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.closed = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, token: str, requests: AsyncIterator[CaptureRequest]) -> AsyncGenerator[CaptureResponse]:
        """Capture."""
        self.tokens.append(token)
        try:
            async for request in requests:
                if self.error is not None:
                    raise self.error
                if request.HasField("media"):
                    yield CaptureResponse(progress=Progress(analysed_ms=len(request.media)))
                elif request.HasField("bye"):
                    return
                else:
                    yield CaptureResponse(welcome=Welcome(language=request.hello.user_agent))
        finally:
            self.closed.set()


@asynccontextmanager
async def opened(capture: stream.Capture) -> AsyncIterator[ClientConnection]:
    """Connect to a server with that capture."""
    app = Starlette(routes=[*page.routes(), stream.route(capture, lambda _: 3.0)])
    async with (
        asyncio.timeout(PATIENCE_S),
        serve(app, "127.0.0.1:0") as address,
        connect(f"ws://{address}/capture/stream", proxy=None) as socket,
    ):
        yield socket


async def told(socket: ClientConnection) -> Any:
    """Return the next message."""
    return json.loads(await socket.recv())


async def ending(socket: ClientConnection) -> tuple[Any, int]:
    """Return the error that ends it, and the code of the close."""
    error = (await told(socket))["error"]
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    assert closed.value.rcvd is not None
    return error, closed.value.rcvd.code


async def test_messages_in_json_and_media_in_bytes() -> None:
    """The token first, then requests; answers have the fields that are zero too; after `bye` it closes as it should."""
    echo = Echo()
    async with opened(echo) as socket:
        await socket.send('{"token": "t"}')
        await socket.send(HELLO)
        assert (await told(socket))["welcome"] == {
            "language": "a test",
            "prompts": 0,
            "light": False,
            "sessionId": "",
        }
        await socket.send(bytes(2**20))
        assert await told(socket) == {"progress": {"analysedMs": 2**20, "done": 0}}
        await socket.send('{"bye": {}}')
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
    assert echo.tokens == ["t"]
    assert json.loads(stream.to_json(CaptureResponse(prompt=Prompt(number=0))))["prompt"] == {"number": 0}


async def test_a_sealed_frame_is_a_seal_and_its_slice() -> None:
    """Once `hello` named a key; a frame too short for a seal has none."""
    heard: list[CaptureRequest] = []

    async def capture(_: str, requests: AsyncIterator[CaptureRequest]) -> AsyncGenerator[CaptureResponse]:
        async for request in requests:
            heard.append(request)
            yield CaptureResponse(seal_nonce=b"nonce")

    frame = bytes(range(64)) + (7).to_bytes(4) + (2).to_bytes(4)
    async with opened(capture) as socket:
        await socket.send('{"token": "t"}')
        for sent in ('{"hello": {"sealKey": "AAE="}}', frame + b"slice", b"short", '{"bye": {}, "seal": {"number": 8}}'):
            await socket.send(sent)
            assert await told(socket) == {"sealNonce": "bm9uY2U="}
    assert heard == [
        CaptureRequest(hello=Hello(seal_key=b"\x00\x01")),
        CaptureRequest(media=b"slice", seal=Seal(signature=bytes(range(64)), number=7, nonce=2)),
        CaptureRequest(media=b"short"),
        CaptureRequest(bye=Bye(), seal=Seal(number=8)),
    ]


@pytest.mark.parametrize("first", ["", "{}", '{"token": 1}', '{"token": ""}', "[]", HELLO, b"{}"])
async def test_without_a_token_nothing_is_captured(first: str | bytes) -> None:
    """Whatever comes first but a token is refused by name."""
    echo = Echo()
    async with opened(echo) as socket:
        await socket.send(first)
        error, code = await ending(socket)
        assert (error["reason"], code) == ("CALLER_TOKEN_MISSING", 4000)
    assert echo.tokens == []


@pytest.mark.parametrize("frame", ["{", '{"nothing": {}}', '{"hello": {"displayWidth": -1}}', '{"media": 3}'])
async def test_a_frame_that_is_no_message_ends_it(frame: str) -> None:
    """It is refused by name, and what was sent is not repeated."""
    async with opened(Echo()) as socket:
        await socket.send('{"token": "t"}')
        await socket.send(frame)
        error, code = await ending(socket)
        assert (error["reason"], error["message"], code) == ("REQUEST_INVALID", "a text frame is no CaptureRequest", 4000)


async def test_an_error_says_its_reason_and_its_delay() -> None:
    """As over gRPC; a fault of ours without its message."""
    for error, reason, code, retry_s in (
        (RequestError(error_reason_pb2.ERROR_REASON_OVERLOADED, "busy", retry_after_s=2.5), "OVERLOADED", 4000, 2.5),
        (RequestError(error_reason_pb2.ERROR_REASON_SESSION_USED, "used"), "SESSION_USED", 4000, 3.0),
        (ZeroDivisionError("a secret"), "SERVER_FAULT", 1011, 0),
    ):
        echo = Echo()
        echo.error = error
        async with opened(echo) as socket:
            await socket.send('{"token": "t"}')
            await socket.send(HELLO)
            said, closed = await ending(socket)
            assert (said["reason"], closed, said["retryAfterS"]) == (reason, code, retry_s)
            assert "secret" not in said["message"]


async def test_a_frame_that_is_too_large_ends_it() -> None:
    """Before it is read to its end."""
    async with opened(Echo()) as socket:
        await socket.send('{"token": "t"}')
        await socket.send(bytes(2**21))
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_who_goes_away_ends_the_capture() -> None:
    """Its capture is closed at once, not when it next has something to say."""
    echo = Echo()
    async with opened(echo) as socket:
        await socket.send('{"token": "t"}')
        await socket.send(HELLO)
        await socket.recv()
        await socket.close()
        await echo.closed.wait()


async def test_files_of_the_page_have_the_types_that_browsers_ask_for() -> None:
    """Scripts, styles and texts; what is no file of the page, outside its folder or not served is not there."""
    app = Starlette(routes=[*page.routes()])
    async with serve(app, "127.0.0.1:0") as address:
        types = {
            "/capture": "text/html; charset=utf-8",
            "/capture/cameo-capture.js": "text/javascript; charset=utf-8",
            "/capture/page.css": "text/css; charset=utf-8",
            "/capture/words/en.json": "application/json",
            "/capture/icon.svg": "image/svg+xml",
        }
        for path, media_type in types.items():
            answer = await fetch(address, path)
            assert (answer.code, answer.headers["content-type"]) == (200, media_type), path
            assert answer.headers["content-security-policy"] == page.HEADERS["Content-Security-Policy"]
        for path in ("/capture/", "/capture/index.html", "/capture/../page.py", "/capture/%2e%2e/page.py", "/capture/README.md"):
            assert (await fetch(address, path)).code == 404, path
