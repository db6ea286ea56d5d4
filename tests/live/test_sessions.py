"""Live sessions with scripted judges, in virtual time: states, refusals, and what each way to leave costs."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest

from cameo.v1 import attempt_pb2, session_service_pb2
from cameo.v1.session_service_pb2 import (
    CaptureRequest,
    CreateSessionRequest,
    GetSessionRequest,
    GuidanceCode,
    Hello,
    Result,
    SessionState,
    Started,
)
from cameo.v1.session_service_pb2_grpc import SessionServiceStub
from cameo.v1.verification_service_pb2 import GetAttemptRequest
from cameo_challenges.model import Say
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_verifier.server.app import Server, open_server
from cameo_verifier.settings import Settings
from fixtures.studio.virtual_time import VirtualTime
from tests.grpc.callers import App
from tests.grpc.client import AUDIENCE, refused
from tests.grpc.judges import OpenScripted
from tests.grpc.server import UNHURRIED
from tests.live.actor import Actor
from tests.live.player import Player
from tests.patience import PATIENCE_S
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cameo.v1.session_service_pb2 import CreateSessionResponse, GetSessionResponse


@dataclass(frozen=True)
class Site:
    """A server of one worker for live sessions, as an app and a browser see it."""

    server: Server
    channel: grpc.aio.Channel
    time: VirtualTime
    metadata: Any

    @property
    def stub(self) -> Any:
        """SessionService."""
        return SessionServiceStub(self.channel)

    async def create(self, **asked: Any) -> CreateSessionResponse:
        """Create a session."""
        usual = {"subject": "account-1", "audience": AUDIENCE, "request_id": str(uuid4())}
        created: CreateSessionResponse = await self.stub.CreateSession(
            CreateSessionRequest(**usual | asked), metadata=self.metadata
        )
        return created

    async def get(self, created: CreateSessionResponse) -> GetSessionResponse:
        """Return a session."""
        request = GetSessionRequest(session_id=created.session.id)
        found: GetSessionResponse = await self.stub.GetSession(request, metadata=self.metadata)
        return found

    async def state(self, created: CreateSessionResponse) -> str:
        """Return the state of a session, and why it ended."""
        session = (await self.get(created)).session
        return f"{SessionState.Name(session.state).removeprefix('SESSION_STATE_')} {session.ended_by}".strip()

    async def becomes(self, created: CreateSessionResponse, state: str) -> None:
        """Wait until a session is in a state."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.state(created) != state:  # noqa: ASYNC110 - it is in the database
                await asyncio.sleep(0.02)

    def player(self, created: CreateSessionResponse) -> Player:
        """Return a browser with the session's token."""
        return Player(self.channel, created.capture_token, Actor(), self.time)

    async def prompted(self, created: CreateSessionResponse) -> Player:
        """Return a browser that was shown its first prompt."""
        player = self.player(created)
        await player.greet()
        await player.prepare()
        await player.begin()
        await player.play(lambda: bool(player.steps))
        return player


@asynccontextmanager
async def opened(tmp_path: Path, **settings: Any) -> AsyncIterator[Site]:
    """Serve with scripted judges, and callers' tokens of an app."""
    time, app = VirtualTime(), App.make(tmp_path)
    usual = {"listen": "127.0.0.1:0", "data": tmp_path / "data", "workers": 1, "queue": 0, "drain_s": 2.0}
    site = Settings(**usual | UNHURRIED | settings)
    AudienceFolder(site.audiences).add(AudienceKey.generate(AUDIENCE))
    now = int(time.utc().timestamp())
    server = await open_server(
        Settings(**usual | UNHURRIED | app.settings | settings),
        open_judge=OpenScripted(tmp_path / "journal"),
        clock=time.utc,
        monotonic=time.monotonic,
        random=Random(3),  # noqa: S311 - a test
    )
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield Site(server, channel, time, app.metadata("app", "backend", nbf=now - 5, exp=now + 10**6))
    finally:
        await server.stop()


