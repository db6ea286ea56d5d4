"""A minor, two guardians, a generator and the clock in any order, against a model of what each of them last said.

The model knows uses, pairs of a person and a purpose, and everyone's word is a set of them; it knows nothing of terms' order.
`make test` runs 60 examples, `make soak` 2,000 (`CAMEO_EXAMPLES`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cameo_verifier.cameo.model import Cameo, CameoState, EventKind, GuardianshipState, Terms, UseCategory, WhoMayUse
from cameo_verifier.cameo.permissions import Answer, Relationships
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.store.cameos import cameos, events, guardians, uses
from tests.property.test_cameo_owner import AUDIENCE, EXAMPLES, NUMBERS, START, TTL, database, enrol

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from cameo_verifier.cameo.model import Grant

ResultT = TypeVar("ResultT")
Uses = frozenset[tuple[str, UseCategory | None]]

PEOPLE = ("fan", "friend", "adult")
GUARDIANS = ("mother", "father")
PURPOSES = (None, UseCategory.POLITICS, UseCategory.SATIRE)
OWNER = ""
WORDS = st.builds(
    Terms,
    who=st.sampled_from(WhoMayUse),
    selected=st.frozensets(st.sampled_from(PEOPLE)),
    categories=st.frozensets(st.sampled_from(PURPOSES[1:]), max_size=1),
)


@dataclass
class Wish:
    """What the minor waits for: the uses it would permit, whether pauses would end, and who has said yes."""

    number: int
    uses: Uses
    resume: bool
    approved: set[str] = field(default_factory=set)


@dataclass
class Held:
    """A grant in the generator's hand."""

    grant: Grant
    use: tuple[str, UseCategory | None]
    spent: bool = False
    dead: bool = False


def _passes(what: UseCategory | None, terms: Terms) -> bool:
    """Whether a purpose, or none, passes what is excluded."""
    return not terms.categories if what is None else what not in terms.categories


