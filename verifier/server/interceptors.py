"""What happens around every call of `cameo.v1`: errors become statuses, and one line is logged, with ids and no content."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from grpc.aio import AbortError, ServerInterceptor

from verifier.errors import CameoError
from verifier.server.status import DOMAIN, grpc_status_of, reason_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = structlog.get_logger(__name__)


class _AroundOurs(ServerInterceptor):  # type: ignore[type-arg] - generic in the stubs only, not at run time
    """Wraps each method of `cameo.v1` whose answer is a single message, which is all of them; leaves others alone."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(f"/{DOMAIN}."):
            return handler
        codecs = {"request_deserializer": handler.request_deserializer, "response_serializer": handler.response_serializer}
        method = handler_call_details.method.rpartition("/")[2]
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(self._around(method, handler.unary_unary), **codecs)
        return grpc.stream_unary_rpc_method_handler(self._around(method, handler.stream_unary), **codecs)

    def _around(self, method: str, behaviour: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        raise NotImplementedError


class ErrorStatus(_AroundOurs):
    """Turns what a service raises into a rich status; the innermost, next to the service."""

    def _around(self, method: str, behaviour: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: ANN401 - any message
            try:
                return await behaviour(request, context)
            except AbortError:
                raise
            except CameoError as error:
                structlog.contextvars.bind_contextvars(reason=reason_of(error))
                await context.abort_with_status(grpc_status_of(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a status and the server goes on
                structlog.contextvars.bind_contextvars(reason=reason_of(error))
                log.error("call failed", method=method, error=type(error).__name__, exc_info=True)
                await context.abort_with_status(grpc_status_of(error))

        return call


class CallLog(_AroundOurs):
    """Logs each call when it ends: method, code, reason, duration, and the ids the service has bound."""

    def _around(self, method: str, behaviour: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: ANN401 - any message
            structlog.contextvars.clear_contextvars()
            began = time.perf_counter()
            code = grpc.StatusCode.OK.name
            try:
                return await behaviour(request, context)
            except asyncio.CancelledError:
                code = grpc.StatusCode.CANCELLED.name
                structlog.contextvars.bind_contextvars(reason="CALLER_GONE")
                raise
            except AbortError:
                code = grpc.StatusCode(context.code()).name
                raise
            finally:
                log.info("call", method=method, code=code, ms=round((time.perf_counter() - began) * 1000, 1))

        return call