async def test_a_session_from_its_creation_to_its_verdict(tmp_path: Path) -> None:
    """Each state in turn; the client is told the verdict alone, and the app gets the receipt."""
    async with opened(tmp_path) as site:
        created = await site.create()
        assert await site.state(created) == "WAITING"
        player = site.player(created)
        await player.greet()
        await player.prepare(lambda: bool(player.told("progress")))
        assert await site.state(created) == "PREPARING"
        assert not (await site.get(created)).session.attempt_id
        await player.prepare()
        await player.answer()
        assert await site.state(created) == "PROMPTING"
        result = await player.finish()
        assert await site.state(created) == "JUDGED"
        found = await site.get(created)
        assert result is not None
        assert (result.verdict, result.hint, result.again) == (attempt_pb2.VERDICT_ACCEPTED, "", False)
        assert found.result.attempt.id == found.session.attempt_id == result.attempt_id
        assert found.result.receipt.token
        assert all(found.result.receipt.token not in str(message) for _, message in player.heard)


async def test_no_message_holds_a_step_before_it_is_to_be_shown(tmp_path: Path) -> None:
    """Each step is in the one message that reveals it; the challenge does not exist before the first."""
    async with opened(tmp_path) as site:
        player = await site.prompted(await site.create())
        player.person.answer(player.steps[0])
        await player.play(lambda: bool(player.told("stop")), lambda person, _, step: person.answer(step))
        await player.finish()
        assert len(player.steps) == player.told("welcome")[0].prompts == 5
        revealed = [(at, message) for at, message in player.heard if message.HasField("prompt")]
        assert [message.prompt.number for _, message in revealed] == list(range(5))
        for number, step in enumerate(player.steps):
            for _, message in player.heard[: player.heard.index(revealed[number])]:
                told = str(message)
                assert not isinstance(step, Say) or step.text not in told
                assert message.HasField("prompt") or ("say" not in told and "turn" not in told)
        assert all(later - earlier > 0.5 for (earlier, _), (later, _) in pairwise(revealed))


@pytest.mark.parametrize(
    ("defect", "code"),
    [
        ({"luma": 12.0}, "TOO_DARK"),
        ({"share": 0.1}, "COME_CLOSER"),
        ({"faces": 2}, "SEVERAL_FACES"),
        ({"level_db": -120.0}, "SILENT_MICROPHONE"),
    ],
)
async def test_guidance_is_told_and_cleared_and_nothing_is_spent(tmp_path: Path, defect: dict[str, Any], code: str) -> None:
    """Dark, far away, two faces, a silent microphone: told within a second, cleared when it is gone, and then it starts."""
    async with opened(tmp_path) as site:
        created = await site.create()
        player = site.player(created)
        actor = player.person
        actor.level_db, actor.seen = defect.pop("level_db", -55.0), defect
        await player.greet()
        began = site.time.monotonic()
        await player.prepare(lambda: bool(player.told("guidance")))
        assert site.time.monotonic() - began <= 1.3
        assert [GuidanceCode.Name(each) for each in player.told("guidance")[0].codes] == [f"GUIDANCE_CODE_{code}"]
        await player.prepare(lambda: actor.now_s > 3.0)
        assert not player.told("start")
        assert await site.state(created) == "PREPARING"
        actor.level_db, actor.seen = -55.0, {}
        await player.prepare()
        assert [list(each.codes) for each in player.told("guidance")[1:]] == [[]]
        await player.leave()


async def test_who_leaves_before_the_first_prompt_has_lost_nothing(tmp_path: Path) -> None:
    """In preparation, after `start` and after `started`: the same token captures the same session again, to its verdict."""
    async with opened(tmp_path) as site:
        created = await site.create()
        for far in range(3):
            player = site.player(created)
            await player.greet()
            await player.prepare(None if far else lambda player=player: bool(player.told("progress")))
            if far == 2:
                await player.begin()
            await player.leave()
            await site.becomes(created, "WAITING")
        player = site.player(created)
        await player.greet()
        await player.prepare()
        await player.answer()
        assert await player.finish()
        assert await site.state(created) == "JUDGED"


