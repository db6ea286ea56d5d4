"""Interceptors around every call of `cameo.v1`: errors become statuses, and one line is logged, with ids and without content.

`cameo_verifier.server.auth.access` decides who may call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import grpc
import structlog
from grpc.aio import ServerInterceptor

from cameo_credential.errors import CameoError
from cameo_verifier.redaction import redacted
from cameo_verifier.server.wire.errors import DOMAIN, grpc_status_of, reason_of
from cameo_verifier.server.wire.messages import parsed

Behaviour: TypeAlias = Callable[[Any, "grpc.aio.ServicerContext[Any, Any]"], Awaitable[Any]]
"""One method of a service: a message, or a stream of them, to one message or, by `context.write`, to a stream of them."""

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")

_OUR_FAULT = {"SERVER_FAULT", "STORE_UNAVAILABLE", "JUDGING_INTERRUPTED"}

log = structlog.get_logger(__name__)


class Around(ServerInterceptor):
    """An interceptor that puts `wraps` around all methods of `cameo.v1`, the first outermost; other services are unchanged.

    A method that answers with a stream is a coroutine that writes to its context, never an async generator. The wraps run before
    the first message is read, see `messages`.
    """

    def __init__(
        self,
        *wraps: Callable[[str, Behaviour], Behaviour],
        within: Callable[[Behaviour], Behaviour] = lambda behaviour: behaviour,
    ) -> None:
        """Keep the wraps: each is called with the method, as `Service.Method`, and its behaviour; `within` wraps its messages.

        One interceptor for all of them: gRPC walks its list of interceptors at every call.
        """
        self._wraps, self._within = wraps, within
        self._wrapped: dict[str, Any] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[RequestT, ResponseT] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[RequestT, ResponseT] | None:
        """Return the method's wrapped handler; the original is only looked up at the method's first call."""
        known = self._wrapped.get(handler_call_details.method)
        if known is not None:
            return known  # type: ignore[no-any-return]  # of any method
        handler: Any = await continuation(handler_call_details)
        service, _, method = handler_call_details.method.removeprefix("/").partition("/")
        if handler is None or not service.startswith(f"{DOMAIN}."):
            return handler  # type: ignore[no-any-return]  # the stubs know only the synchronous handlers
        # Handlers of byte streams: for a refused call no message is read.
        make = grpc.stream_stream_rpc_method_handler if handler.response_streaming else grpc.stream_unary_rpc_method_handler
        name = f"{service.removeprefix(f'{DOMAIN}.')}.{method}"
        behaviour = parsed(name, handler, self._within)
        for wrap in reversed(self._wraps):
            behaviour = wrap(name, behaviour)
        wrapped: grpc.RpcMethodHandler[RequestT, ResponseT] = make(
            behaviour,
            response_serializer=handler.response_serializer,
        )
        self._wrapped[handler_call_details.method] = wrapped
        return wrapped


def error_status(delay: Callable[[int], float | None]) -> Callable[[str, Behaviour], Behaviour]:
    """Return a wrap that turns exceptions into a rich status, `delay` as for `status_of`; innermost, next to the service."""

    def wrap(method: str, behaviour: Behaviour) -> Behaviour:
        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: ANN401 - any message
            try:
                return await behaviour(request, context)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a status and the server goes on
                status, reason = grpc_status_of(error, delay), reason_of(error)
                structlog.contextvars.bind_contextvars(code=status.code.name, reason=reason)
                if reason in _OUR_FAULT:
                    # Our own messages contain no personal data; a foreign one might.
                    told = str(error) if isinstance(error, CameoError) else redacted(error)
                    log.error("call failed", method=method, error=told)  # noqa: TRY400 - a traceback would quote foreign messages
                await context.abort_with_status(status)

        return call

    return wrap


def call_log(method: str, behaviour: Behaviour) -> Behaviour:
    """Log each call when it ends: method, code, reason, duration, and the ids the service has bound."""

    async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: ANN401 - any message
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(code=grpc.StatusCode.OK.name)
        began = time.perf_counter()
        try:
            return await behaviour(request, context)
        except asyncio.CancelledError:
            structlog.contextvars.bind_contextvars(code=grpc.StatusCode.CANCELLED.name, reason="CALLER_GONE")
            raise
        finally:
            log.info("call", method=method, ms=round((time.perf_counter() - began) * 1000, 1))

    return call
