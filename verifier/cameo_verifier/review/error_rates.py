"""Error rates after ISO/IEC 30107-3, each with its number of trials and an exact interval.

APCER: the share of attack presentations of one species that is accepted. It is never averaged over species: an attacker chooses
the best one. BPCER: the share of bona fide presentations that is rejected. Retries are neither; their share is reported beside
both. A presentation that could not be judged at all counts as rejected.

Intervals are Clopper and Pearson's (1934): the rates at which so few, or so many, errors have half of the remaining probability.
Zero errors in n presentations still have an upper end of about 3.7 / n at 95 %.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_verifier.decision import counts_against
from cameo_verifier.profile import CheckRole, Profile
from cameo_verifier.types import CheckResult, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cameo_verifier.review.judging import Attempt

CONFIDENCE = 0.95
_HALVINGS = 60
"""Bisections of 0..1; beyond the precision of a double."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate: `count` of `trials`, with the two ends of its interval."""

    count: int
    trials: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """The rate, 0..1; None without trials."""
        return self.count / self.trials if self.trials else None


@dataclass(frozen=True, slots=True)
class SpeciesRates:
    """Error rates of one attack species.

    apcer: accepted. retries: asked to try again. stopped_by: for each check, the number it counted against.
    """

    species: str
    apcer: Rate
    retries: Rate
    stopped_by: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ConditionRates:
    """Error rates of bona fide presentations under one condition.

    bpcer: rejected, sent to review or not judgeable. retries: asked to try again. stopped_by: for each check, the number it
    counted against.
    """

    condition: str
    bpcer: Rate
    retries: Rate
    stopped_by: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CheckRates:
    """Error rates of one check, together with the others and alone, over the attempts in which it ran.

    For a check of role advise they say what it would have done as a veto; it decided nothing.

    Attributes:
        check: its name.
        role: its role in the profile.
        attacks_stopped: attacks it counted against.
        attacks_alone: attacks that it alone counted against.
        bona_fide_stopped: bona fide presentations it counted against.
        bona_fide_alone: bona fide presentations that it alone counted against: the cost of the check.
        unable: attempts in which it could not answer.
    """

    check: str
    role: CheckRole
    attacks_stopped: Rate
    attacks_alone: Rate
    bona_fide_stopped: Rate
    bona_fide_alone: Rate
    unable: int


