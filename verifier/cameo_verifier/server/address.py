"""Listening addresses: a malformed one is refused, and so is one that others reach in the clear without the site's consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.server.auth.caller import is_loopback

if TYPE_CHECKING:
    from cameo_verifier.settings import Settings

_PORTS = 2**16


def host_and_port(address: str, setting: str) -> tuple[str, int]:
    """Return the two parts of ``"host:port"``, the host without brackets.

    gRPC takes ports over 65535 modulo 65536, and 443 if there is none.

    Raises:
        InvalidRequestError: it has no host or no port of 0 to 65535; the message names the setting.
    """
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or int(port) >= _PORTS:
        raise InvalidRequestError(
            f"cannot listen on {address}: it must be HOST:PORT with a port of 0 (any that is free) to {_PORTS - 1}; set {setting}"
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def require_protected(address: str, settings: Settings, *, tls: bool = False) -> None:
    """Check that an address is loopback, or speaks TLS, or that the site has consented to serve in the clear.

    Raises:
        InvalidRequestError: it is none of the three.
    """
    if not tls and not settings.public_cleartext and not is_loopback(address):
        raise InvalidRequestError(
            f"{address} can be reached by others, and connections are not encrypted here: listen on loopback behind a proxy that "
            "speaks TLS, or set CAMEO_TLS_CERTIFICATE and CAMEO_TLS_KEY for gRPC and HTTP, or, if the way to the proxy is safe, "
            "CAMEO_PUBLIC_CLEARTEXT=true"
        )
