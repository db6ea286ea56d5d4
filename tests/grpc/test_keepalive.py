"""Keepalive of idle connections: a client that pings keeps its own, one that floods or has died loses it."""

from __future__ import annotations

import asyncio
import struct
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc
import pytest

from cameo.v1 import attempt_pb2
from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo.v1.challenge_service_pb2_grpc import ChallengeServiceStub
from cameo.v1.verification_service_pb2 import VerifyResponseConfig, VerifyResponseRequest, VerifyResponseResponse
from cameo.v1.verification_service_pb2_grpc import VerificationServiceStub
from tests.grpc.client import AUDIENCE, refused
from tests.patience import PATIENCE_S
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.grpc.server import OpenServer

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS, _PING, _GOAWAY = 4, 6, 7
_ACK = 1
_ENHANCE_YOUR_CALM = 11
REQUEST_ID = "a4f0a9ae-7a5e-4b7c-8f43-7d8a2f0f3c11"


def frame(kind: int, payload: bytes = b"") -> bytes:
    """Return an HTTP/2 frame of the connection itself (RFC 9113 section 4.1)."""
    return struct.pack("!I", len(payload))[1:] + bytes([kind, 0]) + struct.pack("!I", 0) + payload


@dataclass
class Wire:
    """A TCP connection to a server that speaks bare HTTP/2. closed: with which error code the server said good-bye."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answered: int = field(default=0, init=False)
    closed: int | None = field(default=None, init=False)

    async def listen(self) -> None:
        """Read frames until the server ends the connection; count the pings it answers."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await self.reader.readexactly(9)
                payload = await self.reader.readexactly(int.from_bytes(head[:3], "big"))
                if head[3] == _PING and head[4] & _ACK:
                    self.answered += 1
                elif head[3] == _GOAWAY:
                    self.closed = int.from_bytes(payload[4:8], "big")


@asynccontextmanager
async def wired(address: str) -> AsyncIterator[Wire]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(_PREFACE + frame(_SETTINGS))
    wire = Wire(reader, writer)
    listening = asyncio.create_task(wire.listen())
    try:
        yield wire
        await listening
    finally:
        listening.cancel()
        writer.close()


@pytest.mark.parametrize("idle", [False, True], ids=["in a call", "without a call"])
async def test_a_client_that_pings_keeps_its_channel(serve: OpenServer, tmp_path: Path, *, idle: bool) -> None:
    """Some dozen pings while nothing is sent, more often than gRPC's servers take by default, end no channel and no call."""
    options = (
        ("grpc.keepalive_time_ms", 100),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    )
    async with serve(client_ping_s=0.01, workers=1) as client:
        seen: list[grpc.ChannelConnectivity] = []
        async with grpc.aio.insecure_channel(client.server.address, options) as channel:
            challenge = await ChallengeServiceStub(channel).IssueChallenge(IssueChallengeRequest(subject="ann"))
            config = VerifyResponseConfig(challenge_id=challenge.id, audience=AUDIENCE, request_id=REQUEST_ID)
            messages = [VerifyResponseRequest(config=config), VerifyResponseRequest(chunk=b"held:accept")]
            if idle:
                await asyncio.sleep(3)
                seen.append(channel.get_state())
                (tmp_path / "go").touch()
                answer = await VerificationServiceStub(channel).VerifyResponse(iter(messages), timeout=PATIENCE_S)
            else:
                call = VerificationServiceStub(channel).VerifyResponse(iter(messages), timeout=PATIENCE_S)
                await until(lambda: bool(client.judged()))
                await asyncio.sleep(3)
                seen.append(channel.get_state())
                (tmp_path / "go").touch()
                answer = await call
            assert answer.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
            assert seen == [grpc.ChannelConnectivity.READY]


async def test_pings_at_the_pace_that_is_allowed_are_answered(serve: OpenServer) -> None:
    """Twenty of them, each after the answer to the one before and the site's interval; the connection stays."""
    async with serve(client_ping_s=0.05) as client, wired(client.server.address) as wire:
        for number in range(20):
            wire.writer.write(frame(_PING, bytes(8)))
            await until(lambda number=number: wire.answered == number + 1)
            await asyncio.sleep(0.1)
        assert wire.closed is None
        wire.writer.write_eof()


async def test_a_flood_of_pings_is_cut_off(serve: OpenServer) -> None:
    """By the settings as they are, a hundred pings at once end the connection, and say why; other callers are served."""
    async with serve() as client:
        async with asyncio.timeout(PATIENCE_S), wired(client.server.address) as wire:
            wire.writer.write(frame(_PING, bytes(8)) * 100)
        assert wire.closed == _ENHANCE_YOUR_CALM
        assert (await client.verify((await client.challenge()).id, b"accept")).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED


@asynccontextmanager
async def between(address: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Stand between client and server; once the event is set nothing passes any more, and nobody is told."""
    host, _, port = address.rpartition(":")
    cut, ends = asyncio.Event(), []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if cut.is_set():
                    continue
                writer.write(data)

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(host, int(port))
        ends.extend([writer, server_writer])
        await asyncio.gather(pass_on(reader, server_writer), pass_on(server_reader, writer))

    listener = await asyncio.start_server(join, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{listener.sockets[0].getsockname()[1]}", cut
    finally:
        for end in ends:
            end.close()
        listener.close()


async def test_a_peer_that_stops_answering_loses_its_place(serve: OpenServer) -> None:
    """A phone that goes dark in the middle of an upload holds the only place until the server has asked in vain for it."""
    async with serve(uploads=1, upload_s=3600, upload_stall_s=3600, keepalive_s=0.5, keepalive_timeout_s=0.5) as client:
        challenge, other = await client.challenge(), await client.challenge("account-2")
        async with between(client.server.address) as (address, cut), grpc.aio.insecure_channel(address) as channel:
            config = VerifyResponseConfig(challenge_id=challenge.id, audience=AUDIENCE, request_id=REQUEST_ID)
            answers: list[str] = []

            async def begun() -> grpc.aio.StreamUnaryCall[VerifyResponseRequest, VerifyResponseResponse]:
                call: grpc.aio.StreamUnaryCall[VerifyResponseRequest, VerifyResponseResponse]
                call = VerificationServiceStub(channel).VerifyResponse()
                await call.write(VerifyResponseRequest(config=config))
                await asyncio.sleep(0.1)
                return call

            async def refused_for_load() -> bool:
                answers.append((await refused(client.verify(other.id, b"foreign"))).reason)
                return answers[-1] == "OVERLOADED"

            async with asyncio.timeout(PATIENCE_S):
                call = await begun()
                while not await refused_for_load():
                    # Whoever asked may have had the place, and this one been refused for it.
                    call.cancel()
                    call = await begun()
                cut.set()
                while await refused_for_load():  # noqa: ASYNC110 - the server tells nobody
                    await asyncio.sleep(0.1)
            assert answers[-1] == "UNSUPPORTED_MEDIA"
            call.cancel()
        assert (await client.verify(challenge.id, b"accept")).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
