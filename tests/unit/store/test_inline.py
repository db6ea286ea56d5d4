from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, event, insert, select

from cameo_verifier.errors import StoreError
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.batches import Batches
from cameo_verifier.store.db.engine import open_database, writing
from cameo_verifier.store.db.inline import QUICK_S, InlineBatches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path}/cameo.sqlite3")
    yield writing(engine)
    engine.dispose()


@pytest.fixture
async def inline(engine: Engine) -> AsyncIterator[InlineBatches[str, str]]:
    batches = Batches(engine)
    inline = InlineBatches(engine, follow_all, otherwise=batches)
    yield inline
    await inline.close()
    await asyncio.to_thread(batches.close)


def follow_all(connection: Connection, names: Sequence[str]) -> list[str | Exception]:
    """Write many rows at once, but none for a name that is refused; say how many came together, and on which thread."""
    good = [name for name in names if not name.startswith("refused")]
    if good:
        connection.execute(insert(tables.follows), [{"follower": name, "followee": "x"} for name in good])
    if any(name.startswith("bad") for name in names):
        raise ValueError("one of them is bad")
    where = "here" if threading.current_thread() is threading.main_thread() else "elsewhere"
    return [ValueError(name) if name.startswith("refused") else f"{name} of {len(names)} {where}" for name in names]


def written(engine: Engine) -> set[str]:
    with engine.begin() as connection:
        return set(connection.execute(select(tables.follows.c.follower)).scalars())


async def told(inline: InlineBatches[str, str], *names: str) -> list[str]:
    answers = await asyncio.gather(*map(inline.submit, names), return_exceptions=True)
    return [answer if isinstance(answer, str) else repr(answer) for answer in answers]


async def test_what_comes_together_is_done_together_where_it_is_asked_for(
    inline: InlineBatches[str, str], engine: Engine
) -> None:
    """One transaction on the loop's own thread; what is refused takes nothing of the others with it."""
    assert await told(inline, "a", "refused-1", "b") == ["a of 3 here", "ValueError('refused-1')", "b of 3 here"]
    assert written(engine) == {"a", "b"}


async def test_a_lock_is_not_waited_for_here(inline: InlineBatches[str, str], engine: Engine) -> None:
    """While somebody else writes the loop goes on, and the work waits on the other thread until it is done."""
    with engine.begin() as other:
        other.execute(insert(tables.follows).values(follower="other", followee="x"))
        waiting = asyncio.gather(inline.submit("a"), inline.submit("b"))
        # The loop would stand still here, and the writer never end, if it waited.
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        assert not done
    assert [answer.split()[-1] for answer in await waiting] == ["elsewhere", "elsewhere"]
    assert written(engine) == {"a", "b", "other"}
    assert await told(inline, "c") == ["c of 1 here"]


async def test_what_fails_as_a_whole_is_undone_and_tried_one_by_one(inline: InlineBatches[str, str], engine: Engine) -> None:
    """A fault in one piece of work is that one's alone."""
    assert await told(inline, "a", "bad") == ["a of 1 elsewhere", "ValueError('one of them is bad')"]
    assert written(engine) == {"a"}
    assert await told(inline, "b") == ["b of 1 here"]


async def test_who_left_before_the_work_began_gets_none_done(inline: InlineBatches[str, str], engine: Engine) -> None:
    """A cancelled item is left out, and others are done without it; nobody left means nothing is asked of the database."""
    first, second = inline.submit("a"), inline.submit("b")
    first.cancel()
    assert await second == "b of 1 here"
    inline.submit("c").cancel()
    await asyncio.sleep(0.05)
    assert written(engine) == {"b"}


async def test_a_commit_that_fails_is_nobodys_success(inline: InlineBatches[str, str], engine: Engine) -> None:
    """Where the disk refuses, everyone in the transaction learns it, and the next one works."""

    def fail(_: Connection) -> None:
        raise StoreError("the disk is full")

    event.listen(engine, "commit", fail)
    try:
        assert await told(inline, "a", "b") == ["StoreError('the disk is full')"] * 2
    finally:
        event.remove(engine, "commit", fail)
    assert await told(inline, "c") == ["c of 1 here"]
    assert written(engine) == {"c"}


async def test_a_slow_disk_is_waited_for_elsewhere(inline: InlineBatches[str, str], engine: Engine) -> None:
    """After one slow commit the loop waits for no other, until they are quick again."""
    threads: list[bool] = []

    def slow(_: Connection) -> None:
        threads.append(threading.current_thread() is threading.main_thread())
        time.sleep(2 * QUICK_S)

    event.listen(engine, "commit", slow)
    for name in "abc":
        assert await told(inline, name) == [f"{name} of 1 here"]
    assert threads == [True, False, False]
    assert written(engine) == {"a", "b", "c"}


async def test_company_is_waited_for_where_there_was_some(engine: Engine) -> None:
    """After a transaction of several, the first to come waits for the next; who comes alone does not."""
    batches = Batches(engine)
    inline = InlineBatches(engine, follow_all, otherwise=batches, linger_s=0.5)
    assert await told(inline, "a", "b") == ["a of 2 here", "b of 2 here"]
    first = inline.submit("c")
    await asyncio.sleep(0.1)
    assert await asyncio.gather(first, inline.submit("d")) == ["c of 2 here", "d of 2 here"]
    await inline.close()
    alone = InlineBatches(engine, follow_all, otherwise=batches, linger_s=3600)
    assert [await alone.submit(name) for name in "ef"] == ["e of 1 here", "f of 1 here"]
    await alone.close()
    await asyncio.to_thread(batches.close)


async def test_closing_finishes_what_was_asked(engine: Engine) -> None:
    """Nobody who asked before the end goes without an answer, and the connection is given up."""
    batches = Batches(engine)
    inline = InlineBatches(engine, follow_all, otherwise=batches)
    answer = inline.submit("a")
    await inline.close()
    assert await answer == "a of 1 here"
    await asyncio.to_thread(batches.close)
