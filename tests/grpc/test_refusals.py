"""Recordings that cannot be judged: each has its code, its reason and a message that says what to do, and costs nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc

from cameo.v1 import attempt_pb2
from cameo.v1.verification_service_pb2 import VerifyResponseConfig, VerifyResponseRequest
from cameo_verifier.server.app import utc_now
from tests.grpc.client import AUDIENCE, Client, refused
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tests.grpc.server import OpenServer

MIB = 1024 * 1024


class Clock:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        """Return the time."""
        return utc_now() + self.ahead


def config(challenge_id: str, **changes: str) -> VerifyResponseRequest:
    """Return a config message."""
    fields = {"challenge_id": challenge_id, "audience": AUDIENCE, "request_id": str(uuid4())} | changes
    return VerifyResponseRequest(config=VerifyResponseConfig(**fields))


CHUNK = VerifyResponseRequest(chunk=b"accept")


async def stream(client: Client, *messages: VerifyResponseRequest) -> Any:
    """Send exactly these messages."""

    def sent() -> Iterator[VerifyResponseRequest]:
        yield from messages

    return await client.verification.VerifyResponse(sent(), timeout=PATIENCE_S)


async def still_good(client: Client, challenge_id: str) -> None:
    """Check that the challenge was not spent and the server goes on."""
    assert (await client.verify(challenge_id, b"accept")).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED


MALFORMED: tuple[tuple[Callable[[str], tuple[VerifyResponseRequest, ...]], str], ...] = (
    (lambda _: (), "CONFIG_MISSING"),
    (lambda _: (CHUNK,), "CONFIG_MISSING"),
    (lambda challenge: (config(challenge), config(challenge), CHUNK), "CONFIG_REPEATED"),
    (lambda challenge: (config(challenge), CHUNK, config(challenge)), "CONFIG_REPEATED"),
    (lambda challenge: (config(challenge), VerifyResponseRequest()), "MESSAGE_EMPTY"),
    (lambda challenge: (config(challenge),), "RECORDING_EMPTY"),
    (lambda challenge: (config(challenge), VerifyResponseRequest(chunk=b"")), "RECORDING_EMPTY"),
    (lambda challenge: (config(challenge, request_id=""), CHUNK), "REQUEST_ID_INVALID"),
    (lambda challenge: (config(challenge, request_id="again"), CHUNK), "REQUEST_ID_INVALID"),
    (lambda challenge: (config(challenge, request_id=uuid4().hex), CHUNK), "REQUEST_ID_INVALID"),
)


async def test_malformed_streams_are_refused_with_their_reasons(serve: OpenServer) -> None:
    """INVALID_ARGUMENT with the reason; nothing reaches a worker and the challenge, of each its own, is still good."""
    async with serve() as client:
        challenges = [await client.challenge() for _ in MALFORMED]
        for challenge, (messages, reason) in zip(challenges, MALFORMED, strict=True):
            answer = await refused(stream(client, *messages(challenge.id)))
            assert (answer.code, answer.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
            assert answer.message
        assert client.judged() == []
        for challenge in challenges:
            await still_good(client, challenge.id)


async def test_an_unknown_audience_is_refused_before_the_upload(serve: OpenServer) -> None:
    """NOT_FOUND, and the challenge is still good."""
    async with serve() as client:
        challenge = await client.challenge()
        answer = await refused(client.verify(challenge.id, b"accept", audience="https://nobody.example"))
        assert (answer.code, answer.reason) == (grpc.StatusCode.NOT_FOUND, "AUDIENCE_UNKNOWN")
        await still_good(client, challenge.id)


async def test_too_many_bytes_are_refused_while_they_come_in(serve: OpenServer) -> None:
    """17 MiB are refused for their size, and the challenge is still good."""
    async with serve() as client:
        challenge = await client.challenge()
        answer = await refused(client.verify(challenge.id, bytes(17 * MIB), chunk=MIB))
        assert (answer.code, answer.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "RECORDING_TOO_LARGE")
        assert "16777216 bytes" in answer.message
        await still_good(client, challenge.id)


async def test_sixteen_mebibytes_are_taken(serve: OpenServer) -> None:
    """The limit itself is within the limit."""
    async with serve() as client:
        recording = b"reject".ljust(16 * MIB, b"\0")
        answer = await client.verify((await client.challenge()).id, recording, chunk=MIB)
        assert answer.attempt.verdict == attempt_pb2.VERDICT_REJECTED


async def test_unknown_expired_and_spent_challenges_are_refused(serve: OpenServer) -> None:
    """NOT_FOUND, FAILED_PRECONDITION and FAILED_PRECONDITION, each with its reason."""
    clock = Clock()
    async with serve(clock=clock) as client:
        answer = await refused(client.verify("none", b"accept"))
        assert (answer.code, answer.reason) == (grpc.StatusCode.NOT_FOUND, "CHALLENGE_UNKNOWN")
        spent = await client.challenge()
        await client.verify(spent.id, b"reject")
        answer = await refused(client.verify(spent.id, b"accept"))
        assert (answer.code, answer.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CHALLENGE_SPENT")
        late = await client.challenge()
        clock.ahead = timedelta(seconds=180)
        answer = await refused(client.verify(late.id, b"accept"))
        assert (answer.code, answer.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CHALLENGE_EXPIRED")
        assert "new challenge" in answer.metadata["hint"]
        assert client.judged() == ["begin reject", "end"]


async def test_an_upload_that_ends_after_expiry_is_refused(serve: OpenServer) -> None:
    """A challenge that was good when the upload began must still be good when it is complete."""
    clock = Clock()
    async with serve(clock=clock) as client:
        challenge = await client.challenge()
        call = client.verification.VerifyResponse()
        await call.write(config(challenge.id))
        await call.write(CHUNK)
        await asyncio.sleep(0.2)
        clock.ahead = timedelta(seconds=180)
        await call.done_writing()
        answer = await refused(call)
        assert (answer.code, answer.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CHALLENGE_EXPIRED")
        assert client.judged() == []


async def test_a_damaged_recording_is_an_error_with_its_reason(serve: OpenServer) -> None:
    """What the pipeline cannot read is INVALID_ARGUMENT with the recording's reason and hint, again when asked again."""
    async with serve() as client:
        challenge, request_id = await client.challenge(), str(uuid4())
        for _ in range(2):
            answer = await refused(client.verify(challenge.id, b"damaged", request_id=request_id))
            assert (answer.code, answer.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "CORRUPT_MEDIA")
            assert "send it again" in answer.metadata["hint"]
        assert client.judged() == ["begin damaged"]