async def test_who_leaves_after_the_first_prompt_has_ended_it(tmp_path: Path) -> None:
    """Its attempt is unjudged, the app reads why, and the token is good for nothing more."""
    async with opened(tmp_path) as site:
        created = await site.create()
        player = await site.prompted(created)
        await player.leave()
        await site.becomes(created, "ENDED CALLER_GONE")
        found = await site.get(created)
        assert not found.HasField("result")
        again = site.player(created)
        await again.greet()
        assert (await again.refusal()).reason == "SESSION_USED"


async def test_who_leaves_after_bye_gets_the_verdict_by_the_app(tmp_path: Path) -> None:
    """The answer is complete: it is judged, whoever is still there."""
    async with opened(tmp_path) as site:
        created = await site.create()
        player = await site.prompted(created)
        player.person.answer(player.steps[0])
        player.person.script = "held:accept"
        await player.play(lambda: bool(player.told("stop")), lambda person, _, step: person.answer(step))
        await player.send(media=player.person.end())
        await player.send(bye=session_service_pb2.Bye())
        await site.becomes(created, "JUDGING")
        await player.leave()
        (tmp_path / "go").touch()
        await site.becomes(created, "JUDGED")


async def test_a_worker_that_dies_ends_a_session_with_its_own_reason(tmp_path: Path) -> None:
    """After the first prompt the session has ended; before it, it can be captured again."""
    async with opened(tmp_path) as site:
        created = await site.create()
        player = await site.prompted(created)
        player.person.trick = "die"
        await player.play(lambda: False)
        assert (await player.refusal()).reason == "JUDGING_INTERRUPTED"
        await site.becomes(created, "ENDED JUDGING_INTERRUPTED")
        await until(lambda: bool(site.server.pool.processes))
        fresh = await site.create()
        player = site.player(fresh)
        await player.greet()
        player.person.trick = "die"
        await player.play(lambda: False)
        assert (await player.refusal()).reason == "JUDGING_INTERRUPTED"
        await site.becomes(fresh, "WAITING")


async def test_a_recording_that_cannot_be_read_is_refused_with_its_reason(tmp_path: Path) -> None:
    """Before the first prompt nothing is spent; after it the attempt ends with the reason."""
    async with opened(tmp_path) as site:
        created = await site.create()
        player = site.player(created)
        await player.greet()
        player.person.trick = "damaged"
        await player.play(lambda: False)
        assert (await player.refusal()).metadata["challenge"] == "good"
        await site.becomes(created, "WAITING")
        player = await site.prompted(created)
        player.person.trick = "damaged"
        await player.play(lambda: False)
        told = await player.refusal()
        assert (told.reason, told.metadata["challenge"]) == ("CORRUPT_MEDIA", "spent")
        await site.becomes(created, "ENDED CORRUPT_MEDIA")


