"""The queue's filters as they stand in the URL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sqlalchemy import and_

from verifier.errors import InvalidRequestError
from verifier.review.where import where
from verifier.store import tables
from verifier.store.attempts import AttemptState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement

    from verifier.store.attempts import Attempt

NAMES = ("verdict", "decision", "reason", "profile", "label", "subject", "since", "until")
DECISIONS = ("waiting", "approved", "declined")
LABELS = ("none", "bona_fide", "attack", "unsure")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Filters:
    """What was asked for.

    given: as it was written, without what is empty. condition: the same on `tables.attempts`; only judged attempts meet it.
    """

    given: Mapping[str, str]
    condition: ColumnElement[bool]

    def url(self, **changed: str) -> str:
        """Return the URL of the queue with some filters changed; an empty one is dropped, and so is the place in the list."""
        given = {name: value for name, value in {**self.given, **changed}.items() if value}
        return f"/?{urlencode(given)}" if given else "/"

    @property
    def query(self) -> str:
        """The filters as they follow the address of an attempt, with their question mark; empty where there are none."""
        return self.url()[1:]


def read(query: Mapping[str, str]) -> Filters:
    """Read filters.

    Raises:
        InvalidRequestError: one has a value that it cannot have; the message names it.
    """
    given = {name: query[name].strip() for name in NAMES if query.get(name, "").strip()}
    table = tables.attempts
    # Both say that it was judged. The state leads the index of all attempts in order of time; one subject's few have their own.
    judged = table.c.verdict.is_not(None) if "subject" in given else table.c.state == AttemptState.JUDGED.value
    conditions: list[ColumnElement[bool]] = [judged]
    for name, value in given.items():
        match name:
            case "subject" | "profile":
                # Any text, quotation marks and all.
                conditions.append(table.c[name] == value)
            case "since":
                conditions.append(table.c.created_at >= _day(value))
            case "until":
                conditions.append(table.c.created_at < _day(value) + timedelta(days=1))
            case _:
                conditions.append(where(f"{name}={value}"))
    return Filters(given, and_(*conditions))


def place(attempt: Attempt) -> str:
    """Return the token of the page after an attempt."""
    return f"{(attempt.created_at - _EPOCH) // _MICROSECOND}.{attempt.id}"


def read_place(token: str) -> tuple[datetime, str] | None:
    """Return where a page begins; None for the first one.

    Raises:
        InvalidRequestError: it is no token of ours.
    """
    if not token:
        return None
    micros, _, identifier = token.partition(".")
    try:
        return _EPOCH + int(micros) * _MICROSECOND, identifier
    except (ValueError, OverflowError):
        raise InvalidRequestError("the place in the list is none that this console gave") from None


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidRequestError(f"no day such as 2026-11-22: {text!r}") from None
