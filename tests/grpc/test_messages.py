"""Bounds on messages: nothing of a refused call is read, and no message over its method's bound, compressed or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest

from cameo.v1 import cameo_service_pb2, cameo_service_pb2_grpc, guardian_service_pb2, guardian_service_pb2_grpc
from cameo.v1.cameo_pb2 import Cameo, PendingChange, Restrictions
from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo.v1.verification_service_pb2 import VerifyResponseRequest
from cameo_verifier.server.auth.access import ANYONE, WHO_MAY_CALL
from cameo_verifier.server.wire import messages
from tests.faults.test_server_crash import killed
from tests.grpc.callers import App
from tests.grpc.client import refused
from tests.grpc.test_refusals import config, stream
from tests.grpc.test_who_may_call import methods
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor

    from tests.grpc.client import Client
    from tests.grpc.server import OpenServer

MIB = 1024 * 1024


def open_call(channel: grpc.aio.Channel, method: MethodDescriptor, metadata: Any = ()) -> Any:
    """Open a call of any method as a stream of bytes: on the wire there is no other kind."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    return channel.stream_stream(path)(metadata=metadata, timeout=PATIENCE_S)


async def test_who_may_not_call_is_refused_before_a_message_is_there(serve: OpenServer, tmp_path: Path) -> None:
    """Of every method: without a token, with a false one and with one of another role, the call ends though nothing was sent."""
    app = App.make(tmp_path)
    false = (("authorization", f"Bearer {app.token('app', 'x', aud='another')}"),)
    async with serve(**app.settings) as client:
        for name, method in methods():
            if (allowed := WHO_MAY_CALL[name]) == ANYONE:
                continue
            stranger = next(role for role in ANYONE if role not in allowed and role is not None)
            for metadata, reason in (
                ((), "CALLER_TOKEN_MISSING"),
                (false, "CALLER_TOKEN_REFUSED"),
                (app.metadata(stranger.value, "x"), "CALLER_NOT_ALLOWED"),
            ):
                call = open_call(client.channel, method, metadata)
                assert (await refused(call.read())).reason == reason, name


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_what_is_compressed_is_never_inflated(tmp_path: Path, compression: grpc.Compression) -> None:
    """20 MB of nothing in 20 kB are refused as the protocol says, and the server's memory has never held them."""
    async with killed(tmp_path) as client:
        await client.challenge()
        process: Any = client.server
        before = peak_kib(process.pid)
        swollen = b"".join(IssueChallengeRequest(subject="x" * 100).SerializeToString() for _ in range(200_000))
        for method in ("ChallengeService/IssueChallenge", "VerificationService/VerifyResponse"):
            call = client.channel.stream_unary(f"/cameo.v1.{method}")(iter([swollen]), compression=compression)
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await call
            assert failure.value.code() is grpc.StatusCode.UNIMPLEMENTED
            assert "disabled" in str(failure.value.details())
        assert peak_kib(process.pid) - before < len(swollen) // 1024
        assert (await client.challenge()).id