async def test_what_is_no_recording_leaves_the_challenge_good(serve: OpenServer) -> None:
    """INVALID_ARGUMENT says so in the metadata; nothing was judged, no attempt was begun, and a recording then answers."""
    async with serve() as client:
        challenge, request_id = await client.challenge(), str(uuid4())
        for _ in range(2):
            answer = await refused(client.verify(challenge.id, b"foreign", request_id=request_id))
            assert (answer.code, answer.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "UNSUPPORTED_MEDIA")
            assert answer.metadata["challenge"] == "good"
        answer = await refused(client.verify(challenge.id, bytes(17 * MIB), chunk=MIB))
        assert answer.metadata["challenge"] == "good"
        assert client.judged() == []
        accepted = await client.verify(challenge.id, b"accept", request_id=request_id)
        assert accepted.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
        answer = await refused(client.verify((await client.challenge()).id, b"damaged"))
        assert answer.metadata["challenge"] == "spent"


async def test_a_file_that_ends_whoever_opens_it_spends_the_challenge(serve: OpenServer) -> None:
    """It is no free try: the request stays failed, and the challenge is spent."""
    async with serve() as client:
        challenge, request_id = await client.challenge(), str(uuid4())
        for _ in range(2):
            answer = await refused(client.verify(challenge.id, b"trap", request_id=request_id))
            assert (answer.code, answer.reason) == (grpc.StatusCode.INTERNAL, "JUDGING_INTERRUPTED")
        assert (await refused(client.verify(challenge.id, b"accept"))).reason == "CHALLENGE_SPENT"
        assert client.judged() == []


