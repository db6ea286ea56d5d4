"""Comparison of profiles over many attempts while the server serves other calls."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from cameo.v1 import attempt_pb2, review_service_pb2
from cameo.v1.review_service_pb2 import CompareProfilesRequest, ProfileChoice, ReviewServiceGetAttemptRequest
from cameo_verifier.review.error_rates import clopper_pearson
from cameo_verifier.server import comparing
from cameo_verifier.store.evidence.evidence import object_name
from cameo_verifier.store.evidence.sealed_object import Kind
from tests.grpc.client import refused
from tests.grpc.test_review import GOOD, REPLAYED, SILENT, WHY, desk, site
from tests.patience import PATIENCE_S
from tests.unit.review.stored import RECORDINGS, keep

if TYPE_CHECKING:
    from tests.grpc.test_review import Desk
    from tests.unit.review.stored import Judged
    from tests.unit.store.evidence_site import Site

__all__ = ["desk", "site"]

STRICT = ProfileChoice(inline="thresholds.lips_distinct_min = 1.99\nthresholds.lips_peak_min = 9.0")


COPIES = 60


@pytest.fixture
def copies(site: Site, judged: Judged) -> None:
    """Keep the accepted attempt again, many times: before a server opens, which closes what one before it left open."""
    judgement, challenge = judged(GOOD)
    for number in range(COPIES):
        keep(site, f"copy-{number:04}", judgement, challenge, RECORDINGS[GOOD].read_bytes()[:1])


def compare(desk: Desk, profile: ProfileChoice = STRICT, **given: Any) -> Any:
    """Start a comparison."""
    return desk.ask("CompareProfiles", CompareProfilesRequest(**{"profile": profile, "why": WHY} | given))


async def told(stream: Any) -> tuple[list[Any], Any, dict[str, Any]]:
    """Read a comparison to its end: progress, difference, attempts by id."""
    messages = [message async for message in stream]
    kinds = [message.WhichOneof("message") for message in messages]
    assert kinds == sorted(kinds, key=("progress", "difference", "attempts").index)
    progress = [message.progress for message in messages if message.HasField("progress")]
    (difference,) = [message.difference for message in messages if message.HasField("difference")]
    attempts = [each for message in messages for each in message.attempts.attempts]
    assert [each.attempt_id for each in attempts] == sorted(each.attempt_id for each in attempts)
    return progress, difference, {each.attempt_id: each for each in attempts}


async def test_a_comparison_says_what_flips_by_which_check_and_what_it_costs(desk: Desk, site: Site) -> None:
    """Flips, rates with exact intervals over the labelled, the attempts behind each number; what cannot be read is named."""
    await desk.label(GOOD, truth=review_service_pb2.TRUTH_BONA_FIDE)
    await desk.label(REPLAYED, truth=review_service_pb2.TRUTH_ATTACK, species="screen_replay")
    (site.folder / object_name(SILENT, Kind.TRACKS)).unlink()
    progress, difference, attempts = await told(compare(desk))
    assert (progress[0].done, progress[0].total, progress[-1].done) == (0, 3, 3)
    assert (difference.replayed, difference.not_replayed, difference.reproduced, difference.disputed) == (2, 1, 0, 0)
    (flip,) = difference.flips
    assert (flip.before, flip.after, list(flip.checks), flip.count) == (
        attempt_pb2.VERDICT_ACCEPTED, attempt_pb2.VERDICT_REJECTED, ["lips"], 1,
    )  # fmt: skip
    (apcer,) = difference.apcer
    assert (apcer.name, apcer.before.count, apcer.after.count, apcer.after.trials) == ("screen_replay", 0, 0, 1)
    cost = difference.bpcer
    assert (cost.before.count, cost.after.count, cost.gained.count, cost.lost.count) == (0, 1, 1, 0)
    assert (cost.after.low, cost.after.high) == clopper_pearson(1, 1, confidence=difference.confidence)
    assert dict(difference.changed_digests) == {"profile": 2}
    assert (attempts[GOOD].label, list(attempts[GOOD].flipped_by)) == ("bona_fide", ["lips"])
    assert (attempts[REPLAYED].label, attempts[REPLAYED].before) == ("screen_replay", attempts[REPLAYED].after)
    assert attempts[SILENT].why_not
    lines = site.room.audit.lines()
    assert {(line.who, line.why) for line in lines} == {("ana", WHY)}
    assert len(lines) == 6
    progress, difference, attempts = await told(compare(desk, ProfileChoice(), filter=f"id={GOOD}"))
    assert (difference.profile, difference.replayed, difference.reproduced, len(difference.flips)) == ("default", 1, 1, 0)
    progress, difference, attempts = await told(compare(desk, filter="subject=nobody"))
    assert (progress[-1].total, difference.replayed, attempts) == (0, 0, {})


async def test_two_profiles_are_held_against_one_another(desk: Desk) -> None:
    """Whatever the attempts were judged then: the flips are those between the two profiles, the other way round reversed."""
    for profile, baseline, moved in (
        (STRICT, ProfileChoice(name="default"), (attempt_pb2.VERDICT_ACCEPTED, attempt_pb2.VERDICT_REJECTED)),
        (ProfileChoice(), STRICT, (attempt_pb2.VERDICT_REJECTED, attempt_pb2.VERDICT_ACCEPTED)),
    ):
        _, difference, attempts = await told(compare(desk, profile, baseline=baseline))
        (flip,) = difference.flips
        assert ((flip.before, flip.after), list(flip.checks)) == (moved, ["lips"])
        assert ((attempts[GOOD].before, attempts[GOOD].after), difference.replayed) == (moved, 3)
    _, difference, _ = await told(compare(desk, baseline=STRICT))
    assert (difference.reproduced, len(difference.flips)) == (3, 0)


async def test_a_comparison_that_cannot_be_is_refused_before_anything_is_read(desk: Desk, site: Site) -> None:
    """A malformed filter, a profile that is none, and no reason why."""
    for given, reason in (
        ({"filter": "verdict"}, "FILTER_INVALID"),
        ({"profile": ProfileChoice(name="/etc/passwd")}, "PROFILE_UNKNOWN"),
        ({"profile": ProfileChoice(inline="roles = 1")}, "PROFILE_INVALID"),
        ({"baseline": ProfileChoice(name="lenient")}, "PROFILE_UNKNOWN"),
        ({"why": " "}, "REQUEST_INVALID"),
    ):
        assert (await refused(compare(desk, **given).read())).reason == reason
    assert site.room.audit.lines() == []


@pytest.mark.usefixtures("copies")
async def test_many_attempts_hold_up_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """While processes compare, others are answered; a second comparison is told to come later; a cancelled one makes room."""
    monkeypatch.setattr(comparing, "FEW", 10)
    first = compare(desk)
    assert (await first.read()).progress.total == 63
    answer = await refused(compare(desk).read())
    assert (answer.code, answer.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
    answered = 0
    under_way = asyncio.ensure_future(told_rest(first))
    while not under_way.done():
        await desk.ask("GetAttempt", ReviewServiceGetAttemptRequest(attempt_id=GOOD))
        answered += not under_way.done()
        await asyncio.sleep(0.02)
    difference = await under_way
    assert (difference.replayed, difference.flips[0].count) == (63, 61)
    assert answered > 1
    cancelled = compare(desk)
    await cancelled.read()
    cancelled.cancel()
    async with asyncio.timeout(PATIENCE_S):
        while (ended := await code(compare(desk, filter=f"id={GOOD}"))) is not grpc.StatusCode.OK:
            assert ended is grpc.StatusCode.RESOURCE_EXHAUSTED
            await asyncio.sleep(0.1)


async def told_rest(stream: Any) -> Any:
    """Read on and return the difference."""
    found = None
    while (message := await stream.read()) is not grpc.aio.EOF:
        found = message.difference if message.HasField("difference") else found
    return found


async def code(stream: Any) -> grpc.StatusCode:
    """Return how a comparison ends."""
    try:
        await told(stream)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK
