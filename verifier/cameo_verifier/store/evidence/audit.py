"""The audit log: who read or removed which evidence, when and why, as a hash chain that shows tampering.

Every line has a number, one more than the previous line, and a hash: SHA-256 over the previous line's hash and all its content.
The last number and hash are stored separately as the head, with an HMAC under a key that is in a file and not in the database.

What it proves: an altered, removed or moved line does not fit its neighbours; truncation of the end leaves a head that does not
match; whoever has the database but not the key cannot make a head for a chain of their own. What it cannot prove: someone with
the database and the key can write another history, and someone who restores an old copy of the whole database restores a history
that fits. Both are detected by a checkpoint, a copy of the head that was kept elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import insert, select, update

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Engine, Row

KEY_BYTES = 32
_MAX_WHO, _MAX_WHY = 128, 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Reader:
    """The person who requests evidence, and the reason; both are required."""

    who: str
    why: str

    def __post_init__(self) -> None:
        """Check that both are given and short enough, with `InvalidRequestError`."""
        if not self.who.strip() or len(self.who) > _MAX_WHO:
            raise InvalidRequestError(f"say who you are, in 1 to {_MAX_WHO} characters")
        if not self.why.strip() or len(self.why) > _MAX_WHY:
            raise InvalidRequestError(f"say why you need the evidence, in 1 to {_MAX_WHY} characters")


@dataclass(frozen=True, slots=True)
class Entry:
    """The content of a line: the action, the attempt, empty if there is none, and its object.

    Actions are `read`, `reveal`, `remove`, `forget`, `approve`, `decline`, `unlabel`, `suspend`, `lift` and `export`; and for
    local people `admit`, `enter` and `expel`.
    """

    action: str
    attempt_id: str
    what: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log.

    Attributes:
        number: 1, 2, 3 … without a gap.
        at: time in UTC.
        who: the person.
        action: see `Entry`.
        attempt_id: the attempt; empty if there is none.
        what: the object of the action.
        why: the person's reason.
        hash: hex sha256 over the previous line's hash and this line.
    """

    number: int
    at: datetime
    who: str
    action: str
    attempt_id: str
    what: str
    why: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the log at some time."""

    number: int
    hash: str
    mac: str = field(repr=False)

    def document(self) -> dict[str, Any]:
        """Return a checkpoint as JSON, to be kept elsewhere."""
        return {"number": self.number, "hash": self.hash, "mac": self.mac}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Parse a checkpoint.

        Raises:
            InvalidRequestError: it is malformed.
        """
        match document:
            case {"number": int(number), "hash": str(digest), "mac": str(mac)}:
                return cls(number, digest, mac)
        raise InvalidRequestError('a checkpoint is JSON with "number", "hash" and "mac", as `cameo audit checkpoint` prints it')


@dataclass(frozen=True, slots=True)
class Problem:
    """An inconsistency of the log; `number` of the line where it was found."""

    number: int
    message: str


@dataclass(frozen=True, slots=True)
class AuditKey:
    """The key that authenticates the head."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Check the length, with `ValueError`."""
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"an audit key has {KEY_BYTES} bytes, not {len(self.secret)}")

    def mac(self, number: int, digest: str) -> str:
        """Return the HMAC-SHA256 of a head, as hex digits."""
        return hmac.digest(self.secret, f"cameo audit head {number} {digest}".encode(), "sha256").hex()


