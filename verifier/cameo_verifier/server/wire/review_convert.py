"""Conversion of attempts, labels and replays to messages of `cameo.v1` for analysts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cameo.v1 import attempt_pb2, reason_pb2, review_service_pb2
from cameo_verifier.review import browser_facts
from cameo_verifier.review.error_rates import CONFIDENCE
from cameo_verifier.review.replay import NotReplayed
from cameo_verifier.review.replay_diff import moved
from cameo_verifier.server.wire import convert
from cameo_verifier.server.wire.enums import full_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from cameo_verifier.review import replay, replay_diff
    from cameo_verifier.review.error_rates import Rate
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.store.attempts.labels import Consensus, Label
    from cameo_verifier.store.attempts.opinions import Opinion
    from cameo_verifier.store.cameos.faces import Holder
    from cameo_verifier.store.evidence.audit import Line
    from cameo_verifier.store.evidence.evidence import StoredEvidence

_AT_ONCE = 500
"""Number of attempts in one message: some 50 kB."""


def summary(stored: Attempt, consensus: Consensus | None) -> review_service_pb2.AttemptSummary:
    """Return an attempt as a list entry."""
    return review_service_pb2.AttemptSummary(
        attempt_id=stored.id,
        subject=stored.subject,
        verdict=full_name(attempt_pb2.Verdict, stored.verdict) if stored.verdict else None,
        reasons=[full_name(reason_pb2.Reason, reason) for reason in stored.reasons],
        profile=stored.profile,
        create_time=stored.created_at,
        consensus=_consensus(consensus),
        decision=full_name(attempt_pb2.ReviewDecision, stored.ruling) if stored.ruling else None,
    )


def reviewed(
    stored: Attempt,
    *,
    held: Sequence[StoredEvidence],
    labels: Sequence[Label],
    consensus: Consensus | None,
    lines: Sequence[Line],
    holders: Mapping[int, Holder],
    opinions: Sequence[Opinion],
    until: datetime | None,
    hello: Mapping[str, Any] | None,
) -> review_service_pb2.ReviewedAttempt:
    """Return an attempt with everything except its evidence."""
    return review_service_pb2.ReviewedAttempt(
        attempt=convert.attempt(stored, full=True),
        subject=stored.subject,
        recording_sha256=stored.recording_sha256,
        finish_time=stored.finished_at,
        evidence=[
            review_service_pb2.HeldEvidence(
                kind=full_name(review_service_pb2.EvidenceKind, each.kind),
                size_bytes=each.size_bytes,
                keep_time=each.kept_at,
                remove_time=each.removed_at,
                sha256=each.sha256,
            )
            for each in held
        ],
        labels=map(label, labels),
        consensus=_consensus(consensus),
        audit=[
            review_service_pb2.AuditLine(
                number=line.number, time=line.at, who=line.who, action=line.action, what=line.what, why=line.why
            )
            for line in lines
        ],
        matches=[
            review_service_pb2.GalleryMatch(
                collection=collection,
                face_number=number,
                owner=holders[number].owner if number in holders else "",
                attempt_id=holders[number].attempt_id if number in holders else "",
            )
            for collection, number in stored.matches.items()
        ],
        opinions=map(_opinion, opinions),
        decide_until=until,
        browser_facts=[
            review_service_pb2.BrowserFact(name=fact.name, value=fact.value, doubt=fact.doubt)
            for fact in browser_facts.facts(hello, None)
        ],
        browser_misfits=browser_facts.misfits(hello),
    )


def standing_of(stored: Attempt, opinions: Sequence[Opinion]) -> review_service_pb2.Reviewed:
    """Return the state of an attempt's manual review."""
    return review_service_pb2.Reviewed(
        attempt_id=stored.id,
        decision=full_name(attempt_pb2.ReviewDecision, stored.ruling) if stored.ruling else None,
        decide_time=stored.ruled_at,
        opinions=map(_opinion, opinions),
    )


def _opinion(given: Opinion) -> review_service_pb2.Opinion:
    return review_service_pb2.Opinion(
        number=given.number,
        decision=full_name(attempt_pb2.ReviewDecision, given.ruling),
        reason=given.reason,
        analyst=given.analyst,
        create_time=given.created_at,
    )


def label(given: Label) -> review_service_pb2.Label:
    """Return the message of a label."""
    return review_service_pb2.Label(
        attempt_id=given.attempt_id,
        number=given.number,
        truth=full_name(review_service_pb2.Truth, given.truth),
        species=given.species,
        note=given.note,
        analyst=given.analyst,
        create_time=given.created_at,
        withdraw_time=given.withdrawn_at,
    )