class Families(RuleBasedStateMachine):
    """One minor with one cameo, two who are or are not their guardians, one generator, one clock."""

    def __init__(self) -> None:
        """Make the cameo and a friend."""
        super().__init__()
        self.now = START
        self.first = self._do(events.last)
        self.cameo_id, self.minor = enrol(minor=True)
        self.links: dict[str, set[str]] = {guardian: set() for guardian in GUARDIANS}
        self.mutuals = frozenset({"friend"})
        self.reachable = True
        self.ended: Refusal | None = None
        self.held: list[Held] = []
        self._holds = self._uses_of(Terms())
        self.said = self.holds
        self.agreed: dict[str, Uses] = {}
        self.wish: Wish | None = None
        self.paused: set[str] = set()
        self.linkings = 0

    @initialize(linked=st.sampled_from((GUARDIANS, ("mother",), ())), approving=st.sampled_from((("mother",), GUARDIANS)))
    def begin(self, linked: tuple[str, ...], approving: tuple[str, ...]) -> None:
        """A history begins where there is something to decide: guardians who have approved a wish, or one of them has."""
        for guardian in linked:
            for side in ("minor", "guardian"):
                self.consent(guardian, side)
        self.say(Terms(who=WhoMayUse.EVERYONE), stale=False)
        for guardian in approving:
            self.answer(guardian, 0, yes=True)

    @property
    def holds(self) -> Uses:
        """What the cameo permits to the owner's mutuals."""
        return self._holds

    @holds.setter
    def holds(self, uses: Uses) -> None:
        """Change it: a grant of what is taken back does not return with a later change."""
        for held in self.held:
            held.dead |= not held.spent and self.now < held.grant.expires_at and held.use in self._holds - uses
        self._holds = uses

    @property
    def linked(self) -> set[str]:
        """Who is linked: whom both sides have consented to."""
        return {guardian for guardian, sides in self.links.items() if len(sides) == 2}

    def _uses_of(self, terms: Terms) -> Uses:
        others = {WhoMayUse.ONLY_ME: frozenset(), WhoMayUse.SELECTED: terms.selected}.get(terms.who, frozenset(PEOPLE))
        return frozenset((who, what) for who in (*others, self.minor) for what in PURPOSES if _passes(what, terms))

    def _do(self, work: Callable[[Connection], ResultT]) -> ResultT:
        with database().begin() as connection:
            return work(connection)

    def _try(self, verb: Callable[..., Any], *given: Any, **how: Any) -> Any:
        """Return what a verb makes of the cameo, or why it is refused; every success is seen in the cameo that is kept."""
        try:
            return self._do(lambda connection: verb(connection, *given, **how, now=self.now))
        except RefusedError as error:
            return error.refusal

    def _cameo(self) -> Cameo:
        return self._do(lambda connection: cameos.get(connection, self.cameo_id, subject=None))

    def _permitted(self, person: str, purpose: UseCategory | None) -> bool:
        known = person == self.minor or (self.reachable and person in self.mutuals)
        return self.ended is None and not self.paused and known and (person, purpose) in self.holds

    def _relationships(self) -> Relationships:
        return Relationships({(self.minor, person): person in self.mutuals if self.reachable else None for person in PEOPLE})

    def _kill_grants(self) -> None:
        for held in self.held:
            held.dead |= not held.spent

    def _drop_wish_to_resume(self) -> None:
        if self.wish is not None:
            self.wish.resume = False
            self._forget_wish_if_settled()

    def _forget_wish_if_settled(self) -> None:
        """A wish that is over is so in the code too, and one that would permit more is never over."""
        pending = self._cameo().pending
        if self.wish is not None and pending is None:
            assert self.wish.uses <= self.holds
            assert not self.wish.resume
            self.wish = None

    @rule(guardian=st.sampled_from(GUARDIANS), side=st.sampled_from(("guardian", "minor")))
    def consent(self, guardian: str, side: str) -> None:
        """One side consents; with both a guardian is linked, who so agrees to what holds."""
        before = self.linked
        link = self._try(
            guardians.consent,
            guardian=f"{guardian}-{self.minor}",
            minor=self.minor,
            by_guardian=side == "guardian",
            text_version="1",
            locale="en",
            agreed_at=START,
        )
        self.links[guardian].add(side)
        assert (link.state is GuardianshipState.LINKED) == (guardian in self.linked)
        for new in self.linked - before:
            self.agreed[new] = self.holds
            self.linkings += 1

    @rule(guardian=st.sampled_from(GUARDIANS), side=st.sampled_from(("guardian", "guardian", "minor")))
    def leave(self, guardian: str, side: str) -> None:
        """A guardian steps down, or the minor tries to be rid of one."""
        linked = guardian in self.linked
        how = {"guardian": f"{guardian}-{self.minor}", "minor": self.minor, "by_guardian": side == "guardian"}
        outcome = self._try(guardians.end, **how)
        if outcome is Refusal.GUARDIANSHIP_UNKNOWN:
            assert not self.links[guardian]
            return
        if linked and side == "minor":
            assert outcome is Refusal.GUARDIAN_MUST_STEP_DOWN
            return
        assert outcome.state is GuardianshipState.ENDED
        self.links[guardian].clear()
        if linked and self.ended is None:
            self.wish = None
            self.agreed.pop(guardian)
            if guardian in self.paused:
                self.paused = (self.paused - {guardian}) | (self.linked or {OWNER})
            if not self.linked:
                self.holds = frozenset(use for use in self.holds if use[0] == self.minor)

    @rule(word=WORDS, stale=st.sampled_from((False, False, False, True)))
    def say(self, word: Terms, *, stale: bool) -> None:
        """The minor says who may use it: what is less holds, what is more waits, and without a guardian nothing is more."""
        before = self._cameo()
        asked = self._uses_of(word)
        outcome = self._try(cameos.change, self.cameo_id, lambda _: word, subject=self.minor, version=before.version - stale)
        if self.ended is not None:
            assert outcome is self.ended
        elif outcome is Refusal.CAMEO_CHANGED:
            assert stale
        elif outcome is Refusal.MINOR_NEEDS_GUARDIAN:
            assert not self.linked
        else:
            assert asked <= self.holds or outcome.pending is not None
            assert asked <= self.holds or self.linked
            resume = self.wish is not None and self.wish.resume
            self.holds &= asked
            self.said = asked
            self._take_wish(outcome, asked, resume=resume)

    def _take_wish(self, cameo: Cameo, asked: Uses, *, resume: bool) -> None:
        pending = cameo.pending
        if pending is None:
            assert asked <= self.holds
            assert not resume
            self.wish = None
        elif self.wish is not None and self.wish.number == pending.number:
            # The approvals given stay only with a wish for no more.
            assert asked <= self.wish.uses
            self.wish.uses = asked
        else:
            assert self.linked
            self.wish = Wish(pending.number, asked, resume)

    @rule(verb=st.sampled_from((*("pause", "resume") * 4, "revoke", "delete")))
    def act(self, verb: str) -> None:
        """The minor pauses at once, can only ask for the end of a pause, and may end it all."""
        how: dict[str, Any] = {"reason": "so"} if verb in {"pause", "revoke"} else {}
        outcome = self._try(getattr(cameos, verb), self.cameo_id, subject=self.minor, **how)
        if self.ended is not None:
            assert isinstance(outcome, Cameo) or outcome is self.ended
            self.ended = Refusal.CAMEO_GONE if verb == "delete" else self.ended
        elif verb == "pause":
            self.paused.add(OWNER)
            self._drop_wish_to_resume()
            self._kill_grants()
        elif verb == "resume":
            if outcome is Refusal.MINOR_NEEDS_GUARDIAN:
                assert self.paused
                assert not self.linked
            elif self.paused:
                assert outcome.state is CameoState.CAMEO_PAUSED
                asked = self.wish.uses if self.wish else self.holds
                if self.wish is None or not self.wish.resume:
                    self.wish = Wish(outcome.pending.number, asked, resume=True)
        else:
            self.ended = Refusal.CAMEO_ENDED if verb == "revoke" else Refusal.CAMEO_GONE
            self.wish = None
            self._kill_grants()

    @rule(guardian=st.sampled_from(GUARDIANS), number=st.sampled_from((0, 0, 0, 1)), yes=st.sampled_from((True, True, False)))
    def answer(self, guardian: str, number: int, *, yes: bool) -> None:
        """A guardian, or who is none, answers what waits or waited: it holds when all who are linked have said yes."""
        change = self._cameo().change
        asked = (change.number if change else 1) - number
        verb = guardians.approve if yes else guardians.refuse
        outcome = self._try(verb, self.cameo_id, asked, guardian=f"{guardian}-{self.minor}")
        if guardian not in self.linked:
            assert outcome is Refusal.CAMEO_UNKNOWN
        elif self.ended is not None:
            assert outcome is self.ended
        elif self.wish is None or asked != self.wish.number:
            assert isinstance(outcome, Cameo) or outcome is Refusal.CHANGE_NOT_PENDING
        elif not yes:
            assert outcome.pending is None
            self.wish = None
        else:
            wish = self.wish
            wish.approved.add(guardian)
            assert (outcome.pending is None) == (wish.approved >= self.linked)
            if wish.approved >= self.linked:
                self.holds = wish.uses
                self.agreed = dict.fromkeys(self.linked, wish.uses)
                self.paused = set() if wish.resume else self.paused
                self.wish = None

    @rule(guardian=st.sampled_from(GUARDIANS), bound=WORDS)
    def narrow(self, guardian: str, bound: Terms) -> None:
        """A guardian bounds what holds and what waits; who is none does not."""
        outcome = self._try(guardians.narrow, self.cameo_id, lambda _: bound, guardian=f"{guardian}-{self.minor}")
        if guardian not in self.linked:
            assert outcome is Refusal.CAMEO_UNKNOWN
        elif self.ended is not None:
            assert outcome is self.ended
        else:
            most = self._uses_of(bound)
            self.holds &= most
            self.agreed[guardian] &= most
            if self.wish is not None:
                self.wish.uses &= most
                self.wish.approved.discard(guardian)
                self._forget_wish_if_settled()

    @rule(guardian=st.sampled_from(GUARDIANS), stop=st.booleans())
    def hold(self, guardian: str, *, stop: bool) -> None:
        """A guardian pauses, or ends their own pause; who is none does neither."""
        verb, how = (guardians.pause, {"reason": "so"}) if stop else (guardians.resume, {})
        outcome = self._try(verb, self.cameo_id, guardian=f"{guardian}-{self.minor}", **how)
        if guardian not in self.linked:
            assert outcome is Refusal.CAMEO_UNKNOWN
        elif self.ended is not None:
            assert outcome is self.ended
        elif stop:
            self.paused.add(guardian)
            self._drop_wish_to_resume()
            self._kill_grants()
        else:
            was_paused = bool(self.paused)
            self.paused.discard(guardian)
            if was_paused and not self.paused:
                self._drop_wish_to_resume()

    @rule(person=st.sampled_from(PEOPLE), follows=st.booleans(), reachable=st.sampled_from((True, True, False)))
    def graph(self, person: str, *, follows: bool, reachable: bool) -> None:
        """The graph changes, goes away or comes back."""
        self.mutuals = self.mutuals | {person} if follows else self.mutuals - {person}
        self.reachable = reachable

    @rule(minutes=st.integers(1, 3))
    def wait(self, minutes: int) -> None:
        """Time passes."""
        self.now += timedelta(minutes=minutes)

    @rule(person=st.sampled_from((*PEOPLE, OWNER)), purpose=st.sampled_from(PURPOSES))
    def authorize(self, person: str, purpose: UseCategory | None) -> None:
        """The generator gets a grant exactly when everyone permits the use."""
        number, requester = next(NUMBERS), person or self.minor
        purposes = frozenset({purpose} - {None})
        job = uses.Job(AUDIENCE, f"request-{number}", requester, "job", (self.cameo_id,), purposes)
        outcome = self._try(
            uses.authorize, job, identifier=f"grant-{number}", relationships=self._relationships(), expires_at=self.now + TTL
        )
        if self._permitted(requester, purpose):
            self.held.append(Held(outcome[0], (requester, purpose)))
        else:
            assert outcome in {Refusal.USE_NOT_PERMITTED, Refusal.CAMEO_UNKNOWN}

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def spend(self, data: st.DataObject) -> None:
        """The generator spends a grant: once, in time, and only while everyone still permits the use."""
        held = data.draw(st.sampled_from(self.held))
        outcome = self._try(
            uses.spend,
            held.grant.id,
            audience=AUDIENCE,
            request_id=f"spend-{next(NUMBERS)}",
            relationships=self._relationships(),
        )
        if held.spent:
            assert outcome is Refusal.GRANT_SPENT
        elif held.dead:
            assert outcome is Refusal.GRANT_REVOKED
        elif self.now >= held.grant.expires_at:
            assert outcome is Refusal.GRANT_EXPIRED
        elif not self._permitted(*held.use):
            assert outcome in {Refusal.USE_NOT_PERMITTED, Refusal.CAMEO_UNKNOWN}
        else:
            assert outcome[0].spent_at == self.now
            held.spent = True

    @invariant()
    def nothing_wider_than_anyone_s_last_word(self) -> None:
        """What holds is within the owner's last word and each guardian's, and only the owner's own where there is none."""
        assert self.holds <= self.said
        for guardian in self.linked:
            assert self.holds <= self.agreed[guardian] or self.ended is not None
        if not self.linked:
            assert {person for person, _ in self.holds} <= {self.minor} or self.ended is not None

    @invariant()
    def the_cameo_is_what_they_said(self) -> None:
        """The uses that its terms permit, and who pauses it, are what everyone's words come to."""
        cameo = self._cameo()
        if self.ended is None:
            assert self._uses_of(cameo.terms) == self.holds
            assert cameo.paused_by == {name and f"{name}-{self.minor}" for name in self.paused}
            assert cameo.state is (CameoState.CAMEO_PAUSED if self.paused else CameoState.CAMEO_ACTIVE)
        pending = cameo.pending
        assert (pending and (pending.number, pending.resume)) == (self.wish and (self.wish.number, self.wish.resume))

    @invariant()
    def a_check_says_what_holds(self) -> None:
        """A check permits exactly what holds for mutuals, and tells nobody else that there is a cameo."""
        relationships = self._relationships()

        asked = [(person, purpose) for person in (*PEOPLE, self.minor) for purpose in PURPOSES]
        questions = [
            uses.Question(self.cameo_id, person, frozenset({purpose} - {None}), relationships) for person, purpose in asked
        ]
        answers = self._do(lambda connection: uses.check_all(connection, questions))
        assert [each is Answer.PERMITTED for each in answers] == [self._permitted(*each) for each in asked]
        for (person, _), told in zip(asked, answers, strict=True):
            if person != self.minor and not (self.reachable and person in self.mutuals):
                assert isinstance(told, RefusedError)
                assert told.refusal is Refusal.CAMEO_UNKNOWN

    def teardown(self) -> None:
        """Every event has its number; a guardian is told what the owner is; each link and each grant was told once."""
        own = self._do(lambda connection: events.after(connection, self.first, subject=self.minor, limit=1000))
        everything = self._do(lambda connection: events.after(connection, self.first, subject=None, limit=1000))
        assert [each.number for each in everything] == list(range(self.first + 1, self.first + 1 + len(everything)))
        assert sum(each.kind is EventKind.GUARDIAN_LINKED for each in own) == self.linkings
        assert [each.grant_id for each in own if each.kind is EventKind.USE_GRANTED] == [held.grant.id for held in self.held]
        for guardian in GUARDIANS:
            watcher = f"{guardian}-{self.minor}"
            told = self._do(
                lambda connection, watcher=watcher: events.of_guardian(connection, self.first, guardian=watcher, limit=1000)
            )
            assert told == (own if guardian in self.linked else [])


class TestFamilies(Families.TestCase):  # type: ignore[name-defined, misc]  # made by hypothesis
    """No permission wider than the owner's last word nor than any guardian's, whatever the order of calls."""

    settings = settings(max_examples=EXAMPLES, stateful_step_count=20, suppress_health_check=list(HealthCheck))
