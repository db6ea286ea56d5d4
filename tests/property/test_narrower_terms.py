"""The order of a minor's terms, and what propose, approve and narrow make of it: laws, without a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations, product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_credential.item_kind import ItemKind
from cameo_verifier.cameo import guardians
from cameo_verifier.cameo.model import Cameo, CameoState, Consent, Terms, UseCategory, WhoMayUse
from cameo_verifier.cameo.permissions import Answer, Relationships, decide, intersect, narrower
from cameo_verifier.cameo.refusal import Refusal, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MUTUALS, OTHERS = ("ann", "bob"), ("eve",)
CATEGORIES = (UseCategory.POLITICS, UseCategory.SATIRE)
NOTES = st.sampled_from(("", "never in a uniform", "in red"))
TERMS = st.builds(
    Terms,
    who=st.sampled_from(WhoMayUse),
    selected=st.frozensets(st.sampled_from((*MUTUALS, *OTHERS))),
    words=st.lists(st.sampled_from(("no cats", "no dogs")), unique=True).map(tuple),
    categories=st.frozensets(st.sampled_from(CATEGORIES)),
    appearance_notes=NOTES,
    voice_notes=NOTES,
    generators=st.sampled_from((None, frozenset(), frozenset({"g"}), frozenset({"g", "h"}))),
    items=st.frozensets(st.sampled_from(ItemKind)),
    offline=st.sampled_from((frozenset(), frozenset({"g"}), frozenset({"g", "h"}))),
)
BOTH = frozenset({"mother", "father"})
GRAPH = Relationships({("minor", person): person in MUTUALS for person in (*MUTUALS, *OTHERS)})


def cameo(terms: Terms) -> Cameo:
    consent = Consent("1", "en", NOW, "")
    return Cameo("c", "minor", "a", CameoState.CAMEO_ACTIVE, terms, True, consent, 1, NOW, NOW, "")  # noqa: FBT003 - a minor's


def uses(terms: Terms) -> set[tuple[str, frozenset[UseCategory], str]]:
    """Everyone, everything and every generator that these terms of a minor's permit."""

    def asked() -> Iterator[tuple[str, frozenset[UseCategory], str]]:
        for person, generator in product(("minor", *MUTUALS, *OTHERS), ("g", "h", "other")):
            for count in range(len(CATEGORIES) + 1):
                yield from ((person, frozenset(some), generator) for some in combinations(CATEGORIES, count))

    return {each for each in asked() if answer(terms, *each) is Answer.PERMITTED}


def answer(
    terms: Terms, person: str, purposes: frozenset[UseCategory], generator: str = "", graph: Relationships = GRAPH
) -> Answer | Refusal:
    """What someone who asks about a minor's cameo is told."""
    try:
        return decide(cameo(terms), person, purposes, graph, generator=generator)
    except RefusedError as error:
        return error.refusal


def canonical(terms: Terms) -> Terms:
    return replace(terms, words=tuple(sorted(set(terms.words))))


@given(one=TERMS, two=TERMS, three=TERMS)
def test_narrower_is_a_partial_order(one: Terms, two: Terms, three: Terms) -> None:
    """Reflexive, transitive, and antisymmetric but for the order of words."""
    assert narrower(one, one)
    assert not (narrower(one, two) and narrower(two, three)) or narrower(one, three)
    assert not (narrower(one, two) and narrower(two, one)) or canonical(one) == canonical(two)


@given(one=TERMS, two=TERMS)
def test_narrower_terms_permit_no_other_use(one: Terms, two: Terms) -> None:
    """Whatever the narrower of two permits, the wider does, and it drops no restriction in words and no note."""
    if narrower(one, two):
        assert uses(one) <= uses(two)
        assert set(one.words) >= set(two.words)
        assert one.offline <= two.offline
        assert two.appearance_notes in {"", one.appearance_notes}
        assert one.items <= two.items


@given(standing=TERMS, said=TERMS, other=TERMS)
def test_narrowed_is_the_greatest_within_both(standing: Terms, said: Terms, other: Terms) -> None:
    """It is within what stands, permits nothing that what was said does not, and is all of it where that is narrower."""
    both = intersect(standing, said)
    assert narrower(both, standing)
    assert uses(both) <= uses(standing) & uses(said)
    assert set(both.words) == {*standing.words, *said.words}
    assert both.offline == standing.offline & said.offline
    assert intersect(both, said) == both
    if narrower(said, standing):
        assert both == said
    if narrower(other, standing) and narrower(other, said):
        assert narrower(other, both)


