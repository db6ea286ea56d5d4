"""Permission rules, each by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cameo_verifier.cameo.guardians import step_down
from cameo_verifier.cameo.model import Cameo, CameoState, Consent, Terms, UseCategory, WhoMayUse
from cameo_verifier.cameo.permissions import (
    Answer,
    RelationshipNeededError,
    Relationships,
    decide,
    require_active,
    require_changeable,
    require_consent_time,
    takes_back,
)
from cameo_verifier.cameo.refusal import Refusal, RefusedError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GRAPH = Relationships({("ann", "bob"): True, ("ann", "eve"): False, ("ann", "kim"): None})
NO_USE = frozenset({UseCategory.GENERAL})


def cameo(who: WhoMayUse, state: CameoState = CameoState.CAMEO_ACTIVE, *, minor: bool = False) -> Cameo:
    """Return ann's cameo."""
    terms = Terms(who, frozenset({"bob"}), categories=frozenset({UseCategory.SATIRE}))
    return Cameo("c", "ann", "a", state, terms, minor, Consent("1", "en", NOW, ""), 1, NOW, NOW, "")


@pytest.mark.parametrize(
    ("who", "requester", "answer"),
    [
        (WhoMayUse.ONLY_ME, "ann", Answer.PERMITTED),
        (WhoMayUse.ONLY_ME, "bob", Answer.NOT_CHOSEN),
        (WhoMayUse.SELECTED, "ann", Answer.PERMITTED),
        (WhoMayUse.SELECTED, "bob", Answer.PERMITTED),
        (WhoMayUse.SELECTED, "eve", Answer.NOT_CHOSEN),
        (WhoMayUse.MUTUALS, "bob", Answer.PERMITTED),
        (WhoMayUse.MUTUALS, "eve", Answer.NOT_CHOSEN),
        (WhoMayUse.MUTUALS, "kim", Answer.RELATIONSHIP_UNKNOWN),
        (WhoMayUse.EVERYONE, "eve", Answer.PERMITTED),
    ],
)
def test_the_owner_chooses_who(who: WhoMayUse, requester: str, answer: Answer) -> None:
    """The owner always may; others are chosen, and what is not known permits nothing."""
    assert decide(cameo(who), requester, NO_USE, GRAPH) is answer


@pytest.mark.parametrize("requester", ["ann", "bob"])
def test_an_excluded_purpose_is_refused_to_the_owner_too(requester: str) -> None:
    """One excluded category among several is enough; another one is permitted."""
    both = frozenset({UseCategory.SATIRE, UseCategory.POLITICS})
    assert decide(cameo(WhoMayUse.SELECTED), requester, both, GRAPH) is Answer.PURPOSE_EXCLUDED
    assert decide(cameo(WhoMayUse.SELECTED), requester, frozenset({UseCategory.POLITICS}), GRAPH) is Answer.PERMITTED


@pytest.mark.parametrize(
    "purposes", [frozenset(), frozenset({UseCategory.UNSPECIFIED}), frozenset({UseCategory.UNSPECIFIED, UseCategory.POLITICS})]
)
def test_who_does_not_say_what_for_passes_only_where_nothing_is_excluded(purposes: frozenset[UseCategory]) -> None:
    """An owner who excludes anything is not asked to trust that it is something else."""
    one = cameo(WhoMayUse.SELECTED)
    assert decide(one, "bob", purposes, GRAPH) is Answer.PURPOSE_EXCLUDED
    assert decide(replace(one, terms=replace(one.terms, categories=frozenset())), "bob", purposes, GRAPH) is Answer.PERMITTED


