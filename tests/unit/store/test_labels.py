"""Labels: history, the latest of each analyst, and disputes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.errors import NotFoundError
from cameo_verifier.review.filter_language import condition_of
from cameo_verifier.store.attempts.counts import AttemptCounts
from cameo_verifier.store.attempts.labels import Consensus, LabelStore, Truth
from cameo_verifier.store.attempts.search import AttemptSearch
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.unit.store.evidence_site import Site


@pytest.fixture
def site(engine: Engine, tmp_path: Path) -> Site:
    """Two attempts."""
    site = open_site(engine, tmp_path)
    site.judged("a1")
    site.judged("a2")
    return site


@pytest.fixture
def labels(site: Site) -> LabelStore:
    """Labels of both."""
    return LabelStore(site.engine)


def test_nothing_is_overwritten(labels: LabelStore) -> None:
    """Every label stays in the history in its order; of each analyst the last one counts."""
    labels.add("l1", attempt_id="a1", truth=Truth.UNSURE, analyst="ana", note="dark", now=NOW)
    labels.add("l2", attempt_id="a1", truth=Truth.ATTACK, species="screen_replay", analyst="ana", now=NOW)
    assert [(label.number, label.truth, label.note) for label in labels.history("a1")] == [
        (1, Truth.UNSURE, "dark"),
        (2, Truth.ATTACK, ""),
    ]
    consensus = labels.consensus(["a1", "a2"])
    assert set(consensus) == {"a1"}
    settled = consensus["a1"].settled
    assert settled is not None
    assert (settled.id, settled.species, consensus["a1"].disputed) == ("l2", "screen_replay", False)
    assert labels.labelled() == ("a1",)


def test_disagreement_settles_nothing_until_it_ends(labels: LabelStore) -> None:
    """Two that are sure of different things, or of different species, dispute; being unsure disputes nothing."""

    def now_stands() -> Consensus:
        return labels.consensus(["a1"])["a1"]

    labels.add("l1", attempt_id="a1", truth=Truth.BONA_FIDE, analyst="ana", now=NOW)
    labels.add("l2", attempt_id="a1", truth=Truth.UNSURE, analyst="cat", now=NOW)
    assert not now_stands().disputed
    labels.add("l3", attempt_id="a1", truth=Truth.ATTACK, species="mask", analyst="ben", now=NOW)
    assert now_stands().disputed
    assert now_stands().settled is None
    assert [label.analyst for label in now_stands().labels] == ["ana", "cat", "ben"]
    labels.add("l4", attempt_id="a1", truth=Truth.ATTACK, species="print", analyst="ana", now=NOW)
    assert now_stands().disputed
    settled = labels.add("l5", attempt_id="a1", truth=Truth.ATTACK, species="mask", analyst="ana", now=NOW)
    assert now_stands().settled == settled
    assert len(labels.history("a1")) == 5


def test_a_label_that_is_taken_back_counts_for_nothing(labels: LabelStore, site: Site) -> None:
    """The one before counts again, the history keeps both, the log says who and when, and every question about labels agrees."""
    search, counts, audit = AttemptSearch(site.engine), AttemptCounts(site.engine), site.room.audit
    later = NOW + timedelta(minutes=1)

    def found(expression: str) -> list[str]:
        return [attempt.id for attempt in search.page(condition_of(expression))]

    labels.add("l1", attempt_id="a1", truth=Truth.BONA_FIDE, analyst="ana", now=NOW)
    labels.add("l2", attempt_id="a1", truth=Truth.BONA_FIDE, analyst="ben", now=NOW)
    labels.add("l3", attempt_id="a1", truth=Truth.ATTACK, species="mask", analyst="ana", now=NOW)
    assert (found("label=disputed"), found("species=mask"), labels.species()) == (["a1"], ["a1"], ("mask",))
    mark = counts.mark()
    taken = labels.withdraw("a1", 3, analyst="ana", audit=audit, now=later)
    assert (taken.number, taken.withdrawn_at) == (3, later)
    assert [label.withdrawn_at for label in labels.history("a1")] == [None, None, later]
    consensus = labels.consensus(["a1"])["a1"]
    assert ([label.number for label in consensus.labels], consensus.disputed) == ([1, 2], False)
    assert (found("label=disputed"), found("label=bona_fide"), found("species=mask"), labels.species()) == ([], ["a1"], [], ())
    assert counts.mark() != mark
    [line] = audit.lines(attempt_id="a1")
    assert (line.who, line.action, line.what, line.why, line.at) == ("ana", "unlabel", "label 3", "took back attack mask", later)
    assert labels.withdraw("a1", 3, analyst="ana", audit=audit, now=later + timedelta(1)) == taken
    assert len(audit.lines()) == 1
    labels.withdraw("a1", 1, analyst="ana", audit=audit, now=later)
    labels.withdraw("a1", 2, analyst="ben", audit=audit, now=later)
    assert (labels.labelled(), labels.consensus(["a1"]), found("label=none")) == ((), {}, ["a2", "a1"])
    assert labels.add("l4", attempt_id="a1", truth=Truth.UNSURE, analyst="ana", now=later).number == 4


@pytest.mark.parametrize(
    ("number", "analyst", "error", "message"),
    [
        (1, "ana", InvalidRequestError, "only the last"),
        (2, "ana", InvalidRequestError, "no label of that number"),
        (9, "ana", InvalidRequestError, "no label of that number"),
        (3, "eve", InvalidRequestError, "no label of that number"),
    ],
)
def test_nobody_takes_back_what_is_not_their_last(
    labels: LabelStore, site: Site, number: int, analyst: str, error: type[Exception], message: str
) -> None:
    """Somebody else's label, one there is not, and one before the last stay; so does the log."""
    for place, who in enumerate(("ana", "ben", "ana"), 1):
        labels.add(f"l{place}", attempt_id="a1", truth=Truth.UNSURE, analyst=who, now=NOW)
    with pytest.raises(error, match=message):
        labels.withdraw("a1", number, analyst=analyst, audit=site.room.audit, now=NOW)
    with pytest.raises(NotFoundError):
        labels.withdraw("zz", 1, analyst="ana", audit=site.room.audit, now=NOW)
    assert not any(label.withdrawn_at for label in labels.history("a1"))
    assert site.room.audit.lines() == []


