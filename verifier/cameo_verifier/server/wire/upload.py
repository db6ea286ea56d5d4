"""Uploads: one recording over a client stream, config first, then bytes, within limits on size, time, rate and number.

A place is held from the time the config is accepted until the recording is judged. One subject and one challenge have a limited
share of the places, so that nobody can block everybody else, and a stalled upload loses its place. A caller who exceeds that
share gets a reason of its own, not that all workers are busy.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo.v1 import error_reason_pb2
from cameo_verifier.reasons import Reason
from cameo_verifier.server.wire.errors import RequestError, UnspentError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from cameo.v1.verification_service_pb2 import VerifyResponseConfig, VerifyResponseRequest
    from cameo_verifier.errors import OverloadedError


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Limits on uploads.

    Attributes:
        at_once: places in all.
        a_subject: places that one subject may hold.
        a_challenge: places that one challenge may hold.
        max_bytes: largest recording.
        limit_s: longest upload.
        min_bytes_s: lowest rate, over each stretch of `stall_s` seconds.
        stall_s: length of that stretch in seconds.
    """

    at_once: int
    a_subject: int
    a_challenge: int
    max_bytes: int
    limit_s: float
    min_bytes_s: float
    stall_s: float


_REMEMBERED = 16
_USUAL_GUESS_S = 15.0
"""Estimate of a place's duration before one was measured: 5 s of upload and a judgement, on a busy machine."""
_LEAST_DELAY_S = 1.0


class _Share:
    """A limit on the places of one subject, or of one challenge, with the start time of each place held."""

    def __init__(self, most: int, setting: str, whose: str) -> None:
        self.most, self.setting, self.whose = most, setting, whose
        self.held: dict[str, list[float]] = {}


class Uploads:
    """The uploads of a server."""

    def __init__(self, limits: UploadLimits, *, refusal: Callable[[], OverloadedError]) -> None:
        """Keep the limits; `refusal` makes the error with the retry delay."""
        self._limits = limits
        self._refusal = refusal
        self._open = 0
        self._subjects = _Share(limits.a_subject, "uploads_a_subject", "of this person")
        self._challenges = _Share(limits.a_challenge, "uploads_a_challenge", "for this challenge")
        self._held_s: deque[float] = deque(maxlen=_REMEMBERED)

    def begin(self, messages: AsyncIterator[VerifyResponseRequest]) -> Upload:
        """Return an upload, without a place yet."""
        return Upload(messages, self._limits)

    @contextmanager
    def place(self, subject: str, challenge_id: str) -> Iterator[None]:
        """Hold a place while a recording is received and judged.

        Raises:
            OverloadedError: all places are taken.
            RequestError: `UPLOADS_UNDER_WAY`: all places of this subject, or for this challenge, are taken.
        """
        shares = ((self._subjects, subject), (self._challenges, challenge_id))
        for share, key in shares:
            if len(share.held.get(key, ())) >= share.most:
                raise self._own(share, share.held[key])
        if self._open >= self._limits.at_once:
            raise self._refusal()
        began = time.monotonic()
        self._open += 1
        for share, key in shares:
            share.held.setdefault(key, []).append(began)
        try:
            yield
        finally:
            self._open -= 1
            self._held_s.append(time.monotonic() - began)
            for share, key in shares:
                share.held[key].remove(began)
                if not share.held[key]:
                    del share.held[key]

    def _own(self, share: _Share, held: list[float]) -> RequestError:
        """Return the error with the estimated delay until one of these places is free: by the median, or as long again."""
        usual_s = statistics.median(self._held_s) if self._held_s else _USUAL_GUESS_S
        age_s = time.monotonic() - min(held)
        delay_s = max(_LEAST_DELAY_S, usual_s - age_s if age_s < usual_s else age_s)
        return RequestError(
            error_reason_pb2.ERROR_REASON_UPLOADS_UNDER_WAY,
            f"as many recordings {share.whose} as may be at once are under way ({len(held)}); wait for their verdicts, "
            f"or try again in {delay_s:.1f} s",
            metadata={"limit": share.setting},
            retry_after_s=delay_s,
        )


class Upload:
    """One upload: first `config`, then `recording`, both within one time limit and at the lowest rate or more."""

    def __init__(self, messages: AsyncIterator[VerifyResponseRequest], limits: UploadLimits) -> None:
        """Use `Uploads.begin`."""
        self._messages = messages
        self._limits = limits
        now = asyncio.get_running_loop().time()
        self._until = now + limits.limit_s
        self._stalled_at = now + limits.stall_s

    async def config(self) -> VerifyResponseConfig:
        """Return the config.

        Raises:
            RequestError: `CONFIG_MISSING`, or `UPLOAD_TOO_SLOW`.
        """
        message = await self._next()
        if message is None or message.WhichOneof("message") != "config":
            raise RequestError(error_reason_pb2.ERROR_REASON_CONFIG_MISSING, "send the config as the first message of the stream")
        return message.config

    async def recording(self) -> bytes:
        """Return all bytes, once the caller has closed its side.

        Raises:
            RequestError: `CONFIG_REPEATED`, `MESSAGE_EMPTY`, `RECORDING_EMPTY` or `UPLOAD_TOO_SLOW`.
            UnspentError: `RECORDING_TOO_LARGE`, as soon as it is.
        """
        limits, loop = self._limits, asyncio.get_running_loop()
        recording, reached = bytearray(), 0
        self._stalled_at = loop.time() + limits.stall_s
        while (message := await self._next()) is not None:
            match message.WhichOneof("message"):
                case "chunk":
                    if len(recording) + len(message.chunk) > limits.max_bytes:
                        raise UnspentError(
                            Reason.RECORDING_TOO_LARGE,
                            f"the recording has more than {limits.max_bytes} bytes; {Reason.RECORDING_TOO_LARGE.hint}",
                        )
                    recording += message.chunk
                case "config":
                    raise RequestError(error_reason_pb2.ERROR_REASON_CONFIG_REPEATED, "send the config once, then only chunks")
                case _:
                    raise RequestError(
                        error_reason_pb2.ERROR_REASON_MESSAGE_EMPTY, "send a chunk in every message after the config"
                    )
            if len(recording) - reached >= limits.min_bytes_s * limits.stall_s:
                reached, self._stalled_at = len(recording), loop.time() + limits.stall_s
        if not recording:
            raise RequestError(
                error_reason_pb2.ERROR_REASON_RECORDING_EMPTY, "send the bytes of the recording before closing the stream"
            )
        return bytes(recording)

    async def _next(self) -> VerifyResponseRequest | None:
        """Return the next message, or None after the last."""
        async with self._in_time():
            return await anext(self._messages, None)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        limits = self._limits
        try:
            async with asyncio.timeout_at(min(self._until, self._stalled_at)):
                yield
        except TimeoutError:
            if self._stalled_at < self._until:
                told = f"fewer than {limits.min_bytes_s:g} bytes a second came for {limits.stall_s:g} s"
            else:
                told = f"the recording was not complete after {limits.limit_s:g} s"
            raise RequestError(error_reason_pb2.ERROR_REASON_UPLOAD_TOO_SLOW, f"{told}; try a better connection") from None
