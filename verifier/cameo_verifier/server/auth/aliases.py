"""Aliases on the wire: replace ids by those of the audience in every message to a generator or platform, and back.

A generator or platform may also send an id itself, which only the app or the owner can have given it.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.cameo.refusal import RefusedError
from cameo_verifier.server.auth.caller import CALLER

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc
    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

    from cameo_credential.pairwise import PairwiseKey
    from cameo_verifier.server.interceptors import Behaviour

_NAMED = frozenset({"cameo_id", "cameo_ids", "attempt_id"})
"""Fields, of any message and of the metadata of errors, that hold ids."""
_AUDIENCES = frozenset({CallerRole.GENERATOR, CallerRole.PLATFORM})


def rename(message: Message, name: Callable[[str], str]) -> None:
    """Replace every id in a message, at any depth."""
    if not _names(message.DESCRIPTOR):
        return
    for field, value in message.ListFields():
        if field.name in _NAMED and field.is_repeated:
            value[:] = [name(each) for each in value]
        elif field.name in _NAMED:
            setattr(message, field.name, name(value))
        elif field.message_type is not None and _names(field.message_type):
            for each in value if field.is_repeated else (value,):
                rename(each, name)


@cache
def _names(kind: Descriptor) -> bool:
    """Return whether a message of this kind can hold an id, at any depth."""
    seen, kinds = set(), [kind]
    while kinds:
        each = kinds.pop()
        if each in seen or each.GetOptions().map_entry:
            continue
        seen.add(each)
        if any(field.name in _NAMED for field in each.fields):
            return True
        kinds += [field.message_type for field in each.fields if field.message_type is not None]
    return False


class Aliases:
    """A wrap, next to the service, that renames in requests, replies, streams and refusals of audiences."""

    def __init__(self, pairwise: PairwiseKey) -> None:
        self._pairwise = pairwise

    def __call__(self, behaviour: Behaviour) -> Behaviour:
        """Return a behaviour of messages that renames around this one."""

        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:  # noqa: ANN401 - any message
            caller = CALLER.get()
            if caller is None or caller.role not in _AUDIENCES:
                return await behaviour(request, context)
            rename(request, partial(self._pairwise.identifier, audience=caller.id))
            outward = partial(self._pairwise.alias, audience=caller.id)
            try:
                writing: Any = _Writing(context, outward)
                answer = await behaviour(request, writing)
            except RefusedError as error:
                error.metadata.update({key: outward(value) for key, value in error.metadata.items() if key in _NAMED})
                raise
            if answer is not None:
                rename(answer, outward)
            return answer

        return call


class _Writing:
    """A context that renames in what is written to a stream."""

    def __init__(self, context: Any, outward: Callable[[str], str]) -> None:  # noqa: ANN401 - gRPC's, of any messages
        self._context, self._outward = context, outward

    async def write(self, message: Any) -> None:  # noqa: ANN401 - any message
        rename(message, self._outward)
        await self._context.write(message)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the context has
        return getattr(self._context, name)
