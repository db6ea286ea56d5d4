"""Linker: a re-identification attack on deleted people by whoever has the database and nothing else.

It reads every column of every table, also what lies inside JSON, and each row's physical place (SQLite's rowid, PostgreSQL's
ctid). Rows are grouped by the ids that the schema joins by; a group of a deleted person is one of three sides:

- `account`: a tombstone with its account, its events and uses;
- `recording`: an attempt that names nobody, with its challenge, scores, fingerprint, evidence, labels and opinions;
- `credential`: an entry of a status list whose credential is gone.

Two attacks look for a path from one side to another. `equalities` follows every value that two groups share, in whatever columns,
unless groups of two or more people who are still there have it too: such a value (a profile, an audience) singles out nobody.
Whole numbers below 10**9, truth values and empty values are not followed: they are equal by chance. `orders` compares every
ordered column of one side with every ordered column of another: where the rows of the people who are still there are in the same
order in both, a deleted person's row lies between the same neighbours in both; one candidate there is a link. It does so for the
exact values and for the days of times.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from typing import TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, MetaData, inspect, select, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Engine

_IDS = re.compile(r"(?!(server|request|job|key|vault_key)_id$)(id|.*_id|jti|subject|minor|guardian)")
_NOT_JOINED = {"alembic_version", "servers", "webhooks", "vault_key", "audit_head", "event_counter", "status_lists", "end_log"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US = 24 * 60 * 60 * 1_000_000
_WEAK = 10**9
_WITNESSES = 6
"""People still there whose rows must be in the same order in two columns before these are compared."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its table, its columns' values, and its place among the rows of the table."""

    table: str
    values: dict[str, Any]


