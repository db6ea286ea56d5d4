"""Unguessable ids that are safe as arguments of a command line."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BYTES = 16


def new_id(random_text: Callable[[int], str] = secrets.token_urlsafe) -> str:
    """Return an unguessable id: 128 random bits, less 0.02, as 22 URL-safe characters.

    None begins with a dash: a command line would take it for an option.

    Args:
        random_text: returns this many random bytes as base64url.
    """
    while (drawn := random_text(_BYTES)).startswith("-"):
        pass
    return drawn