@given(terms=TERMS)
def test_only_mutuals_use_a_minor_s_cameo(terms: Terms) -> None:
    """Whatever the terms, nobody outside the owner's mutuals, also while the graph cannot be asked, is told that it exists."""
    assert {person for person, _, _ in uses(terms)} <= {"minor", *MUTUALS}
    silent = Relationships({("minor", person): None for person in (*MUTUALS, *OTHERS)})
    assert answer(terms, "eve", frozenset()) is Refusal.CAMEO_UNKNOWN
    assert answer(terms, "ann", frozenset(), graph=silent) is Refusal.CAMEO_UNKNOWN


@given(standing=TERMS, word=TERMS)
def test_a_proposal_narrows_at_once_and_widens_never(standing: Terms, word: Terms) -> None:
    """Until approved, the owner's word makes terms narrower only; without a guardian, one that would widen changes nothing."""
    said, _ = guardians.change_terms(cameo(standing), word, guardians=BOTH, now=NOW)
    assert said.terms == intersect(standing, word)
    assert guardians.requested_terms(said) == word
    assert (said.pending is None) == narrower(word, standing)
    if narrower(word, standing):
        alone, _ = guardians.change_terms(cameo(standing), word, guardians=frozenset(), now=NOW)
        assert alone.terms == word
    else:
        with pytest.raises(RefusedError, match="only with a linked guardian"):
            guardians.change_terms(cameo(standing), word, guardians=frozenset(), now=NOW)


@given(standing=TERMS, word=TERMS, bound=TERMS, order=st.permutations(("mother", "narrow", "father")))
def test_approved_it_is_the_owner_s_word_and_the_guardians(standing: Terms, word: Terms, bound: Terms, order: list[str]) -> None:
    """With every approval, before or after a guardian's bound, the owner's word holds within that bound; until then not.

    Who has set a bound has to approve what is left anew.
    """
    said, _ = guardians.change_terms(cameo(standing), word, guardians=BOTH, now=NOW)
    number = said.pending.number if said.pending else 0
    for step in order:
        settled = said.pending is None
        if step == "narrow":
            said, _ = guardians.narrow(said, lambda _: bound, guardian="father")
        elif not settled:
            said, _ = guardians.approve(said, number, guardian=step, guardians=BOTH)
        assert uses(said.terms) <= uses(word)
        if said.pending is not None:
            assert narrower(said.terms, standing)
    if said.pending is not None:
        assert said.pending.approved_by == {"mother"}
        said, _ = guardians.approve(said, number, guardian="father", guardians=BOTH)
    assert said.pending is None
    assert uses(said.terms) == uses(intersect(word, bound))
    assert set(said.terms.words) == {*word.words, *bound.words}


@given(standing=TERMS, word=TERMS, bounds=st.lists(TERMS, max_size=3))
def test_a_guardian_never_widens_beyond_the_owner_s_last_word(standing: Terms, word: Terms, bounds: list[Terms]) -> None:
    """No sequence of guardians' acts, approvals included, permits a use that the owner's last word does not."""
    said, _ = guardians.change_terms(cameo(standing), word, guardians=BOTH, now=NOW)
    for bound in bounds:
        said, _ = guardians.narrow(said, lambda _, bound=bound: bound, guardian="father")  # type: ignore[misc]
        assert uses(said.terms) <= uses(word)
        assert uses(guardians.requested_terms(said)) <= uses(word)
    for guardian in sorted(BOTH):
        if said.pending is not None:
            said, _ = guardians.approve(said, said.pending.number, guardian=guardian, guardians=BOTH)
        said, _ = guardians.end_pause(said, by=guardian)
        assert uses(said.terms) <= uses(word)


@given(standing=TERMS, word=TERMS, left=st.sampled_from((frozenset(), frozenset({"father"}))), paused=st.booleans())
def test_who_steps_down_widens_nothing(standing: Terms, word: Terms, left: frozenset[str], *, paused: bool) -> None:
    """What waits is withdrawn, a pause goes on, and with the last guardian only the owner is left."""
    said, _ = guardians.change_terms(cameo(standing), word, guardians=BOTH, now=NOW)
    if paused:
        said, _ = guardians.pause(said, "", by="mother")
    ended, _ = guardians.step_down(said, guardian="mother", left=left)
    assert ended.pending is None
    assert narrower(ended.terms, said.terms)
    assert left or {person for person, _, _ in uses(ended.terms)} <= {"minor"}
    assert ended.state is said.state
    assert "mother" not in ended.paused_by
    assert bool(ended.paused_by) == paused
