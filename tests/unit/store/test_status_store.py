from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from cameo_credential.token_status import Status
from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.credentials.statuses import StatusEntry, StatusStore
from cameo_verifier.store.db import tables
from tests.unit.store.conftest import NOW

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cameo_verifier.store.credentials.statuses import KeptList


@pytest.fixture
def store(engine: Engine) -> StatusStore:
    """A store without lists."""
    return StatusStore(engine)


def _open(store: StatusStore, capacity: int = 32) -> KeptList:
    return store.open_list(capacity=capacity, new_key=lambda: b"k" * 32, now=NOW)


def _take(store: StatusStore, kept: KeptList, group: int, jti: str) -> bool:
    return store.take(kept, group, 8 * group, jti=jti)


def test_a_group_is_given_once(store: StatusStore) -> None:
    """A second credential cannot have it, nor can one credential have two; what failed used no room."""
    kept = _open(store, 96)
    assert _take(store, kept, 3, "a")
    assert not _take(store, kept, 3, "b")
    assert not _take(store, kept, 4, "a")
    assert store.get_list(1).used == 1
    assert store.get("a") == StatusEntry(1, 24, Status.VALID)


def test_half_a_list_is_used_then_the_next_begins(store: StatusStore) -> None:
    """The first list takes two of its four groups, even for those who still hold it; then there is a second one."""
    first = _open(store)
    assert _take(store, first, 0, "a")
    assert _take(store, first, 1, "b")
    assert not _take(store, first, 2, "c")
    second = _open(store)
    assert (second.number, second.used) == (2, 0)
    assert store.numbers() == (1, 2)


def test_what_is_revoked_stays_revoked(store: StatusStore) -> None:
    """A suspension can be lifted, a revocation cannot; each change says what holds; an unknown id is an error."""
    assert _take(store, _open(store), 0, "a")
    changes = (Status.SUSPENDED, Status.VALID, Status.SUSPENDED, Status.INVALID, Status.VALID, Status.SUSPENDED)
    hold = [store.change("a", status) for status in changes]
    assert hold == [Status.SUSPENDED, Status.VALID, Status.SUSPENDED, Status.INVALID, Status.INVALID, Status.INVALID]
    for call in (lambda: store.change("b", Status.INVALID), lambda: store.get("b"), lambda: store.get_list(9)):
        with pytest.raises(NotFoundError):
            call()


def test_only_what_is_not_valid_is_read(store: StatusStore, engine: Engine) -> None:
    """Indices, groups and statuses of the others; a credential of before there were groups has none."""
    kept = _open(store, 96)
    for group, jti in enumerate(("valid", "suspended", "revoked", "old")):
        assert _take(store, kept, group, jti)
    store.change("suspended", Status.SUSPENDED)
    for jti in ("revoked", "old"):
        store.change(jti, Status.INVALID)
    with engine.begin() as connection:
        connection.execute(update(tables.status_entries).where(tables.status_entries.c.jti == "old").values(group_number=None))
    changed = store.entries(1, valid=False)
    rows = zip(changed.indices.tolist(), changed.groups.tolist(), changed.statuses.tolist(), strict=True)
    assert sorted(rows) == [(8, 1, Status.SUSPENDED), (16, 2, Status.INVALID), (24, -1, Status.INVALID)]
    assert len(store.entries(2, valid=True).indices) == 0


def test_of_many_who_draw_at_once_each_gets_an_own_index(store: StatusStore) -> None:
    """Four threads that want the same ten indices get each once, and begin one list between them."""
    won: list[tuple[int, int]] = []

    def draw(number: int) -> None:
        won.extend((index, number) for index in range(10) if _take(store, _open(store, 800), index, f"{number}-{index}"))

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(index for index, _ in won) == list(range(10))
    assert store.numbers() == (1,)
    assert store.get_list(1).used == 10
