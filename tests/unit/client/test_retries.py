"""Which calls `cameo_client` sends again, how often and when; errors as the service encodes them."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from cameo.v1 import error_reason_pb2
from cameo_client import CallError, RetryPolicy, call, decode
from cameo_verifier.server.wire.errors import RequestError, status_of


class Failed(grpc.RpcError):
    """An error as a call of gRPC raises it."""

    def __init__(self, code: grpc.StatusCode, message: str, status: status_pb2.Status | None = None) -> None:
        self._code, self._message = code, message
        self._trailing: Any = rpc_status.to_status(status).trailing_metadata if status else ()

    def code(self) -> grpc.StatusCode:
        """Status code."""
        return self._code

    def details(self) -> str:
        """Message."""
        return self._message

    def trailing_metadata(self) -> Any:
        """Trailing metadata, the status among it."""
        return self._trailing


def overloaded(retry_after_s: float) -> Failed:
    """An error of the service's own encoder."""
    error = RequestError(error_reason_pb2.ERROR_REASON_OVERLOADED, "busy", metadata={"limit": "x"}, retry_after_s=retry_after_s)
    return Failed(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy", status_of(error))


NO_ANSWER = Failed(grpc.StatusCode.UNAVAILABLE, "connection refused")


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, []

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        """Seconds so far."""
        return self.now


def carried_out(outcomes: list[object], **policy: Any) -> tuple[object, list[float]]:
    """Carry out a call whose attempts come out as listed; return what came of it, and the waits."""
    time, left = Time(), list(outcomes)

    def attempt() -> object:
        came = left.pop(0)
        if isinstance(came, Exception):
            raise came
        return came

    try:
        came: object = call(
            attempt, policy=RetryPolicy(jitter=0, **policy), sleep=time.sleep, clock=time.clock, uniform=lambda: 0.0
        )
    except CallError as error:
        came = error
    return came, time.slept


def test_an_error_says_its_reason_delay_and_metadata() -> None:
    """What the service encoded comes out whole."""
    error = decode(overloaded(2.5))
    assert (error.code, error.reason, error.retry_after_s) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", 2.5)
    assert (error.metadata, error.message) == ({"limit": "x"}, "busy")


def test_an_error_that_is_not_ours_has_no_reason() -> None:
    """A proxy's details, details that contradict the call, and bytes that are no message leave code and message."""
    foreign = any_pb2.Any()
    foreign.Pack(error_details_pb2.ErrorInfo(domain="proxy.example", reason="OVERLOADED"))
    code = grpc.StatusCode.UNAVAILABLE.value[0]
    damaged = any_pb2.Any(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff")
    for status in (
        None,
        status_pb2.Status(code=code, message="m", details=[foreign]),
        status_pb2.Status(code=code, message="another", details=[foreign]),
        status_pb2.Status(code=code, message="m", details=[damaged]),
    ):
        error = decode(Failed(grpc.StatusCode.UNAVAILABLE, "m", status))
        assert (error.code, error.message, error.reason, error.retry_after_s) == (grpc.StatusCode.UNAVAILABLE, "m", "", None)


def test_the_server_says_when() -> None:
    """Its delay is waited for, not a shorter one."""
    assert carried_out([overloaded(2.5), overloaded(4), "ok"]) == ("ok", [2.5, 4])


def test_a_server_that_does_not_answer_is_asked_less_and_less_often() -> None:
    """The wait doubles each time."""
    assert carried_out([NO_ANSWER, NO_ANSWER, NO_ANSWER, "ok"], first_s=1) == ("ok", [1, 2, 4])


def test_what_waiting_does_not_help_is_not_sent_again() -> None:
    """A refusal of the service, and a deadline that passed, are the caller's at once."""
    refused = RequestError(error_reason_pb2.ERROR_REASON_CAMEO_UNKNOWN, "no such cameo")
    for failed in (Failed(grpc.StatusCode.NOT_FOUND, "n", status_of(refused)), Failed(grpc.StatusCode.DEADLINE_EXCEEDED, "late")):
        came, slept = carried_out([failed, "ok"])
        assert isinstance(came, CallError)
        assert slept == []


def test_retries_are_bounded_in_number_and_in_time() -> None:
    """The last error is the caller's; no wait goes beyond the time that is left."""
    came, slept = carried_out([NO_ANSWER] * 9, attempts=3, first_s=1)
    assert (isinstance(came, CallError), slept) == (True, [1, 2])
    came, slept = carried_out([overloaded(50), overloaded(50), "ok"], total_s=60)
    assert (isinstance(came, CallError), slept) == (True, [50])


def test_clients_that_failed_together_do_not_return_together() -> None:
    """A wait is longer by a part that is drawn, never shorter than what the server said."""
    time, left = Time(), [overloaded(2), "ok"]

    def attempt() -> object:
        came = left.pop(0)
        if isinstance(came, Exception):
            raise came
        return came

    assert call(attempt, policy=RetryPolicy(jitter=0.5), sleep=time.sleep, clock=time.clock, uniform=lambda: 0.5) == "ok"
    assert time.slept == [pytest.approx(2.5)]
