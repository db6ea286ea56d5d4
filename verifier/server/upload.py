"""Receive one recording over a client stream: a config first, bytes after it, within limits on size, time and number."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cameo.v1 import error_reason_pb2

from verifier.errors import OverloadedError
from verifier.reasons import Reason
from verifier.server.status import RETRY_S, RequestError, UnspentError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cameo.v1.verification_service_pb2 import VerifyResponseConfig, VerifyResponseRequest


class Uploads:
    """The uploads a server takes at once."""

    def __init__(self, *, at_once: int, max_bytes: int, limit_s: float) -> None:
        """Set the limits: uploads at once, bytes and seconds of each."""
        self._at_once = at_once
        self._max_bytes = max_bytes
        self._limit_s = limit_s
        self._open = 0

    @asynccontextmanager
    async def receive(self, messages: AsyncIterator[VerifyResponseRequest]) -> AsyncIterator[Upload]:
        """Hold a place for an upload while it is received and judged.

        Raises:
            OverloadedError: as many as may be are under way.
        """
        if self._open >= self._at_once:
            raise OverloadedError(RETRY_S)
        self._open += 1
        try:
            yield Upload(messages, max_bytes=self._max_bytes, limit_s=self._limit_s)
        finally:
            self._open -= 1


class Upload:
    """One upload: first `config`, then `recording`, both within one time limit."""

    def __init__(self, messages: AsyncIterator[VerifyResponseRequest], *, max_bytes: int, limit_s: float) -> None:
        """Made by `Uploads.receive`."""
        self._messages = messages
        self._max_bytes = max_bytes
        self._limit_s = limit_s
        self._until = asyncio.get_running_loop().time() + limit_s

    async def config(self) -> VerifyResponseConfig:
        """Return the config.

        Raises:
            RequestError: `CONFIG_MISSING`, or `UPLOAD_TOO_SLOW`.
        """
        async with self._in_time():
            async for message in self._messages:
                if message.WhichOneof("message") == "config":
                    return message.config
                break
        raise RequestError(error_reason_pb2.CONFIG_MISSING, "send the config as the first message of the stream")

    async def recording(self) -> bytes:
        """Return all bytes, once the caller has closed its side.

        Raises:
            RequestError: `CONFIG_REPEATED`, `MESSAGE_EMPTY`, `RECORDING_EMPTY` or `UPLOAD_TOO_SLOW`.
            UnspentError: `RECORDING_TOO_LARGE`, as soon as it is.
        """
        recording = bytearray()
        async with self._in_time():
            async for message in self._messages:
                match message.WhichOneof("message"):
                    case "chunk":
                        if len(recording) + len(message.chunk) > self._max_bytes:
                            raise UnspentError(
                                Reason.RECORDING_TOO_LARGE,
                                f"the recording has more than {self._max_bytes} bytes; {Reason.RECORDING_TOO_LARGE.hint}",
                            )
                        recording += message.chunk
                    case "config":
                        raise RequestError(error_reason_pb2.CONFIG_REPEATED, "send the config once, then only chunks")
                    case _:
                        raise RequestError(error_reason_pb2.MESSAGE_EMPTY, "send a chunk in every message after the config")
        if not recording:
            raise RequestError(error_reason_pb2.RECORDING_EMPTY, "send the bytes of the recording before closing the stream")
        return bytes(recording)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(self._until):
                yield
        except TimeoutError:
            raise RequestError(
                error_reason_pb2.UPLOAD_TOO_SLOW,
                f"the recording was not complete after {self._limit_s:g} s; try a better connection",
            ) from None
