"""The queue's filters, parsed from the URL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sqlalchemy import and_

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.console.find import by_id
from cameo_verifier.review.filter_language import condition_of
from cameo_verifier.store.attempts.labels import says
from cameo_verifier.store.attempts.states import AttemptState
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement

    from cameo_verifier.store.attempts.attempts import Attempt

NAMES = ("verdict", "decision", "reason", "profile", "label", "species", "subject", "find", "since", "until")
DECISIONS = ("waiting", "approved", "declined")
LABELS = ("none", "bona_fide", "attack", "unsure", "disputed")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a request.

    given: as written, without empty ones. condition: the same on `tables.attempts`; only judged attempts meet it, except those
    found by an id.
    """

    given: Mapping[str, str]
    condition: ColumnElement[bool]

    def url(self, **changed: str) -> str:
        """Return the URL of the queue with some filters changed; empty ones are dropped, and so is the page token."""
        given = {name: value for name, value in {**self.given, **changed}.items() if value}
        return f"/?{urlencode(given)}" if given else "/"

    @property
    def query(self) -> str:
        """The filters as a query string, with its question mark, for an attempt's address; empty if there are none."""
        return self.url()[1:]


def read(query: Mapping[str, str]) -> Filters:
    """Parse filters.

    Raises:
        InvalidRequestError: a value is not allowed; the message names the filter.
    """
    given = {name: query[name].strip() for name in NAMES if query.get(name, "").strip()}
    if any("\0" in value for value in given.values()):
        raise InvalidRequestError("no id has a null character")
    table = tables.attempts
    conditions: list[ColumnElement[bool]] = []
    if "subject" in given:
        # One subject's few have an index of their own; the index of all attempts by time begins with the state.
        conditions.append(table.c.verdict.is_not(None))
    elif "find" not in given:
        conditions.append(table.c.state == AttemptState.JUDGED.value)
    for name, value in given.items():
        match name:
            case "subject" | "profile":
                # Any text, including quotation marks.
                conditions.append(table.c[name] == value)
            case "find":
                conditions.append(by_id(value))
            case "species":
                conditions.append(says(species=value))
            case "since":
                conditions.append(table.c.created_at >= _day(value))
            case "until":
                conditions.append(table.c.created_at < _day(value) + timedelta(days=1))
            case _:
                conditions.append(condition_of(f"{name}={value}"))
    return Filters(given, and_(*conditions))


def place(attempt: Attempt) -> str:
    """Return the page token of the page after an attempt."""
    return f"{(attempt.created_at - _EPOCH) // _MICROSECOND}.{attempt.id}"


def read_place(token: str) -> tuple[datetime, str] | None:
    """Return the position where a page begins; None for the first page.

    Raises:
        InvalidRequestError: the token is malformed.
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
