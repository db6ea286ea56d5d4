"""Fetching of what an issuer publishes: one bounded GET over https, without redirects; the caller verifies what arrives."""

from __future__ import annotations

import time
import urllib.request
from urllib.parse import urlsplit

FETCH_TIMEOUT_S = 5.0
"""Time without a byte."""
FETCH_TOTAL_S = 30.0
"""Time from the first byte to the last: a sender that trickles holds up nobody for long."""
_PART_BYTES = 1 << 20
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow none: a redirect could lead to http or to a machine inside the reader's network. It is an `HTTPError` then."""


_OPENER = urllib.request.build_opener(_NoRedirects)


def require_https(uri: str, what: str) -> None:
    """Check that a URI is https, or http on this machine.

    Raises:
        ValueError: it is another one; the message says that `what` is fetched over https.
    """
    parts = urlsplit(uri)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError(f"{what} is fetched over https")


def fetch(
    uri: str, *, accept: str, max_bytes: int, what: str, timeout_s: float = FETCH_TIMEOUT_S, total_s: float = FETCH_TOTAL_S
) -> bytes:
    """Return what is at an https URI (http on this machine only); redirects are not followed.

    Args:
        uri: where it is.
        accept: its media type.
        max_bytes: its maximum size.
        what: its name in error messages.
        timeout_s: maximum time without a byte, in seconds.
        total_s: maximum time for the content, in seconds.

    Raises:
        OSError: it could not be fetched, or the answer is a redirect.
        ValueError: the URI has another scheme, or the response is too large.
    """
    require_https(uri, what)
    request = urllib.request.Request(uri, headers={"Accept": accept})  # noqa: S310 - the scheme was checked
    with _OPENER.open(request, timeout=timeout_s) as answer:
        content, ends_at = b"", time.monotonic() + total_s
        while part := answer.read1(_PART_BYTES):
            content += part
            if len(content) > max_bytes:
                raise ValueError(f"{what} of more than {max_bytes} bytes")
            if time.monotonic() >= ends_at:
                raise TimeoutError(f"{what} takes longer than {total_s} s")
    return content
