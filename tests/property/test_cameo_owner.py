"""Owners, a generator and the clock in any order, against a model of what the owners last said.

`make test` runs 60 examples, `make soak` 2,000 (`CAMEO_EXAMPLES`).
"""

from __future__ import annotations

import hashlib
import itertools
import os
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cameo_credential.item_kind import MEDIA_KINDS, VECTOR_KINDS, ItemKind
from cameo_verifier.cameo.model import CameoState, EventKind, OutputState, Terms, UseCategory, WhoMayUse
from cameo_verifier.cameo.permissions import Answer, Relationships
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.store.cameos import cameos, events, uses
from cameo_verifier.store.db.engine import writing
from tests import databases, enrolled, store_invariants
from tests.enrolled import AUDIENCE, START

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from cameo_verifier.cameo.model import Grant

ResultT = TypeVar("ResultT")

EXAMPLES = int(os.environ.get("CAMEO_EXAMPLES", "60"))
TTL = timedelta(minutes=5)
PEOPLE = ("fan", "friend", "stranger")
NUMBERS = itertools.count()


@cache
def database() -> Engine:
    """One database for all examples, each with cameos of its own."""
    return writing(databases.lasting("owner"))


@dataclass
class Word:
    """What an owner last said, and what the graph says."""

    id: str
    subject: str
    minor: bool
    state: CameoState = CameoState.CAMEO_ACTIVE
    who: WhoMayUse = WhoMayUse.ONLY_ME
    selected: frozenset[str] = frozenset()
    excluded: frozenset[UseCategory] = frozenset()
    generators: frozenset[str] | None = None
    items: frozenset[ItemKind] = VECTOR_KINDS
    version: int = 1
    events: list[tuple[EventKind, str]] = field(default_factory=list)

    def permits(self, requester: str, purposes: frozenset[UseCategory], mutuals: frozenset[tuple[str, str]]) -> bool:
        """The law, said once more and otherwise than in the code."""
        circle = {
            WhoMayUse.ONLY_ME: set(),
            WhoMayUse.SELECTED: set(self.selected),
            WhoMayUse.MUTUALS: {person for owner, person in mutuals if owner == self.subject},
            WhoMayUse.EVERYONE: {requester},
        }[self.who]
        allowed = {self.subject} if self.minor else circle | {self.subject}
        chosen = self.generators is None or AUDIENCE in self.generators
        return self.state is CameoState.CAMEO_ACTIVE and requester in allowed and chosen and self._passes(purposes)

    def _passes(self, purposes: frozenset[UseCategory]) -> bool:
        return not self.excluded or (bool(purposes) and purposes.isdisjoint(self.excluded))

    def may_lose(self, after: Word, requester: str, purposes: frozenset[UseCategory]) -> bool:
        """Whether `after` may take a use back that this word permits, as mutuals or as others."""
        graphs = (frozenset[tuple[str, str]](), frozenset({(self.subject, requester)}))
        return any(self.permits(requester, purposes, graph) and not after.permits(requester, purposes, graph) for graph in graphs)


def enrol(*, minor: bool) -> tuple[str, str]:
    """Make a cameo of an accepted attempt; return its id and its owner's."""
    with database().begin() as connection:
        return enrolled.enrol(connection, next(NUMBERS), minor=minor)


@dataclass
class Held:
    """A grant in the generator's hand.

    request: of the call that spent it; empty before.
    """

    grant: Grant
    words: tuple[Word, ...]
    request: str = ""
    dead: bool = False
    outputs: set[str] = field(default_factory=set)

    @property
    def spent(self) -> bool:
        """Whether it was spent."""
        return bool(self.request)