async def test_tokens_are_good_for_their_own_capture_alone(tmp_path: Path) -> None:
    """One capture at a time; an app's token captures nothing, a capture token does nothing else, and each has its time."""
    async with opened(tmp_path) as site:
        created, other = await site.create(), await site.create()
        first = site.player(created)
        await first.greet()
        await first.prepare(lambda: bool(first.told("progress")))
        second = site.player(created)
        await second.greet()
        assert (await second.refusal()).reason == "SESSION_IN_USE"
        await first.leave()
        await site.becomes(created, "WAITING")
        assert await site.state(other) == "WAITING"

        as_app = site.stub.Capture(iter([CaptureRequest(hello=Hello())]), metadata=site.metadata)
        assert (await refused(as_app.read())).reason == "CALLER_NOT_ALLOWED"
        bearer = (("authorization", f"Bearer {created.capture_token}"),)
        for method, request in (
            (site.stub.GetSession, GetSessionRequest(session_id=created.session.id)),
            (site.stub.CreateSession, CreateSessionRequest(subject="x", audience=AUDIENCE, request_id=str(uuid4()))),
        ):
            assert (await refused(method(request, metadata=bearer))).reason == "CALLER_NOT_ALLOWED"
        head, body, signature = created.capture_token.split(".")
        forged = other.capture_token.split(".")[1]
        for token in (f"{head}.{forged}.{signature}", f"{head}.{body}.{signature[:-4]}AAAA"):
            call = site.stub.Capture(iter(()), metadata=(("authorization", f"Bearer {token}"),))
            told = await refused(call.read())
            assert (told.reason, told.metadata["refusal"]) == ("CALLER_TOKEN_REFUSED", "bad_signature")

        site.time.advance(601)
        assert await site.state(created) == "EXPIRED"
        late = await refused(site.stub.Capture(iter(()), metadata=bearer).read())
        assert (late.reason, late.metadata["refusal"]) == ("CALLER_TOKEN_REFUSED", "expired")


async def test_a_person_prepares_one_session_and_the_newer_one_goes_on(tmp_path: Path) -> None:
    """A page that was loaded again takes the only worker from the one before it, which is given back and cannot take it again."""
    async with opened(tmp_path) as site:
        older = await site.create()
        first = site.player(older)
        await first.greet()
        await first.prepare(lambda: bool(first.told("progress")))
        site.time.advance(1)
        newer = await site.create()
        second = site.player(newer)
        await second.greet()
        assert (await first.refusal()).reason == "SESSION_IN_USE"
        assert await site.state(older) == "WAITING"
        again = site.player(older)
        await again.greet()
        assert (await again.refusal()).reason == "SESSION_IN_USE"
        assert await played(second)
        assert await site.state(newer) == "JUDGED"
        last = site.player(older)
        await last.greet()
        assert await played(last)


async def test_a_repeated_request_returns_the_same_session(tmp_path: Path) -> None:
    """With a fresh token; for another audience it is refused, and so is what the server cannot do."""
    async with opened(tmp_path) as site:
        again = str(uuid4())
        first = await site.create(request_id=again)
        site.time.advance(5)
        second = await site.create(request_id=again)
        assert first.session == second.session
        assert first.capture_token != second.capture_token
        for asked, reason in (
            ({"request_id": "7"}, "REQUEST_ID_INVALID"),
            ({"subject": ""}, "SUBJECT_INVALID"),
            ({"audience": "https://nobody.example"}, "AUDIENCE_UNKNOWN"),
            ({"language": "tlh"}, "LANGUAGE_UNKNOWN"),
            ({"language": "es"}, "LANGUAGE_UNKNOWN"),
            ({"needs": [session_service_pb2.NEED_NO_SPEECH, session_service_pb2.NEED_NO_TURNS]}, "PATH_UNAVAILABLE"),
            ({"needs": [0]}, "REQUEST_INVALID"),
        ):
            assert (await refused(site.create(**asked))).reason == reason
        unknown = site.stub.GetSession(GetSessionRequest(session_id="nothing"), metadata=site.metadata)
        assert (await refused(unknown)).reason == "SESSION_UNKNOWN"