@dataclass(slots=True)
class Group:
    """Rows joined by ids. side: `account`, `recording` or `credential` of a deleted person, `live`, or empty."""

    side: str
    rows: list[Row] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The side, and what tells this group from others."""
        return f"{self.side} {min(f'{row.table}:{next(iter(row.values.values()))}' for row in self.rows)}"


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """A path found between two sides of deleted people, and how."""

    of: str
    to: str
    how: str


def rows(engine: Engine, *, places: bool = True) -> list[Row]:
    """Return every row of every table; places: with their physical places."""
    known = MetaData()
    known.reflect(engine)
    found = []
    with engine.connect() as connection:
        for table in known.sorted_tables:
            if table.name in _NOT_JOINED:
                continue
            place = "ctid::text" if engine.dialect.name == "postgresql" else "rowid"
            query = select(*table.c, text(f"{table.name}.{place} AS place"))
            for row in connection.execute(query).mappings():
                values = {name: value for name, value in row.items() if name != "place"}
                found.append(Row(table.name, {**values, "place": _place(row["place"])} if places else values))
    assert {row.table for row in found} <= set(inspect(engine).get_table_names())
    assert any(isinstance(column.type, LargeBinary) for table in known.sorted_tables for column in table.c)
    return found


def groups(found: list[Row]) -> list[Group]:
    """Return the rows, joined by the ids that the schema joins by."""
    by_id: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(found):
        for column, value in row.values.items():
            if _IDS.fullmatch(column) and isinstance(value, str) and value:
                by_id[value].append(number)
    for number, row in enumerate(found):
        for word in str(row.values.get("what", "")).split():
            if word in by_id:
                by_id[word].append(number)
    joined = _components(len(found), (pair for together in by_id.values() for pair in pairwise(together)))
    return [_group([found[number] for number in numbers]) for numbers in joined]


def equalities(found: list[Group]) -> list[Link]:
    """Return the links that values shared by groups make, over any number of groups."""
    having: dict[object, dict[int, str]] = defaultdict(dict)
    for number, group in enumerate(found):
        for row in group.rows:
            for column, value in row.values.items():
                for token in _tokens(value) if column != "place" else ():
                    having[token].setdefault(number, f"{row.table}.{column}")
    edges: dict[tuple[int, int], str] = {}
    for token, where in having.items():
        gone = sorted(number for number in where if found[number].side != "live")
        if len(where) - len(gone) < 2:
            edges |= {pair: f"{where[pair[0]]} = {where[pair[1]]} ({token!r})"[:200] for pair in pairwise(gone)}
    return _paths(found, edges)


def _paths(found: list[Group], edges: dict[tuple[int, int], str]) -> list[Link]:
    """Return a link for each two sides that edges connect, over any number of groups."""
    links = set()
    for numbers in _components(len(found), edges):
        sides: dict[str, list[int]] = defaultdict(list)
        for number in numbers:
            if found[number].side not in {"", "live"}:
                sides[found[number].side].append(number)
        if len(sides) > 1:
            how = "; ".join(sorted(text for (one, _), text in edges.items() if one in numbers))
            one, other = sorted(sides)[:2]
            links.add(Link(found[sides[one][0]].name, found[sides[other][0]].name, how))
    return sorted(links)


def orders(found: list[Group]) -> list[Link]:
    """Return the links that the order of rows makes, by any two columns of two sides."""
    columns: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for number, group in enumerate(found):
        for row in group.rows:
            for column, value in _numbers(row):
                places = columns[row.table, column]
                places[number] = min(value, places.get(number, value))
    links = set()
    for (x, xs), (y, ys) in permutations(columns.items(), 2):
        for unit in (1, _DAY_US):
            if unit > 1 and not (_are_times(xs) and _are_times(ys)):
                continue
            for one, other in _between(found, xs, ys, unit):
                links.add(Link(found[one].name, found[other].name, f"{'.'.join(x)} ~ {'.'.join(y)} by {unit}"))
    return sorted(links)


def _between(found: list[Group], xs: dict[int, int], ys: dict[int, int], unit: int) -> Iterator[tuple[int, int]]:
    """Yield an account or a recording with the only recording or credential between the same neighbours in another column."""
    witnesses = sorted((number for number in xs if number in ys and found[number].side == "live"), key=xs.__getitem__)
    theirs = [(xs[number] // unit, ys[number] // unit) for number in witnesses]
    steps = list(pairwise(theirs))
    strict = unit == 1 and any(a[0] == b[0] or a[1] == b[1] for a, b in steps)
    if len(theirs) < _WITNESSES or strict or any(a[1] > b[1] for a, b in steps) or theirs[0][1] == theirs[-1][1]:
        return
    for number, value in xs.items():
        x, side = value // unit, found[number].side
        if side not in {"account", "recording"}:
            continue
        if unit > 1:
            here = [other for other in ys if ys[other] // unit == x]
        else:
            low = max((b for a, b in theirs if a < x), default=None)
            high = min((b for a, b in theirs if a > x), default=None)
            here = [o for o, y in ys.items() if (low is None or low <= y) and (high is None or y <= high)]
        for wanted in ("recording", "credential"):
            only = [other for other in here if found[other].side == wanted]
            if wanted != side and len(only) == 1:
                yield number, only[0]


def _numbers(row: Row) -> Iterator[tuple[str, int]]:
    """Yield the whole numbers and times of a row, also those that JSON objects have, by their columns and names."""
    for column, value in row.values.items():
        for name, each in value.items() if isinstance(value, dict) else (("", value),):
            time = next(_tokens(each), None) if name.endswith("_at") else each
            if isinstance(time, int) and not isinstance(time, bool):
                yield f"{column}.{name}", time


def _are_times(places: dict[int, int]) -> bool:
    return all(value > _DAY_US for value in places.values())


def _group(of: list[Row]) -> Group:
    tables = {row.table for row in of}
    named = any(row.values.get("subject") for row in of)
    gone = any(row.table == "cameos" and row.values["state"] == "deleted" for row in of)
    side = ""
    if gone:
        side = "account"
    elif named:
        side = "live"
    elif "attempts" in tables:
        side = "recording"
    elif "status_entries" in tables:
        side = "credential"
    return Group(side, of)


def _components(count: int, edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    parent = list(range(count))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    for one, other in edges:
        parent[root(one)] = root(other)
    found: dict[int, list[int]] = defaultdict(list)
    for number in range(count):
        found[root(number)].append(number)
    return list(found.values())


def _tokens(value: object) -> Iterator[object]:
    """Yield what can be compared in a value: numbers, texts and their words, bytes; times in microseconds since 1970."""
    match value:
        case dict() | list():
            for each in value.values() if isinstance(value, dict) else value:
                yield from _tokens(each)
        case str():
            try:
                yield (datetime.fromisoformat(value) - _EPOCH) // timedelta(microseconds=1)
            except (ValueError, TypeError):
                yield from {value, *value.split()} - {""}
        case bytes():
            yield value
        case float() | int() if not (isinstance(value, bool) or (float(value).is_integer() and abs(value) < _WEAK)):
            yield value


def _place(place: int | str) -> int:
    if isinstance(place, int):
        return place
    page, line = map(int, place.strip("()").split(","))
    return page * 100_000 + line
