"""A sandbox: the subject decides the outcome, and no reader of a real site believes what it signs."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest

from cameo.v1.attempt_pb2 import Verdict
from cameo.v1.credential_service_pb2 import GetKeysRequest
from cameo.v1.reason_pb2 import Reason as WireReason
from cameo.v1.session_service_pb2 import (
    Bye,
    CaptureRequest,
    CreateSessionRequest,
    GetSessionRequest,
    Hello,
    SessionState,
    Started,
)
from cameo.v1.session_service_pb2_grpc import SessionServiceStub
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.errors import CredentialError, InvalidRequestError
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.receipt import open_receipt
from cameo_credential.status_source import UNSAFE_NO_STATUS_CHECK
from cameo_verifier.reasons import Kind, Reason
from cameo_verifier.server.app import open_server, utc_now
from cameo_verifier.settings import Settings
from cameo_verifier.workers.sandbox import SandboxOutcome, outcome_of
from tests.grpc.client import AUDIENCE, Client, refused
from tests.grpc.judges import OpenScripted
from tests.grpc.server import UNHURRIED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cameo_credential.receipt import Receipt

RECORDING = b"no recording at all"
OF_ANSWERS = [each for each in Reason if each.kind in {Kind.ATTACK, Kind.MISMATCH, Kind.IDENTITY, Kind.QUALITY}]
VERDICTS = {
    Kind.ATTACK: Verdict.VERDICT_REJECTED,
    Kind.MISMATCH: Verdict.VERDICT_REJECTED,
    Kind.IDENTITY: Verdict.VERDICT_REVIEW,
    Kind.QUALITY: Verdict.VERDICT_RETRY,
}


@asynccontextmanager
async def serving(folder: Path, *, sandbox: bool = True) -> AsyncIterator[Client]:
    """Serve without models; a site that is no sandbox is there for its keys alone."""
    settings = {"listen": "127.0.0.1:0", "data": folder, "workers": 1, "sandbox": sandbox, "drain_s": 2.0}
    site = Settings(**settings | UNHURRIED)
    key = AudienceKey.generate(AUDIENCE)
    AudienceFolder(site.audiences).add(key)
    server = await open_server(site, open_judge=None if sandbox else OpenScripted(folder / "journal"))
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield Client(server, channel, folder / "journal", key)
    finally:
        await server.stop()


async def keys(client: Client) -> tuple[str, VerificationKeys]:
    """Return the issuer's name and keys, as a reader of receipts gets them."""
    got = await client.credentials.GetKeys(GetKeysRequest())
    return got.issuer, VerificationKeys.from_jwks(json.loads(got.jwks))


def opened(token: str, issuer: str, issuer_keys: VerificationKeys) -> Receipt:
    """Open a receipt as a reader that was told this issuer's name and keys."""
    return open_receipt(
        token,
        issuer_keys=issuer_keys,
        expected_audience=AUDIENCE,
        expected_issuer=issuer,
        status=UNSAFE_NO_STATUS_CHECK,
        now=utc_now(),
    )


async def test_each_subject_gets_the_outcome_it_names(tmp_path: Path) -> None:
    """Every reason that an answer can have, with its verdict and its hint; minors; and everybody else is accepted."""
    async with serving(tmp_path) as client:
        for reason in OF_ANSWERS:
            challenge = await client.challenge(f"sandbox.{reason.value}.7")
            reply = await client.verify(challenge.id, RECORDING)
            assert reply.attempt.verdict == VERDICTS[reason.kind], reason
            assert [WireReason.Name(each) for each in reply.attempt.reasons] == [f"REASON_{reason.value}"]
            assert (reply.attempt.hint, reply.HasField("receipt")) == (reason.hint, False)
        for subject, minor in (("ann", False), ("sandbox.accepted", False), ("sandbox.minor.2", True)):
            reply = await client.verify((await client.challenge(subject)).id, RECORDING)
            assert (reply.attempt.verdict, reply.attempt.minor_safeguards) == (Verdict.VERDICT_ACCEPTED, minor)
            assert reply.receipt.token


