"""A plain client of cameo.v1 for onboarding, as the demo uses it. An app needs no more than the stubs."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import grpc
from cameo.v1 import (
    attempt_pb2,
    challenge_pb2,
    challenge_service_pb2,
    challenge_service_pb2_grpc,
    credential_service_pb2,
    credential_service_pb2_grpc,
    reason_pb2,
    verification_service_pb2,
    verification_service_pb2_grpc,
)

from challenges.model import Challenge, Say, Turn, TurnHead
from verifier.reasons import Reason
from verifier.server.wire.enums import short_name
from verifier.types import CheckResult, Direction, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class SeenAttempt:
    """An attempt as the server tells it, scores included."""

    verdict: str
    reasons: tuple[str, ...]
    hint: str
    checks: tuple[CheckResult, ...]
    timings_ms: dict[str, float]


class Client:
    """One channel to one server. Errors are `grpc.RpcError`, as the server sent them."""

    def __init__(self, address: str, *, token: str = "", timeout_s: float = 120.0) -> None:
        """Connect to `address` without encryption, for a server on loopback; each call may take `timeout_s`.

        `token` says who calls; without one the server must take everyone for the app.
        """
        self._channel = open_channel(address, token)
        self._timeout_s = timeout_s
        self._challenges = challenge_service_pb2_grpc.ChallengeServiceStub(self._channel)
        self._verification = verification_service_pb2_grpc.VerificationServiceStub(self._channel)
        self._credentials = credential_service_pb2_grpc.CredentialServiceStub(self._channel)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the channel."""
        self._channel.close()

    def issue_challenge(self, subject: str) -> tuple[Challenge, float]:
        """Return a fresh challenge for `subject` and its entropy in bits."""
        request = challenge_service_pb2.IssueChallengeRequest(subject=subject, request_id=str(uuid.uuid4()))
        issued = self._challenges.IssueChallenge(request, timeout=self._timeout_s)
        return _challenge(issued), issued.entropy_bits

    def verify(self, recording: bytes, *, challenge_id: str, audience: str) -> verification_service_pb2.VerifyResponseResponse:
        """Upload a recording and return the reply."""

        def messages() -> Iterator[verification_service_pb2.VerifyResponseRequest]:
            config = verification_service_pb2.VerifyResponseConfig(
                challenge_id=challenge_id, audience=audience, request_id=str(uuid.uuid4())
            )
            yield verification_service_pb2.VerifyResponseRequest(config=config)
            for start in range(0, len(recording), _CHUNK):
                yield verification_service_pb2.VerifyResponseRequest(chunk=recording[start : start + _CHUNK])

        reply: verification_service_pb2.VerifyResponseResponse = self._verification.VerifyResponse(
            messages(), timeout=self._timeout_s
        )
        return reply

    def attempt(self, attempt_id: str) -> SeenAttempt:
        """Return an attempt with its scores, from a server that exposes them."""
        request = verification_service_pb2.GetAttemptRequest(attempt_id=attempt_id, view=attempt_pb2.ATTEMPT_VIEW_FULL)
        attempt = self._verification.GetAttempt(request, timeout=self._timeout_s)
        return SeenAttempt(
            verdict=short_name(attempt_pb2.Verdict, attempt.verdict),
            reasons=tuple(short_name(reason_pb2.Reason, reason) for reason in attempt.reasons),
            hint=attempt.hint,
            checks=tuple(_check(check) for check in attempt.checks),
            timings_ms=dict(attempt.timings_ms),
        )

    def issuer_keys(self) -> tuple[str, str]:
        """Return the issuer's name and its public keys as JWK Set JSON."""
        reply = self._credentials.GetKeys(credential_service_pb2.GetKeysRequest(), timeout=self._timeout_s)
        return reply.issuer, reply.jwks

    def status_list(self, uri: str) -> str:
        """Return the signed status list at a URI."""
        reply = self._credentials.GetStatusList(credential_service_pb2.GetStatusListRequest(uri=uri), timeout=self._timeout_s)
        token: str = reply.token
        return token


def open_channel(address: str, token: str = "") -> grpc.Channel:
    """Return a channel to a server on loopback that sends the caller's token with every call."""
    channel = grpc.insecure_channel(address)
    return grpc.intercept_channel(channel, _Bearer(token)) if token else channel


class _Bearer(grpc.UnaryUnaryClientInterceptor, grpc.StreamUnaryClientInterceptor):
    def __init__(self, token: str) -> None:
        self._metadata = ("authorization", f"Bearer {token}")

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:  # noqa: ANN401 - as grpc has it
        return continuation(self._with_token(client_call_details), request)

    def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:  # noqa: ANN401 - as grpc has it
        return continuation(self._with_token(client_call_details), request_iterator)

    def _with_token(self, details: Any) -> Any:  # noqa: ANN401 - as grpc has it
        return details._replace(metadata=(*(details.metadata or ()), self._metadata))


def _challenge(message: challenge_pb2.Challenge) -> Challenge:
    steps = (
        Say(step.say) if step.WhichOneof("kind") == "say" else TurnHead(Turn(short_name(challenge_pb2.Turn, step.turn).lower()))
        for step in message.steps
    )
    return Challenge(tuple(steps), id=message.id, language=message.language)


def _check(message: attempt_pb2.Check) -> CheckResult:
    return CheckResult(
        name=message.name,
        outcome=Outcome[short_name(attempt_pb2.Outcome, message.outcome)],
        score=message.score if message.HasField("score") else None,
        unit=message.unit,
        threshold=message.threshold if message.HasField("threshold") else None,
        direction=Direction[short_name(attempt_pb2.Direction, message.direction)] if message.direction else None,
        reason=Reason[short_name(reason_pb2.Reason, message.reason)] if message.reason else None,
        detail=message.detail,
    )
