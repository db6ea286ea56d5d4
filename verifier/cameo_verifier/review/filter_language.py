"""The filter language of attempts, parsed here and compiled to SQLAlchemy. No text of a filter becomes SQL.

    any        = all { "or" all }
    all        = one { "and" one }
    one        = "not" one | "(" any ")" | field ( "=" | "!=" ) value
    value      = a word of letters, digits and _ - . : + / @, or any text in single or double quotes

Fields: id, subject, audience, profile, verdict, reason, since, until, label, species, decision. A reason is one of several an
attempt may have. `since` and `until` are a day or a time with zone, of the attempt's creation; `until` is exclusive. `label` is
the current label of an analyst (bona_fide, attack, unsure), `none`, or `disputed` if two analysts are sure of different labels.
`decision` is that of manual review (approved, declined), or `waiting`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from sqlalchemy import ColumnElement, Text, and_, cast, not_, or_

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.reasons import Reason
from cameo_verifier.store.attempts.labels import Truth, disputed, labelled, says
from cameo_verifier.store.db import tables
from cameo_verifier.types import Ruling, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

MAX_CHARACTERS = 2000
_MAX_DEPTH = 32
_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>'[^']*'|"[^"]*")|(?P<operator>!=|=|\(|\))|(?P<word>[A-Za-z0-9_.:+/@-]+))""",
)
_WORDS = {"and", "or", "not"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int


def condition_of(expression: str) -> ColumnElement[bool]:
    """Return the condition on `tables.attempts` that an expression states.

    Raises:
        InvalidRequestError: it is malformed; the message names the position and what was expected.
    """
    if len(expression) > MAX_CHARACTERS:
        raise InvalidRequestError(f"an expression has at most {MAX_CHARACTERS} characters")
    return _Parser(expression).whole()


class _Parser:
    """A recursive-descent parser of one expression."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = _tokens(expression)
        self._next = 0
        self._depth = 0

    def whole(self) -> ColumnElement[bool]:
        """Parse the whole expression."""
        condition = self._any()
        if self._peek().kind != "end":
            self._refuse("'and', 'or' or the end")
        return condition

    def _any(self) -> ColumnElement[bool]:
        found = [self._all()]
        while self._took("or"):
            found.append(self._all())
        return or_(*found)

    def _all(self) -> ColumnElement[bool]:
        found = [self._one()]
        while self._took("and"):
            found.append(self._one())
        return and_(*found)

    def _one(self) -> ColumnElement[bool]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise InvalidRequestError(f"the expression is nested more than {_MAX_DEPTH} deep")
        try:
            if self._took("not"):
                return not_(self._one())
            if self._took("("):
                condition = self._any()
                if not self._took(")"):
                    self._refuse("')'")
                return condition
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> ColumnElement[bool]:
        field = self._peek()
        if field.kind != "word" or field.text not in _FIELDS:
            self._refuse(f"a field ({', '.join(_FIELDS)})")
        self._next += 1
        operator = self._peek()
        if operator.text not in {"=", "!="} or operator.kind != "operator":
            self._refuse("'=' or '!='")
        self._next += 1
        value = self._peek()
        if value.kind not in {"word", "quoted"} or (value.kind == "word" and value.text in _WORDS):
            self._refuse("a value; put it into quotes if it has other characters")
        self._next += 1
        try:
            condition = _FIELDS[field.text](value.text)
        except ValueError as error:
            raise InvalidRequestError(f"{field.text} {error}, at character {value.place + 1} of {self._expression!r}") from None
        return not_(condition) if operator.text == "!=" else condition

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _took(self, text: str) -> bool:
        token = self._peek()
        if token.text != text or token.kind not in {"word", "operator"}:
            return False
        self._next += 1
        return True

    def _refuse(self, wanted: str) -> NoReturn:
        token = self._peek()
        found = "the end" if token.kind == "end" else repr(token.text)
        raise InvalidRequestError(f"expected {wanted}, not {found}, at character {token.place + 1} of {self._expression!r}")


def _tokens(expression: str) -> list[_Token]:
    tokens, place = [], 0
    end = len(expression.rstrip())
    while place < end:
        found = _TOKEN.match(expression, place)
        if found is None:
            place += len(expression[place:]) - len(expression[place:].lstrip())
            raise InvalidRequestError(f"unexpected {expression[place]!r} at character {place + 1} of {expression!r}")
        kind = found.lastgroup or ""
        text = found[kind]
        tokens.append(_Token(kind, text[1:-1] if kind == "quoted" else text, found.start(kind)))
        place = found.end()
    return [*tokens, _Token("end", "", len(expression))]


def _member(kind: type[StrEnum], value: str) -> str:
    try:
        return kind(value).value
    except ValueError:
        raise ValueError(f"is none of {', '.join(kind)}: {value!r}") from None


def _time(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"is no day or time such as 2026-11-01 or 2026-11-01T12:00:00Z: {value!r}") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _reason(value: str) -> ColumnElement[bool]:
    # A JSON list; its text is the same in every database, and no reason contains a quotation mark.
    return cast(tables.attempts.c.reasons, Text).contains(f'"{_member(Reason, value)}"', autoescape=True)


def _verdict(value: str) -> ColumnElement[bool]:
    # Attempts without a verdict do not match, also in a negation.
    column = tables.attempts.c.verdict
    return and_(column.is_not(None), column == _member(Verdict, value))


def _decision(value: str) -> ColumnElement[bool]:
    verdict, ruling = tables.attempts.c.verdict, tables.attempts.c.ruling
    if value == "waiting":
        return and_(verdict.is_not(None), verdict == Verdict.REVIEW.value, ruling.is_(None))
    return and_(ruling.is_not(None), ruling == _member(Ruling, value))


def _label(value: str) -> ColumnElement[bool]:
    if value == "none":
        return ~labelled()
    return disputed() if value == "disputed" else says(truth=_member(Truth, value))


_FIELDS: dict[str, Callable[[str], ColumnElement[bool]]] = {
    "id": lambda value: tables.attempts.c.id == value,
    "subject": lambda value: tables.attempts.c.subject == value,
    "audience": lambda value: tables.attempts.c.audience == value,
    "profile": lambda value: tables.attempts.c.profile == value,
    "verdict": _verdict,
    "reason": _reason,
    "since": lambda value: tables.attempts.c.created_at >= _time(value),
    "until": lambda value: tables.attempts.c.created_at < _time(value),
    "label": _label,
    "species": lambda value: says(species=value),
    "decision": _decision,
}
