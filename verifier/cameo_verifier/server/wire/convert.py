"""Conversion of values to messages of `cameo.v1`, one way, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo.v1 import attempt_pb2, challenge_pb2, credential_pb2, credential_service_pb2, reason_pb2
from cameo_challenges.model import MakeGesture, Say, TurnHead
from cameo_credential.token_status import Status
from cameo_verifier.server.wire.enums import full_name
from cameo_verifier.types import Ruling

if TYPE_CHECKING:
    from datetime import datetime

    from cameo_challenges.model import Challenge, Step
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.store.cameos.holdings import HeldCredential
    from cameo_verifier.store.credentials.credentials import IssuedCredential
    from cameo_verifier.store.credentials.receipts import KeptReceipt
    from cameo_verifier.types import CheckResult


_DECLINED = "This was looked at by a person and cannot be accepted."


def challenge(issued: Challenge, *, entropy_bits: float) -> challenge_pb2.Challenge:
    """Return the message of an issued challenge."""
    return challenge_pb2.Challenge(
        id=issued.id,
        steps=[step(each) for each in issued.steps],
        issue_time=issued.issued_at,
        expire_time=issued.expires_at,
        entropy_bits=entropy_bits,
        language=issued.language,
        colours=issued.colours,
    )


def attempt(stored: Attempt, *, full: bool) -> attempt_pb2.Attempt:
    """Return the message of an attempt; scores and digests only in the `full` view."""
    message = attempt_pb2.Attempt(
        id=stored.id,
        challenge_id=stored.challenge_id,
        audience=stored.audience,
        verdict=full_name(attempt_pb2.Verdict, stored.verdict) if stored.verdict else None,
        reasons=[full_name(reason_pb2.Reason, reason) for reason in stored.reasons],
        hint=hint(stored),
        create_time=stored.created_at,
        minor_safeguards=stored.minor_safeguards,
        decision=full_name(attempt_pb2.ReviewDecision, stored.ruling) if stored.ruling else None,
        decide_time=stored.ruled_at,
        path=full_name(challenge_pb2.AnswerPath, stored.path),
        capture=full_name(attempt_pb2.CaptureAssurance, stored.capture),
    )
    if full:
        message.checks.extend(check(result) for result in stored.checks)
        message.profile = stored.profile
        message.digests.update(stored.digests)
        message.timings_ms.update(stored.timings_ms)
    return message


def check(result: CheckResult) -> attempt_pb2.Check:
    """Return the message of a check's result."""
    return attempt_pb2.Check(
        name=result.name,
        outcome=full_name(attempt_pb2.Outcome, result.outcome),
        score=result.score,
        unit=result.unit,
        threshold=result.threshold,
        direction=full_name(attempt_pb2.Direction, result.direction) if result.direction else None,
        reason=full_name(reason_pb2.Reason, result.reason) if result.reason else None,
        detail=result.detail,
    )


def credential(issued: IssuedCredential) -> credential_pb2.Credential:
    """Return the message of a credential."""
    return credential_pb2.Credential(id=issued.jti, token=issued.token, expire_time=issued.expires_at)


def receipt(kept: KeptReceipt) -> credential_pb2.Receipt:
    """Return the message of a receipt."""
    return credential_pb2.Receipt(id=kept.jti, token=kept.token, expire_time=kept.expires_at)


def credential_summary(held: HeldCredential, *, now: datetime) -> credential_service_pb2.CredentialSummary:
    """Return the message of a credential for its owner; its state as of `now`."""
    if held.revoked_at is not None or held.status is Status.INVALID:
        state = credential_service_pb2.CREDENTIAL_STATE_REVOKED
    elif now >= held.expires_at:
        state = credential_service_pb2.CREDENTIAL_STATE_EXPIRED
    elif held.status is Status.SUSPENDED:
        state = credential_service_pb2.CREDENTIAL_STATE_SUSPENDED
    else:
        state = credential_service_pb2.CREDENTIAL_STATE_VALID
    return credential_service_pb2.CredentialSummary(
        id=held.jti,
        cameo_id=held.cameo_id,
        audience=held.audience,
        issue_time=held.issued_at,
        expire_time=held.expires_at,
        state=state,
        revoke_time=held.revoked_at,
        revoke_reason=held.reason,
    )


def hint(stored: Attempt) -> str:
    """Return the hint for the person; empty if the attempt holds or no reason has one."""
    if stored.ruling is Ruling.DECLINED:
        return _DECLINED
    return stored.reasons[0].hint if stored.reasons and not stored.holds else ""


def step(asked: Step) -> challenge_pb2.Step:
    """Return the message of a step."""
    match asked:
        case Say(text):
            return challenge_pb2.Step(say=text)
        case TurnHead(turn):
            return challenge_pb2.Step(turn=full_name(challenge_pb2.Turn, turn))
        case MakeGesture(gesture):
            return challenge_pb2.Step(gesture=full_name(challenge_pb2.Gesture, gesture))
