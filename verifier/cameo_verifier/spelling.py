"""What somebody meant who misspelt a name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_CLOSE = 0.6
_MISSPELT = 0.85
"""Share of letters, in order, from which a name that could be somebody's own is taken for a slip."""


def meant(name: str, known: Collection[str]) -> str:
    """Return a hint to append to an error about a name that is not known, empty where none of the known ones is near."""
    close = get_close_matches(name, sorted(known), 1, _CLOSE)
    return f"; did you mean {close[0]!r}?" if close else ""


def misspelt(names: Collection[str], known: Collection[str]) -> str:
    """Return an error about the first name that is no known one but nearly so, empty where there is none.

    For places where other names than ours are to be left alone.
    """
    for name in sorted(set(names).difference(known)):
        if get_close_matches(name, known, 1, _MISSPELT):
            return f"{name!r} is not known{meant(name, known)}"
    return ""
