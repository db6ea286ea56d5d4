"""The WebSocket `/capture/stream`: `SessionService.Capture` for browsers.

A text frame holds a message in protobuf's JSON mapping, a binary frame the bytes of `CaptureRequest.media`; before them, once
`hello` has named a key, those of its seal: the signature, `number` and `nonce`, both big-endian in 4 bytes. The first frame is
`{"token": "…"}`: a token in the address would be written to logs. Where the call fails, the last frame is
`{"error": {"reason": …, "message": …, "retryAfterS": …}}`, with the reasons of the RPC.
"""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeAlias

import structlog
from google.protobuf import json_format
from google.rpc import error_details_pb2
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect, WebSocketState

from cameo.v1 import error_reason_pb2
from cameo.v1.session_service_pb2 import CaptureRequest, CaptureResponse, Seal
from cameo_credential.errors import CameoError
from cameo_verifier.errors import AbandonedError
from cameo_verifier.redaction import redacted
from cameo_verifier.server.wire.errors import RequestError, status_of
from cameo_verifier.server.wire.messages import USUAL_MAX_BYTES, require_bounded

if TYPE_CHECKING:
    from google.rpc.status_pb2 import Status
    from starlette.websockets import WebSocket

Capture: TypeAlias = Callable[[str, AsyncIterator[CaptureRequest]], AsyncGenerator[CaptureResponse]]
"""Captures: from the capture token and the client's messages to the server's; raises as the RPC fails."""

MAX_FRAME = 2**20 + 2**10
"""Bytes of a frame: `CaptureRequest.media` may have 1 MiB."""

_TOKEN_S = 10.0
"""Seconds within which the token must come: without one nothing is known of a client."""
_SEAL = struct.Struct(">64sII")
_NORMAL, _REFUSED, _FAULT = 1000, 4000, 1011

log = structlog.get_logger(__name__)


def route(capture: Capture, delay: Callable[[int], float | None]) -> WebSocketRoute:
    """Return the route of the WebSocket; `delay` returns the retry delay of a reason."""

    async def stream(socket: WebSocket) -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(code="OK")
        began = time.perf_counter()
        await socket.accept()
        try:
            async with aclosing(capture(await _token(socket), _requests(socket))) as messages:
                async for message in messages:
                    await socket.send_text(to_json(message))
            await socket.close(_NORMAL)
        except WebSocketDisconnect:
            structlog.contextvars.bind_contextvars(code="CANCELLED", reason="CALLER_GONE")
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told and the server goes on
            await _refuse(socket, error, status_of(error, delay))
        finally:
            log.info("call", method="capture/stream", ms=round((time.perf_counter() - began) * 1000, 1))

    return WebSocketRoute("/capture/stream", stream)


def to_json(message: CaptureResponse) -> str:
    """Return a message in protobuf's JSON mapping, with the fields that are zero."""
    return json.dumps(json_format.MessageToDict(message, always_print_fields_with_no_presence=True))


async def _token(socket: WebSocket) -> str:
    try:
        async with asyncio.timeout(_TOKEN_S):
            given = json.loads(await socket.receive_text())
        token = given["token"]
    except (TimeoutError, ValueError, KeyError, TypeError, RecursionError):
        token = ""
    if not isinstance(token, str) or not token:
        raise RequestError(error_reason_pb2.ERROR_REASON_CALLER_TOKEN_MISSING, 'the first frame must be {"token": "…"}')
    return token


async def _requests(socket: WebSocket) -> AsyncIterator[CaptureRequest]:
    """Yield the client's messages; raises `AbandonedError` where it goes away."""
    sealed = False
    while True:
        frame = await socket.receive()
        if frame["type"] == "websocket.disconnect":
            raise AbandonedError("the browser went away")
        message = _parsed(frame["text"]) if frame.get("bytes") is None else _media(frame["bytes"], sealed=sealed)
        require_bounded("SessionService.Capture", message)
        sealed = sealed or bool(message.hello.seal_key)
        yield message


def _media(frame: bytes, *, sealed: bool) -> CaptureRequest:
    if not sealed or len(frame) < _SEAL.size:
        return CaptureRequest(media=frame)
    signature, number, nonce = _SEAL.unpack_from(frame)
    return CaptureRequest(media=frame[_SEAL.size :], seal=Seal(signature=signature, number=number, nonce=nonce))


def _parsed(text: str) -> CaptureRequest:
    try:
        if len(text) <= USUAL_MAX_BYTES:
            return json_format.Parse(text, CaptureRequest())
    except (json_format.ParseError, RecursionError):
        # The parser's own message quotes what was sent.
        pass
    raise RequestError(error_reason_pb2.ERROR_REASON_REQUEST_INVALID, "a text frame is no CaptureRequest")


async def _refuse(socket: WebSocket, error: Exception, status: Status) -> None:
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(retry)
    structlog.contextvars.bind_contextvars(code=status.code, reason=info.reason)
    if info.reason == "SERVER_FAULT":
        log.error("call failed", method="capture/stream", error=str(error) if isinstance(error, CameoError) else redacted(error))
    if socket.client_state is not WebSocketState.CONNECTED or socket.application_state is not WebSocketState.CONNECTED:
        return
    told = {"reason": info.reason, "message": status.message, "retryAfterS": retry.retry_delay.ToMilliseconds() / 1000}
    try:
        await socket.send_text(json.dumps({"error": told}))
        await socket.close(_FAULT if info.reason == "SERVER_FAULT" else _REFUSED)
    except WebSocketDisconnect:
        return
