"""The simulation of delays, on few sessions: what it must show whatever is drawn."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from cameo_challenges.issue import RECIPE
from cameo_challenges.model import Challenge
from cameo_verifier.checks.answered_in_time import latencies
from cameo_verifier.cli import app
from cameo_verifier.profiles import load
from cameo_verifier.review import late, late_tables
from cameo_verifier.review.late import DELAYS_S, play, simulate
from tests.conftest import ROOT

CHALLENGE = Challenge(RECIPE.steps(0))


def test_people_pass_and_a_second_and_a_half_never_does() -> None:
    """The rate of acceptance falls with the delay, and is nil above a second."""
    lines = tuple(simulate(load(), sessions=60))
    assert [line.delay_s for line in lines] == list(DELAYS_S)
    accepted = [line.accepted.count for line in lines]
    assert accepted == sorted(accepted, reverse=True)
    assert accepted[0] >= 57
    assert [line.accepted.count for line in lines if line.delay_s > 1.0] == [0, 0, 0]
    assert lines[-1].best_case.count == 0
    assert sum(line.accused.count for line in lines) == 0


def test_the_same_seed_plays_the_same_sessions() -> None:
    """Another one plays others."""
    first, again, other = (play(CHALLENGE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("best", [False, True])
def test_a_session_is_one_that_a_server_could_have_seen(best: bool) -> None:  # noqa: FBT001 - a parameter
    """Arrivals rise on both clocks, each step is revealed after the bytes of the answer before it, and a delay is one."""
    for seed in range(20):
        live, said, turned = play(CHALLENGE, np.random.default_rng(seed), best=best)
        for name in ("media_s", "arrived_s"):
            times = [getattr(each, name) for each in live.arrivals]
            assert times == sorted(times)
        sent = [each.sent_s for each in live.prompts]
        assert sent == sorted(sent)
        assert len(sent) == len(CHALLENGE.steps) == len(said) + len(turned)
        assert live.arrivals[0].arrived_s == pytest.approx(0.0)
        found = latencies(CHALLENGE, live, said, turned)
        assert all(0.2 < each.claimed_s <= each.at_most_s < 30.0 for kind in found.values() for each in kind)


def test_the_command_says_that_it_simulates_and_where_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables for people, and one JSON document, with every distribution's source."""
    few = tuple(simulate(load(), sessions=4))
    monkeypatch.setattr("cameo_verifier.cli.evaluate.simulate", lambda _profile: iter(few))
    shown = CliRunner().invoke(app, ["evaluate", "--late"], catch_exceptions=False).output
    assert late_tables.WHAT in shown
    assert late_tables.GOALS in shown
    document = json.loads(CliRunner().invoke(app, ["evaluate", "--late", "--json"], catch_exceptions=False).stdout)
    assert [line["added_s"] for line in document["delays"]] == list(DELAYS_S)
    assert len(document["distributions"]) == len(late.SOURCES)
    assert all(row["source"] for row in document["distributions"])
    assert document["delays"][0]["accepted"]["of"] == 4


def test_the_documents_name_every_distribution() -> None:
    """docs/calibration.md has a row for each, word by word."""
    page = (ROOT / "docs/calibration.md").read_text("utf-8")
    assert [source.what for source in late.SOURCES if f"| {source.what} | {source.drawn} | {source.source} |" not in page] == []