def test_a_recording_that_is_too_old_permits_nobody() -> None:
    """To the microsecond, the owner included; a tombstone's cameo has no recording. Who is not chosen is not told of it."""
    old = replace(cameo(WhoMayUse.SELECTED), attested_at=NOW)
    for requester in ("ann", "bob"):
        assert decide(old, requester, NO_USE, GRAPH, attested_since=NOW) is Answer.PERMITTED
        late = NOW + timedelta(microseconds=1)
        assert decide(old, requester, NO_USE, GRAPH, attested_since=late) is Answer.ATTESTATION_ENDED
    assert decide(replace(old, attested_at=None), "ann", NO_USE, GRAPH, attested_since=NOW) is Answer.ATTESTATION_ENDED
    assert decide(old, "eve", NO_USE, GRAPH, attested_since=NOW + timedelta(1)) is Answer.NOT_CHOSEN


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        (WhoMayUse.EVERYONE, WhoMayUse.ONLY_ME, {"bob", "eve", "kim"}),
        (WhoMayUse.EVERYONE, WhoMayUse.SELECTED, {"eve", "kim"}),
        (WhoMayUse.EVERYONE, WhoMayUse.MUTUALS, {"bob", "eve", "kim"}),
        (WhoMayUse.MUTUALS, WhoMayUse.SELECTED, {"eve", "kim"}),
        (WhoMayUse.SELECTED, WhoMayUse.MUTUALS, {"bob"}),
        (WhoMayUse.ONLY_ME, WhoMayUse.EVERYONE, set()),
        (WhoMayUse.MUTUALS, WhoMayUse.MUTUALS, set()),
    ],
)
def test_what_a_change_takes_back(before: WhoMayUse, after: WhoMayUse, lost: set[str]) -> None:
    """From everyone who might lose it, whoever follows whom; never from the owner."""
    people = ("ann", "bob", "eve", "kim")
    assert {person for person in people if takes_back(cameo(before), cameo(after), person, NO_USE)} == lost


def test_the_owner_chooses_who_may_hold_it_offline() -> None:
    """Nobody at first; of those who are named, whom the choice of generators lets in; with the last guardian nobody any more."""
    named = Terms(offline=frozenset({"g", "h"}))
    assert [Terms().let_hold("g"), named.let_hold("g"), named.let_hold("i")] == [False, True, False]
    narrowed = replace(named, generators=frozenset({"h"}))
    assert [narrowed.let_hold(each) for each in ("g", "h")] == [False, True]
    minors = replace(cameo(WhoMayUse.EVERYONE, minor=True), terms=named)
    for left, kept in ((frozenset({"ida"}), named.offline), (frozenset[str](), frozenset())):
        assert step_down(minors, guardian="gil", left=left)[0].terms.offline == kept


def test_the_owner_chooses_generators() -> None:
    """Every registered one at first, then those named, then none; a question without a generator asks of people alone."""
    free = cameo(WhoMayUse.EVERYONE)
    one = replace(free, terms=replace(free.terms, generators=frozenset({"g"})))
    none = replace(free, terms=replace(free.terms, generators=frozenset()))
    for known, generator, answer in (
        (free, "g", Answer.PERMITTED),
        (one, "g", Answer.PERMITTED),
        (one, "h", Answer.GENERATOR_NOT_CHOSEN),
        (none, "g", Answer.GENERATOR_NOT_CHOSEN),
        (none, "", Answer.PERMITTED),
    ):
        assert decide(known, "bob", NO_USE, GRAPH, generator=generator) is answer
    private = replace(none, terms=replace(none.terms, who=WhoMayUse.ONLY_ME))
    assert decide(private, "bob", NO_USE, GRAPH, generator="g") is Answer.NOT_CHOSEN
    assert takes_back(free, one, "bob", NO_USE, "h")
    assert takes_back(one, none, "ann", NO_USE, "g")
    assert not takes_back(one, free, "bob", NO_USE, "g")


def test_excluding_a_purpose_takes_it_back() -> None:
    """And, with the first one that is excluded, what nobody said a purpose of."""
    free = replace(cameo(WhoMayUse.EVERYONE), terms=Terms(WhoMayUse.EVERYONE))
    satire = cameo(WhoMayUse.EVERYONE)
    assert takes_back(free, satire, "bob", frozenset({UseCategory.SATIRE}))
    assert takes_back(free, satire, "ann", frozenset())
    assert not takes_back(free, satire, "bob", NO_USE)
    assert not takes_back(satire, free, "bob", frozenset({UseCategory.SATIRE}))


