from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, insert, select

from cameo_verifier.errors import StoreError
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.batches import Batches
from cameo_verifier.store.db.engine import writing
from tests.databases import only_sqlite
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from sqlalchemy import Engine


def follow(connection: Connection, name: str) -> str:
    """Write a row; fail after writing where the name says so."""
    connection.execute(insert(tables.follows).values(follower=name, followee="x"))
    if name.startswith("bad"):
        raise ValueError(name)
    return name


def follow_all(connection: Connection, names: Sequence[str]) -> list[str | Exception]:
    """Write many rows at once, but none for a name that is refused."""
    good = [name for name in names if not name.startswith("refused")]
    if good:
        connection.execute(insert(tables.follows), [{"follower": name, "followee": "x"} for name in good])
    return [ValueError(name) if name.startswith("refused") else f"{name} of {len(names)}" for name in names]


def written(engine: Engine) -> set[str]:
    with engine.begin() as connection:
        return set(connection.execute(select(tables.follows.c.follower)).scalars())


@asynccontextmanager
async def held_up(batches: Batches) -> AsyncIterator[None]:
    """Keep the thread busy meanwhile, so that what is submitted comes into one transaction after it."""
    loop, begun, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hold(_: Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(timeout=PATIENCE_S)

    holding = batches.submit(hold)
    await begun.wait()
    try:
        yield
    finally:
        go_on.set()
        await holding


@pytest.fixture
async def batches(engine: Engine) -> AsyncIterator[Batches]:
    batches = Batches(writing(engine))
    yield batches
    await asyncio.to_thread(batches.close)


async def told(*answers: asyncio.Future[str]) -> list[str | BaseException]:
    return await asyncio.gather(*answers, return_exceptions=True)


async def test_what_is_refused_takes_nothing_of_the_others_with_it(batches: Batches, engine: Engine) -> None:
    """Of three pieces in one transaction, the one that fails is undone and told why; the others are kept."""
    async with held_up(batches):
        answers = [batches.submit(partial(follow, name=name)) for name in ("a", "bad", "b")]
    first, second, third = await told(*answers)

    assert (first, third) == ("a", "b")
    assert isinstance(second, ValueError)
    assert written(engine) == {"a", "b"}


async def test_what_is_of_a_kind_is_done_together(batches: Batches, engine: Engine) -> None:
    """Items of the same kind are given to their work in one call, which refuses each for itself."""
    async with held_up(batches):
        answers = [batches.submit_among(follow_all, name) for name in ("a", "refused", "b")]
        answers.append(batches.submit(partial(follow, name="c")))
    first, second, *others = await told(*answers)

    assert [first, *others] == ["a of 3", "b of 3", "c"]
    assert isinstance(second, ValueError)
    assert written(engine) == {"a", "b", "c"}


async def test_what_follows_work_in_company_lingers_for_its_own(engine: Engine) -> None:
    """After a transaction of several, the first to come waits for the next."""
    batches = Batches(engine, linger_s=0.5)
    try:
        async with held_up(batches):
            together = [batches.submit_among(follow_all, name) for name in "ab"]
        assert await told(*together) == ["a of 2", "b of 2"]
        first = batches.submit_among(follow_all, "c")
        await asyncio.sleep(0.1)
        assert await told(first, batches.submit_among(follow_all, "d")) == ["c of 2", "d of 2"]
    finally:
        await asyncio.to_thread(batches.close)


async def test_who_comes_alone_does_not_linger(engine: Engine) -> None:
    """Work without company is done at once, however long company would be waited for."""
    batches = Batches(engine, linger_s=3600)
    assert [await batches.submit_among(follow_all, name) for name in "ab"] == ["a of 1", "b of 1"]
    await asyncio.to_thread(batches.close)


async def test_one_of_a_kind_is_refused_like_others(batches: Batches) -> None:
    """An item that is alone in its transaction gets its result, or what it was refused for."""
    assert await batches.submit_among(follow_all, "a") == "a of 1"
    with pytest.raises(ValueError, match="refused"):
        await batches.submit_among(follow_all, "refused")


async def test_what_fails_together_is_tried_alone(batches: Batches, engine: Engine) -> None:
    """Where the database refuses the statement of all, everyone is done alone, and only the culprit is told."""
    async with held_up(batches):
        answers = [batches.submit_among(follow_all, name) for name in ("a", "b", "a")]
    *good, bad = await told(*answers)

    assert good == ["a of 1", "b of 1"]
    assert isinstance(bad, StoreError)
    assert written(engine) == {"a", "b"}


@only_sqlite
async def test_a_commit_that_fails_is_nobodys_success(batches: Batches, engine: Engine) -> None:
    """When the commit fails, nobody in the transaction is told that it was done, and nothing is."""

    def dangling(connection: Connection) -> str:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.execute(insert(tables.grant_cameos).values(grant_id="none", cameo_id="none", number=1))
        return "done"

    async with held_up(batches):
        answers = [batches.submit(partial(follow, name="a")), batches.submit(dangling)]

    assert all(isinstance(answer, StoreError) for answer in await told(*answers))
    assert written(engine) == set()


async def test_what_is_cancelled_before_its_turn_is_not_done(batches: Batches, engine: Engine) -> None:
    """A caller who went away while waiting has nothing done in their name."""
    async with held_up(batches):
        gone, stayed = (batches.submit(partial(follow, name=name)) for name in ("gone", "stayed"))
        gone.cancel()

    assert await stayed == "stayed"
    assert written(engine) == {"stayed"}


async def test_a_closed_store_does_nothing_more(batches: Batches, engine: Engine) -> None:
    """What was submitted is finished on closing; what comes after is refused."""
    before = batches.submit(partial(follow, name="before"))
    await asyncio.to_thread(batches.close)

    assert await before == "before"
    with pytest.raises(StoreError, match="closed"):
        await batches.submit(partial(follow, name="after"))
    assert written(engine) == {"before"}
