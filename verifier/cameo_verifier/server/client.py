"""A client of cameo.v1 for onboarding, as the demo uses it: `cameo_client` with replies as the project's own types."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Self

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
from cameo_challenges.model import Challenge, Gesture, MakeGesture, Say, Step, Turn, TurnHead
from cameo_client import call, open_channel, verify
from cameo_verifier.reasons import Reason
from cameo_verifier.server.wire.enums import short_name
from cameo_verifier.types import CheckResult, Direction, Outcome


@dataclass(frozen=True, slots=True)
class SeenAttempt:
    """An attempt as the server returns it, including scores."""

    verdict: str
    reasons: tuple[str, ...]
    hint: str
    checks: tuple[CheckResult, ...]
    timings_ms: dict[str, float]


class Client:
    """One channel to one server. Every error is a `cameo_client.CallError`."""

    def __init__(self, address: str, *, token: str = "", timeout_s: float = 120.0) -> None:
        """Connect to `address` without encryption, for a server on loopback; each call may take `timeout_s`.

        `token` authenticates the caller; without one the server must count everyone as the app.
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
        issued = call(lambda: self._challenges.IssueChallenge(request, timeout=self._timeout_s))
        return _challenge(issued), issued.entropy_bits

    def verify(self, recording: bytes, *, challenge_id: str, audience: str) -> verification_service_pb2.VerifyResponseResponse:
        """Upload a recording and return the reply."""
        return verify(self._channel, recording, challenge_id=challenge_id, audience=audience, timeout_s=self._timeout_s)

    def attempt(self, attempt_id: str) -> SeenAttempt:
        """Return an attempt with its scores, from a server that exposes them."""
        request = verification_service_pb2.GetAttemptRequest(attempt_id=attempt_id, view=attempt_pb2.ATTEMPT_VIEW_FULL)
        attempt = call(lambda: self._verification.GetAttempt(request, timeout=self._timeout_s))
        return SeenAttempt(
            verdict=short_name(attempt_pb2.Verdict, attempt.verdict),
            reasons=tuple(short_name(reason_pb2.Reason, reason) for reason in attempt.reasons),
            hint=attempt.hint,
            checks=tuple(_check(check) for check in attempt.checks),
            timings_ms=dict(attempt.timings_ms),
        )

    def issuer_keys(self) -> tuple[str, str]:
        """Return the issuer's name and its public keys as JWK Set JSON."""
        reply = call(lambda: self._credentials.GetKeys(credential_service_pb2.GetKeysRequest(), timeout=self._timeout_s))
        return reply.issuer, reply.jwks

    def status_list(self, uri: str) -> str:
        """Return the signed status list at a URI."""
        request = credential_service_pb2.GetStatusListRequest(uri=uri)
        reply = call(lambda: self._credentials.GetStatusList(request, timeout=self._timeout_s))
        token: str = reply.token
        return token


def _challenge(message: challenge_pb2.Challenge) -> Challenge:
    return Challenge(tuple(map(_step, message.steps)), id=message.id, language=message.language, colours=tuple(message.colours))


def _step(message: challenge_pb2.Step) -> Step:
    match message.WhichOneof("kind"):
        case "say":
            return Say(message.say)
        case "turn":
            return TurnHead(Turn(short_name(challenge_pb2.Turn, message.turn).lower()))
    return MakeGesture(Gesture(short_name(challenge_pb2.Gesture, message.gesture).lower()))


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
