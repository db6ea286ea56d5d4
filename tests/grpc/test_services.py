"""The services' replies to valid calls, and the small refusals of each."""

from __future__ import annotations

import json
from asyncio import to_thread
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from cameo.v1 import (
    attempt_pb2,
    challenge_pb2,
    error_reason_pb2,
    reason_pb2,
    removal_pb2,
    removal_service_pb2,
    review_service_pb2,
)
from cameo.v1.attempt_pb2 import ATTEMPT_VIEW_FULL
from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo.v1.credential_service_pb2 import GetKeysRequest
from cameo.v1.verification_service_pb2 import GetAttemptRequest
from cameo_challenges.model import Turn
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.receipt import open_receipt
from cameo_verifier.cameo.removals import HolderKind, RemovalAnswer, RemovalState
from cameo_verifier.checks import BY_NAME
from cameo_verifier.reasons import Reason
from cameo_verifier.server.app import SERVICES, utc_now
from cameo_verifier.server.wire.enums import full_name, short_names
from cameo_verifier.server.wire.errors import _CODES
from cameo_verifier.store.attempts.labels import Truth
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.types import Direction, Outcome, Ruling, Verdict
from tests.aliases import alias
from tests.grpc.client import AUDIENCE, refused, status_source

if TYPE_CHECKING:
    from tests.grpc.server import OpenServer


def test_wire_enums_mirror_the_values() -> None:
    """Every enum of the wire has the names of its value behind its own name, and an unspecified zero."""
    for wire, value in (
        (reason_pb2.Reason, Reason),
        (attempt_pb2.Verdict, Verdict),
        (attempt_pb2.ReviewDecision, Ruling),
        (attempt_pb2.Outcome, Outcome),
        (attempt_pb2.Direction, Direction),
        (challenge_pb2.Turn, Turn),
        (removal_pb2.RemovalState, RemovalState),
        (removal_pb2.RemovalHolder, HolderKind),
        (removal_service_pb2.RemovalAnswer, RemovalAnswer),
        (review_service_pb2.EvidenceKind, Kind),
        (review_service_pb2.Truth, Truth),
    ):
        assert wire.Name(0).endswith("_UNSPECIFIED")
        assert {full_name(wire, member) for member in value} == set(wire.keys()) - {wire.Name(0)}
        assert sorted(short_names(wire)) == sorted(member.upper() for member in value)


def test_every_error_reason_has_a_code() -> None:
    """No reason of the wire is without a status code, and none is also a reason of a recording."""
    assert set(_CODES) == set(error_reason_pb2.ErrorReason.values()) - {error_reason_pb2.ERROR_REASON_UNSPECIFIED}
    assert not set(short_names(error_reason_pb2.ErrorReason)) & set(short_names(reason_pb2.Reason))


def test_the_api_page_names_every_error_reason() -> None:
    """What a caller can be told is in docs/api.md, with what to do about it."""
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    for name in short_names(error_reason_pb2.ErrorReason):
        assert f"`{name}`" in page


async def test_a_challenge_is_fresh_short_lived_and_given_again_on_request(serve: OpenServer) -> None:
    """Two challenges differ, last as long as the site says, and a repeated request gets the first one back."""
    async with serve(challenge_ttl_s=90) as client:
        request = IssueChallengeRequest(subject="account-1", request_id=str(uuid4()))
        first = await client.challenges.IssueChallenge(request)
        other = await client.challenge()
        assert first.id != other.id
        assert first.expire_time.ToDatetime() - first.issue_time.ToDatetime() == timedelta(seconds=90)
        assert {step.WhichOneof("kind") for step in first.steps} == {"say", "turn"}
        assert not first.colours
        assert first.entropy_bits > 20
        assert await client.challenges.IssueChallenge(request) == first


async def test_a_challenge_needs_a_proper_subject_and_request_id(serve: OpenServer) -> None:
    """An empty, long or spaced subject and an id that is no UUID are refused, each with its reason."""
    async with serve() as client:
        for subject in ("", "a" * 129, "Ada Lovelace", "tab\t"):
            answer = await refused(client.challenges.IssueChallenge(IssueChallengeRequest(subject=subject)))
            assert (answer.code, answer.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "SUBJECT_INVALID")
        answer = await refused(client.challenges.IssueChallenge(IssueChallengeRequest(subject="a", request_id="7")))
        assert (answer.code, answer.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_INVALID")


async def test_an_accepted_response_earns_a_receipt_anybody_can_verify(serve: OpenServer, tmp_path: Path) -> None:
    """It verifies with the published keys, names the attempt and what was confirmed; nothing of the likeness leaves with it."""
    async with serve() as client:
        challenge = await client.challenge()
        answer = await client.verify(challenge.id, b"accept")
        assert answer.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
        assert (answer.attempt.challenge_id, answer.attempt.audience) == (challenge.id, AUDIENCE)
        assert not answer.attempt.reasons
        assert not answer.attempt.hint
        published = await client.credentials.GetKeys(GetKeysRequest())
        expectations = {
            "issuer_keys": VerificationKeys.from_jwks(json.loads(published.jwks)),
            "expected_audience": AUDIENCE,
            "expected_issuer": published.issuer,
            "status": status_source(client),
            "now": datetime.now(UTC),
            "leeway": timedelta(seconds=30),
        }
        receipt = await to_thread(open_receipt, answer.receipt.token, **expectations)
        assert receipt.verification is not None
        assert receipt.verification.attempt_id == alias(tmp_path, answer.attempt.id, AUDIENCE)
        assert set(receipt.verification.confirmed) == set(BY_NAME) - {"seen_before"}
        assert receipt.jti == answer.receipt.id
        assert receipt.expires_at == answer.receipt.expire_time.ToDatetime(tzinfo=UTC)
        assert {field.name for field, _ in answer.ListFields()} == {"attempt", "receipt"}


async def test_an_accepted_possible_minor_is_marked_wherever_it_shows(serve: OpenServer) -> None:
    """The answer, the stored attempt and the receipt say that safeguards apply; an adult's say that none do."""
    async with serve() as client:
        published = await client.credentials.GetKeys(GetKeysRequest())
        expectations = {
            "issuer_keys": VerificationKeys.from_jwks(json.loads(published.jwks)),
            "expected_audience": AUDIENCE,
            "expected_issuer": published.issuer,
            "status": status_source(client),
            "now": datetime.now(UTC),
            "leeway": timedelta(seconds=30),
        }
        for script, marked in ((b"minor", True), (b"accept", False)):
            answer = await client.verify((await client.challenge()).id, script)
            assert answer.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
            assert answer.attempt.minor_safeguards is marked
            stored = await client.verification.GetAttempt(GetAttemptRequest(attempt_id=answer.attempt.id))
            assert stored.minor_safeguards is marked
            receipt = await to_thread(open_receipt, answer.receipt.token, **expectations)
            assert receipt.minor_safeguards is marked
            assert receipt.profile is not None
            assert receipt.profile[0] == ("minor" if marked else "default")


async def test_published_keys_hold_no_private_part(serve: OpenServer) -> None:
    """The key set is public: no key in it has a `d`."""
    async with serve() as client:
        published = json.loads((await client.credentials.GetKeys(GetKeysRequest())).jwks)
        assert published["keys"]
        assert all("d" not in key for key in published["keys"])


async def test_a_rejection_is_a_reply_with_reasons_and_one_hint_and_no_scores(serve: OpenServer) -> None:
    """The caller learns the reasons, worst first, and what to do; nothing that was measured."""
    async with serve() as client:
        answer = await client.verify((await client.challenge()).id, b"reject")
        assert answer.attempt.verdict == attempt_pb2.VERDICT_REJECTED
        assert list(answer.attempt.reasons) == [reason_pb2.REASON_PHRASE_MISMATCH, reason_pb2.REASON_MOVEMENT_MISSING]
        assert answer.attempt.hint == Reason.PHRASE_MISMATCH.hint
        assert not answer.HasField("receipt")
        assert not answer.attempt.checks
        assert not answer.attempt.timings_ms
        assert await client.verification.GetAttempt(GetAttemptRequest(attempt_id=answer.attempt.id)) == answer.attempt


async def test_scores_are_shown_only_where_the_site_says_so(serve: OpenServer) -> None:
    """The FULL view is refused by default; with `expose_scores` it has scores, a score of zero included, and timings."""
    async with serve() as client:
        identifier = (await client.verify((await client.challenge()).id, b"reject")).attempt.id
        request = GetAttemptRequest(attempt_id=identifier, view=ATTEMPT_VIEW_FULL)
        answer = await refused(client.verification.GetAttempt(request))
        assert (answer.code, answer.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCORES_NOT_EXPOSED")
    async with serve(expose_scores=True) as client:
        attempt = await client.verification.GetAttempt(request)
        check, *_, seen_before = attempt.checks
        assert (seen_before.name, seen_before.outcome) == ("seen_before", attempt_pb2.OUTCOME_UNABLE)
        assert check.HasField("score")
        assert (check.name, check.score, check.threshold, check.unit) == ("phrase", 0.0, 1.0, "share")
        assert (check.outcome, check.direction) == (attempt_pb2.OUTCOME_FAIL, attempt_pb2.DIRECTION_AT_LEAST)
        assert check.reason == reason_pb2.REASON_PHRASE_MISMATCH
        assert attempt.timings_ms["total"] == 12.5
        assert attempt.profile == "default"


async def test_an_unknown_attempt_and_an_unknown_view_are_refused(serve: OpenServer) -> None:
    """Each has its own reason."""
    async with serve() as client:
        answer = await refused(client.verification.GetAttempt(GetAttemptRequest(attempt_id="none")))
        assert (answer.code, answer.reason) == (grpc.StatusCode.NOT_FOUND, "ATTEMPT_UNKNOWN")
        answer = await refused(client.verification.GetAttempt(GetAttemptRequest(attempt_id="none", view=9)))
        assert (answer.code, answer.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "VIEW_INVALID")


async def test_health_and_reflection_answer(serve: OpenServer) -> None:
    """A load balancer sees SERVING for every service, and a tool without the protos finds them."""
    async with serve() as client:
        health = health_pb2_grpc.HealthStub(client.channel)
        for service in ("", *SERVICES):
            reply = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert reply.status == health_pb2.HealthCheckResponse.SERVING
        call = reflection_pb2_grpc.ServerReflectionStub(client.channel).ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        listed = {service.name for service in (await call.read()).list_services_response.service}
        await call.done_writing()
        assert set(SERVICES) | {"grpc.health.v1.Health"} <= listed
        call.cancel()


async def test_keys_and_records_outlive_the_server(serve: OpenServer) -> None:
    """A second start finds the first one's keys and attempts."""
    async with serve() as client:
        attempt = (await client.verify((await client.challenge()).id, b"reject")).attempt
        keys = await client.credentials.GetKeys(GetKeysRequest())
    async with serve() as client:
        assert await client.credentials.GetKeys(GetKeysRequest()) == keys
        assert await client.verification.GetAttempt(GetAttemptRequest(attempt_id=attempt.id)) == attempt
        assert attempt.create_time.ToDatetime(tzinfo=UTC) <= utc_now()


async def test_a_recording_is_accepted_once_whoever_sends_it(serve: OpenServer) -> None:
    """A recording that earned a credential is rejected under another challenge, also after a restart; another is accepted."""
    async with serve(expose_scores=True) as client:
        first = await client.verify((await client.challenge()).id, b"accept:1")
        again = await client.verify((await client.challenge()).id, b"accept:1" + b"\0")
        other = await client.verify((await client.challenge()).id, b"accept:2")
        request = GetAttemptRequest(attempt_id=again.attempt.id, view=ATTEMPT_VIEW_FULL)
        *_, seen_before = (await client.verification.GetAttempt(request)).checks
    async with serve() as client:
        later = await client.verify((await client.challenge()).id, b"accept:2")
    assert [answer.attempt.verdict for answer in (first, other)] == [attempt_pb2.VERDICT_ACCEPTED] * 2
    for answer in (again, later):
        assert answer.attempt.verdict == attempt_pb2.VERDICT_REJECTED
        assert list(answer.attempt.reasons) == [reason_pb2.REASON_SEEN_BEFORE]
        assert not answer.HasField("receipt")
    assert seen_before.outcome == attempt_pb2.OUTCOME_FAIL
    assert first.attempt.id in seen_before.detail