def test_a_consent_is_given_between_the_challenge_and_now() -> None:
    """Half a minute is left for clocks that differ."""
    asked = NOW - timedelta(minutes=5)
    for given in (asked, NOW, asked - timedelta(seconds=30), NOW + timedelta(seconds=30)):
        require_consent_time(given, not_before=asked, now=NOW)
    require_consent_time(asked - timedelta(days=9000), now=NOW)
    for given in (asked - timedelta(seconds=31), NOW + timedelta(seconds=31), datetime(2242, 1, 1, tzinfo=UTC)):
        with pytest.raises(RefusedError) as refused:
            require_consent_time(given, not_before=asked, now=NOW)
        assert refused.value.refusal is Refusal.CONSENT_OUT_OF_TIME


@pytest.mark.parametrize(
    ("state", "answer"), [(CameoState.CAMEO_PAUSED, Answer.NOT_NOW), (CameoState.CAMEO_REVOKED, Answer.NO_LONGER)]
)
def test_only_what_is_active_is_used(state: CameoState, answer: Answer) -> None:
    """Its owner may not either."""
    for requester in ("ann", "bob"):
        assert decide(cameo(WhoMayUse.EVERYONE, state), requester, NO_USE, GRAPH) is answer


def test_what_was_deleted_is_unknown_to_everybody() -> None:
    """Its owner too."""
    for requester in ("ann", "bob"):
        with pytest.raises(RefusedError) as refused:
            decide(cameo(WhoMayUse.EVERYONE, CameoState.CAMEO_DELETED), requester, NO_USE, GRAPH)
        assert refused.value.refusal is Refusal.CAMEO_UNKNOWN


@pytest.mark.parametrize("who", WhoMayUse)
@pytest.mark.parametrize("requester", ["eve", "kim"])
def test_a_minors_cameo_is_unknown_to_all_but_mutuals(who: WhoMayUse, requester: str) -> None:
    """Whatever the terms say: not even its existence is told."""
    minors = replace(cameo(who, minor=True), terms=Terms(who, frozenset({"bob", "eve", "kim"})))
    with pytest.raises(RefusedError) as refused:
        decide(minors, requester, NO_USE, GRAPH)
    assert refused.value.refusal is Refusal.CAMEO_UNKNOWN
    assert decide(minors, "ann", NO_USE, GRAPH) is Answer.PERMITTED


def test_a_mutual_whom_a_minor_chose_may() -> None:
    """And one who was not chosen sees nothing."""
    assert decide(cameo(WhoMayUse.SELECTED, minor=True), "bob", NO_USE, GRAPH) is Answer.PERMITTED
    with pytest.raises(RefusedError):
        decide(cameo(WhoMayUse.ONLY_ME, minor=True), "bob", NO_USE, GRAPH)


def test_a_relationship_that_decides_is_asked_for() -> None:
    """It is not taken for granted, either way."""
    with pytest.raises(RelationshipNeededError) as needed:
        decide(cameo(WhoMayUse.MUTUALS), "bob", NO_USE, Relationships())
    assert needed.value.pair == ("ann", "bob")


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (CameoState.CAMEO_ACTIVE, None),
        (CameoState.CAMEO_PAUSED, Refusal.CAMEO_IS_PAUSED),
        (CameoState.CAMEO_REVOKED, Refusal.CAMEO_ENDED),
        (CameoState.CAMEO_DELETED, Refusal.CAMEO_GONE),
    ],
)
def test_what_ended_is_not_changed(state: CameoState, refusal: Refusal | None) -> None:
    """A paused one can be changed and does not stand for its owner; a revoked or deleted one can be neither."""
    standing = cameo(WhoMayUse.ONLY_ME, state)
    for require, spared in ((require_active, None), (require_changeable, Refusal.CAMEO_IS_PAUSED)):
        if refusal in {None, spared}:
            require(standing)
            continue
        with pytest.raises(RefusedError) as refused:
            require(standing)
        assert refused.value.refusal is refusal