def peak_kib(pid: int) -> int:
    """Return the most memory a process has had."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])


def test_every_list_in_a_request_has_a_bound() -> None:
    """The table names each of them, and nothing that no request holds."""
    held = {name for _, method in methods() for name in messages.lists(method.input_type)}
    assert held == set(messages.MAX_ITEMS)
    assert set(WHO_MAY_CALL) >= set(messages.MAX_BYTES)
    assert all(limit < dict(messages.CHANNEL)["grpc.max_receive_message_length"] for limit in messages.MAX_BYTES.values())


async def test_a_message_over_its_methods_bound_is_refused_unparsed(serve: OpenServer, tmp_path: Path) -> None:
    """Every method names its bound in bytes; what is within it and no message at all is refused as that."""
    app = App.make(tmp_path)
    async with serve(**app.settings) as client:
        for name, method in methods():
            if method.client_streaming:
                continue
            role = next(role for role in WHO_MAY_CALL[name] if role is not None)
            at_most = messages.MAX_BYTES.get(name, 64 * 1024)
            for size, metadata, told in ((at_most + 1, {"at_most": str(at_most)}, "bytes"), (at_most, {}, "is no")):
                call = open_call(client.channel, method, app.metadata(role.value, "x"))
                await call.write(b"\xff" * size)
                answer = await refused(call.read())
                assert (answer.code, answer.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID"), name
                assert answer.metadata == metadata, name
                assert told in answer.message, name
            call = open_call(client.channel, method, app.metadata(role.value, "x"))
            await call.done_writing()
            assert (await refused(call.read())).message == "send one message", name


async def test_a_chunk_has_a_mebibyte_at_most(serve: OpenServer) -> None:
    """One byte more is refused with the bound; far more is refused by gRPC itself, which says so."""
    async with serve() as client:
        challenge = await client.challenge()
        answer = await refused(stream(client, config(challenge.id), VerifyResponseRequest(chunk=bytes(MIB + 16))))
        assert (answer.code, answer.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")
        assert int(answer.metadata["at_most"]) >= MIB
        with pytest.raises(grpc.aio.AioRpcError, match="larger than max"):
            await stream(client, config(challenge.id), VerifyResponseRequest(chunk=bytes(3 * MIB)))
        assert (await client.verify(challenge.id, b"accept".ljust(2 * MIB), chunk=MIB)).attempt.id


async def test_a_list_over_its_bound_is_named_with_it(serve: OpenServer, tmp_path: Path) -> None:
    """INVALID_ARGUMENT names the field, also within another message, and how many entries it may have."""
    app = App.make(tmp_path)

    async def asked(client: Client, stub: Any, method: str, request: Any, role: str) -> tuple[str, str, str]:
        answer = await refused(getattr(stub(client.channel), method)(request, metadata=app.metadata(role, "x")))
        return answer.reason, answer.metadata["field"], answer.metadata["at_most"]

    words = Cameo(restrictions=Restrictions(words=["x"] * 21))
    pending = Cameo(pending_change=PendingChange(selected_users=["x"] * 1001))
    cameos, guardians = cameo_service_pb2_grpc.CameoServiceStub, guardian_service_pb2_grpc.GuardianServiceStub
    async with serve(**app.settings) as client:
        for stub, method, request, role, field, at_most in (
            (cameos, "AuthorizeUse", cameo_service_pb2.AuthorizeUseRequest(cameo_ids=["x"] * 33), "generator", "cameo_ids", 32),
            (cameos, "UpdateCameo", cameo_service_pb2.UpdateCameoRequest(cameo=words), "owner", "cameo.restrictions.words", 20),
            (
                guardians,
                "NarrowCameo",
                guardian_service_pb2.NarrowCameoRequest(cameo=pending),
                "guardian",
                "cameo.pending_change.selected_users",
                1000,
            ),
        ):
            told = await asked(client, stub, method, request, role)
            assert told == ("REQUEST_INVALID", field, str(at_most))


async def test_the_largest_terms_there_may_be_are_read(serve: OpenServer, tmp_path: Path) -> None:
    """A thousand people with the longest ids in the widest letters reach the service, which then misses the cameo."""
    app = App.make(tmp_path)
    users = [str(number).rjust(4, "0") + "\U00020000" * 124 for number in range(1000)]
    request = cameo_service_pb2.UpdateCameoRequest(
        cameo=Cameo(id=uuid4().hex, selected_users=users, pending_change=PendingChange(selected_users=users))
    )
    request.update_mask.paths.append("selected_users")
    async with serve(**app.settings) as client:
        stub: Any = cameo_service_pb2_grpc.CameoServiceStub(client.channel)
        answer = await refused(stub.UpdateCameo(request, metadata=app.metadata("owner", "x")))
        assert answer.reason == "CAMEO_UNKNOWN"
