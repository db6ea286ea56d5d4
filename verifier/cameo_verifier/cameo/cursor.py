"""Page tokens and cursors (AIP-158): opaque texts that say after what a list goes on."""

from __future__ import annotations

import base64


def to_token(*parts: int | str) -> str:
    """Return the token of a place in a list."""
    return base64.urlsafe_b64encode("\n".join(map(str, parts)).encode()).decode().rstrip("=")
