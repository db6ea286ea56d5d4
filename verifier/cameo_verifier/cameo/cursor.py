"""Page tokens and cursors (AIP-158): opaque strings that name the last element of a page."""

from __future__ import annotations

import base64


def to_token(*parts: int | str) -> str:
    """Return the token of a position in a list."""
    return base64.urlsafe_b64encode("\n".join(map(str, parts)).encode()).decode().rstrip("=")
