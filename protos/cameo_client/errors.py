"""Errors of calls, decoded from `google.rpc.Status`: a reason to act on, and the retry delay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2
from grpc_status import rpc_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    import grpc
    from google.protobuf import any_pb2
    from google.protobuf.message import Message

DOMAIN = "cameo.v1"
"""`ErrorInfo.domain` of errors of the service itself; another one is a proxy's."""


class CallError(Exception):
    """A call failed or was refused.

    Attributes:
        code: the gRPC status code.
        reason: `ErrorInfo.reason`, a name of `cameo.v1.ErrorReason` or `cameo.v1.Reason` without its prefix; empty where no
            server of ours answered (no connection, a deadline that passed on this side). Expect names you do not know.
        metadata: `ErrorInfo.metadata`, as the comment of the reason says; `hint` is for the person.
        retry_after_s: seconds after which the same call can succeed; None where waiting does not help.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        """Keep the parts beside the server's message, which says what to do."""
        super().__init__(f"{reason or code.name}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})
        self.retry_after_s = retry_after_s


def decode(error: grpc.RpcError) -> CallError:
    """Decode an error of a call, of `grpc` or of `grpc.aio`.

    Details that cannot be read are left out, so that a damaged one does not hide the error: the code and the message remain.
    """
    code, message = error.code(), error.details() or ""
    try:
        status = rpc_status.from_call(error)
    except ValueError:  # the details contradict the call
        status = None
    reason, metadata, retry_after_s = "", {}, None
    for detail in status.details if status else ():
        match _unpacked(detail):
            case error_details_pb2.ErrorInfo(domain=domain) as info if domain == DOMAIN:
                reason, metadata = info.reason, dict(info.metadata)
            case error_details_pb2.RetryInfo() as wait:
                retry_after_s = max(0.0, wait.retry_delay.ToNanoseconds() / 1e9)
    return CallError(code, message, reason=reason, metadata=metadata, retry_after_s=retry_after_s)


def _unpacked(detail: any_pb2.Any) -> Message | None:
    for kind in (error_details_pb2.ErrorInfo, error_details_pb2.RetryInfo):
        message: Message = kind()
        try:
            if detail.Unpack(message):
                return message
        except DecodeError:
            return None
    return None