def test_a_label_that_is_sent_again_is_kept_once(labels: LabelStore) -> None:
    """The same id returns what it was first given for."""
    first = labels.add("l1", attempt_id="a1", truth=Truth.BONA_FIDE, analyst="ana", now=NOW)
    assert labels.add("l1", attempt_id="a1", truth=Truth.UNSURE, analyst="ana", now=NOW) == first
    assert labels.history("a1") == (first,)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"truth": Truth.ATTACK}, InvalidRequestError, "has a species"),
        ({"truth": Truth.ATTACK, "species": "<script>"}, InvalidRequestError, "has a species"),
        ({"truth": Truth.BONA_FIDE, "species": "mask"}, InvalidRequestError, "has a species"),
        ({"truth": Truth.UNSURE, "species": "Not One"}, InvalidRequestError, "has a species"),
        ({"truth": Truth.UNSURE, "note": "n" * 4001}, InvalidRequestError, "at most 4000"),
        ({"truth": Truth.UNSURE, "analyst": " "}, InvalidRequestError, "who labels"),
        ({"truth": Truth.UNSURE, "attempt_id": "zz"}, NotFoundError, "no attempt"),
    ],
)
def test_what_says_nothing_is_refused(labels: LabelStore, given: dict[str, object], error: type, message: str) -> None:
    """A label without its species, without an analyst or of nothing is not kept."""
    with pytest.raises(error, match=message):
        labels.add("l1", **{"attempt_id": "a1", "analyst": "ana", "now": NOW, **given})  # type: ignore[arg-type]
    assert labels.labelled() == ()
