"""Rates by group: failure to acquire, false rejection, and score shift."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from cameo_challenges.model import Challenge
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Reason
from cameo_verifier.review.cases import Case
from cameo_verifier.review.fairness import group_rates
from cameo_verifier.review.judging import Attempt
from cameo_verifier.review.page import page
from cameo_verifier.review.report import document
from cameo_verifier.types import Verdict
from tests.unit.review.test_report import HOSTILE, report


def person(number: int, score: float, verdict: Verdict = Verdict.ACCEPTED, *reasons: Reason, **groups: str) -> Attempt:
    """Return a bona fide attempt with that score of the presentation-attack check."""
    case = Case(f"{number}", Path("clip.mp4"), "", "plain", "", Challenge(()), None, groups)
    result = load()["live_p20_min"].judge("presentation_attack", score, Reason.SCREEN_OR_PRINT)
    return Attempt(case, verdict, reasons, (result,), {}, total_ms=1000.0 * (number % 3 + 1))


PEOPLE = (
    *(person(n, 0.90 + 0.01 * n, skin="light") for n in range(5)),
    person(5, 0.95, Verdict.RETRY, Reason.TOO_DARK, skin="light"),
    *(person(n, 0.50 + 0.01 * n, skin="dark") for n in range(6, 9)),
    person(9, 0.2, Verdict.REJECTED, Reason.SCREEN_OR_PRINT, skin="dark"),
    person(10, 0.9),
)


def test_each_group_has_its_own_rates() -> None:
    """Failures to acquire are of all, false rejections of those acquired; whoever has no label is in no group."""
    dark, light = group_rates(PEOPLE, load())
    assert (dark.attribute, dark.group, light.group) == ("skin", "dark", "light")
    assert (light.acquisition_failures.count, light.acquisition_failures.trials) == (1, 6)
    assert (light.false_rejections.count, light.false_rejections.trials) == (0, 5)
    assert (dark.acquisition_failures.count, dark.false_rejections.count, dark.false_rejections.trials) == (0, 1, 4)
    assert (dark.accused.count, light.accused.count) == (1, 0)
    assert dark.median_s == pytest.approx(1.5)


def test_a_group_that_scores_worse_is_shifted_down() -> None:
    """In interquartile ranges of everybody else; without enough scores on either side nothing is said."""
    dark, light = group_rates(PEOPLE, load())
    assert dark.score_shifts["presentation_attack"] < -5
    assert light.score_shifts["presentation_attack"] > 0
    assert all(not each.score_shifts for each in group_rates(PEOPLE[4:], load()))


def test_attacks_and_what_cannot_be_judged() -> None:
    """An attack is in no group; a recording that cannot be judged is a failure to acquire and has no time."""
    attack = replace(PEOPLE[0], case=replace(PEOPLE[0].case, species="print"))
    unreadable = Attempt(replace(PEOPLE[0].case, id="x"), Verdict.REJECTED, (Reason.CORRUPT_MEDIA,), (), {})
    (found,) = group_rates([attack, unreadable], load())
    assert (found.acquisition_failures.count, found.false_rejections.trials) == (1, 0)
    assert math.isnan(found.median_s)
    assert group_rates([attack], load()) == ()


def test_the_report_lists_groups_and_escapes_them() -> None:
    """Groups come from a manifest: they are text on the page, and the document has them."""
    named = replace(PEOPLE[0], case=replace(PEOPLE[0].case, groups={HOSTILE: HOSTILE}))
    written = page(report(named))
    assert "ISO/IEC 19795-10" in written
    assert "<script>" not in written
    (row,) = document(report(named))["groups"]
    assert (row["group"], row["accused"]["of"], row["score_shifts"]) == (HOSTILE, 1, {})
    assert "19795" not in page(report(PEOPLE[-1]))
