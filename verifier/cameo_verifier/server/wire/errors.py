"""Errors on the wire: each carries `google.rpc.ErrorInfo` with the domain `cameo.v1` and a reason a program can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode
from grpc_status import rpc_status

from cameo.v1 import error_reason_pb2
from cameo.v1.error_reason_pb2 import ErrorReason
from cameo_credential.errors import CameoError, InvalidRequestError
from cameo_verifier.cameo.refusal import RefusedError
from cameo_verifier.errors import AbandonedError, ChallengeError, OverloadedError, StoreError, UnjudgeableError
from cameo_verifier.reasons import Reason
from cameo_verifier.server.wire.enums import full_name, short_name
from cameo_verifier.store.attempts.rate_limits import TooManyAttemptsError
from cameo_verifier.workers.pool import NoWorkersError, StoppingError
from cameo_verifier.workers.process import WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from google.protobuf.message import Message
    from grpc import Status

DOMAIN = "cameo.v1"

_CODES = {
    error_reason_pb2.ERROR_REASON_CONFIG_MISSING: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_CONFIG_REPEATED: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_MESSAGE_EMPTY: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_RECORDING_EMPTY: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_REQUEST_ID_INVALID: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_LANGUAGE_UNKNOWN: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_SUBJECT_INVALID: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_VIEW_INVALID: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_REQUEST_ID_REUSED: StatusCode.ALREADY_EXISTS,
    error_reason_pb2.ERROR_REASON_REQUEST_IN_PROGRESS: StatusCode.ABORTED,
    error_reason_pb2.ERROR_REASON_AUDIENCE_UNKNOWN: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_ATTEMPT_UNKNOWN: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_STATUS_LIST_UNKNOWN: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_SCORES_NOT_EXPOSED: StatusCode.PERMISSION_DENIED,
    error_reason_pb2.ERROR_REASON_DEADLINE_TOO_SHORT: StatusCode.DEADLINE_EXCEEDED,
    error_reason_pb2.ERROR_REASON_UPLOAD_TOO_SLOW: StatusCode.DEADLINE_EXCEEDED,
    error_reason_pb2.ERROR_REASON_CALLER_GONE: StatusCode.CANCELLED,
    error_reason_pb2.ERROR_REASON_OVERLOADED: StatusCode.RESOURCE_EXHAUSTED,
    error_reason_pb2.ERROR_REASON_UPLOADS_UNDER_WAY: StatusCode.RESOURCE_EXHAUSTED,
    error_reason_pb2.ERROR_REASON_SERVER_STOPPING: StatusCode.UNAVAILABLE,
    error_reason_pb2.ERROR_REASON_STORE_UNAVAILABLE: StatusCode.UNAVAILABLE,
    error_reason_pb2.ERROR_REASON_WORKERS_UNAVAILABLE: StatusCode.UNAVAILABLE,
    error_reason_pb2.ERROR_REASON_JUDGING_INTERRUPTED: StatusCode.INTERNAL,
    error_reason_pb2.ERROR_REASON_SERVER_FAULT: StatusCode.INTERNAL,
    error_reason_pb2.ERROR_REASON_CALLER_TOKEN_MISSING: StatusCode.UNAUTHENTICATED,
    error_reason_pb2.ERROR_REASON_CALLER_TOKEN_REFUSED: StatusCode.UNAUTHENTICATED,
    error_reason_pb2.ERROR_REASON_CALLER_NOT_ALLOWED: StatusCode.PERMISSION_DENIED,
    error_reason_pb2.ERROR_REASON_CAMEO_UNKNOWN: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_CAMEO_ENDED: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_CAMEO_GONE: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_CREDENTIAL_UNKNOWN: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_CAMEO_IS_PAUSED: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_ATTESTATION_ENDED: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_CAMEO_CHANGED: StatusCode.ABORTED,
    error_reason_pb2.ERROR_REASON_ATTEMPT_NOT_ACCEPTED: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_ATTEMPT_NOT_IN_REVIEW: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_ATTEMPT_ALREADY_DECIDED: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_ATTEMPT_USED: StatusCode.ALREADY_EXISTS,
    error_reason_pb2.ERROR_REASON_CONSENT_OUT_OF_TIME: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_LIKENESS_NOT_KEPT: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_MINOR_NEEDS_GUARDIAN: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_GUARDIANSHIP_UNKNOWN: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_GUARDIAN_MUST_STEP_DOWN: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_GUARDIAN_IS_A_MINOR: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_CHANGE_NOT_PENDING: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_TOO_MANY_RESTRICTIONS: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_TOO_MANY_CAMEOS: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_USE_NOT_PERMITTED: StatusCode.PERMISSION_DENIED,
    error_reason_pb2.ERROR_REASON_REQUESTER_TOKEN_REFUSED: StatusCode.PERMISSION_DENIED,
    error_reason_pb2.ERROR_REASON_TOO_MANY_CHECKS: StatusCode.RESOURCE_EXHAUSTED,
    error_reason_pb2.ERROR_REASON_GRANT_INVALID: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_GRANT_UNKNOWN: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_GRANT_EXPIRED: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_GRANT_SPENT: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_GRANT_REVOKED: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_GRANT_NOT_SPENT: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_OUTPUT_RECORDED_OTHERWISE: StatusCode.ALREADY_EXISTS,
    error_reason_pb2.ERROR_REASON_TOO_MANY_OUTPUTS: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_OUTPUT_UNKNOWN: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_REMOVAL_UNKNOWN: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_REMOVAL_ANSWERED: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_REQUEST_INVALID: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_PAGE_TOKEN_INVALID: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_RELATIONSHIPS_UNAVAILABLE: StatusCode.UNAVAILABLE,
    error_reason_pb2.ERROR_REASON_RELATIONSHIPS_KEPT_ELSEWHERE: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_EVIDENCE_MISSING: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_EVIDENCE_GONE: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_SUBJECT_DELETED: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_EVIDENCE_DAMAGED: StatusCode.DATA_LOSS,
    error_reason_pb2.ERROR_REASON_DATA_KEY_LOST: StatusCode.DATA_LOSS,
    error_reason_pb2.ERROR_REASON_VAULT_KEY_LOST: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_EVIDENCE_UNAVAILABLE: StatusCode.UNAVAILABLE,
    error_reason_pb2.ERROR_REASON_PROFILE_UNKNOWN: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_PROFILE_INVALID: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_FILTER_INVALID: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_CALLER_TOO_SLOW: StatusCode.DEADLINE_EXCEEDED,
    error_reason_pb2.ERROR_REASON_HELLO_MISSING: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_HELLO_REPEATED: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_SESSION_UNKNOWN: StatusCode.NOT_FOUND,
    error_reason_pb2.ERROR_REASON_SESSION_EXPIRED: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_SESSION_USED: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_SESSION_IN_USE: StatusCode.ABORTED,
    error_reason_pb2.ERROR_REASON_PREPARATION_TOO_LONG: StatusCode.DEADLINE_EXCEEDED,
    error_reason_pb2.ERROR_REASON_PATH_UNAVAILABLE: StatusCode.INVALID_ARGUMENT,
    error_reason_pb2.ERROR_REASON_SEAL_MISSING: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_SEAL_INVALID: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_SEAL_OUT_OF_ORDER: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_SEAL_STALE: StatusCode.FAILED_PRECONDITION,
    error_reason_pb2.ERROR_REASON_ATTESTATION_INVALID: StatusCode.FAILED_PRECONDITION,
}
_CHALLENGE_CODES = {
    Reason.CHALLENGE_UNKNOWN: StatusCode.NOT_FOUND,
    Reason.TOO_MANY_ATTEMPTS: StatusCode.RESOURCE_EXHAUSTED,
}


class RequestError(CameoError):
    """A refusal of a request by the service itself; `reason` is a value of `cameo.v1.ErrorReason`."""

    def __init__(
        self,
        reason: ErrorReason,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        """Keep the parts with a message that says what to do."""
        super().__init__(message)
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.retry_after_s = retry_after_s


class UnspentError(UnjudgeableError):
    """A recording that was refused before its challenge was spent: another recording may answer it."""


def status_of(error: Exception, delay: Callable[[int], float | None] = lambda _: None) -> status_pb2.Status:  # noqa: C901, PLR0911 - one for each kind of error
    """Return the rich status of an error; internal errors become `SERVER_FAULT` without their message.

    Args:
        error: what a method raised.
        delay: returns the retry delay of a reason, for errors without one of their own: see `cameo_verifier.server.delays`.
    """
    match error:
        case RequestError():
            return _status(
                _CODES[error.reason],
                short_name(ErrorReason, error.reason),
                str(error),
                metadata=error.metadata,
                retry_after_s=delay(error.reason) if error.retry_after_s is None else error.retry_after_s,
            )
        case RefusedError():
            code = _CODES[ErrorReason.Value(full_name(ErrorReason, error.refusal.name))]  # type: ignore[index]  # the stub says int
            return _status(code, error.refusal.name, str(error), metadata=error.metadata)
        case InvalidRequestError():
            return _of(error_reason_pb2.ERROR_REASON_REQUEST_INVALID, str(error))
        case UnjudgeableError():
            metadata = {"hint": error.reason.hint, "challenge": "good" if isinstance(error, UnspentError) else "spent"}
            return _status(StatusCode.INVALID_ARGUMENT, error.reason.name, str(error), metadata=metadata)
        case TooManyAttemptsError():
            metadata = {"hint": error.reason.hint, "limit": error.limit}
            code = _CHALLENGE_CODES[error.reason]
            return _status(code, error.reason.name, str(error), metadata=metadata, retry_after_s=error.retry_after_s)
        case ChallengeError():
            code = _CHALLENGE_CODES.get(error.reason, StatusCode.FAILED_PRECONDITION)
            return _status(code, error.reason.name, str(error), metadata={"hint": error.reason.hint})
        case NoWorkersError():
            return _of(error_reason_pb2.ERROR_REASON_WORKERS_UNAVAILABLE, str(error), retry_after_s=error.retry_after_s)
        case OverloadedError():
            return _of(error_reason_pb2.ERROR_REASON_OVERLOADED, str(error), retry_after_s=error.retry_after_s)
        case StoppingError():
            return _of(error_reason_pb2.ERROR_REASON_SERVER_STOPPING, str(error), delay=delay)
        case StoreError():
            return _of(
                error_reason_pb2.ERROR_REASON_STORE_UNAVAILABLE, "the service cannot reach its records; try again", delay=delay
            )
        case WorkerLostError():
            return _of(
                error_reason_pb2.ERROR_REASON_JUDGING_INTERRUPTED,
                "judging was interrupted and counts as no failure; ask for a new challenge and answer that one",
            )
        case AbandonedError():
            return _of(error_reason_pb2.ERROR_REASON_CALLER_GONE, "the caller went away")
    return _of(
        error_reason_pb2.ERROR_REASON_SERVER_FAULT,
        "the service made a mistake; ask for a new challenge, and report it if it happens again",
    )


def grpc_status_of(error: Exception, delay: Callable[[int], float | None] = lambda _: None) -> Status:
    """Return the same status, for `abort_with_status`."""
    status: Status = rpc_status.to_status(status_of(error, delay))
    return status


def reason_of(error: Exception) -> str:
    """Return the `ErrorInfo.reason` of an error."""
    info = error_details_pb2.ErrorInfo()
    status_of(error).details[0].Unpack(info)
    reason: str = info.reason
    return reason


def _of(
    reason: ErrorReason,
    message: str,
    *,
    retry_after_s: float | None = None,
    delay: Callable[[int], float | None] = lambda _: None,
) -> status_pb2.Status:
    retry_after_s = delay(reason) if retry_after_s is None else retry_after_s
    return _status(_CODES[reason], short_name(ErrorReason, reason), message, retry_after_s=retry_after_s)


def _status(
    code: StatusCode,
    reason: str,
    message: str,
    *,
    metadata: Mapping[str, str] | None = None,
    retry_after_s: float | None = None,
) -> status_pb2.Status:
    details: list[Message] = [error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata)]
    if retry_after_s is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(int(retry_after_s * 1e9))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    number: int = code.value[0]
    return status_pb2.Status(code=number, message=message, details=[_packed(detail) for detail in details])


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
