"""The report: its content, and that nothing from a manifest becomes markup."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cameo_challenges.model import Challenge
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Reason
from cameo_verifier.review.cases import Case
from cameo_verifier.review.charts import Point, det, distribution, trade_off
from cameo_verifier.review.judging import Attempt
from cameo_verifier.review.page import page
from cameo_verifier.review.report import Report, compose, document
from cameo_verifier.types import CheckResult, Direction, Outcome, Verdict

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\x00&'


def attempt(name: str, score: float | None, *, species: str = "", condition: str = "") -> Attempt:
    case = Case(name, Path("clip.mp4"), species, condition, "", Challenge(()))
    if score is None:
        result = CheckResult.unable("presentation_attack", Reason.RECORDING_TOO_SHORT, HOSTILE)
    else:
        result = load()["live_p20_min"].judge("presentation_attack", score, Reason.SCREEN_OR_PRINT, HOSTILE)
    passed = result.outcome is Outcome.PASS
    reasons = (result.reason,) if result.reason else ()
    return Attempt(case, Verdict.ACCEPTED if passed else Verdict.REJECTED, reasons, (result,), {"code": "c0de", "recording": "r"})


def report(*attempts: Attempt, manifest: str = "suite") -> Report:
    return compose(attempts, profile=load(), manifest=manifest, half="report", made_at=NOON)


MIXED = (
    attempt("b", 0.9, condition="plain"),
    attempt("c", 0.1, species="print"),
    attempt("a", 0.8, species="screen"),
    attempt("d", None, species="screen"),
)


class _Tags(HTMLParser):
    """Collects the names of all elements, and of the attributes that could run or fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def test_report_says_what_came_of_every_attempt() -> None:
    """Rates with their intervals, worst species first, what each check did, every attempt by its id, and the common digests."""
    found = document(report(*MIXED))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [(s["species"], s["apcer"]["count"], s["apcer"]["of"]) for s in found["species"]] == [
        ("screen", 1, 2),
        ("print", 0, 1),
    ]
    assert found["species"][1]["apcer"] == {"count": 0, "of": 1, "share": 0.0, "low": 0.0, "high": 0.975}
    assert found["species"][1]["stopped_by"] == {"presentation_attack": 1}
    assert (found["bona_fide"]["condition"], found["bona_fide"]["bpcer"]["count"]) == ("all", 0)
    (check,) = found["checks"]
    assert (check["check"], check["attacks_stopped"]["count"], check["unable"]) == ("presentation_attack", 2, 1)
    assert [entry["id"] for entry in found["attempts"]] == ["a", "b", "c", "d"]
    assert (found["profile"]["name"], found["half"], found["digests"]) == ("default", "report", {"code": "c0de"})


def test_report_of_one_kind_alone_is_whole() -> None:
    """Attacks without bona fide, bona fide without attacks, and scores that are missing leave their parts empty."""
    for attempts in (MIXED[:1], MIXED[1:], MIXED[3:]):
        made = report(*attempts)
        document(made)
        assert page(made).endswith("</html>\n")
    assert document(report(*MIXED[1:]))["bona_fide"]["bpcer"]["share"] is None
    assert report(*MIXED[3:]).scores == {}


def test_hostile_texts_stay_texts() -> None:
    """An id, species, condition or manifest name full of markup adds no element and no attribute to the page."""
    plain, hostile = _Tags(), _Tags()
    plain.feed(page(report(*MIXED)))
    hostile.feed(
        page(
            report(
                attempt(HOSTILE, 0.9, condition=HOSTILE),
                attempt(HOSTILE, 0.1, species=HOSTILE),
                attempt(HOSTILE, 0.8, species="screen"),
                manifest=HOSTILE,
            )
        )
    )
    assert hostile.tags <= plain.tags | {"span"}
    assert hostile.attributes <= plain.attributes
    assert not {"script", "img", "link", "iframe"} & plain.tags
    assert not {name for name in plain.attributes if name.startswith("on")} | {"src", "href"} & plain.attributes


def test_page_names_errors_and_their_numbers() -> None:
    """The page says of each species how many were presented and accepted, and how sure that is."""
    text = page(report(*MIXED))
    assert "<td>screen</td>" in text
    assert "50.0 %" in text
    assert "1.3 to 98.7 %" in text
    assert "1 of 2" in text


def test_trade_off_goes_from_refusing_nobody_to_refusing_everybody() -> None:
    """Each point holds both error rates at one threshold; a check that separates has a point without errors."""
    points = trade_off([0.8, 0.9], [0.1, 0.85], Direction.AT_LEAST)
    assert points[0] == Point(1.0, 0.0)
    assert points[-1] == Point(0.0, 1.0)
    assert Point(0.5, 0.0) in points
    assert Point(0.0, 0.5) in points
    assert Point(0.0, 0.0) in trade_off([1.0], [3.0], Direction.AT_MOST)


@pytest.mark.parametrize("scores", [([1.0], [1.0]), ([], [2.0]), ([0.0, 0.0], [])])
def test_degenerate_scores_can_be_drawn(scores: tuple[list[float], list[float]]) -> None:
    """Scores that are all the same, or of one kind alone, still make a picture, with a bar for each kind there is."""
    drawn = distribution(*scores, threshold=None, unit="<u>", direction=Direction.AT_MOST)
    assert ('class="genuine"' in drawn, 'class="attack"' in drawn) == tuple(map(bool, scores))
    assert "<u>" not in drawn
    assert "nan" not in drawn


def test_rates_beyond_the_axes_are_drawn_on_their_edge() -> None:
    """Zero and one have no normal deviate; they lie where the axes end."""
    assert 'points="44.0,12.0 330.0,156.0"' in det([("aimed", [Point(0.0, 1.0), Point(1.0, 0.0)])])
