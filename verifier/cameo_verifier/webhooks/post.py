"""POST of one message to an untrusted receiver.

The host's addresses are checked after the name is resolved, and the connection goes to the checked address: a name that is
rebound a moment later gains nothing. Redirects are not followed and count as failures. Proxies of the environment are not used.
The whole exchange has one time limit, and of the reply no more than 16 KiB is read.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpcore2

from cameo_credential.errors import CameoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_REPLY_BYTES = 16_384
_NAT64 = IPv6Network("64:ff9b::/96")
_IPV4 = 2**32 - 1
_REDIRECTS = range(300, 400)
_TAKEN = range(200, 300)
_GONE = 410


class PostError(CameoError):
    """A receiver did not accept a message; the error message says why, without anything the receiver sent.

    gone: it wants no more messages. wait: the delay it asks for.
    """

    def __init__(self, message: str, *, gone: bool = False, wait: timedelta = timedelta(0)) -> None:
        """Keep the parts."""
        super().__init__(message)
        self.gone = gone
        self.wait = wait


class Poster:
    """Posts to one URL, one message at a time; close it."""

    def __init__(self, url: str, *, private: bool, timeout_s: float) -> None:
        """Keep the parts; private: True permits addresses that are not public. Plain http goes to loopback only."""
        self._url = url
        self._timeout_s = timeout_s
        secure = urlsplit(url).scheme == "https"
        self._pool = httpcore2.AsyncConnectionPool(
            httpcore2.default_ssl_context() if secure else None,
            max_connections=1,
            keepalive_expiry=30,
            network_backend=_Guarded(private=private, loopback=not secure),
        )

    async def post(self, headers: Mapping[str, str], body: bytes) -> None:
        """Post a message; return once the receiver has answered 2xx.

        Raises:
            PostError: the receiver did not accept it.
        """
        sent = [("Content-Type", "application/json"), ("User-Agent", "cameo"), *headers.items()]
        try:
            async with asyncio.timeout(self._timeout_s):
                status, wait = await self._exchange(sent, body)
        except (TimeoutError, httpcore2.TimeoutException):
            raise PostError(f"no answer within {self._timeout_s:g} s") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError, UnicodeError) as error:
            raise PostError(f"no connection: {type(error).__name__}") from None
        if status in _TAKEN:
            return
        if status in _REDIRECTS:
            raise PostError(f"redirect {status}, which is not followed")
        raise PostError(f"status {status}", gone=status == _GONE, wait=wait)

    async def close(self) -> None:
        """Close the connection."""
        await self._pool.aclose()

    async def _exchange(self, headers: list[tuple[str, str]], body: bytes) -> tuple[int, timedelta]:
        async with self._pool.stream("POST", self._url, headers=[*headers], content=body) as reply:
            read = 0
            # A reply that was read to its end leaves the connection reusable.
            async for chunk in reply.aiter_stream():
                read += len(chunk)
                if read > MAX_REPLY_BYTES:
                    break
            return reply.status, _retry_after(reply.headers)


class _Guarded(httpcore2.AsyncNetworkBackend):
    """A network backend that connects only to addresses it has checked."""

    def __init__(self, *, private: bool, loopback: bool) -> None:
        self._private = private
        self._loopback = loopback
        self._plain = httpcore2.AnyIOBackend()
        # A thread limit of its own: a hanging name server must not block anything else.
        self._resolving = anyio.CapacityLimiter(1)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is the library's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await self._resolve(host, port)
        if not addresses or not all(self._may_be(address) for address in addresses):
            raise PostError("an address that is not public")
        error: Exception = OSError("no address")
        for address in addresses:
            try:
                return await self._plain.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except httpcore2.NetworkError as failed:
                error = failed
        raise error

    async def _resolve(self, host: str, port: int) -> list[IPv4Address | IPv6Address]:
        name = host.removeprefix("[").removesuffix("]")
        found = await anyio.to_thread.run_sync(
            lambda: socket.getaddrinfo(name, port, type=socket.SOCK_STREAM), abandon_on_cancel=True, limiter=self._resolving
        )
        return list(dict.fromkeys(ip_address(str(each[4][0]).partition("%")[0]) for each in found))

    def _may_be(self, address: IPv4Address | IPv6Address) -> bool:
        real = embedded(address)
        if self._loopback:
            return real.is_loopback
        if real.is_multicast or real.is_unspecified or real.is_link_local:
            return False
        return self._private or real.is_global


def embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address embedded in an IPv6 address (mapped, 6to4, Teredo, NAT64), or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & _IPV4)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> timedelta:
    for name, value in headers:
        if name.lower() == b"retry-after":
            with suppress(ValueError, OverflowError):
                return timedelta(seconds=max(0, int(value[:16])))
    return timedelta(0)
