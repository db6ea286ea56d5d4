"""Message parsing within bounds: a message's size is checked before it is parsed, and its lists are counted before use.

Bytes reach this only from authorized callers: every method takes its messages as a stream, so that gRPC passes none before one is
requested. gRPC itself refuses what far exceeds every bound, and compressed messages, see `CHANNEL`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError

from cameo.v1 import error_reason_pb2
from cameo_credential.item_kind import ItemKind
from cameo_verifier.cameo.model import UseCategory
from cameo_verifier.cameo.permissions import WORDS_MAX
from cameo_verifier.server.wire.cameo_input import GENERATORS_MAX, ID_MAX_CHARS, SELECTED_MAX
from cameo_verifier.server.wire.errors import DOMAIN, RequestError
from cameo_verifier.server.wire.review_input import PROFILE_MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from google.protobuf.descriptor import Descriptor

    from cameo_verifier.server.interceptors import Behaviour

KIB = 1024
CHUNK_MAX_BYTES = 1024 * KIB
"""Maximum bytes of the recording in one message."""
USUAL_MAX_BYTES = 64 * KIB

_AROUND = 16
"""Overhead in bytes of a message's one field in protobuf."""
_SEAL = 96
"""Maximum bytes of a slice's seal: the signature's 64, two numbers, and what is around them."""
# As many people as may be selected, each with the longest id; twice, since pending terms may be sent too.
_TERMS_MAX_BYTES = USUAL_MAX_BYTES + 2 * SELECTED_MAX * (4 * ID_MAX_CHARS + _AROUND)

MAX_BYTES: Mapping[str, int] = {
    "VerificationService.VerifyResponse": CHUNK_MAX_BYTES + _AROUND,
    "SessionService.CreateSession": _TERMS_MAX_BYTES,
    "SessionService.Capture": CHUNK_MAX_BYTES + _AROUND + _SEAL,
    "CameoService.UpdateCameo": _TERMS_MAX_BYTES,
    "GuardianService.NarrowCameo": _TERMS_MAX_BYTES,
    "ReviewService.ReplayAttempt": USUAL_MAX_BYTES + PROFILE_MAX_BYTES,
    "ReviewService.CompareProfiles": USUAL_MAX_BYTES + 2 * PROFILE_MAX_BYTES,
}
"""RPC, as `Service.Method`, to the maximum bytes of one message, if that is not `USUAL_MAX_BYTES`."""

_GROUPS = len(UseCategory)
MAX_ITEMS: Mapping[str, int] = {
    "cameo.v1.AuthorizeUseRequest.cameo_ids": 32,  # the maximum of `CAMEO_JOB_CAMEOS`
    "cameo.v1.AuthorizeUseRequest.purposes": _GROUPS,
    "cameo.v1.CheckPermissionRequest.purposes": _GROUPS,
    "cameo.v1.Cameo.items": len(ItemKind),
    "cameo.v1.Cameo.offline_audiences": GENERATORS_MAX,
    "cameo.v1.Cameo.selected_users": SELECTED_MAX,
    "cameo.v1.Generators.names": GENERATORS_MAX,
    "cameo.v1.PendingChange.approved_by": SELECTED_MAX,
    "cameo.v1.PendingChange.items": len(ItemKind),
    "cameo.v1.PendingChange.offline_audiences": GENERATORS_MAX,
    "cameo.v1.PendingChange.selected_users": SELECTED_MAX,
    "cameo.v1.CreateSessionRequest.needs": 8,
    "cameo.v1.Hello.needs": 8,
    "cameo.v1.Hello.track_settings": 32,
    "cameo.v1.Output.removals": SELECTED_MAX,
    "cameo.v1.Restrictions.words": WORDS_MAX,
    "cameo.v1.Restrictions.categories": _GROUPS,
    "google.protobuf.FieldMask.paths": 16,
}
"""Every repeated field of a request, to its maximum number of entries."""

