"""Page tokens and cursors (AIP-158): opaque strings, each of which names the last element of a page of one list.

A token is base64url of six bytes that stand for the list, a line break, and its parts. The six bytes are of the SHA-256 of the
list's name and of what was asked for, so that a token of another list, or of the same list of somebody else, is refused, as
AIP-158 has it. It keeps no secret: whoever makes one up gets no more than the list they may read anyway.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from cameo_verifier.cameo.permissions import CLOCKS_APART
from cameo_verifier.cameo.refusal import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ItemT = TypeVar("ItemT")

_NUMBER_MAX = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TAG_BYTES = 6


@dataclass(frozen=True, slots=True)
class Listing:
    """A list: its name, and what was asked for, such as whose it is.

    Whatever reads a token raises `RefusedError(PAGE_TOKEN_INVALID)` for one that is malformed, of another list, or beyond what
    can be in it.
    """

    name: str
    asked: tuple[str, ...] = ()

    def token(self, position: int | tuple[datetime, str]) -> str:
        """Return the token of a position: a number, or a time and an id."""
        parts = (position,) if isinstance(position, int) else ((position[0] - _EPOCH) // _MICROSECOND, position[1])
        said = "\n".join(map(str, parts)).encode()
        return base64.urlsafe_b64encode(self._tag() + said).decode().rstrip("=")

    def number(self, token: str) -> int | None:
        """Return the number in a token; None if it is empty."""
        return self._parts(token, 1)[0] if token else None

    def place(self, token: str, *, now: datetime) -> tuple[datetime, str] | None:
        """Return the time, which has come, and the id in a token; None if it is empty."""
        if not token:
            return None
        microseconds, identifier = self._parts(token, 2)
        try:
            moment = _EPOCH + microseconds * _MICROSECOND
        except OverflowError:
            raise RefusedError(Refusal.PAGE_TOKEN_INVALID) from None
        if moment > now + CLOCKS_APART:
            raise RefusedError(Refusal.PAGE_TOKEN_INVALID)
        return moment, identifier

    def page(
        self, found: Sequence[ItemT], size: int, position: Callable[[ItemT], int | tuple[datetime, str]]
    ) -> tuple[Sequence[ItemT], str]:
        """Return a page of at most `size` of what was found, one more where there is more, and the token of the next page."""
        page = found[:size]
        return page, self.token(position(page[-1])) if len(found) > size else ""

    def _tag(self) -> bytes:
        # Each preceded by its length: ("a", "bc") is no ("ab", "c").
        named = b"".join(len(part).to_bytes(4) + part for part in (each.encode() for each in (self.name, *self.asked)))
        return hashlib.sha256(named).digest()[:_TAG_BYTES]

    def _parts(self, token: str, count: int) -> tuple[int, str]:
        try:
            said = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            first, *rest = said[_TAG_BYTES:].decode().split("\n")
            number = int(first) if first.isdecimal() and first.isascii() and len(first) < 20 else -1
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise RefusedError(Refusal.PAGE_TOKEN_INVALID) from None
        if said[:_TAG_BYTES] != self._tag() or len(rest) != count - 1 or not 0 <= number <= _NUMBER_MAX:
            raise RefusedError(Refusal.PAGE_TOKEN_INVALID)
        return number, "".join(rest)


EVENTS = Listing("WatchCameoEvents")
"""Events are numbered alike for everyone: a cursor of a webhook goes on in the stream, and one caller's in another's."""