def clopper_pearson(count: int, trials: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the two ends of the exact interval of `count` of `trials`; 0 and 1 without trials.

    Raises:
        ValueError: `count` is not within 0..`trials`.
    """
    if not 0 <= count <= trials:
        raise ValueError(f"{count} of {trials}")
    tail = (1 - confidence) / 2
    # The probability of `count` or more rises with the rate, that of `count` or fewer falls.
    low = 0.0 if count == 0 else _bisect(lambda rate: _chance(range(count, trials + 1), trials, rate) < tail)
    high = 1.0 if count == trials else _bisect(lambda rate: _chance(range(count + 1), trials, rate) > tail)
    return low, high


def rate(count: int, trials: int) -> Rate:
    """Return the rate of `count` of `trials`, with its interval."""
    return Rate(count, trials, *clopper_pearson(count, trials))


def species_rates(attempts: Iterable[Attempt], profile: Profile) -> tuple[SpeciesRates, ...]:
    """Return the rates of each attack species, the worst first: by APCER, then by the upper end of its interval."""
    rates = [
        SpeciesRates(
            species=species,
            apcer=_share(group, lambda attempt: attempt.verdict is Verdict.ACCEPTED),
            retries=_share(group, lambda attempt: attempt.verdict is Verdict.RETRY),
            stopped_by=_stopped_by(group, profile),
        )
        for species, group in _grouped((a for a in attempts if a.case.species), lambda attempt: attempt.case.species)
    ]
    return tuple(sorted(rates, key=lambda r: (-(r.apcer.share or 0), -r.apcer.high, -(r.retries.share or 0), r.species)))


def condition_rates(attempts: Iterable[Attempt], profile: Profile) -> tuple[ConditionRates, ...]:
    """Return the rates of each bona fide condition, the worst first."""
    genuine = [attempt for attempt in attempts if not attempt.case.species]
    rates = [bona_fide_rates(condition, group, profile) for condition, group in _grouped(genuine, lambda a: a.case.condition)]
    return tuple(sorted(rates, key=lambda r: (-(r.bpcer.share or 0), -(r.retries.share or 0), r.condition)))


def bona_fide_rates(name: str, genuine: Sequence[Attempt], profile: Profile) -> ConditionRates:
    """Return the rates of a set of bona fide attempts."""
    return ConditionRates(
        condition=name,
        bpcer=_share(genuine, lambda attempt: attempt.verdict not in {Verdict.ACCEPTED, Verdict.RETRY}),
        retries=_share(genuine, lambda attempt: attempt.verdict is Verdict.RETRY),
        stopped_by=_stopped_by(genuine, profile),
    )


def check_rates(attempts: Sequence[Attempt], profile: Profile) -> tuple[CheckRates, ...]:
    """Return the rates of each check, in the order in which they ran."""
    names = dict.fromkeys(result.name for attempt in attempts for result in attempt.checks)
    return tuple(_check_rates(name, attempts, profile) for name in names)


def stops(result: CheckResult, profile: Profile) -> bool:
    """Return whether a result counts against its recording; for a check that advises, whether it would as a veto."""
    role = profile.role(result.name)
    return counts_against(result, CheckRole.VETO if role is CheckRole.ADVISE else role)


def _check_rates(name: str, attempts: Sequence[Attempt], profile: Profile) -> CheckRates:
    asked = [attempt for attempt in attempts if any(result.name == name for result in attempt.checks)]
    attacks, genuine = [a for a in asked if a.case.species], [a for a in asked if not a.case.species]

    def stopped(attempt: Attempt) -> bool:
        return name in _standing(attempt, profile, and_advice=name)

    def alone(attempt: Attempt) -> bool:
        return _standing(attempt, profile, and_advice=name) == {name}

    return CheckRates(
        check=name,
        role=profile.role(name),
        attacks_stopped=_share(attacks, stopped),
        attacks_alone=_share(attacks, alone),
        bona_fide_stopped=_share(genuine, stopped),
        bona_fide_alone=_share(genuine, alone),
        unable=sum(r.name == name and r.outcome is Outcome.UNABLE for attempt in asked for r in attempt.checks),
    )


def _standing(attempt: Attempt, profile: Profile, *, and_advice: str = "") -> set[str]:
    """Return the checks that count against an attempt; of those that only advise, only the one of that name."""
    profile = profile.judging(minor=attempt.minor_safeguards)
    return {
        result.name
        for result in attempt.checks
        if stops(result, profile) and (profile.role(result.name) is not CheckRole.ADVISE or result.name == and_advice)
    }


def _stopped_by(attempts: Iterable[Attempt], profile: Profile) -> Mapping[str, int]:
    counted = Counter(name for attempt in attempts for name in sorted(_standing(attempt, profile)))
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _share(attempts: Sequence[Attempt], condition: Callable[[Attempt], bool]) -> Rate:
    return rate(sum(map(condition, attempts)), len(attempts))


def _grouped(attempts: Iterable[Attempt], key: Callable[[Attempt], str]) -> Iterable[tuple[str, list[Attempt]]]:
    groups: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        groups.setdefault(key(attempt), []).append(attempt)
    return groups.items()


def _chance(counts: range, trials: int, rate: float) -> float:
    """Return the probability of a count within `counts` under the binomial distribution, for a rate inside 0..1."""
    log_rate, log_rest = math.log(rate), math.log1p(-rate)
    log_all = math.lgamma(trials + 1)
    return math.fsum(
        math.exp(log_all - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * log_rate + (trials - k) * log_rest)
        for k in counts
    )


def _bisect(below: Callable[[float], bool]) -> float:
    """Return the point at which `below`, true from 0 on, becomes false."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if below(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2