CHANNEL = (
    # A message that exceeds its method's own bound by less than this is refused with a reason.
    ("grpc.max_receive_message_length", 2 * CHUNK_MAX_BYTES),
    # The first bit alone: no compression. A recording does not compress, and a message that expands is an attack.
    ("grpc.compression_enabled_algorithms_bitset", 1),
)
"""Options of the gRPC server; the names are those of gRPC's `channel_arg_names.h`."""


def parsed(
    method: str, handler: grpc.RpcMethodHandler[Any, Any], within: Callable[[Behaviour], Behaviour] = lambda behaviour: behaviour
) -> Behaviour:
    """Return the behaviour of a handler for streams of bytes instead of messages; `within` wraps that of single messages."""
    any_handler: Any = handler  # the stubs know only the synchronous handlers
    streams, replies = any_handler.request_streaming, any_handler.response_streaming
    of_bytes = _parser(method, any_handler.request_deserializer)
    if streams:
        behaviour = any_handler.stream_stream if replies else any_handler.stream_unary
    else:
        behaviour = any_handler.unary_stream if replies else any_handler.unary_unary

    inner = behaviour if streams else within(behaviour)

    async def each(messages: Any) -> Any:  # noqa: ANN401 - any message
        async for data in messages:
            yield of_bytes(data)

    async def stream(messages: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: ANN401 - any message
        return await behaviour(each(messages), context)

    async def single(_: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: ANN401 - any message
        data: Any = await context.read()
        if data is grpc.aio.EOF:
            raise RequestError(error_reason_pb2.ERROR_REASON_REQUEST_INVALID, "send one message")
        return await inner(of_bytes(data), context)

    return stream if streams else single


def require_bounded(method: str, message: Any) -> None:  # noqa: ANN401 - any message
    """Check a message of a method that came otherwise than over gRPC.

    Raises:
        RequestError: `REQUEST_INVALID`.
    """
    _require_size(method, message.ByteSize())
    _count(message, "")


def lists(kind: Descriptor) -> Iterator[str]:
    """Yield the full name of every repeated field of a message, at any depth."""
    waiting, seen = [kind], set()
    while waiting:
        each = waiting.pop()
        if each.full_name in seen:
            continue
        seen.add(each.full_name)
        for field in each.fields:
            if field.is_repeated:
                yield field.full_name
            if field.message_type is not None:
                waiting.append(field.message_type)


def request_of(method: str) -> Descriptor:
    """Return the request message of an RPC; `method` as `Service.Method`."""
    service, _, name = method.partition(".")
    kind: Descriptor = descriptor_pool.Default().FindServiceByName(f"{DOMAIN}.{service}").methods_by_name[name].input_type
    return kind


def _parser(method: str, deserializer: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    counted = any(True for _ in lists(request_of(method)))

    def parse(data: bytes) -> Any:  # noqa: ANN401 - any message
        _require_size(method, len(data))
        try:
            message = deserializer(data)
        except DecodeError:
            raise RequestError(
                error_reason_pb2.ERROR_REASON_REQUEST_INVALID, f"the message is no {request_of(method).name}"
            ) from None
        if counted:
            _count(message, "")
        return message

    return parse


def _require_size(method: str, size: int) -> None:
    if size > (at_most := MAX_BYTES.get(method, USUAL_MAX_BYTES)):
        raise RequestError(
            error_reason_pb2.ERROR_REASON_REQUEST_INVALID,
            f"a message of {method} has at most {at_most} bytes",
            metadata={"at_most": str(at_most)},
        )


def _count(message: Any, within: str) -> None:  # noqa: ANN401 - any message
    for field, value in message.ListFields():
        if field.is_repeated:
            if len(value) > (at_most := MAX_ITEMS[field.full_name]):
                raise RequestError(
                    error_reason_pb2.ERROR_REASON_REQUEST_INVALID,
                    f"`{within}{field.name}` has at most {at_most} entries",
                    metadata={"field": f"{within}{field.name}", "at_most": str(at_most)},
                )
        elif field.message_type is not None:
            _count(value, f"{within}{field.name}.")
