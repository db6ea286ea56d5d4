"""The report of one evaluation: what the attempts come to, as a value and as JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cameo_verifier.review.error_rates import (
    CONFIDENCE,
    CheckRates,
    ConditionRates,
    Rate,
    SpeciesRates,
    bona_fide_rates,
    check_rates,
    condition_rates,
    species_rates,
    stops,
)
from cameo_verifier.review.fairness import GroupRates, group_rates
from cameo_verifier.review.kept import document as kept_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cameo_verifier.profile import Profile
    from cameo_verifier.review.judging import Attempt
    from cameo_verifier.review.kept import Kept
    from cameo_verifier.types import Direction

EVERYONE = "all"


@dataclass(frozen=True, slots=True)
class Scores:
    """What one check measured, where it could; every list in the order of the attempts.

    attacks_it_stops: the scores of those species of which the check stopped at least one.
    """

    unit: str
    threshold: float | None
    direction: Direction
    bona_fide: tuple[float, ...]
    attacks: tuple[float, ...]
    attacks_it_stops: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an evaluation.

    Attributes:
        made_at: time of the evaluation, in UTC.
        manifest: path of the suite's manifest, or what the attempts were taken from.
        half: the half of the suite that was judged; empty for all of it.
        profile: the profile that judged.
        attempts: the judged recordings.
        species: error rates by species of attack.
        bona_fide: rates of all genuine recordings.
        conditions: the same by condition.
        checks: rates by check.
        scores: scores by check, genuine and attacks.
        groups: rates by group of people, where the manifest names groups.
        kept: of a site's own attempts, the selection that the rates describe.
    """

    made_at: datetime
    manifest: str
    half: str
    profile: Profile
    attempts: tuple[Attempt, ...]
    species: tuple[SpeciesRates, ...]
    bona_fide: ConditionRates
    conditions: tuple[ConditionRates, ...]
    checks: tuple[CheckRates, ...]
    scores: Mapping[str, Scores]
    groups: tuple[GroupRates, ...] = ()
    kept: tuple[Kept, ...] = ()

    @property
    def digests(self) -> Mapping[str, str]:
        """What every verdict depended on besides its recording."""
        common = next((attempt.digests for attempt in self.attempts if attempt.digests), {})
        return {name: digest for name, digest in common.items() if name != "recording"}


def compose(
    attempts: Sequence[Attempt],
    *,
    profile: Profile,
    manifest: str,
    half: str,
    made_at: datetime,
    kept: tuple[Kept, ...] = (),
) -> Report:
    """Count everything; attempts are put in the order of their ids, whatever order they were judged in."""
    ordered = tuple(sorted(attempts, key=lambda attempt: attempt.case.id))
    checks = check_rates(ordered, profile)
    return Report(
        made_at=made_at,
        manifest=manifest,
        half=half,
        profile=profile,
        attempts=ordered,
        species=species_rates(ordered, profile),
        bona_fide=bona_fide_rates(EVERYONE, [a for a in ordered if not a.case.species], profile),
        conditions=condition_rates(ordered, profile),
        checks=checks,
        scores={rates.check: scores for rates in checks if (scores := _scores(rates.check, ordered, profile))},
        groups=group_rates(ordered, profile),
        kept=kept,
    )


def document(report: Report) -> dict[str, Any]:
    """Return the report as JSON; no evidence and nothing biometric is in it."""
    return {
        "made_at": report.made_at.isoformat(),
        "manifest": report.manifest,
        "half": report.half or None,
        "confidence": CONFIDENCE,
        "profile": {"name": report.profile.name, "sha256": report.profile.digest},
        "digests": dict(report.digests),
        "species": [
            {
                "species": rates.species,
                "apcer": _rate(rates.apcer),
                "retries": _rate(rates.retries),
                "stopped_by": dict(rates.stopped_by),
            }
            for rates in report.species
        ],
        "bona_fide": _condition(report.bona_fide),
        "conditions": [_condition(rates) for rates in report.conditions],
        "groups": [_group(rates) for rates in report.groups],
        "rates_of": kept_document(report.kept),
        "checks": [_check(rates) for rates in report.checks],
        "attempts": [_attempt(attempt) for attempt in report.attempts],
    }


def _scores(check: str, attempts: Sequence[Attempt], profile: Profile) -> Scores | None:
    scored = [(a.case.species, r) for a in attempts for r in a.checks if r.name == check and r.score is not None]
    found = next((result for _, result in scored if result.direction), None)
    if found is None or found.direction is None:
        return None
    stopped = {species for species, result in scored if species and stops(result, profile)}
    return Scores(
        unit=found.unit,
        threshold=found.threshold,
        direction=found.direction,
        bona_fide=tuple(r.score for species, r in scored if not species and r.score is not None),
        attacks=tuple(r.score for species, r in scored if species and r.score is not None),
        attacks_it_stops=tuple(r.score for species, r in scored if species in stopped and r.score is not None),
    )


def _rate(rate: Rate) -> dict[str, Any]:
    share = None if rate.share is None else round(rate.share, 6)
    return {"count": rate.count, "of": rate.trials, "share": share, "low": round(rate.low, 6), "high": round(rate.high, 6)}


def _condition(rates: ConditionRates) -> dict[str, Any]:
    return {
        "condition": rates.condition,
        "bpcer": _rate(rates.bpcer),
        "retries": _rate(rates.retries),
        "stopped_by": dict(rates.stopped_by),
    }


def _group(rates: GroupRates) -> dict[str, Any]:
    return {
        "attribute": rates.attribute,
        "group": rates.group,
        "acquisition_failures": _rate(rates.acquisition_failures),
        "false_rejections": _rate(rates.false_rejections),
        "accused": _rate(rates.accused),
        "score_shifts": {check: round(shift, 3) for check, shift in rates.score_shifts.items()},
        "median_s": round(rates.median_s, 3) if math.isfinite(rates.median_s) else None,
    }


def _check(rates: CheckRates) -> dict[str, Any]:
    return {
        "check": rates.check,
        "role": rates.role.value,
        "attacks_stopped": _rate(rates.attacks_stopped),
        "attacks_alone": _rate(rates.attacks_alone),
        "bona_fide_stopped": _rate(rates.bona_fide_stopped),
        "bona_fide_alone": _rate(rates.bona_fide_alone),
        "unable": rates.unable,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    case = attempt.case
    return {
        "id": case.id,
        "species": case.species or None,
        "condition": case.condition or None,
        "half": case.half or None,
        "verdict": attempt.verdict.value,
        "reasons": [reason.value for reason in attempt.reasons],
        "checks": {
            result.name: {
                "outcome": result.outcome.value,
                "score": None if result.score is None else round(result.score, 6),
                "reason": result.reason.value if result.reason else None,
                "detail": result.detail,
            }
            for result in attempt.checks
        },
    }
