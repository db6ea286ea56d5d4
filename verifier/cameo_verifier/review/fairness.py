"""Error rates by demographic group, in the terms of ISO/IEC 19795-10.

Only bona fide presentations are grouped, by any attributes that the manifest gives them: age group, gender, light, kind of
device, skin tone. An attribute with one value for all presentations shows no difference and is listed with its number.

- Failure to acquire: asked to try again, or not judgeable at all.
- False rejection: rejected or sent to review, of those that were acquired.
- Accused: rejected for a reason of an attack, of all.
- Score shift: median score of the group less the median of everybody else's, in units of everybody else's interquartile range,
  positive if the group does better; of the checks that the profile confirms by.
- Time: median time of a judgement, in seconds.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.reasons import Kind
from cameo_verifier.review.error_rates import Rate, rate
from cameo_verifier.types import Direction, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cameo_verifier.profile import Profile
    from cameo_verifier.review.judging import Attempt

FEWEST = 4
"""Minimum number of scores on either side of a shift: fewer have no meaningful interquartile range."""


@dataclass(frozen=True, slots=True)
class GroupRates:
    """Error rates of the bona fide presentations of one group.

    Attributes:
        attribute: what people are grouped by, as the manifest names it.
        group: the value that they share.
        acquisition_failures: asked to try again or not judgeable.
        false_rejections: rejected or sent to review, of those acquired.
        accused: rejected for a reason of an attack.
        score_shifts: for each confirming check, by how much the group scores better than everybody else, in interquartile ranges.
        median_s: median time of a judgement; NaN if none was judged.
    """

    attribute: str
    group: str
    acquisition_failures: Rate
    false_rejections: Rate
    accused: Rate
    score_shifts: Mapping[str, float]
    median_s: float


def group_rates(attempts: Sequence[Attempt], profile: Profile) -> tuple[GroupRates, ...]:
    """Return the rates of every group of every attribute, attributes and groups by name; none if nobody is labelled."""
    genuine = [attempt for attempt in attempts if not attempt.case.species]
    groups: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for attempt in genuine:
        for labelled in attempt.case.groups.items():
            groups[labelled].append(attempt)
    return tuple(_rates(*key, groups[key], genuine, profile) for key in sorted(groups))


def _rates(attribute: str, group: str, members: Sequence[Attempt], genuine: Sequence[Attempt], profile: Profile) -> GroupRates:
    acquired = [attempt for attempt in members if not _failed_to_acquire(attempt)]
    others = [attempt for attempt in genuine if attempt.case.groups.get(attribute) not in (None, group)]
    times_s = [attempt.total_ms / 1e3 for attempt in members if attempt.checks]
    shifts = {check: _shift(check, members, others) for check in sorted(profile.confirmed_by)}
    return GroupRates(
        attribute=attribute,
        group=group,
        acquisition_failures=rate(len(members) - len(acquired), len(members)),
        false_rejections=rate(sum(attempt.verdict is not Verdict.ACCEPTED for attempt in acquired), len(acquired)),
        accused=rate(sum(any(r.kind is Kind.ATTACK for r in attempt.reasons) for attempt in members), len(members)),
        score_shifts={check: shift for check, shift in shifts.items() if shift is not None},
        median_s=float(np.median(times_s)) if times_s else float("nan"),
    )


def _failed_to_acquire(attempt: Attempt) -> bool:
    return attempt.verdict is Verdict.RETRY or not attempt.checks


def _shift(check: str, members: Sequence[Attempt], others: Sequence[Attempt]) -> float | None:
    found = [[r for attempt in side for r in attempt.checks if r.name == check] for side in (members, others)]
    mine, theirs = ([r.score for r in side if r.score is not None] for side in found)
    if min(len(mine), len(theirs)) < FEWEST:
        return None
    low, middle, high = np.quantile(theirs, (0.25, 0.5, 0.75))
    if high <= low:
        return None
    better = -1.0 if found[1][0].direction is Direction.AT_MOST else 1.0
    return float(better * (np.median(mine) - middle) / (high - low))
