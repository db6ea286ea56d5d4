"""One capture: from `hello` to the verdict.

1. The session is claimed, and a worker is taken.
2. Preparation: what the worker observes becomes guidance, until all is right for half a second.
3. The client begins the recording of the answer. Until its first picture nothing is spent.
4. The challenge is drawn and spent, and its prompts are revealed one after another.
5. The client sends the rest. From here on the capture goes on without it.
6. The recording is judged as an upload is, and the attempt concluded.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import structlog

from cameo.v1 import error_reason_pb2
from cameo_challenges.issue import issue, recipe_in
from cameo_credential.capture_assurance import CaptureAssurance
from cameo_verifier.errors import AbandonedError, ChallengeError, NotFoundError, StoreError, UnjudgeableError
from cameo_verifier.live.conductor import Conductor, Draw, Reveal, Stop
from cameo_verifier.live.guidance import Guide
from cameo_verifier.live.lights import Shine
from cameo_verifier.live.observation import Heard, Seen
from cameo_verifier.reasons import Reason
from cameo_verifier.server.capture_facts import misfits
from cameo_verifier.server.capture_record import CaptureRecord
from cameo_verifier.server.capture_seal import CaptureSeal
from cameo_verifier.server.threads import undisturbed
from cameo_verifier.server.wire import session_convert
from cameo_verifier.server.wire.errors import RequestError, UnspentError, reason_of
from cameo_verifier.store.attempts.sessions import NotWaitingError, SessionState
from cameo_verifier.workers.judge import Response
from cameo_verifier.workers.pool import StoppingError
from cameo_verifier.workers.process import WorkerLostError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime
    from typing import Any

    from cameo.v1.session_service_pb2 import Attestation, CaptureRequest, CaptureResponse
    from cameo.v1.verification_service_pb2 import VerifyResponseResponse
    from cameo_challenges.model import Challenge
    from cameo_credential.audience_keys import AudienceKey
    from cameo_verifier.live.observation import Observation
    from cameo_verifier.server.auth.caller import Caller
    from cameo_verifier.server.capturing import CaptureParts
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.store.attempts.sessions import Session
    from cameo_verifier.types import Judgement
    from cameo_verifier.workers.live import LiveWorker

log = structlog.get_logger(__name__)

_TICK_S = 0.25
"""Longest wait for an event before the time limits are looked at."""
_ANSWER = 2
_STEP_S = 10.0
"""Time for the client to begin the answer after `start`, and to send the rest of it after `stop`."""
_NOT_WAITING = {
    SessionState.EXPIRED: (error_reason_pb2.ERROR_REASON_SESSION_EXPIRED, "nobody captured the session in time"),
    SessionState.PREPARING: (error_reason_pb2.ERROR_REASON_SESSION_IN_USE, "the session is being captured elsewhere"),
}


class Capture:
    """The capture of one session; see the module.

    Attributes:
        complete: the answer is, and the client is not needed any more.
        created_at: when its session was created; None until it is claimed.
    """

    def __init__(
        self,
        parts: CaptureParts,
        caller: Caller,
        messages: AsyncIterator[CaptureRequest],
        tell: Callable[[CaptureResponse], None],
        preparing: dict[str, Capture],
    ) -> None:
        """Keep the parts; `tell` sends a message to the client, `preparing` has the capture of each person."""
        self._parts, self._caller, self._messages, self._tell = parts, caller, messages, tell
        self._session_id = caller.id
        self._events: asyncio.Queue[tuple[int, Observation] | CaptureRequest | BaseException] = asyncio.Queue()
        self._heard_at = parts.monotonic()
        self._recording = 0
        """Number of the current recording: the first prepares, the second is the answer."""
        self._may_start = self._wants_answer = False
        self._record = CaptureRecord(parts.max_bytes)
        self._hello: dict[str, Any] = {}
        self._seal: CaptureSeal | None = None
        self._attested = False
        self._attempt_id = ""
        self._held = ExitStack()
        self._preparing = preparing
        self.created_at: datetime | None = None
        self._running: asyncio.Task[None] | None = None
        self._superseded = False
        self._tasks: list[asyncio.Task[None]] = []
        self.complete = False

    async def run(self) -> None:
        """Run it to its end.

        Raises:
            CameoError: as `SessionService.Capture`.
        """
        self._running = asyncio.current_task()
        first = await self._first()
        hello = self._hello = session_convert.hello(first)
        if first is not None and first.hello.seal_key:
            self._seal = CaptureSeal(first.hello.seal_key, self._session_id, late_s=self._parts.live.silent_s)
        elif self._parts.live.sealed:
            raise RequestError(error_reason_pb2.ERROR_REASON_SEAL_MISSING, "captures are sealed here: name a key in `hello`")
        session = await self._claimed(hello)
        structlog.contextvars.bind_contextvars(session_id=session.id)
        with self._held:
            try:
                session = session_convert.spared(session, hello, light=self._parts.live.light, may_choose=self._caller.may_choose)
                await self._prepare_alone(session)
                async with self._parts.pool.live() as worker:
                    await self._run(session, worker)
            except BaseException as error:
                await self._give_up(error)
                if self._superseded and isinstance(error, asyncio.CancelledError):
                    raise _newer() from None
                if isinstance(error, UnjudgeableError) and not self._attempt_id:
                    raise _unspent(error) from None
                raise

    async def _run(self, session: Session, worker: LiveWorker[Response, Judgement]) -> None:
        audience = await asyncio.to_thread(self._parts.issuer.audience, session.audience)
        steps = len(recipe_in(session.language, session_convert.path_of(session)).steps(0))
        self._reveal(session_convert.welcome(session, prompts=steps, light=self._light(session)))
        async with self._listening(worker):
            by = self._now + self._parts.live.prepare_s
            await self._prepare(by)
            await self._opened(by)
            attempt, challenge = await self._prompts(session)
            await self._rest()
        # Judged to its end, whoever leaves.
        task = self._parts.conclusions.run(attempt.id, self._judged(worker, attempt, challenge, audience))
        try:
            reply = await asyncio.shield(task)
        except NotFoundError:
            raise WorkerLostError("another server took the attempt over") from None
        may_retry = await asyncio.to_thread(self._may_retry, session.subject)
        self._tell(session_convert.result(reply, language=session.language, may_retry=may_retry))

    async def _prepare_alone(self, session: Session) -> None:
        """End the older preparation of this person, such as that of a page which was loaded again, and wait until it has ended.

        Raises:
            RequestError: `SESSION_IN_USE`: a newer session of this person is being prepared.
        """
        self.created_at = session.created_at
        while (other := self._preparing.get(session.subject)) is not None and other.prepares:
            if other.created_at is not None and other.created_at > session.created_at:
                raise _newer()
            await other.supersede()
        self._preparing[session.subject] = self
        self._held.callback(self._leave, session.subject)

    @property
    def prepares(self) -> bool:
        """Whether nothing is spent yet."""
        return not self._attempt_id

    async def supersede(self) -> None:
        """End this preparation in favour of a newer session of its person, and wait until it has ended."""
        if self._running is not None and not self._superseded:
            self._superseded = True
            self._running.cancel()
        if self._running is not None:
            await asyncio.wait({self._running})

    def _leave(self, subject: str) -> None:
        if self._preparing.get(subject) is self:
            del self._preparing[subject]

    async def _prepare(self, by: float) -> None:
        """Tell what is wrong until all is right."""
        guide, told = Guide(self._parts.limits), None
        while not guide.ready:
            event = await self._next(by)
            if self._now >= by:
                raise _too_long()
            if not isinstance(event, Seen | Heard):
                continue
            guide.observe(event)
            if guide.told != told and (guide.told or told):
                self._tell(session_convert.guidance(guide.told))
            told = guide.told
            self._progress(event, done=0)
        self._may_start = True
        self._reveal(session_convert.start())

    async def _opened(self, by: float) -> None:
        """Return with the first picture of the answer."""
        by = min(by, self._now + 2 * _STEP_S)
        while True:
            event = await self._next(by)
            if self._now >= by:
                raise _too_long()
            if self._recording == _ANSWER and isinstance(event, Seen):
                self._progress(event, done=0)
                return

    async def _prompts(self, session: Session) -> tuple[Attempt, Challenge]:
        """Reveal one prompt after another; return once the last one is done."""
        conductor = Conductor(self._parts.pacing, self._parts.random, now=self._now)
        begun: tuple[Attempt, Challenge] | None = None
        while True:
            match conductor.act(now=self._now):
                case Draw():
                    begun = await self._spend(session)
                    conductor.take(begun[1].steps, begun[1].colours)
                case Reveal() as reveal:
                    self._reveal(session_convert.prompt(reveal))
                    self._record.revealed(self._now)
                case Shine() as shine:
                    self._reveal(session_convert.light(shine))
                    self._record.revealed(self._now, colour=True)
                case Stop():
                    self._tell(session_convert.stop())
                    if begun is None:
                        raise RuntimeError("an answer without a prompt")
                    return begun
                case None:
                    event = await self._next(conductor.wakes_at)
                    if isinstance(event, Seen | Heard):
                        conductor.observe(event, now=self._now)
                        self._progress(event, done=conductor.done)
                    elif event is not None and event.HasField("bye"):
                        raise AbandonedError("the client ended the recording before the last prompt")

    async def _rest(self) -> None:
        """Return once the recording is complete."""
        by = self._now + _STEP_S
        while True:
            event = await self._next(by)
            if event is not None and not isinstance(event, Seen | Heard) and event.HasField("bye"):
                self.complete = True
                return
            if self._now >= by:
                raise _too_slow(f"`bye` did not come within {_STEP_S:g} s of `stop`")

    async def _judged(
        self, worker: LiveWorker[Response, Judgement], attempt: Attempt, challenge: Challenge, audience: AudienceKey
    ) -> VerifyResponseResponse:
        received_at = self._parts.clock()
        await undisturbed(self._parts.sessions.judging, self._session_id)
        response = Response(bytes(self._record.recording), challenge, received_at, self._record.live(), attempt.subject)
        judgement = await worker.judge(response)
        await self._note_misfits(response, judgement)
        return await self._parts.conclusions.conclude(attempt, judgement, response, audience)

    async def _note_misfits(self, response: Response, judgement: Judgement) -> None:
        """Keep for analysts what does not fit the client's own words."""
        media = judgement.evidence.media
        found = misfits(
            user_agent=self._hello["user_agent"],
            mime_type=self._hello["mime_type"],
            recording=response.recording,
            video_codec=media.video_codec,
            audio_codec=media.audio_codec,
        )
        try:
            if found:
                await undisturbed(self._parts.sessions.note, self._session_id, {**self._hello, "misfits": list(found)})
        except StoreError as error:
            log.warning("what does not fit a capture could not be kept", error=str(error))

    async def _spend(self, session: Session) -> tuple[Attempt, Challenge]:
        """Draw the challenge and spend it.

        Raises:
            ChallengeError: `TOO_MANY_ATTEMPTS`; nothing is spent.
            RequestError: `SESSION_UNKNOWN`: its person was deleted meanwhile; nothing is spent.
            StoreError: the database failed; nothing is spent.
        """
        parts, now = self._parts, self._parts.clock()
        recipe = recipe_in(session.language, session_convert.path_of(session))
        challenge = issue(rng=parts.random, now=now, ttl=parts.challenge_ttl, recipe=recipe, light=self._light(session))
        await undisturbed(parts.challenges.add, challenge, subject=session.subject)
        self._attempt_id = parts.issuer.new_id()
        self._held.enter_context(parts.conclusions.holding(self._attempt_id))
        try:
            attempt = await undisturbed(
                parts.attempts.begin,
                self._attempt_id,
                challenge_id=challenge.id,
                audience=session.audience,
                request_id=session.request_id,
                now=now,
                asked=session.asked,
                session_id=session.id,
                capture=self._assurance,
            )
        except (ChallengeError, StoreError):
            self._attempt_id = ""
            raise
        except NotFoundError as error:
            self._attempt_id = ""
            raise _unknown(error) from None
        structlog.contextvars.bind_contextvars(attempt_id=attempt.id)
        return attempt, challenge

    async def _claimed(self, hello: dict[str, Any]) -> Session:
        if self._parts.stopping.is_set():
            raise StoppingError("the server is stopping; try again in a moment")
        sessions, now = self._parts.sessions, self._parts.clock()
        try:
            return await undisturbed(sessions.claim, self._session_id, hello=hello, now=now)
        except asyncio.CancelledError:
            with suppress(StoreError):
                await undisturbed(sessions.release, self._session_id)
            raise
        except NotFoundError as error:
            raise _unknown(error) from None
        except NotWaitingError as error:
            used = error_reason_pb2.ERROR_REASON_SESSION_USED, "a prompt of the session was revealed already"
            raise RequestError(*_NOT_WAITING.get(error.state, used)) from None

    async def _give_up(self, error: BaseException) -> None:
        """Give the session back if nothing was spent, otherwise end its attempt with the reason."""
        sessions = self._parts.sessions
        if not self._attempt_id:
            work = partial(sessions.release, self._session_id)
        else:
            reason = reason_of(error) if isinstance(error, Exception) else "CALLER_GONE"
            work = partial(sessions.end, self._session_id, reason)
        try:
            await undisturbed(work)
        except StoreError as failure:
            log.warning("the end of a capture could not be kept", error=str(failure))
        if self._attempt_id:
            self._parts.conclusions.fail(self._attempt_id, error.reason if isinstance(error, UnjudgeableError) else None)

    @property
    def _assurance(self) -> CaptureAssurance:
        if self._seal is None:
            return CaptureAssurance.TELEMETRY
        return CaptureAssurance.APP_ATTESTED if self._attested else CaptureAssurance.SESSION_SIGNED

    def _attest(self, given: Attestation) -> None:
        if self._seal is None:
            raise _invalid("`attestation` needs a key in `hello`, which it attests")
        if self._attested or self._wants_answer:
            raise _invalid("`attestation` comes once, before `started`")
        self._parts.attestations.verify(given, self._seal.attested, self._parts.clock())
        self._attested = True

    def _light(self, session: Session) -> bool:
        return self._parts.live.light and session_convert.NO_LIGHT not in session.needs

    def _may_retry(self, subject: str) -> bool:
        try:
            self._parts.attempts.require_rate(subject, now=self._parts.clock())
        except (ChallengeError, StoreError):
            return False
        return True

    def _reveal(self, message: CaptureResponse) -> None:
        """Tell what was not known before, with a nonce for what is sealed after it."""
        if self._seal is not None:
            message.seal_nonce = self._seal.renew(message, self._now)
        self._tell(message)

    @property
    def _now(self) -> float:
        return self._parts.monotonic()

    def _progress(self, event: Observation, *, done: int) -> None:
        """Tell how far it is."""
        if isinstance(event, Seen):
            self._tell(session_convert.progress(analysed_s=event.media_s, done=done))

    async def _first(self) -> CaptureRequest | None:
        try:
            async with asyncio.timeout(self._parts.live.silent_s):
                return await anext(self._messages, None)
        except TimeoutError:
            raise _too_slow("no `hello` came") from None

    async def _next(self, wakes_at: float) -> Observation | CaptureRequest | None:
        """Return the next event; None where there is none until then, or for a moment."""
        wait_s = min(max(wakes_at - self._now, 0.001), _TICK_S)
        try:
            async with asyncio.timeout(wait_s):
                event = await self._events.get()
        except TimeoutError:
            if self._now - self._heard_at > self._parts.live.silent_s:
                raise _too_slow(f"nothing came for {self._parts.live.silent_s:g} s") from None
            if self._parts.stopping.is_set() and not self._attempt_id:
                raise StoppingError("the server is stopping; try again in a moment") from None
            return None
        if isinstance(event, BaseException):
            raise event
        if isinstance(event, tuple):
            recording, observation = event
            return observation if recording == self._recording else None
        return event

    @asynccontextmanager
    async def _listening(self, worker: LiveWorker[Response, Judgement]) -> AsyncIterator[None]:
        """Read what the client sends and what the worker observes, beside the caller."""
        await self._begin(worker)
        self._tasks.append(asyncio.create_task(self._read(worker)))
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _begin(self, worker: LiveWorker[Response, Judgement], *, answer: bool = False) -> None:
        await worker.begin(answer=answer)
        self._recording += 1
        self._tasks.append(asyncio.create_task(self._observe(worker, self._recording)))

    async def _observe(self, worker: LiveWorker[Response, Judgement], recording: int) -> None:
        try:
            async for observation in worker.observations():
                self._events.put_nowait((recording, observation))
        except Exception as error:  # noqa: BLE001 - raised where events are taken
            if recording == self._recording:
                self._events.put_nowait(error)

    async def _read(self, worker: LiveWorker[Response, Judgement]) -> None:
        try:
            async for message in self._messages:
                self._heard_at = self._now
                await self._receive(message, worker)
                self._events.put_nowait(message)
            self._events.put_nowait(AbandonedError("the client went away"))
        except Exception as error:  # noqa: BLE001 - raised where events are taken
            self._events.put_nowait(error)

    def _require_seal(self, message: CaptureRequest) -> None:
        if self._seal is not None:
            self._seal.verify(message, self._heard_at)
        elif message.HasField("seal"):
            raise _invalid("`seal` needs the key that made it in `hello`")

    async def _receive(self, message: CaptureRequest, worker: LiveWorker[Response, Judgement]) -> None:
        self._require_seal(message)
        match message.WhichOneof("message"):
            case "media":
                if self._wants_answer:
                    self._record.received(message.media, self._heard_at)
                await worker.feed(message.media)
            case "started":
                if not self._may_start or self._wants_answer:
                    raise _invalid("`started` comes once, after `start`")
                await self._begin(worker, answer=True)
                self._wants_answer = True
            case "shown":
                self._record.shown(message.shown.number, message.shown.media_ms / 1000, colour=message.shown.colour)
            case "hello":
                raise RequestError(error_reason_pb2.ERROR_REASON_HELLO_REPEATED, "send `hello` once")
            case "attestation":
                self._attest(message.attestation)
            case "bye":
                pass
            case _:
                raise RequestError(error_reason_pb2.ERROR_REASON_MESSAGE_EMPTY, "a message is empty")


def _unknown(error: NotFoundError) -> RequestError:
    return RequestError(error_reason_pb2.ERROR_REASON_SESSION_UNKNOWN, str(error))


def _newer() -> RequestError:
    told = "a newer session of this person is being captured; nothing is spent: go on there"
    return RequestError(error_reason_pb2.ERROR_REASON_SESSION_IN_USE, told)


def _invalid(told: str) -> RequestError:
    return RequestError(error_reason_pb2.ERROR_REASON_REQUEST_INVALID, told)


def _too_slow(told: str) -> RequestError:
    return RequestError(error_reason_pb2.ERROR_REASON_UPLOAD_TOO_SLOW, f"{told}; try a better connection")


def _too_long() -> RequestError:
    return RequestError(
        error_reason_pb2.ERROR_REASON_PREPARATION_TOO_LONG, "the preparation took too long; nothing is spent: begin again"
    )


def _unspent(error: UnjudgeableError) -> Exception:
    if error.reason is Reason.RECORDING_TOO_LARGE:
        return _too_long()
    return UnspentError(error.reason, str(error))
