"""Suggestions for misspelt names."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_CLOSE = 0.6
_MISSPELT = 0.85
"""Similarity, 0..1, from which a name that could be somebody's own counts as misspelt."""


def meant(name: str, known: Collection[str]) -> str:
    """Return a hint to append to an error about an unknown name; empty if no known name is similar."""
    close = get_close_matches(name, sorted(known), 1, _CLOSE)
    return f"; did you mean {close[0]!r}?" if close else ""


def misspelt(names: Collection[str], known: Collection[str]) -> str:
    """Return an error about the first unknown name that is nearly a known one; empty if there is none.

    For places where names other than ours are permitted.
    """
    for name in sorted(set(names).difference(known)):
        if get_close_matches(name, known, 1, _MISSPELT):
            return f"{name!r} is not known{meant(name, known)}"
    return ""
