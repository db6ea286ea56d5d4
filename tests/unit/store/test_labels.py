"""Labels: history, the latest word of each analyst, and disagreement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import open_site
from verifier.errors import InvalidRequestError, NotFoundError
from verifier.store.labels import LabelStore, Standing, Truth

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


@pytest.fixture
def labels(engine: Engine, tmp_path: Path) -> LabelStore:
    """Labels of two attempts."""
    site = open_site(engine, tmp_path)
    site.judged("a1")
    site.judged("a2")
    return LabelStore(engine)


def test_nothing_is_overwritten(labels: LabelStore) -> None:
    """Every label stays in the history in its order; of each analyst the last one counts."""
    labels.add("l1", attempt_id="a1", truth=Truth.UNSURE, analyst="ana", note="dark", now=NOW)
    labels.add("l2", attempt_id="a1", truth=Truth.ATTACK, species="screen_replay", analyst="ana", now=NOW)
    assert [(label.number, label.truth, label.note) for label in labels.history("a1")] == [
        (1, Truth.UNSURE, "dark"),
        (2, Truth.ATTACK, ""),
    ]
    standing = labels.standing(["a1", "a2"])
    assert set(standing) == {"a1"}
    settled = standing["a1"].settled
    assert settled is not None
    assert (settled.id, settled.species, standing["a1"].disputed) == ("l2", "screen_replay", False)
    assert labels.labelled() == ("a1",)


def test_disagreement_settles_nothing_until_it_ends(labels: LabelStore) -> None:
    """Two that are sure of different things, or of different species, dispute; being unsure disputes nothing."""

    def now_stands() -> Standing:
        return labels.standing(["a1"])["a1"]

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