class Owners(RuleBasedStateMachine):
    """Two owners, one of them possibly a minor without a guardian, one generator, one clock."""

    def __init__(self) -> None:
        """Make two cameos of accepted attempts."""
        super().__init__()
        self.now = START
        self.mutuals: frozenset[tuple[str, str]] = frozenset()
        self.reachable = True
        self.held: list[Held] = []
        self.first = self._do(events.last)
        self.words = [self._enrol(minor=minor) for minor in (False, True)]
        # A history begins where there is something to take back: an open cameo and a grant for it.
        nothing: frozenset[Any] = frozenset()
        self.say(
            which=0, who=WhoMayUse.EVERYONE, selected=nothing, excluded=nothing, generators=None, items=VECTOR_KINDS, stale=False
        )
        self.authorize(which=(0,), requester="fan", purposes=frozenset())

    def _do(self, work: Callable[[Connection], ResultT]) -> ResultT:
        with database().begin() as connection:
            return work(connection)

    def _refused(self, work: Callable[[Connection], Any]) -> Refusal | None:
        try:
            self._do(work)
        except RefusedError as error:
            return error.refusal
        return None

    def _enrol(self, *, minor: bool) -> Word:
        word = Word(*enrol(minor=minor), minor)
        self._heard(word, EventKind.WAS_CREATED)
        return word

    def _heard(self, word: Word, kind: EventKind, grant_id: str = "") -> None:
        word.events.append((kind, grant_id))

    def _relationships(self) -> Relationships:
        return Relationships(
            {
                (word.subject, person): (word.subject, person) in self.mutuals if self.reachable else None
                for word in self.words
                for person in (*PEOPLE, *(other.subject for other in self.words))
            }
        )

    def _permitted(self, words: tuple[Word, ...], requester: str, purposes: frozenset[UseCategory]) -> bool:
        known = self.mutuals if self.reachable else frozenset()
        return all(word.permits(requester, purposes, known) for word in words)

    @rule(
        which=st.integers(0, 1),
        who=st.sampled_from(WhoMayUse),
        selected=st.frozensets(st.sampled_from(PEOPLE)),
        excluded=st.frozensets(st.sampled_from((UseCategory.POLITICS, UseCategory.SATIRE))),
        generators=st.sampled_from((None, None, frozenset({AUDIENCE}), frozenset({"https://other.example"}))),
        items=st.sampled_from((VECTOR_KINDS, VECTOR_KINDS | MEDIA_KINDS, frozenset({ItemKind.FACE_CROP}))),
        stale=st.booleans(),
    )
    def say(
        self,
        which: int,
        who: WhoMayUse,
        selected: frozenset[str],
        excluded: frozenset[UseCategory],
        generators: frozenset[str] | None,
        items: frozenset[ItemKind],
        *,
        stale: bool,
    ) -> None:
        """An owner changes their terms, sometimes of what they read too long ago."""
        word = self.words[which]
        terms = Terms(who=who, selected=selected, categories=excluded, generators=generators, items=items)
        width = list(WhoMayUse).index
        more_people = width(who) > width(word.who) or (who is word.who and not selected <= word.selected)
        more_generators = word.generators is not None and (generators is None or not generators <= word.generators)
        wider = more_people or more_generators or not excluded >= word.excluded or not items <= word.items
        same = terms == Terms(
            who=word.who, selected=word.selected, categories=word.excluded, generators=word.generators, items=word.items
        )
        refusal = self._refused(
            lambda connection: cameos.change(
                connection, word.id, lambda _: terms, subject=word.subject, version=word.version - stale, now=self.now
            )
        )
        if word.state in {CameoState.CAMEO_REVOKED, CameoState.CAMEO_DELETED}:
            assert refusal in {Refusal.CAMEO_ENDED, Refusal.CAMEO_GONE}
        elif same:
            assert refusal is None
        elif stale:
            assert refusal is Refusal.CAMEO_CHANGED
        elif word.minor and wider:
            assert refusal is Refusal.MINOR_NEEDS_GUARDIAN
        else:
            assert refusal is None
            before = replace(word)
            word.who, word.selected, word.excluded, word.version = who, selected, excluded, word.version + 1
            word.generators, word.items = generators, items
            for held in self.held:
                open_still = word in held.words and not held.spent and self.now < held.grant.expires_at
                held.dead |= open_still and before.may_lose(word, held.grant.requester, held.grant.purposes)
            self._heard(word, EventKind.PERMISSION_CHANGED)

    @rule(which=st.integers(0, 1), verb=st.sampled_from(("pause", "resume", "revoke", "delete")), stranger=st.booleans())
    def act(self, which: int, verb: str, *, stranger: bool) -> None:
        """An owner, or someone who is not, takes the cameo back or gives it free again."""
        word = self.words[which]
        subject = "stranger" if stranger else word.subject
        how: dict[str, Any] = {"subject": subject, "now": self.now} | ({"reason": "so"} if verb in {"pause", "revoke"} else {})
        refusal = self._refused(lambda connection: getattr(cameos, verb)(connection, word.id, **how))
        states = {
            "pause": (CameoState.CAMEO_PAUSED, EventKind.WAS_PAUSED),
            "resume": (CameoState.CAMEO_ACTIVE, EventKind.WAS_RESUMED),
            "revoke": (CameoState.CAMEO_REVOKED, EventKind.WAS_REVOKED),
            "delete": (CameoState.CAMEO_DELETED, EventKind.WAS_DELETED),
        }
        after, kind = states[verb]
        if stranger:
            assert refusal is Refusal.CAMEO_UNKNOWN
        elif word.state is after:
            assert refusal is None
        elif word.state is CameoState.CAMEO_DELETED:
            assert refusal is Refusal.CAMEO_GONE
        elif word.state is CameoState.CAMEO_REVOKED and verb != "delete":
            assert refusal is Refusal.CAMEO_ENDED
        elif word.minor and verb == "resume":
            assert refusal is Refusal.MINOR_NEEDS_GUARDIAN
        else:
            assert refusal is None
            word.state, word.version = after, word.version + 1
            self._heard(word, kind)
            if verb == "delete":
                word.who, word.selected, word.excluded = WhoMayUse.ONLY_ME, frozenset(), frozenset()
                word.generators, word.items = None, frozenset()
            if verb != "resume":
                for held in self.held:
                    held.dead |= word in held.words and not held.spent

    @rule(which=st.integers(0, 1), person=st.sampled_from(PEOPLE), follows=st.booleans())
    def follow(self, which: int, person: str, *, follows: bool) -> None:
        """The graph changes."""
        pair = frozenset({(self.words[which].subject, person)})
        self.mutuals = self.mutuals | pair if follows else self.mutuals - pair

    @rule(reachable=st.booleans())
    def graph(self, *, reachable: bool) -> None:
        """The app's graph goes away or comes back."""
        self.reachable = reachable

    @rule(minutes=st.integers(1, 3))
    def wait(self, minutes: int) -> None:
        """Time passes."""
        self.now += timedelta(minutes=minutes)

    @rule(
        which=st.sampled_from(((0,), (0,), (1,), (0, 1))),
        requester=st.sampled_from((*PEOPLE, 0, 1)),
        purposes=st.frozensets(st.sampled_from((UseCategory.POLITICS, UseCategory.GAMBLING)), max_size=1),
    )
    def authorize(self, which: tuple[int, ...], requester: str | int, purposes: frozenset[UseCategory]) -> None:
        """The generator asks for a grant and gets it exactly when every owner permits the use."""
        words = tuple(self.words[each] for each in which)
        person = self.words[requester].subject if isinstance(requester, int) else requester
        number = next(NUMBERS)
        job = uses.Job(AUDIENCE, f"request-{number}", person, "job", tuple(word.id for word in words), purposes)
        granted: list[Grant] = []

        def work(connection: Connection) -> None:
            how: dict[str, Any] = {"relationships": self._relationships(), "now": self.now, "expires_at": self.now + TTL}
            granted.append(uses.authorize(connection, job, identifier=f"grant-{number}", **how)[0])

        refusal = self._refused(work)
        if not self._permitted(words, person, purposes):
            assert refusal in {Refusal.USE_NOT_PERMITTED, Refusal.CAMEO_UNKNOWN}
            return
        assert refusal is None
        [grant] = granted
        self.held.append(Held(grant, words))
        for word in words:
            self._heard(word, EventKind.USE_GRANTED, grant.id)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), again=st.booleans())
    def spend(self, data: st.DataObject, *, again: bool) -> None:
        """The generator spends a grant, or asks for the delivery again: in time, and only while every owner still permits it.

        What is delivered is what the owners' last words say, of the grant's cameos alone.
        """
        held = data.draw(st.sampled_from(self.held))
        grant = held.grant
        request = held.request if again and held.spent else f"spend-{next(NUMBERS)}"
        delivered: list[tuple[str, frozenset[ItemKind]]] = []

        def work(connection: Connection) -> None:
            how: dict[str, Any] = {"audience": AUDIENCE, "request_id": request, "now": self.now}
            _, found = uses.spend(connection, grant.id, relationships=self._relationships(), **how)
            delivered.extend((cameo.id, cameo.terms.items) for cameo in found)

        refusal = self._refused(work)
        if held.spent and request != held.request:
            assert refusal is Refusal.GRANT_SPENT
        elif held.dead:
            assert refusal is Refusal.GRANT_REVOKED
        elif self.now >= grant.expires_at:
            assert refusal is Refusal.GRANT_EXPIRED
        elif any(word.state is CameoState.CAMEO_DELETED for word in held.words):  # of a grant that was spent before
            assert refusal is Refusal.CAMEO_UNKNOWN
        elif not self._permitted(held.words, grant.requester, grant.purposes):
            assert refusal is Refusal.USE_NOT_PERMITTED
        else:
            assert refusal is None
            held.request = request
            assert delivered == [(word.id, word.items) for word in held.words]
        assert refusal is None or not delivered

    @precondition(lambda self: self.held)
    @rule(data=st.data(), file=st.sampled_from("ab"))
    def record(self, data: st.DataObject, file: str) -> None:
        """The generator says what came out, which the owner is to learn whatever they have said since."""
        held = data.draw(st.sampled_from(self.held))
        sha256 = hashlib.sha256(f"{held.grant.id} {file}".encode()).hexdigest()
        refusal = self._refused(
            lambda connection: uses.record(
                connection,
                held.grant.id,
                uses.ReportedOutput(sha256, "", OutputState.DRAFT, "fan"),
                audience=AUDIENCE,
                identifier=f"output-{next(NUMBERS)}",
                now=self.now,
            )
        )
        assert refusal is (None if held.spent else Refusal.GRANT_NOT_SPENT)
        if held.spent and sha256 not in held.outputs:
            held.outputs.add(sha256)
            for word in held.words:
                self._heard(word, EventKind.OUTPUT_RECORDED, held.grant.id)

    @invariant()
    def nothing_wider_than_the_last_word(self) -> None:
        """A check permits exactly what the owner's last word does."""
        relationships = self._relationships()
        asked = [(word, person) for word in self.words for person in ("fan", "stranger", word.subject)]

        questions = [uses.Question(word.id, person, frozenset(), relationships, generator=AUDIENCE) for word, person in asked]
        answers = self._do(lambda connection: uses.check_all(connection, questions))
        assert [answer is Answer.PERMITTED for answer in answers] == [
            self._permitted((word,), person, frozenset()) for word, person in asked
        ]

    def teardown(self) -> None:
        """The events of each owner are what happened, in order; the numbers of all have no gap; uses hold every output."""
        for word in self.words:
            told = self._do(lambda connection, word=word: events.after(connection, self.first, subject=word.subject, limit=1000))
            assert [(each.kind, each.grant_id) for each in told] == word.events
            listed = self._do(lambda connection, word=word: uses.of_cameo(connection, word.id, before=None, limit=1000))
            of_word = [held for held in self.held if word in held.words]
            assert {use.grant.id: {output.sha256 for output in use.outputs} for use in listed} == {
                held.grant.id: held.outputs for held in of_word
            }
        everything = self._do(lambda connection: events.after(connection, self.first, subject=None, limit=1000))
        assert [each.number for each in everything] == list(range(self.first + 1, self.first + 1 + len(everything)))


class TestOwners(Owners.TestCase):  # type: ignore[name-defined, misc]  # made by hypothesis
    """No use after revocation, no second spend, no lost event, no permission wider than the owner's last word."""

    settings = settings(max_examples=EXAMPLES, stateful_step_count=20, suppress_health_check=list(HealthCheck))


def test_all_histories_together_left_a_whole_database() -> None:
    """What every history above left in the one database holds together: events, states, versions, uses and what is gone."""
    with database().begin() as connection:
        store_invariants.check(connection)