async def test_a_deadline_that_leaves_no_time_is_refused_before_anything_is_lost(serve: OpenServer) -> None:
    """DEADLINE_EXCEEDED from the server says how long it needs, and the challenge is still good."""
    async with serve() as client:
        challenge = await client.challenge()
        answer = await refused(client.verify(challenge.id, b"accept", timeout=0.8))
        assert (answer.code, answer.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_TOO_SHORT")
        assert float(answer.metadata["needed_s"]) >= 0.8
        await still_good(client, challenge.id)


async def test_an_upload_without_end_is_refused(serve: OpenServer) -> None:
    """A caller that stops sending is refused after the site's limit, and the challenge is still good."""
    async with serve(upload_s=0.5) as client:
        challenge = await client.challenge()
        call = client.verification.VerifyResponse()
        await call.write(config(challenge.id))
        await call.write(CHUNK)
        answer = await refused(call)
        assert (answer.code, answer.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "UPLOAD_TOO_SLOW")
        await still_good(client, challenge.id)


async def test_a_full_queue_refuses_with_a_delay_and_spends_nothing(serve: OpenServer) -> None:
    """RESOURCE_EXHAUSTED carries when to come back; then the same challenge is judged."""
    async with serve(workers=1, queue=0) as client:
        busy = asyncio.ensure_future(client.verify((await client.challenge()).id, b"sleep:1"))
        await asyncio.sleep(0.5)
        challenge = await client.challenge()
        answer = await refused(client.verify(challenge.id, b"accept"))
        assert (answer.code, answer.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        assert answer.retry_s is not None
        assert answer.retry_s >= 1
        await busy
        await still_good(client, challenge.id)


async def test_more_uploads_than_allowed_are_refused_with_a_delay(serve: OpenServer) -> None:
    """An upload beyond the limit is refused while the others go on."""
    async with serve(uploads=1) as client:
        challenge = await client.challenge()
        call = client.verification.VerifyResponse()
        await call.write(config(challenge.id))
        await asyncio.sleep(0.2)
        answer = await refused(client.verify(challenge.id, b"accept"))
        assert (answer.code, answer.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        assert answer.retry_s is not None
        await call.write(CHUNK)
        await call.done_writing()
        assert (await call).attempt.verdict == attempt_pb2.VERDICT_ACCEPTED


async def trickle(client: Client, challenge_id: str) -> grpc.aio.StreamUnaryCall[VerifyResponseRequest, Any]:
    """Begin an upload that sends a byte and no more."""
    call: grpc.aio.StreamUnaryCall[VerifyResponseRequest, Any] = client.verification.VerifyResponse()
    await call.write(config(challenge_id))
    await call.write(VerifyResponseRequest(chunk=b"a"))
    return call


async def test_one_challenge_and_one_subject_do_not_keep_the_others_out(serve: OpenServer) -> None:
    """Of sixteen trickles with one challenge two hold a place, of four more of the same person two; who else comes is judged."""
    async with serve(uploads=16) as client:
        first = await client.challenge("mallory")
        calls = [await trickle(client, first.id) for _ in range(16)]
        calls += [await trickle(client, (await client.challenge("mallory")).id) for _ in range(4)]
        answers = [asyncio.ensure_future(refused(call)) for call in calls]
        async with asyncio.timeout(PATIENCE_S):
            while sum(answer.done() for answer in answers) < 16:
                await asyncio.wait([answer for answer in answers if not answer.done()], return_when=asyncio.FIRST_COMPLETED)
        held = [answer for answer in answers if not answer.done()]
        told = [answer.result() for answer in answers if answer.done()]
        assert {(each.code, each.reason) for each in told} == {(grpc.StatusCode.RESOURCE_EXHAUSTED, "UPLOADS_UNDER_WAY")}
        assert {each.metadata["limit"] for each in told} == {"uploads_a_challenge", "uploads_a_subject"}
        assert all("busy" not in each.message and each.retry_s for each in told)
        assert len(held) == 4
        answer = await client.verify((await client.challenge("alice")).id, b"accept")
        assert answer.attempt.verdict == attempt_pb2.VERDICT_ACCEPTED
        for call in calls:
            call.cancel()
        for answered in held:
            answered.cancel()


async def test_an_upload_that_hardly_moves_gives_its_place_up(serve: OpenServer) -> None:
    """A byte now and then is no upload: it is ended long before the longest one, and who waited for its place gets it."""
    async with serve(uploads=1, upload_stall_s=1.0, upload_min_bytes_s=1000.0) as client:
        challenge = await client.challenge()
        call = await trickle(client, challenge.id)

        async def drip() -> None:
            while not call.done():
                with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                    await call.write(VerifyResponseRequest(chunk=b"a"))
                await asyncio.sleep(0.1)

        dripping = asyncio.create_task(drip())
        answer = await refused(call)
        await dripping
        assert (answer.code, answer.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "UPLOAD_TOO_SLOW")
        assert "fewer than 1000 bytes a second came for 1 s" in answer.message
        await still_good(client, challenge.id)


async def test_a_call_that_says_nothing_good_takes_no_place(serve: OpenServer) -> None:
    """Calls without a config, or with one that names no challenge, stand in nobody's way."""
    async with serve(uploads=1) as client:
        silent = [client.verification.VerifyResponse() for _ in range(3)]
        for call in silent:
            await call.wait_for_connection()
        assert (await refused(client.verify("none", b"accept"))).reason == "CHALLENGE_UNKNOWN"
        await still_good(client, (await client.challenge()).id)
        for call in silent:
            call.cancel()


async def test_a_repeated_request_needs_no_place(serve: OpenServer) -> None:
    """Whoever lost a reply gets it while all places are taken."""
    async with serve(uploads=1) as client:
        challenge, request_id = await client.challenge(), str(uuid4())
        first = await client.verify(challenge.id, b"accept", request_id=request_id)
        held, other = await client.challenge("mallory"), await client.challenge()
        call = await trickle(client, held.id)
        while (await refused(client.verify(other.id, b"foreign"))).reason != "OVERLOADED":
            # Whoever asked may have had the place, and this one been refused for it.
            call.cancel()
            call = await trickle(client, held.id)
        assert await client.verify(challenge.id, b"accept", request_id=request_id) == first
        call.cancel()


async def test_the_same_request_twice_is_judged_once(serve: OpenServer) -> None:
    """A repeated request gets the stored attempt and credential; another audience under the same id is refused."""
    async with serve() as client:
        challenge, request_id = await client.challenge(), str(uuid4())
        first = await client.verify(challenge.id, b"accept", request_id=request_id)
        assert await client.verify(challenge.id, b"accept", request_id=request_id) == first
        assert client.judged() == ["begin accept", "end"]
        other = client.verify(challenge.id, b"accept", request_id=request_id, audience="https://other.example")
        answer = await refused(other)
        assert (answer.code, answer.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_the_same_request_while_it_is_judged_is_told_to_wait(serve: OpenServer) -> None:
    """ABORTED with a delay, then the first one's result."""
    async with serve(workers=2) as client:
        challenge, request_id = await client.challenge(), str(uuid4())
        first = asyncio.ensure_future(client.verify(challenge.id, b"sleep:1", request_id=request_id))
        await asyncio.sleep(0.5)
        answer = await refused(client.verify(challenge.id, b"sleep:1", request_id=request_id))
        assert (answer.code, answer.reason) == (grpc.StatusCode.ABORTED, "REQUEST_IN_PROGRESS")
        assert answer.retry_s is not None
        judged = await first
        assert await client.verify(challenge.id, b"sleep:1", request_id=request_id) == judged
        assert client.judged().count("begin sleep:1") == 1


async def test_streams_racing_for_one_challenge_are_judged_once(serve: OpenServer) -> None:
    """Of eight complete uploads at once, exactly one is judged; the others find the challenge spent."""
    async with serve(workers=2, queue=8, uploads_a_subject=8, uploads_a_challenge=8) as client:
        challenge = await client.challenge()
        calls = [client.verification.VerifyResponse() for _ in range(8)]
        for call in calls:
            await call.write(config(challenge.id))
            await call.write(CHUNK)
        for call in calls:
            await call.done_writing()
        answers = []
        for call in calls:
            with suppress(grpc.aio.AioRpcError):
                answers.append(await call)
        assert [answer.attempt.verdict for answer in answers] == [attempt_pb2.VERDICT_ACCEPTED]
        assert client.judged() == ["begin accept", "end"]
        reasons = {(await refused(call)).reason for call in calls if await call.code() is not grpc.StatusCode.OK}
        assert reasons == {"CHALLENGE_SPENT"}
