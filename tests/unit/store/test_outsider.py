"""The outsider: who has every version of a status list, and nothing else, looks for the credentials of a person in it."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import binom
from sqlalchemy import event, update

from cameo_credential.decoys import GROUP
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.status_list import read_list
from cameo_credential.token_status import Status
from cameo_verifier.status.index_allocator import IndexAllocator
from cameo_verifier.status.publisher import StatusPublisher
from cameo_verifier.store.credentials.statuses import StatusStore
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database
from tests.unit.store.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

HISTORIES = 200
CAPACITY = 1024
PEOPLE = 6
INTERVALS = 9
INTERVAL = timedelta(minutes=5)
BASE = "https://issuer.example"
BOUND = int(binom.ppf(0.9999, HISTORIES, 1 / GROUP))
"""Guesses of 200 that chance exceeds once in ten thousand times."""

NEXT = {
    Status.VALID: (Status.VALID,) * 6 + (Status.SUSPENDED, Status.SUSPENDED, Status.INVALID),
    Status.SUSPENDED: (Status.SUSPENDED, Status.SUSPENDED, Status.VALID, Status.INVALID),
    Status.INVALID: (Status.INVALID,),
}


@dataclass(frozen=True, slots=True)
class History:
    """Successive versions of a list, (INTERVALS, CAPACITY), and the indices of credentials in it."""

    versions: npt.NDArray[np.uint8]
    real: frozenset[int]

    def without_decoys(self) -> History:
        """Return what would be published if credentials alone changed."""
        bare = np.zeros_like(self.versions)
        bare[:, sorted(self.real)] = self.versions[:, sorted(self.real)]
        return History(bare, self.real)


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> list[History]:
    """People with one to four credentials, who pause, resume, revoke and delete, each in a list of its own."""
    draw = random.Random(18)  # noqa: S311 - the same histories on every run
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('outsider') / 'cameo.sqlite3'}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    engine.dispose()
    store, keys = StatusStore(engine), IssuerKeys(SigningKey.generate(now=NOW))
    now = NOW
    publisher = StatusPublisher(store, keys=lambda: keys, base=BASE, interval=INTERVAL, clock=lambda: now)
    allocator = IndexAllocator(store, BASE, CAPACITY, draw.randrange, lambda: draw.randbytes(32))
    found = []
    for history in range(HISTORIES):
        places, people = {}, {}
        for person in range(PEOPLE):
            people[person] = Status.VALID
            for number in range(draw.randint(1, 4)):
                places[person, number] = allocator.allot(f"{history}-{person}-{number}", now=now)
        uri, versions = places[0, 0].uri, []
        for _ in range(INTERVALS):
            for person, status in people.items():
                people[person] = draw.choice(NEXT[status])
                for of, number in places:
                    if of == person and people[person] is not status:
                        store.change(f"{history}-{of}-{number}", people[person])
            read = read_list(publisher.get(uri).token, issuer_keys=keys.public(), expected_uri=uri, now=now)
            versions.append((read.statuses.packed[:, None] >> np.arange(0, 8, 2) & 3).ravel())
            now += INTERVAL
        with engine.begin() as connection:  # full: the next history has a list of its own
            connection.execute(update(tables.status_lists).values(used=CAPACITY))
        found.append(History(np.array(versions, np.uint8), frozenset(place.index for place in places.values())))
    engine.dispose()
    return found


class Outsider:
    """Who guesses an index by all versions of the list, and is told after each guess whether it was right."""

    def __init__(self, wanted: tuple[Status, Status], choose: Callable[[Outsider, list[list[int]]], int | None]) -> None:
        self.wanted, self._choose = wanted, choose
        self.draw = random.Random(1)  # noqa: S311 - the same guesses on every run
        self.right_places: Counter[int] = Counter()

    def hits(self, histories: Iterable[History]) -> tuple[int, int]:
        """Return how many guesses were right, of how many."""
        right = guesses = 0
        for history in histories:
            alike: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
            for index in range(CAPACITY):
                alike[tuple(history.versions[:, index].tolist())].append(index)
            suspects = [indices for path, indices in sorted(alike.items()) if self.wanted in pairwise(path)]
            guess = self._choose(self, suspects) if suspects else None
            if guess is None:
                continue
            guesses += 1
            right += guess in history.real
            for indices in suspects:
                self.right_places.update(place for place, index in enumerate(indices) if index in history.real)
        return right, guesses


def _of_the_fewest(outsider: Outsider, suspects: list[list[int]]) -> int:
    return outsider.draw.choice(min(suspects, key=len))


def _first(_: Outsider, suspects: list[list[int]]) -> int:
    return min(index for indices in suspects for index in indices)


def _where_it_was_before(outsider: Outsider, suspects: list[list[int]]) -> int:
    place = max(outsider.right_places, key=lambda each: outsider.right_places[each], default=0)
    return min(suspects, key=len)[min(place, len(min(suspects, key=len)) - 1)]


def _nearest_to_others(_: Outsider, suspects: list[list[int]]) -> int:
    indices = sorted(index for some in suspects for index in some)
    return min(pairwise([*indices, 10**6]), key=lambda pair: pair[1] - pair[0])[0]


CHOICES = {
    "of the fewest that change alike": _of_the_fewest,
    "the first": _first,
    "where it was before": _where_it_was_before,
    "nearest to others": _nearest_to_others,
}
CHANGES = {
    "paused, then deleted": (Status.SUSPENDED, Status.INVALID),
    "resumed among pauses": (Status.SUSPENDED, Status.VALID),
    "paused": (Status.VALID, Status.SUSPENDED),
}


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_outsider_does_no_better_than_chance(
    histories: list[History],
    change: tuple[Status, Status],
    choice: Callable[[Outsider, list[list[int]]], int],
) -> None:
    """Over 200 histories an index that changed as a person's did is a credential one time in eight, however it is chosen."""
    right, guesses = Outsider(change, choice).hits(histories)
    assert guesses > HISTORIES * 0.8
    assert right <= BOUND
    bare, of = Outsider(change, choice).hits(each.without_decoys() for each in histories)
    assert bare == of == guesses  # without decoys the same outsider is always right


def test_decoys_are_credentials_of_nobody_that_differ_in_nothing(histories: list[History]) -> None:
    """Each path through the versions belongs to eight indices for each credential that took it."""
    for history in histories:
        paths = Counter(map(tuple, history.versions.T.tolist()))
        real = Counter(tuple(history.versions[:, index].tolist()) for index in history.real)
        quiet = (Status.VALID,) * INTERVALS
        assert {path: count for path, count in paths.items() if path != quiet} == {
            path: GROUP * count for path, count in real.items() if path != quiet
        }
