"""A gRPC channel that sends the caller's token with every call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable


def open_channel(
    address: str, token: str | Callable[[], str] = "", *, credentials: grpc.ChannelCredentials | None = None
) -> grpc.Channel:
    """Open a channel to a server.

    Args:
        address: host and port.
        token: the caller's token, or a function that returns one, called for each call: tokens are short-lived. Empty where the
            site has named no issuer and takes everyone for the app.
        credentials: TLS, as `grpc.ssl_channel_credentials` makes them. Without them the channel is in the clear, for a server on
            loopback or behind a proxy on this machine: a token that is sent in the clear is whoever's reads it.
    """
    channel = grpc.secure_channel(address, credentials) if credentials else grpc.insecure_channel(address)
    if not token:
        return channel
    given = token
    return grpc.intercept_channel(channel, _Bearer(given if callable(given) else lambda: str(given)))


class _Bearer(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Adds the header `authorization: Bearer TOKEN` to calls of every kind."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:  # noqa: ANN401 - as grpc has it
        return continuation(self._with_token(client_call_details), request)

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:  # noqa: ANN401
        return continuation(self._with_token(client_call_details), request)

    def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:  # noqa: ANN401
        return continuation(self._with_token(client_call_details), request_iterator)

    def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:  # noqa: ANN401
        return continuation(self._with_token(client_call_details), request_iterator)

    def _with_token(self, details: Any) -> Any:  # noqa: ANN401
        return details._replace(metadata=(*(details.metadata or ()), ("authorization", f"Bearer {self._token()}")))