class AuditLog:
    """The log in the database behind `engine`."""

    def __init__(self, engine: Engine, key: AuditKey) -> None:
        self._engine, self._key = engine, key

    def append(self, entries: Sequence[Entry], *, reader: Reader, now: datetime) -> None:
        """Add lines, all or none, and wait until they are on the disk.

        Raises:
            StoreError: the database failed; the logged action must not happen then.
        """
        if not entries:
            return
        with store_errors(), self._engine.begin() as connection:
            self.append_within(connection, entries, reader=reader, now=now)

    def lines(self, *, attempt_id: str = "", after: int = 0, limit: int = 1000) -> list[Line]:
        """Return lines with greater numbers, oldest first: of one attempt, or all.

        Raises:
            StoreError: the database failed.
        """
        table = tables.audit_log
        query = select(table).where(table.c.number > after).order_by(table.c.number).limit(limit)
        if attempt_id:
            query = query.where(table.c.attempt_id == attempt_id)
        with store_errors(), self._engine.connect() as connection:
            return [_line(row) for row in connection.execute(query)]

    def checkpoint(self) -> Head:
        """Return the head, to be kept elsewhere.

        Raises:
            StoreError: the database failed.
        """
        table = tables.audit_head
        with store_errors(), self._engine.connect() as connection:
            row = connection.execute(select(table)).one_or_none()
        return Head(0, "", "") if row is None else Head(row.number, row.hash, row.mac)

    def verify(self, *checkpoints: Head) -> tuple[int, tuple[Problem, ...]]:
        """Return the number of lines and every inconsistency.

        Args:
            checkpoints: heads of earlier times.

        Raises:
            StoreError: the database failed.
        """
        head = self.checkpoint()
        wanted = {checkpoint.number: checkpoint for checkpoint in checkpoints}
        problems: list[Problem] = []
        last, previous = 0, ""
        for line in self._all():
            if line.number > head.number:
                break
            if line.number != last + 1:
                lost = f"line {last + 1} is" if line.number == last + 2 else f"lines {last + 1} to {line.number - 1} are"
                problems.append(Problem(last + 1, f"{lost} gone"))
            elif _hash(previous, line) != line.hash:
                problems.append(Problem(line.number, f"line {line.number} was altered or moved"))
            if (checkpoint := wanted.get(line.number)) is not None and checkpoint.hash != line.hash:
                problems.append(Problem(line.number, f"line {line.number} is not that of the checkpoint: history was rewritten"))
            last, previous = line.number, line.hash
        if last < head.number:
            problems.append(Problem(last + 1, f"lines {last + 1} to {head.number} are gone: the head stands alone"))
        elif previous != head.hash or (head.number and not hmac.compare_digest(self._key.mac(head.number, head.hash), head.mac)):
            problems.append(Problem(head.number, "the head does not belong to the log, or was not made with this audit key"))
        if self._beyond(head.number):
            problems.append(Problem(head.number + 1, f"there are lines after {head.number}, where the head says the log ends"))
        problems += [
            Problem(each.number, f"the log ends before line {each.number} of the checkpoint: an older one was put back")
            for each in checkpoints
            if each.number > head.number
        ]
        problems += [
            Problem(each.number, f"the checkpoint of line {each.number} was not made with this audit key")
            for each in checkpoints
            if each.number and not hmac.compare_digest(self._key.mac(each.number, each.hash), each.mac)
        ]
        return last, tuple(problems)

    def append_within(self, connection: Connection, entries: Sequence[Entry], *, reader: Reader, now: datetime) -> None:
        """Add lines inside a transaction of the caller, so that the logged actions happen exactly if the lines are stored."""
        head, log = tables.audit_head, tables.audit_log
        # The row is locked until commit, so that lines are in the order of commits and without a gap.
        statement = (
            update(head).where(head.c.id == 1).values(number=head.c.number + len(entries)).returning(head.c.number, head.c.hash)
        )
        end, previous = connection.execute(statement).one()
        rows = []
        for number, entry in enumerate(entries, end - len(entries) + 1):
            line = Line(number, now, reader.who, entry.action, entry.attempt_id, entry.what, reader.why, "")
            previous = _hash(previous, line)
            rows.append({name: getattr(line, name) for name in Line.__slots__} | {"hash": previous})
        connection.execute(insert(log), rows)
        connection.execute(update(head).where(head.c.id == 1).values(hash=previous, mac=self._key.mac(end, previous)))

    def _all(self) -> Iterator[Line]:
        number = 0
        while lines := self.lines(after=number):
            yield from lines
            number = lines[-1].number

    def _beyond(self, number: int) -> bool:
        return bool(self.lines(after=number, limit=1))


def _hash(previous: str, line: Line) -> str:
    content = [line.number, (line.at - _EPOCH) // _MICROSECOND, line.who, line.action, line.attempt_id, line.what, line.why]
    return hashlib.sha256(f"{previous}\n{json.dumps(content)}".encode()).hexdigest()


def _line(row: Row[Any]) -> Line:
    return Line(row.number, row.at, row.who, row.action, row.attempt_id, row.what, row.why, row.hash)
