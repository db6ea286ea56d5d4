"""Who may use a cameo for what: each rule by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cameo_verifier.cameo.model import Cameo, CameoState, Consent, Terms, UseCategory, WhoMayUse
from cameo_verifier.cameo.permissions import (
    Answer,
    RelationshipNeededError,
    Relationships,
    decide,
    require_active,
    require_changeable,
)
from cameo_verifier.cameo.refusal import Refusal, RefusedError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GRAPH = Relationships({("ann", "bob"): True, ("ann", "eve"): False, ("ann", "kim"): None})
NO_USE: frozenset[UseCategory] = frozenset()


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
