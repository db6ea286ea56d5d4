"""The WebSocket of the capture page against clients that are no page of ours: each is refused with a reason, none is a fault."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import connect

from cameo.v1.session_service_pb2 import CaptureRequest, CaptureResponse, Welcome
from cameo_verifier.server.capture_page import stream
from cameo_verifier.server.http_resources import serve
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

TOKEN = json.dumps({"token": "t"})
DEEP = "[" * 60_000
MANY = json.dumps({"hello": {"trackSettings": {str(number): "" for number in range(33)}}})


class Heard:
    """Reads all that a client sends; `closed` once the client was noticed to be gone."""

    def __init__(self) -> None:
        self.messages: list[CaptureRequest] = []
        self.closed = asyncio.Event()

    async def __call__(self, _token: str, requests: AsyncIterator[CaptureRequest]) -> AsyncGenerator[CaptureResponse]:
        """Answer each message."""
        try:
            async for request in requests:
                self.messages.append(request)
                yield CaptureResponse(welcome=Welcome(prompts=len(self.messages)))
        finally:
            self.closed.set()


async def told(*frames: str | bytes) -> str:
    """Return why the server refuses these frames."""
    app = Starlette(routes=[stream.route(Heard(), lambda _: None)])
    async with serve(app, "127.0.0.1:0") as address, connect(f"ws://{address}/capture/stream", open_timeout=PATIENCE_S) as socket:
        for frame in frames:
            await socket.send(frame)
        message: dict[str, Any] = json.loads(await socket.recv())
        return str(message["error"]["reason"])


@pytest.mark.parametrize("first", [DEEP, "no JSON", "[]", "7", '{"token": 7}', '{"token": ""}', b"\x1aE\xdf\xa3"])
async def test_a_first_frame_without_a_token_is_refused(first: str | bytes) -> None:
    """Whatever it is."""
    assert await told(first) == "CALLER_TOKEN_MISSING"


@pytest.mark.parametrize(
    "frame",
    [
        DEEP,
        "no JSON",
        '{"nobody": {}}',
        '{"media": 7}',
        '{"hello": {}, "bye": {}}',
        '{"shown": {"number": -1}}',
        MANY,
        json.dumps({"media": "A" * 2**17}),
        bytes(2**20 + 512),
    ],
)
async def test_a_frame_that_is_no_message_within_its_bounds_is_refused(frame: str | bytes) -> None:
    """The bounds are those of gRPC."""
    assert await told(TOKEN, frame) == "REQUEST_INVALID"


async def test_what_a_page_sends_is_heard() -> None:
    """Media at its bound, and empty; numbers that JSON does not have arrive as such, and decide nothing."""
    heard = Heard()
    app = Starlette(routes=[stream.route(heard, lambda _: None)])
    async with serve(app, "127.0.0.1:0") as address, connect(f"ws://{address}/capture/stream") as socket:
        for frame in (TOKEN, bytes(2**20), b"", '{"shown": {"mediaMs": "NaN"}}'):
            await socket.send(frame)
        for number in range(3):
            assert json.loads(await socket.recv())["welcome"]["prompts"] == number + 1
    async with asyncio.timeout(PATIENCE_S):
        await heard.closed.wait()
    assert [message.WhichOneof("message") for message in heard.messages] == ["media", "media", "shown"]
