"""A client that plays a person: it sends the studio's rendering of each step when that is revealed.

That is an injection, in place of a camera: it shows the flow and each defect, and nothing about real people. It goes in lockstep
with the server: it renders a slice, lets that time pass, sends it, and waits until the server has analysed it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc

from cameo.v1 import challenge_pb2, session_service_pb2_grpc
from cameo.v1.session_service_pb2 import Bye, CaptureRequest, CaptureResponse, Hello, Result, Shown, Started
from cameo_challenges.model import Gesture, MakeGesture, Say, Turn, TurnHead
from fixtures.studio.live import SLICE_S
from tests.grpc.client import refused
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_challenges.model import Step
    from fixtures.studio.live import LivePerson
    from tests.grpc.client import Refused
    from tests.live.actor import Actor
    from tests.live.sealer import Sealer
    from tests.live.virtual_time import VirtualTime

_LAG_S = 0.3
"""What the recorder holds back, and the time between two analysed pictures."""
_LONGEST_S = 60.0


def answers(person: LivePerson | Actor, number: int, step: Step) -> None:  # noqa: ARG001 - as anybody who answers
    """Do what is asked."""
    person.answer(step)


class Player:
    """One capture.

    Attributes:
        heard: what the server sent, each with the virtual time.
        steps: the steps that were revealed.
    """

    def __init__(
        self, channel: grpc.aio.Channel, token: str, person: LivePerson | Actor, time: VirtualTime, sealer: Sealer | None = None
    ) -> None:
        """Connect as the browser that was given the token; `sealer` seals what it sends."""
        stub: Any = session_service_pb2_grpc.SessionServiceStub(channel)
        self.call = stub.Capture(metadata=(("authorization", f"Bearer {token}"),))
        self.person, self.time, self.sealer = person, time, sealer
        self.heard: list[tuple[float, CaptureResponse]] = []
        self.steps: list[Step] = []
        self._news = asyncio.Event()
        self._analysed_ms = 0
        self.over = False
        self._answering = False
        self._reading: asyncio.Task[None] | None = None
        self._error: grpc.aio.AioRpcError | None = None

    async def greet(self) -> None:
        """Say hello, and begin the recording that prepares."""
        hello = Hello(user_agent="a test", mime_type="video/webm;codecs=vp8,opus", track_settings={"width": "640"})
        if self.sealer is not None:
            hello.seal_key = self.sealer.public
        await self.send(hello=hello)
        self._reading = asyncio.create_task(self._read())
        if self.sealer is not None:
            await self._until(lambda: bool(self.told("welcome")))
        self.person.record()

    async def prepare(self, until: Callable[[], bool] | None = None) -> None:
        """Prepare until the server says `start`, or until a condition holds."""
        await self.play(until or (lambda: bool(self.told("start"))))

    async def answer(self, does: Callable[[Any, int, Step], None] = answers) -> None:
        """Record the answer, and do something whenever a step is revealed, until the server says `stop`."""
        await self.begin()
        await self.play(lambda: bool(self.told("stop")), does)

    async def begin(self) -> None:
        """Begin the recording of the answer."""
        self.person.record()
        self._analysed_ms, self._answering = 0, True
        await self.send(started=Started(client_ms=self.time.monotonic() * 1000))
        if self.sealer is not None:
            self.sealer.recording = 2

    async def play(self, until: Callable[[], bool], does: Callable[[Any, int, Step], None] = lambda *_: None) -> None:
        """Live on until a condition holds, or the server ends the call."""
        shown, sent = len(self.steps), self.person.now_s
        while not until() and not self.over:
            assert self.person.now_s - sent < _LONGEST_S, "the server waits for something else"
            chunk = await asyncio.to_thread(self.person.slice)
            self.time.advance(SLICE_S)
            await self.send(media=chunk)
            await self._analysed(self.person.recorded_s - _LAG_S, until)
            for number in range(shown, len(self.steps)):
                media_ms = self.person.recorded_s * 1000
                await self.send(shown=Shown(number=number, client_ms=self.time.monotonic() * 1000, media_ms=media_ms))
                does(self.person, number, self.steps[number])
            shown = len(self.steps)

    async def finish(self) -> Result | None:
        """Send the rest, and return the result; None where the server ended the call otherwise."""
        await self.send(media=await asyncio.to_thread(self.person.end))
        await self.send(bye=Bye())
        await self._until(lambda: False)
        found = self.told("result")
        return found[-1] if found else None

    async def refusal(self) -> Refused:
        """Wait until the server ends the call, and return its error."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait({self._reading})
        return await refused(self._raised())

    async def _raised(self) -> None:
        if self._error is not None:
            raise self._error

    async def send(self, **message: Any) -> None:
        """Send one message; a call that is over is not an error here."""
        if self.sealer is not None and "seal" not in message and message.keys() & {"media", "bye"}:
            message["seal"] = self.sealer.seal(message.get("media"))
        if not self.over:
            try:
                await self.call.write(CaptureRequest(**message))
            except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
                self.over = True

    async def leave(self) -> None:
        """Go away without a word, and wait until the server has noticed."""
        self.call.cancel()
        self.over = True
        if self._reading is not None:
            await asyncio.wait({self._reading})

    def told(self, kind: str) -> list[Any]:
        """Return the messages of one kind."""
        return [getattr(message, kind) for _, message in self.heard if message.HasField(kind)]  # type: ignore[arg-type]

    async def _analysed(self, media_s: float, until: Callable[[], bool]) -> None:
        await self._until(lambda: self._analysed_ms >= media_s * 1000 or until())

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition() and not self.over:
                self._news.clear()
                await self._news.wait()

    async def _read(self) -> None:
        try:
            while (message := await self.call.read()) is not grpc.aio.EOF:
                self._hear(message)
        except grpc.aio.AioRpcError as error:
            self._error = error
        except asyncio.CancelledError:
            pass
        finally:
            self.over = True
            self._news.set()

    def _hear(self, message: CaptureResponse) -> None:
        self.heard.append((self.time.monotonic(), message))
        if self.sealer is not None and message.HasField("seal_nonce"):
            self.sealer.session_id = message.welcome.session_id or self.sealer.session_id
            self.sealer.nonces.append(message.seal_nonce)
        if message.HasField("prompt"):
            self.steps.append(_step(message.prompt.step))
        elif message.HasField("progress") and (self._answering or not self.told("start")):
            self._analysed_ms = message.progress.analysed_ms
        self._news.set()


def _step(message: challenge_pb2.Step) -> Step:
    if message.HasField("say"):
        return Say(message.say)
    if message.HasField("gesture"):
        return MakeGesture(Gesture(challenge_pb2.Gesture.Name(message.gesture).removeprefix("GESTURE_").lower()))
    return TurnHead(Turn(challenge_pb2.Turn.Name(message.turn).removeprefix("TURN_").lower()))
