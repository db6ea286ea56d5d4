"""HTTP resources: the status lists and the issuer's keys, public and cacheable; the capture page, which is neither.

The answers of the first two are those of `CredentialService`; a cache in front of this needs only the headers.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cameo.v1 import error_reason_pb2
from cameo_credential.errors import InvalidRequestError
from cameo_verifier.errors import NotFoundError, StoreError
from cameo_verifier.server.address import host_and_port
from cameo_verifier.server.capture_page import page, stream
from cameo_verifier.server.wire.errors import reason_of
from cameo_verifier.status.index_allocator import uri_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterator
    from datetime import datetime

    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from cameo_credential.issuer_keys import VerificationKeys
    from cameo_verifier.server.capture_page.stream import Capture
    from cameo_verifier.status.publisher import StatusPublisher

STATUS_LIST_TYPE = "application/statuslist+jwt"
KEYS_TYPE = "application/jwk-set+json"

KEYS_KEPT_S = 300
"""Seconds for which the keys may be cached; a key is published for longer before it signs."""

_ANYWHERE = {"Access-Control-Allow-Origin": "*"}
"""Public: pages of other origins may read them too (draft-ietf-oauth-status-list, section 8.1)."""


def application(
    *,
    publisher: StatusPublisher,
    base: str,
    keys: Callable[[], VerificationKeys],
    clock: Callable[[], datetime],
    delay: Callable[[int], float | None],
    capture: Capture | None = None,
) -> Starlette:
    """Return the ASGI application.

    `GET /status/NUMBER`, `GET /status/NUMBER/ES256` and `GET /.well-known/jwks.json` answer with an `ETag`; `GET /capture` is the
    capture page, `/capture/stream` its WebSocket.

    Args:
        publisher: publisher of the lists.
        base: prefix of their URIs.
        keys: returns the current public keys.
        clock: the time in UTC.
        delay: returns the retry delay of a reason.
        capture: captures a live session; without it there is no capture page.
    """

    async def status_list(request: Request) -> Response:
        uri = f"{uri_of(base, 0)[:-1]}{request.path_params['name']}"
        try:
            published = await asyncio.to_thread(publisher.get, uri)
        except NotFoundError:
            return _refusal(404, "STATUS_LIST_UNKNOWN")
        except StoreError as error:
            delay_s = delay(error_reason_pb2.ERROR_REASON_STORE_UNAVAILABLE) or 0.0
            return _refusal(503, reason_of(error), {"Retry-After": f"{math.ceil(delay_s)}"})
        # A list returned past its time, because the database is down, must not be cached.
        left_s = max(0, int((published.next_at - clock()).total_seconds()))
        return _cacheable(request, published.token, etag=published.etag, kept_s=left_s, media_type=STATUS_LIST_TYPE)

    async def jwks(request: Request) -> Response:
        current = await asyncio.to_thread(keys)
        etag = "-".join(sorted(current.keys))
        return _cacheable(request, json.dumps(current.to_jwks()), etag=etag, kept_s=KEYS_KEPT_S, media_type=KEYS_TYPE)

    routes: list[BaseRoute] = [Route("/status/{name:path}", status_list), Route("/.well-known/jwks.json", jwks)]
    if capture is not None:
        routes += [*page.routes(), stream.route(capture, delay)]
    return Starlette(routes=routes)


@asynccontextmanager
async def serve(
    app: ASGIApp, address: str, *, setting: str = "CAMEO_HTTP_LISTEN", tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve on ``"host:port"``, the value of that setting, inside the running loop, and yield the address with the actual port.

    Args:
        app: the ASGI application.
        address: where.
        setting: its name, for the error.
        tls: the context of HTTPS; None serves in the clear.

    Raises:
        InvalidRequestError: the address cannot be listened on.
    """
    listening = _listen(address, setting)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=5,
        ws_max_size=stream.MAX_FRAME,
        # Video is compressed already.
        ws_per_message_deflate=False,
    )
    if tls is not None:
        config.ssl_context_factory = lambda *_: tls
    server = _Server(config)
    with listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"{address.rpartition(':')[0]}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to `cameo_verifier.server.serve`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no handlers."""
        yield


def _listen(address: str, setting: str) -> socket.socket:
    name, port = host_and_port(address, setting)
    try:
        return socket.create_server((name, port), family=socket.AF_INET6 if ":" in name else socket.AF_INET)
    except (OSError, ValueError):
        raise InvalidRequestError(
            f"cannot listen on {address}: it is taken or not an address of this machine; set {setting}"
        ) from None


def _cacheable(request: Request, content: str, *, etag: str, kept_s: int, media_type: str) -> Response:
    headers = {**_ANYWHERE, "ETag": f'"{etag}"', "Cache-Control": f"public, max-age={kept_s}"}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if not known.isdisjoint({headers["ETag"], "*"}):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _refusal(code: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(
        {"reason": reason}, status_code=code, headers={**_ANYWHERE, "Cache-Control": "no-store", **(headers or {})}
    )
