"""Removals under any order of requests, listings, answers and moves: states only ever move on, and nothing is asked for twice."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import insert

from cameo_verifier.cameo.model import OutputState
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.cameo.removals import FINISHED, Holder, HolderKind, Removal, RemovalAnswer, RemovalState
from cameo_verifier.store.cameos import events, removals, uses, watching
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import writing
from tests import databases

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
DUE = timedelta(hours=48)
GENERATOR = Holder(HolderKind.HELD_BY_GENERATOR, "https://generator.example")
PLATFORM = Holder(HolderKind.HELD_BY_PLATFORM, "shorts.example")
NUMBERS = itertools.count()
ORDER = list(RemovalState)


@cache
def database() -> Engine:
    """One database for all examples, each with a cameo of its own."""
    return writing(databases.lasting("removals"))


def do(work: Callable[[Connection], Any]) -> Any:
    """Run work in a transaction."""
    with database().begin() as connection:
        return work(connection)


def enrol(connection: Connection, number: int) -> int:
    """Make a cameo and a grant for it that was spent, and return the newest event's number."""
    consent = {"text_version": "1", "locale": "en", "agreed_at": START.isoformat(), "digest": ""}
    terms = {"who": "only_me", "selected": [], "words": [], "categories": [], "appearance_notes": "", "voice_notes": ""}
    cameo = {
        "id": f"c{number}",
        "subject": "owner",
        "request_id": "r",
        "state": "active",
        "terms": terms,
        "version": 1,
        "minor_safeguards": False,
        "consent": consent,
        "created_at": START,
        "updated_at": START,
        "reason": "",
    }
    grant = {
        "id": f"g{number}",
        "audience": GENERATOR.name,
        "request_id": f"r{number}",
        "requester": "owner",
        "job_id": "j",
        "purposes": [],
        "created_at": START,
        "expires_at": START + DUE,
        "spent_at": START,
        "spent_by_request": "r",
    }
    connection.execute(insert(tables.cameos).values(cameo))
    connection.execute(insert(tables.grants).values(grant))
    last = events.last(connection)
    connection.execute(insert(tables.grant_cameos).values(grant_id=grant["id"], cameo_id=cameo["id"], number=last))
    return last


class Removals(RuleBasedStateMachine):
    """One cameo, one output of it, its owner, its generator, a platform and a clock."""

    def __init__(self) -> None:
        """Record an output that no platform shows."""
        super().__init__()
        self.number, self.ids, self.now = next(NUMBERS), itertools.count(), START
        self.begun: int = do(lambda connection: enrol(connection, self.number))
        self.platform, self.asked, self.changes = "", False, 1
        self.known: list[Removal] = []
        self.output_id: str = do(self._record)

    def _new_id(self) -> str:
        return f"r{self.number}-{next(self.ids)}"

    def _record(self, connection: Connection) -> str:
        state = OutputState.PUBLISHED if self.platform else OutputState.DRAFT
        made = uses.ReportedOutput(f"{self.number:064x}", "", state, "fan", self.platform)
        how = {"audience": GENERATOR.name, "identifier": f"o{self.number}", "now": self.now}
        output = uses.record(connection, f"g{self.number}", made, **how)
        removals.follow(connection, output.id, new_id=self._new_id, now=self.now, due_in=DUE)
        return output.id

    @rule(whole=st.booleans())
    def ask(self, *, whole: bool) -> None:
        """The owner asks for the output, or for all."""
        self.asked = True
        request = removals.Request(f"c{self.number}", "" if whole else self.output_id, self._new_id(), "why")
        until = do(lambda connection: removals.begin(connection, request, subject="owner", now=self.now))
        how = {"until": until, "new_id": self._new_id, "now": self.now, "due_in": DUE}
        assert not do(lambda connection: removals.open_some(connection, request, **how))

    @rule()
    def show(self) -> None:
        """The generator says that a platform shows it."""
        self.changes += not self.platform
        self.platform = PLATFORM.name
        do(self._record)

    @rule(holder=st.sampled_from([GENERATOR, PLATFORM]))
    def poll(self, holder: Holder) -> None:
        """A holder asks what it is to remove."""
        told = do(lambda connection: removals.pending(connection, holder, after=self.begun, limit=500, now=self.now))
        assert not {each.state for each in told} & (FINISHED | {RemovalState.REMOVAL_REQUESTED})
        assert {each.id for each in told} == {
            each.id for each in self.known if each.holder == holder and each.state not in FINISHED
        }

    @rule(given=st.sampled_from(list(RemovalAnswer)), holder=st.sampled_from([GENERATOR, PLATFORM]), own=st.booleans())
    def answer(self, given: RemovalAnswer, holder: Holder, *, own: bool) -> None:
        """A holder answers, its own removal or another's."""
        mine = next((each for each in self.known if (each.holder == holder) is own), None)
        identifier = mine.id if mine else "none"
        how = {"holder": holder, "reason": "", "now": self.now}
        refusal = refused(lambda connection: removals.answer(connection, identifier, given, **how))
        if mine is None or not own:
            assert refusal is Refusal.REMOVAL_UNKNOWN
        else:
            assert refusal in ({None, Refusal.REMOVAL_ANSWERED} if mine.state in FINISHED else {None})

    @invariant()
    def only_move_on(self) -> None:
        """One removal for each holder, and none that moves back."""
        self.now += timedelta(minutes=1)
        found = do(lambda connection: removals.of_cameo(connection, f"c{self.number}", "", before=None, limit=50))[::-1]
        holders = {each.holder for each in found}
        assert len(holders) == len(found) <= 2
        assert bool(found) is self.asked
        assert PLATFORM in holders or not (self.asked and self.platform)
        assert [each.id for each in found][: len(self.known)] == [each.id for each in self.known]
        for old, new in zip(self.known, found, strict=False):
            still_removed = (old.state, new.state) == (RemovalState.REMOVAL_REFUSED, RemovalState.REMOVAL_DONE)
            moved_on = ORDER.index(old.state) < ORDER.index(new.state) and old.state not in FINISHED
            assert old == new or moved_on or still_removed
            assert old.delivered_at in {None, new.delivered_at}
            assert old.acknowledged_at in {None, new.acknowledged_at}
            assert (new.finished_at is not None) == (new.state in FINISHED)
            self.changes += old.state is not new.state and new.state is not RemovalState.REMOVAL_DELIVERED
        self.changes += len(found) - len(self.known)
        self.known = found

    def teardown(self) -> None:
        """Each change has its event, and each holder was told of its own removals alone."""
        found = do(lambda connection: events.after(connection, self.begun, subject=None, limit=500))
        assert len([each for each in found if each.cameo_id == f"c{self.number}"]) == self.changes
        for holder in (GENERATOR, PLATFORM):
            told, _ = do(lambda connection: watching.after(connection, self.begun, holder=holder, limit=500))  # noqa: B023 - called at once
            assert {each.removal_id for each in told} == {each.id for each in self.known if each.holder == holder}


def refused(work: Callable[[Connection], Any]) -> Refusal | None:
    """Run work and return why it was refused."""
    try:
        do(work)
    except RefusedError as error:
        return error.refusal
    return None


TestRemovals = Removals.TestCase
TestRemovals.settings = settings(max_examples=60, stateful_step_count=15)
