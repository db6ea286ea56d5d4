"""Error rates of screen light in simulated sessions, their tables and their JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from cameo_verifier.checks.screen_light import judge
from cameo_verifier.review.error_rates import Rate, rate
from cameo_verifier.review.rendering import interval, percent
from cameo_verifier.review.screen_light import CONDITIONS, FLAT, GENUINE, LATE, LATE_S, ORDER, SOURCES, UNLIT, Presented
from cameo_verifier.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cameo_verifier.profile import Profile

WHAT = (
    "A simulation: nobody was filmed before a display that shows colours. Genuine recordings are relit, in every condition once."
)
GOALS = "Goals: EER at most 1 %, in the worst condition at most 2.5 %."
EXCLUDED = (UNLIT, FLAT, ORDER)
"""Attacks of the EER: those that no delay explains."""
ALL = "all conditions"


@dataclass(frozen=True, slots=True)
class LightRates:
    """Rates in one condition.

    Attributes:
        condition: its name.
        unable: genuine sessions that show too little of skin or background.
        refused: genuine sessions, of the others, that do not pass.
        accepted: attacks that pass, by kind.
        missed_at_eer: genuine sessions below the line at which both error rates are most alike.
        passed_at_eer: attacks above it.
    """

    condition: str
    unable: Rate
    refused: Rate
    accepted: dict[str, Rate]
    missed_at_eer: Rate
    passed_at_eer: Rate

    @property
    def eer(self) -> float:
        """The larger of the two error rates there, 0..1; NaN without sessions."""
        shares = [each.share for each in (self.missed_at_eer, self.passed_at_eer)]
        return max((share for share in shares if share is not None), default=float("nan"))


def light_rates(presented: Sequence[Presented], profile: Profile) -> tuple[LightRates, ...]:
    """Return the rates of all conditions together and of each."""
    by_condition = [(name, [each for each in presented if each.condition == name]) for name in CONDITIONS]
    return tuple(_rates(name, some, profile) for name, some in [(ALL, list(presented)), *by_condition] if some)


def late_rates(presented: Iterable[Presented], profile: Profile) -> dict[float, Rate]:
    """Return how much of the right light passes that is later than a person's, by how many seconds."""
    late = [each for each in presented if each.kind == LATE]
    return {late_s: _passing([each for each in late if each.late_s == late_s], profile) for late_s in LATE_S}


def light_document(presented: Sequence[Presented], profile: Profile) -> dict[str, Any]:
    """Return the report as plain values."""
    return {
        "what": WHAT,
        "conditions": [
            {
                "condition": each.condition,
                "unable": _plain(each.unable),
                "refused": _plain(each.refused),
                "accepted": {kind: _plain(found) for kind, found in each.accepted.items()},
                "eer": each.eer,
                "missed_at_eer": _plain(each.missed_at_eer),
                "passed_at_eer": _plain(each.passed_at_eer),
            }
            for each in light_rates(presented, profile)
        ],
        "late": {f"{late_s:.1f}": _plain(found) for late_s, found in late_rates(presented, profile).items()},
        "sources": [each._asdict() for each in SOURCES],
    }


def light_tables(presented: Sequence[Presented], profile: Profile) -> tuple[Table, Table, Table]:
    """Return three tables: rates by condition, the right light that comes late, and where distributions come from."""
    rates = Table("condition", "unable", "refused", *EXCLUDED, "EER", "missed, passed there", box=None, pad_edge=False)
    for each in light_rates(presented, profile):
        accepted = [_shown(each.accepted[kind]) for kind in EXCLUDED]
        there = f"{interval(each.missed_at_eer)}, {interval(each.passed_at_eer)}"
        rates.add_row(each.condition, _shown(each.unable), _shown(each.refused), *accepted, percent(each.eer), there)
    late = Table("right light, later by", "accepted", "95 % interval", box=None, pad_edge=False)
    for late_s, found in late_rates(presented, profile).items():
        late.add_row(f"{late_s * 1e3:.0f} ms", _shown(found), interval(found))
    sources = Table("drawn", "how", "source", box=None, pad_edge=False)
    for source in SOURCES:
        sources.add_row(*source)
    return rates, late, sources


def _rates(condition: str, presented: Sequence[Presented], profile: Profile) -> LightRates:
    genuine = [each for each in presented if each.kind == GENUINE]
    able = [each for each in genuine if not math.isnan(each.response.match)]
    attacks = [each for each in presented if each.kind in EXCLUDED]
    missed, passed = _at_eer([_score(each, profile) for each in able], [_score(each, profile) for each in attacks])
    return LightRates(
        condition,
        unable=rate(len(genuine) - len(able), len(genuine)),
        refused=rate(len(able) - _passing(able, profile).count, len(able)),
        accepted={kind: _passing([each for each in attacks if each.kind == kind], profile) for kind in EXCLUDED},
        missed_at_eer=missed,
        passed_at_eer=passed,
    )


def _passing(presented: Sequence[Presented], profile: Profile) -> Rate:
    return rate(sum(judge(each.response, profile).outcome is Outcome.PASS for each in presented), len(presented))


def _score(presented: Presented, profile: Profile) -> float:
    """Return the least of match and strength over their lines, -1 where the answer comes late or was not seen."""
    found = presented.response
    if math.isnan(found.match) or not profile["screen_light_delay_max"].holds(found.delay_s):
        return -1.0
    match, strength = (profile[f"screen_light_{each}_min"].value for each in ("match", "strength"))
    return min(found.match / match, found.strength / strength)


def _at_eer(genuine: Sequence[float], attacks: Sequence[float]) -> tuple[Rate, Rate]:
    """Return the rates of genuine scores below and of attacks' scores from the line on at which the larger of them is least."""
    if not genuine or not attacks:
        return rate(0, len(genuine)), rate(0, len(attacks))
    own, other = np.array(genuine), np.array(attacks)
    found = [(int((own < line).sum()), int((other >= line).sum())) for line in np.unique(np.concatenate([own, other]))]
    missed, passed = min(found, key=lambda pair: max(pair[0] / len(own), pair[1] / len(other)))
    return rate(missed, len(own)), rate(passed, len(other))


def _shown(found: Rate) -> str:
    return f"{found.count} of {found.trials}"


def _plain(found: Rate) -> dict[str, Any]:
    return {"count": found.count, "of": found.trials, "low": found.low, "high": found.high}
