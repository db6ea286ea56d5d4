"""The difference a replay makes: verdicts that flip and by which check, and the error rates of labelled attempts.

APCER and BPCER are those of ISO/IEC 30107-3 (see `error_rates`), over attempts whose label is settled; disputed and unlabelled
ones are left out. Before and after are the same attempts, so beside both rates are those that changed, in each direction, as
rates of their own with exact intervals: a change can be significant though the two intervals overlap.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cameo_verifier.review.error_rates import CONFIDENCE, Rate, rate
from cameo_verifier.review.kept import BONA_FIDE, Kept, kept_of, settled
from cameo_verifier.review.kept import document as kept_document
from cameo_verifier.review.replay import NotReplayed, Replayed, bits
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from cameo_verifier.profile import Profile
    from cameo_verifier.review.replay import Answer, Source
    from cameo_verifier.store.attempts.labels import Consensus
    from cameo_verifier.types import CheckResult


@dataclass(frozen=True, slots=True)
class Flip:
    """Attempts whose verdict changed in the same way by the same checks."""

    before: Verdict
    after: Verdict
    checks: tuple[str, ...]
    attempt_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RateChange:
    """One error rate, before and after.

    Attributes:
        name: the species, or `bona_fide`.
        before, after: the rates.
        gained: errors only after.
        lost: errors only before.
        before_ids, after_ids: the errors' attempts.
    """

    name: str
    before: Rate
    after: Rate
    gained: Rate
    lost: Rate
    before_ids: tuple[str, ...]
    after_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """Attempts that changed, of all that could have."""

    rate: Rate
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """The result of a replay; attempts in the order of their ids.

    Attributes:
        made_at: time in UTC.
        source: tracks or recordings.
        profile: the profile of the judgements after.
        replayed: attempts judged again.
        not_replayed: attempts that could not be judged again.
        flips: changes of verdict, grouped.
        species: APCER by species, the worst first.
        bpcer: BPCER.
        retries: share of bona fide attempts asked to try again.
        unaccepted: accepted before and not after, of all accepted before, labelled or not.
        let_in: accepted after and not before, of all others.
        labels: settled label by attempt.
        kept: coverage of the rates.
        disputed: attempts whose labels contradict each other.
        changed: number of attempts for each digest that differs.
    """

    made_at: datetime
    source: Source
    profile: Profile
    replayed: tuple[Replayed, ...]
    not_replayed: tuple[NotReplayed, ...]
    flips: tuple[Flip, ...]
    species: tuple[RateChange, ...]
    bpcer: RateChange
    retries: RateChange
    unaccepted: Moved
    let_in: Moved
    labels: Mapping[str, str]
    kept: tuple[Kept, ...]
    disputed: tuple[str, ...]
    changed: Mapping[str, int]

    @property
    def reproduced(self) -> tuple[str, ...]:
        """The attempts that the same code, models, profile and settings judged the same, bit for bit."""
        return tuple(each.attempt_id for each in self.replayed if each.reproduced)

    @property
    def broken(self) -> tuple[str, ...]:
        """The attempts that are judged differently though no digest differs."""
        return tuple(each.attempt_id for each in self.replayed if not each.changed and not each.exact)


def difference(
    found: Iterable[Replayed | NotReplayed],
    consensus: Mapping[str, Consensus],
    *,
    verdicts: Mapping[str, Verdict],
    source: Source,
    profile: Profile,
    made_at: datetime,
) -> Difference:
    """Return the difference; it does not depend on the order of the replays.

    Args:
        found: the attempts, judged again or not.
        consensus: their labels.
        verdicts: their stored verdicts, including those that could not be judged again.
        source: the evidence they were judged from.
        profile: the profile they were judged by.
        made_at: time in UTC.
    """
    ordered = sorted(found, key=lambda each: each.attempt_id)
    replayed = tuple(each for each in ordered if isinstance(each, Replayed))
    said = settled({each.attempt_id: held for each in ordered if (held := consensus.get(each.attempt_id))})
    labels = {each.attempt_id: label for each in replayed if (label := said.get(each.attempt_id))}
    genuine = [each for each in replayed if labels.get(each.attempt_id) == BONA_FIDE]
    species = sorted(set(labels.values()) - {BONA_FIDE})
    changes = [_change(name, [each for each in replayed if labels.get(each.attempt_id) == name], _accepted) for name in species]
    return Difference(
        made_at=made_at,
        source=source,
        profile=profile,
        replayed=replayed,
        not_replayed=tuple(each for each in ordered if isinstance(each, NotReplayed)),
        flips=_flips(replayed),
        species=tuple(sorted(changes, key=lambda change: (-(change.after.share or 0), -change.after.high, change.name))),
        bpcer=_change(BONA_FIDE, genuine, _rejected),
        retries=_change(BONA_FIDE, genuine, lambda answer: answer.verdict is Verdict.RETRY),
        unaccepted=_moved(replayed, lambda one, other: one and not other, lambda one: one),
        let_in=_moved(replayed, lambda one, other: other and not one, lambda one: not one),
        labels=labels,
        kept=kept_of(said, verdicts, labels.keys()),
        disputed=tuple(each.attempt_id for each in replayed if (held := consensus.get(each.attempt_id)) and held.disputed),
        changed=dict(sorted(Counter(name for each in replayed for name in each.changed).items())),
    )


def document(found: Difference) -> dict[str, Any]:
    """Return a difference as JSON, without evidence or biometric data. Floats are exact, as Python writes them."""
    return {
        "made_at": found.made_at.isoformat(),
        "from": found.source.value,
        "profile": {"name": found.profile.name, "sha256": found.profile.digest},
        "confidence": CONFIDENCE,
        "replayed": len(found.replayed),
        "reproduced": len(found.reproduced),
        "not_reproduced_though_nothing_changed": list(found.broken),
        "changed_digests": dict(found.changed),
        "flips": [
            {
                "before": flip.before.value,
                "after": flip.after.value,
                "checks": list(flip.checks),
                "count": len(flip.attempt_ids),
                "attempts": list(flip.attempt_ids),
            }
            for flip in found.flips
        ],
        "apcer": [_change_document(change) for change in found.species],
        "bpcer": _change_document(found.bpcer),
        "bona_fide_retries": _change_document(found.retries),
        "rates_of": kept_document(found.kept),
        "accepted_before_not_after": {**_rate(found.unaccepted.rate), "attempts": list(found.unaccepted.ids)},
        "accepted_after_not_before": {**_rate(found.let_in.rate), "attempts": list(found.let_in.ids)},
        "disputed": list(found.disputed),
        "not_replayed": [{"attempt": each.attempt_id, "why": each.why} for each in found.not_replayed],
        "attempts": [_attempt(each, found.labels.get(each.attempt_id)) for each in found.replayed],
    }


def moved(each: Replayed) -> tuple[tuple[CheckResult | None, CheckResult | None], ...]:
    """Return the checks whose outcome, score or threshold differs, before and after; None for a check that did not run."""
    before, after = ({check.name: check for check in answer.checks} for answer in (each.before, each.after))
    pairs = [(before.get(name), after.get(name)) for name in dict.fromkeys([*before, *after])]
    return tuple((one, other) for one, other in pairs if one is None or other is None or bits(one) != bits(other))


def _moved(replayed: Sequence[Replayed], moves: Callable[[bool, bool], bool], could: Callable[[bool], bool]) -> Moved:
    """Return the attempts whose acceptance changed, of those that could."""
    pairs = [(each.attempt_id, _accepted(each.before), _accepted(each.after)) for each in replayed]
    ids = tuple(attempt_id for attempt_id, before, after in pairs if moves(before, after))
    return Moved(rate(len(ids), sum(could(before) for _, before, _ in pairs)), ids)


def _accepted(answer: Answer) -> bool:
    return answer.verdict is Verdict.ACCEPTED


def _rejected(answer: Answer) -> bool:
    return answer.verdict not in {Verdict.ACCEPTED, Verdict.RETRY}


def _flips(replayed: Sequence[Replayed]) -> tuple[Flip, ...]:
    groups: dict[tuple[Verdict, Verdict, tuple[str, ...]], list[str]] = {}
    for each in replayed:
        if each.before.verdict is not each.after.verdict:
            groups.setdefault((each.before.verdict, each.after.verdict, each.flipped_by), []).append(each.attempt_id)
    return tuple(
        Flip(before, after, checks, tuple(ids))
        for (before, after, checks), ids in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    )


def _change(name: str, attempts: Sequence[Replayed], error: Callable[[Answer], bool]) -> RateChange:
    before = tuple(each.attempt_id for each in attempts if error(each.before))
    after = tuple(each.attempt_id for each in attempts if error(each.after))
    count = len(attempts)
    return RateChange(
        name=name,
        before=rate(len(before), count),
        after=rate(len(after), count),
        gained=rate(len(set(after) - set(before)), count),
        lost=rate(len(set(before) - set(after)), count),
        before_ids=before,
        after_ids=after,
    )


def _rate(found: Rate) -> dict[str, Any]:
    return {"count": found.count, "of": found.trials, "share": found.share, "low": found.low, "high": found.high}


def _change_document(change: RateChange) -> dict[str, Any]:
    return {
        "name": change.name,
        "before": _rate(change.before),
        "after": _rate(change.after),
        "gained": _rate(change.gained),
        "lost": _rate(change.lost),
        "before_attempts": list(change.before_ids),
        "after_attempts": list(change.after_ids),
    }


def _attempt(each: Replayed, label: str | None) -> dict[str, Any]:
    return {
        "id": each.attempt_id,
        "label": label,
        "before": _answer(each.before),
        "after": _answer(each.after),
        "flipped_by": list(each.flipped_by),
        "reproduced": each.reproduced,
        "changed_digests": list(each.changed),
        "moved": [{"before": _check(before), "after": _check(after)} for before, after in moved(each)],
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {"verdict": answer.verdict.value, "reasons": list(answer.reasons), "profile": answer.profile}


def _check(check: CheckResult | None) -> dict[str, Any] | None:
    if check is None:
        return None
    return {
        "name": check.name,
        "outcome": check.outcome.value,
        "score": _number(check.score),
        "threshold": _number(check.threshold),
        "reason": check.reason.value if check.reason else None,
        "detail": check.detail,
    }


def _number(value: float | None) -> float | str | None:
    """Return a number, or its text if JSON has no such number."""
    return value if value is None or abs(value) < float("inf") else repr(float(value))