async def test_errors_can_be_asked_for_too(tmp_path: Path) -> None:
    """No verdict in time, an overload and an unreadable recording, which spend nothing, and a fault."""
    async with serving(tmp_path) as client:
        for subject, code, reason, spent in (
            ("sandbox.overloaded", grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", False),
            ("sandbox.UNSUPPORTED_MEDIA", grpc.StatusCode.INVALID_ARGUMENT, "UNSUPPORTED_MEDIA", False),
            ("sandbox.fault", grpc.StatusCode.INTERNAL, "SERVER_FAULT", True),
        ):
            challenge = await client.challenge(subject)
            first = await refused(client.verify(challenge.id, RECORDING))
            assert (first.code, first.reason) == (code, reason)
            again = await refused(client.verify(challenge.id, RECORDING))
            assert again.reason == ("CHALLENGE_SPENT" if spent else reason)
        challenge = await client.challenge("sandbox.timeout")
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await client.verify(challenge.id, RECORDING, timeout=10.0)
        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        # The worker is free again.
        assert (await client.verify((await client.challenge("ann")).id, RECORDING)).receipt.token


async def test_a_live_session_goes_as_its_subject_says(tmp_path: Path) -> None:
    """Whatever bytes come: it prepares, prompts and ends with the outcome; nobody sits before a camera."""
    async with serving(tmp_path) as client:
        stub: Any = SessionServiceStub(client.channel)
        request = CreateSessionRequest(subject="sandbox.BLURRED.3", audience=AUDIENCE, request_id=str(uuid4()))
        created = await stub.CreateSession(request)
        call = stub.Capture(metadata=(("authorization", f"Bearer {created.capture_token}"),))
        await call.write(CaptureRequest(hello=Hello(user_agent="a test")))
        told: list[str] = []
        ended = asyncio.Event()

        async def record() -> None:
            while not ended.is_set():
                await call.write(CaptureRequest(media=b"anything"))
                await asyncio.sleep(0.01)

        recording = asyncio.create_task(record())
        while (message := await call.read()) is not grpc.aio.EOF:
            told.append(message.WhichOneof("message"))
            if told[-1] == "start":
                await call.write(CaptureRequest(started=Started()))
            if told[-1] == "stop":
                ended.set()
                await recording
                await call.write(CaptureRequest(bye=Bye()))
            if told[-1] == "result":
                result = message.result
        assert (result.verdict, result.hint) == (Verdict.VERDICT_RETRY, Reason.BLURRED.hint)
        assert told.count("prompt") >= 1
        found = await stub.GetSession(GetSessionRequest(session_id=created.session.id))
        assert found.session.state == SessionState.SESSION_STATE_JUDGED


async def test_an_outcome_that_there_is_not_is_refused_with_those_there_are(tmp_path: Path) -> None:
    """A typing error gets no verdict."""
    async with serving(tmp_path) as client:
        request = CreateSessionRequest(subject="sandbox.PHRASE_MISMACH", audience=AUDIENCE, request_id=str(uuid4()))
        stub: Any = SessionServiceStub(client.channel)
        errors = [await refused(client.challenge(request.subject)), await refused(stub.CreateSession(request))]
    for error in errors:
        assert error.reason == "SUBJECT_INVALID"
        assert "PHRASE_MISMATCH" in error.message


async def test_readers_of_a_real_site_refuse_what_a_sandbox_signs(tmp_path: Path) -> None:
    """By its keys and by its name; only who was told both of the sandbox opens it."""
    async with serving(tmp_path) as client:
        issuer, sandbox_keys = await keys(client)
        token = (await client.verify((await client.challenge("ann")).id, RECORDING)).receipt.token
    async with serving(tmp_path, sandbox=False) as real:
        real_issuer, real_keys = await keys(real)

    assert issuer == f"{real_issuer}/sandbox"
    assert opened(token, issuer, sandbox_keys).issuer == issuer
    for name, known, refusal in (
        (real_issuer, real_keys, "unknown_key"),
        (real_issuer, sandbox_keys, "wrong_issuer"),
        (issuer, real_keys, "unknown_key"),
    ):
        with pytest.raises(CredentialError) as error:
            opened(token, name, known)
        assert error.value.reason == refusal


def test_a_sandbox_shares_nothing_with_the_site_of_its_folder(tmp_path: Path) -> None:
    """Folder, database, keys and issuer are its own, however often its settings are read; what would be shared is refused."""
    real, sandbox = Settings(data=tmp_path), Settings(data=tmp_path, sandbox=True)
    assert sandbox.data == tmp_path / "sandbox"
    assert sandbox.issuer == f"{real.issuer}/sandbox"
    for path in (sandbox.issuer_keys, sandbox.vault_key, sandbox.audiences):
        assert path.is_relative_to(sandbox.data)
    assert str(sandbox.data) in sandbox.database
    assert sandbox.model_copy(update={"workers": 1}).data == sandbox.data
    for shared in ({"database_url": "sqlite:///cameo.sqlite3"}, {"evidence": "s3://bucket"}, {"issuer_key_uri": "pkcs11:"}):
        with pytest.raises(InvalidRequestError, match="a sandbox has"):
            Settings(data=tmp_path, sandbox=True, **shared)


def test_subjects_name_outcomes_and_reasons() -> None:
    """Reasons about challenges are none of an answer's."""
    assert outcome_of("account-7") is SandboxOutcome.ACCEPTED
    assert outcome_of("sandbox.timeout.a.b") is SandboxOutcome.TIMEOUT
    assert outcome_of("sandbox.BLURRED") is Reason.BLURRED
    for subject in ("sandbox.", "sandbox.blurred", "sandbox.CHALLENGE_SPENT"):
        with pytest.raises(InvalidRequestError, match="no outcome"):
            outcome_of(subject)