def replayed(found: replay.Replayed, source: replay.Source) -> review_service_pb2.ReplayAttemptResponse:
    """Return the message of a replay."""
    before, after = ({check.name: convert.check(check) for check in answer.checks} for answer in (found.before, found.after))
    changed = {check.name for pair in moved(found) for check in pair if check}
    return review_service_pb2.ReplayAttemptResponse(
        attempt_id=found.attempt_id,
        before=_answer(found.before),
        after=_answer(found.after),
        checks=[
            review_service_pb2.CheckChange(before=before.get(name), after=after.get(name), changed=name in changed)
            for name in dict.fromkeys([*before, *after])
        ],
        flipped_by=found.flipped_by,
        changed_digests=found.changed,
        reproduced=found.reproduced,
        source=full_name(review_service_pb2.EvidenceKind, source),
    )


def difference(found: replay_diff.Difference) -> review_service_pb2.Difference:
    """Return the message of the difference a profile makes."""
    return review_service_pb2.Difference(
        profile=found.profile.name,
        profile_digest=found.profile.digest,
        replayed=len(found.replayed),
        reproduced=len(found.reproduced),
        not_replayed=len(found.not_replayed),
        disputed=len(found.disputed),
        changed_digests=found.changed,
        flips=[
            review_service_pb2.Flip(
                before=full_name(attempt_pb2.Verdict, flip.before),
                after=full_name(attempt_pb2.Verdict, flip.after),
                checks=flip.checks,
                count=len(flip.attempt_ids),
            )
            for flip in found.flips
        ],
        apcer=map(_change, found.species),
        bpcer=_change(found.bpcer),
        bona_fide_retries=_change(found.retries),
        confidence=CONFIDENCE,
        rates_of=[
            review_service_pb2.RateOf(
                name=each.name, verdict=full_name(attempt_pb2.Verdict, each.verdict), kept=each.kept, labelled=each.labelled
            )
            for each in found.kept
        ],
        unaccepted=_rate(found.unaccepted.rate),
        let_in=_rate(found.let_in.rate),
    )


def compared(found: replay_diff.Difference) -> Iterator[review_service_pb2.ComparedAttempts]:
    """Yield the attempts behind a difference, in batches, in the order of their ids."""
    everything: list[replay.Replayed | replay.NotReplayed] = [*found.replayed, *found.not_replayed]
    ordered = sorted(everything, key=lambda each: each.attempt_id)
    for start in range(0, len(ordered), _AT_ONCE):
        yield review_service_pb2.ComparedAttempts(
            attempts=[_compared(each, found.labels.get(each.attempt_id, "")) for each in ordered[start : start + _AT_ONCE]]
        )


def _compared(each: replay.Replayed | replay.NotReplayed, said: str) -> review_service_pb2.ComparedAttempt:
    if isinstance(each, NotReplayed):
        return review_service_pb2.ComparedAttempt(attempt_id=each.attempt_id, why_not=each.why)
    return review_service_pb2.ComparedAttempt(
        attempt_id=each.attempt_id,
        label=said,
        before=full_name(attempt_pb2.Verdict, each.before.verdict),
        after=full_name(attempt_pb2.Verdict, each.after.verdict),
        flipped_by=each.flipped_by,
    )


def _answer(answer: replay.Answer) -> review_service_pb2.Answer:
    return review_service_pb2.Answer(
        verdict=full_name(attempt_pb2.Verdict, answer.verdict),
        reasons=[full_name(reason_pb2.Reason, each) for each in answer.reasons],
        profile=answer.profile,
        digests=answer.digests,
    )


def _consensus(consensus: Consensus | None) -> review_service_pb2.Consensus:
    if consensus is None:
        return review_service_pb2.Consensus()
    settled = consensus.settled
    return review_service_pb2.Consensus(settled=label(settled) if settled else None, disputed=consensus.disputed)


def _change(change: replay_diff.RateChange) -> review_service_pb2.RateChange:
    return review_service_pb2.RateChange(
        name=change.name,
        before=_rate(change.before),
        after=_rate(change.after),
        gained=_rate(change.gained),
        lost=_rate(change.lost),
    )


def _rate(rate: Rate) -> review_service_pb2.Rate:
    return review_service_pb2.Rate(count=rate.count, trials=rate.trials, low=rate.low, high=rate.high)
