from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from cameo_credential.token_status import Status
from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.credentials.statuses import StatusEntry, StatusStore
from tests.unit.store.conftest import NOW

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from cameo_verifier.store.credentials.statuses import KeptList


@pytest.fixture
def store(engine: Engine) -> StatusStore:
    """A store without lists."""
    return StatusStore(engine)


def _open(store: StatusStore, capacity: int = 4) -> KeptList:
    return store.open_list(capacity=capacity, new_key=lambda: b"k" * 32, now=NOW)


def _take(store: StatusStore, kept: KeptList, index: int, jti: str, rank: int = 100) -> bool:
    return store.take(kept, index, rank=rank, jti=jti)


def test_an_index_is_given_once(store: StatusStore) -> None:
    """A second credential cannot have it, nor can one credential have two; what failed used no room."""
    kept = _open(store, 8)
    assert _take(store, kept, 3, "a")
    assert not _take(store, kept, 3, "b")
    assert not _take(store, kept, 4, "a")
    assert store.get_list(1).used == 1
    assert store.get("a") == StatusEntry(1, 3, Status.VALID)


def test_half_a_list_is_used_then_the_next_begins(store: StatusStore) -> None:
    """The first list takes two of its four, even for those who still hold it; then there is a second one."""
    first = _open(store)
    assert _take(store, first, 0, "a")
    assert _take(store, first, 1, "b")
    assert not _take(store, first, 2, "c")
    second = _open(store)
    assert (second.number, second.used) == (2, 0)
    assert store.numbers() == (1, 2)


def test_no_index_is_given_by_shares_of_before(store: StatusStore) -> None:
    """Once the decoys changed, who still holds the earlier shares gets nothing: the index may be shown as revoked."""
    before = _open(store, 8)
    now = store.set_decoys(before, invalid=50, suspended=7)
    assert (now.decoys_invalid, now.decoys_suspended) == (50, 7)
    assert not _take(store, before, 0, "a")
    assert _take(store, now, 0, "a")
    assert store.set_decoys(before, invalid=1, suspended=1).decoys_invalid == 50


def test_what_is_revoked_stays_revoked(store: StatusStore) -> None:
    """A suspension can be lifted, a revocation cannot; each change says what holds; an unknown id is an error."""
    assert _take(store, _open(store), 0, "a")
    changes = (Status.SUSPENDED, Status.VALID, Status.SUSPENDED, Status.INVALID, Status.VALID, Status.SUSPENDED)
    hold = [store.change("a", status) for status in changes]
    assert hold == [Status.SUSPENDED, Status.VALID, Status.SUSPENDED, Status.INVALID, Status.INVALID, Status.INVALID]
    for call in (lambda: store.change("b", Status.INVALID), lambda: store.get("b"), lambda: store.get_list(9)):
        with pytest.raises(NotFoundError):
            call()


def test_only_what_differs_from_a_list_of_decoys_is_read(store: StatusStore) -> None:
    """Credentials that are not valid, and valid ones among the ranks that are shown otherwise; the counts are of the former."""
    kept = _open(store, 16)
    for index, (jti, rank) in enumerate((("low", 49), ("middle", 50), ("high", 993), ("below", 992), ("revoked", 500))):
        assert _take(store, kept, index, jti, rank)
    store.change("revoked", Status.INVALID)
    kept = store.set_decoys(store.get_list(1), invalid=50, suspended=7)
    indices, statuses = store.deviating(kept, ranks=1000)
    assert dict(zip(indices.tolist(), statuses.tolist(), strict=True)) == {0: Status.VALID, 2: Status.VALID, 4: Status.INVALID}
    assert store.counts(1) == {Status.INVALID: 1, Status.SUSPENDED: 0}
    assert store.counts(2) == {Status.INVALID: 0, Status.SUSPENDED: 0}


def test_of_many_who_draw_at_once_each_gets_an_own_index(store: StatusStore) -> None:
    """Four threads that want the same ten indices get each once, and begin one list between them."""
    won: list[tuple[int, int]] = []

    def draw(number: int) -> None:
        won.extend((index, number) for index in range(10) if _take(store, _open(store, 100), index, f"{number}-{index}"))

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(index for index, _ in won) == list(range(10))
    assert store.numbers() == (1,)
    assert store.get_list(1).used == 10