async def test_a_client_that_does_not_keep_to_the_protocol_is_refused(tmp_path: Path) -> None:
    """No hello, a second one, a start of its own, an empty message, silence: each with its reason, and nothing is spent."""
    async with opened(tmp_path) as site:
        created = await site.create()
        for messages, reason in (
            ([CaptureRequest(media=b"[]")], "HELLO_MISSING"),
            ([CaptureRequest(hello=Hello()), CaptureRequest(hello=Hello())], "HELLO_REPEATED"),
            ([CaptureRequest(hello=Hello()), CaptureRequest(started=Started())], "REQUEST_INVALID"),
            ([CaptureRequest(hello=Hello()), CaptureRequest()], "MESSAGE_EMPTY"),
            ([CaptureRequest(hello=Hello(user_agent="x" * 513))], "REQUEST_INVALID"),
        ):
            player = site.player(created)
            for message in messages:
                await player.call.write(message)
            assert (await player.refusal()).reason == reason
        silent = site.player(created)
        await silent.greet()
        await silent.prepare(lambda: bool(silent.told("progress")))
        site.time.advance(6)
        assert (await silent.refusal()).reason == "UPLOAD_TOO_SLOW"
        slow = site.player(created)
        slow.person.seen = {"faces": 0}
        await slow.greet()
        await slow.prepare(lambda: bool(slow.told("guidance")))
        for _ in range(30):
            site.time.advance(4)
            await slow.send(media=slow.person.slice())
        assert (await slow.refusal()).reason == "PREPARATION_TOO_LONG"
        await site.becomes(created, "WAITING")


async def test_a_slow_person_is_stopped_and_judged(tmp_path: Path) -> None:
    """Nobody answers: each prompt has its time, the answer ends after the longest one, and what was recorded is judged."""
    async with opened(tmp_path) as site:
        created = await site.create()
        player = await site.prompted(created)
        player.person.script = "reject"
        first = site.time.monotonic()
        await player.play(lambda: bool(player.told("stop")))
        assert site.time.monotonic() - first <= 15.5
        result = await player.finish()
        assert result is not None
        assert (result.verdict, result.again) == (attempt_pb2.VERDICT_REJECTED, True)
        assert result.hint


async def played(player: Player) -> Result | None:
    """Go on from the welcome to the result."""
    await player.prepare()
    await player.answer()
    return await player.finish()


async def test_twenty_sessions_against_two_workers_are_admitted_or_told_when(tmp_path: Path) -> None:
    """As many as have a worker go to their verdict in step; each of the others is told for how long, and nothing is spent."""
    async with opened(tmp_path, workers=3) as site:
        created = [await site.create(subject=f"account-{number}") for number in range(20)]
        players = [Player(site.channel, each.capture_token, Actor(), site.time.of_one()) for each in created]
        for player in players:
            await player.greet()
        await until(lambda: all(player.told("welcome") or player.over for player in players))
        admitted = [player for player in players if player.told("welcome")]
        assert len(admitted) == 2
        for player in players:
            if player not in admitted:
                told = await player.refusal()
                assert told.reason == "OVERLOADED"
                assert told.retry_s is not None
        assert all(await asyncio.gather(*(played(player) for player in admitted)))
        states = [await site.state(each) for each in created]
        assert sorted(states) == ["JUDGED"] * 2 + ["WAITING"] * 18


async def test_a_server_that_is_killed_leaves_a_session_ended(tmp_path: Path) -> None:
    """SIGKILL in mid-session: the next server ends the attempt unjudged, and the app reads that the session ended."""
    from tests.faults.test_server_crash import killed  # noqa: PLC0415

    asked = CreateSessionRequest(subject="account-1", audience=AUDIENCE, request_id=str(uuid4()))
    async with killed(tmp_path) as client:
        created = await SessionServiceStub(client.channel).CreateSession(asked)
        player = Player(client.channel, created.capture_token, Actor(), VirtualTime())
        await player.greet()
        await player.prepare()
        await player.begin()
        await player.play(lambda: bool(player.steps))
        client.server.kill()
    async with killed(tmp_path) as client:
        stub = SessionServiceStub(client.channel)
        found = await stub.GetSession(GetSessionRequest(session_id=created.session.id))
        assert found.session.state == session_service_pb2.SESSION_STATE_ENDED
        assert found.session.ended_by == "JUDGING_INTERRUPTED"
        attempt = await client.verification.GetAttempt(GetAttemptRequest(attempt_id=found.session.attempt_id))
        assert attempt.verdict == attempt_pb2.VERDICT_UNSPECIFIED
