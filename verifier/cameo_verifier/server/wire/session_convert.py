"""Conversion of live sessions: to messages of `cameo.v1`, and of what a capturing client says, with validation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cameo.v1 import attempt_pb2, error_reason_pb2, reason_pb2, session_service_pb2
from cameo_challenges.model import AnswerPath
from cameo_verifier.reasons import Reason
from cameo_verifier.server.capture_page.hints import FALLBACK, Hint, hint_in
from cameo_verifier.server.wire import convert
from cameo_verifier.server.wire.cameo_input import invalid
from cameo_verifier.server.wire.enums import full_name, short_name
from cameo_verifier.server.wire.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cameo.v1.session_service_pb2 import CaptureRequest, CaptureResponse, CreateSessionRequest
    from cameo.v1.verification_service_pb2 import VerifyResponseResponse
    from cameo_verifier.live.conductor import Reveal
    from cameo_verifier.live.guidance import Defect
    from cameo_verifier.live.lights import Shine
    from cameo_verifier.store.attempts.sessions import Session

NO_SPEECH, NO_TURNS, NO_LIGHT = (
    short_name(session_service_pb2.Need, need)
    for need in (session_service_pb2.NEED_NO_SPEECH, session_service_pb2.NEED_NO_TURNS, session_service_pb2.NEED_NO_LIGHT)
)
"""Names of needs, as they are stored."""
_AGENT_MAX, _TEXT_MAX = 512, 128
_AGAIN = frozenset({attempt_pb2.VERDICT_RETRY, attempt_pb2.VERDICT_REJECTED})


def session(stored: Session) -> session_service_pb2.Session:
    """Return the message of a session."""
    return session_service_pb2.Session(
        id=stored.id,
        state=full_name(session_service_pb2.SessionState, stored.state),
        create_time=stored.created_at,
        expire_time=stored.expires_at,
        attempt_id=stored.attempt_id,
        ended_by=stored.ended_by,
    )


def needs(request: CreateSessionRequest, *, light: bool) -> tuple[str, ...]:
    """Return what the person cannot do, by name. light: whether the site's sessions have colours.

    Raises:
        RequestError: `REQUEST_INVALID`, or `PATH_UNAVAILABLE`.
    """
    return _with_path(_named("needs", request.needs), light=light)


def spared(stored: Session, hello: Mapping[str, Any], *, light: bool, may_choose: bool) -> Session:
    """Return a session with what its person asks to be spared in `hello`.

    Args:
        stored: as the app created it.
        hello: as `hello` returns it.
        light: whether the site's sessions have colours.
        may_choose: the app lets the person say what they cannot do; otherwise they can ask for no colours alone.

    Raises:
        RequestError: `REQUEST_INVALID`, or `PATH_UNAVAILABLE`.
    """
    said = set(hello["needs"])
    if not may_choose and not said <= {NO_LIGHT}:
        raise invalid("hello.needs", "has more than NEED_NO_LIGHT, and the app did not create the session with `ask_needs`")
    return replace(stored, needs=_with_path({*stored.needs, *said}, light=light)) if said else stored


def _named(field: str, numbers: Iterable[int]) -> set[str]:
    known = session_service_pb2.Need.values()
    if any(need not in known or need == session_service_pb2.NEED_UNSPECIFIED for need in numbers):
        raise invalid(field, "has an unknown value")
    return {short_name(session_service_pb2.Need, need) for need in numbers}


def _with_path(named: set[str], *, light: bool) -> tuple[str, ...]:
    dark = not light or NO_LIGHT in named
    if named >= {NO_SPEECH, NO_TURNS} or (dark and {NO_SPEECH, NO_TURNS} & named):
        raise RequestError(
            error_reason_pb2.ERROR_REASON_PATH_UNAVAILABLE,
            "an answer needs two of three: speech, turns of the head, and colours of the screen",
        )
    return tuple(sorted(named))


def path_of(stored: Session) -> AnswerPath:
    """Return the path that needs none of what the person cannot do."""
    if NO_SPEECH in stored.needs:
        return AnswerPath.TURNS_AND_GESTURES
    return AnswerPath.SPEECH_AND_LIGHT if NO_TURNS in stored.needs else AnswerPath.SPEECH_AND_TURNS


def hello(first: CaptureRequest | None) -> dict[str, Any]:
    """Return what the client says about itself in its first message.

    Raises:
        RequestError: `HELLO_MISSING`, or `REQUEST_INVALID`.
    """
    if first is None or first.WhichOneof("message") != "hello":
        raise RequestError(error_reason_pb2.ERROR_REASON_HELLO_MISSING, "send `hello` as the first message of the stream")
    said = first.hello
    if len(said.user_agent) > _AGENT_MAX:
        raise invalid("hello.user_agent", f"has at most {_AGENT_MAX} characters")
    texts = [said.mime_type, *said.track_settings, *said.track_settings.values()]
    if max(map(len, texts)) > _TEXT_MAX:
        raise invalid("hello", f"has a text of more than {_TEXT_MAX} characters")
    return {
        "user_agent": said.user_agent,
        "mime_type": said.mime_type,
        "track_settings": dict(said.track_settings),
        "display": [said.display_width, said.display_height],
        "needs": sorted(_named("hello.needs", said.needs)),
        "display_hz": said.display_hz if 0 <= said.display_hz < float("inf") else 0.0,
    }


def welcome(stored: Session, *, prompts: int, light: bool) -> CaptureResponse:
    """Return the first message to the client."""
    told = session_service_pb2.Welcome(
        language=stored.language, prompts=prompts, light=light, expire_time=stored.expires_at, session_id=stored.id
    )
    return session_service_pb2.CaptureResponse(welcome=told)


def guidance(told: Iterable[Defect]) -> CaptureResponse:
    """Return the message of what is wrong."""
    codes = [full_name(session_service_pb2.GuidanceCode, defect) for defect in told]
    return session_service_pb2.CaptureResponse(guidance=session_service_pb2.Guidance(codes=codes))


def start() -> CaptureResponse:
    """Return the message that asks for the recording of the answer."""
    return session_service_pb2.CaptureResponse(start=session_service_pb2.Start())


def stop() -> CaptureResponse:
    """Return the message that ends it."""
    return session_service_pb2.CaptureResponse(stop=session_service_pb2.Stop())


def prompt(reveal: Reveal) -> CaptureResponse:
    """Return the message of one prompt, with its own step and no other."""
    told = session_service_pb2.Prompt(number=reveal.number, step=convert.step(reveal.step))
    return session_service_pb2.CaptureResponse(prompt=told)


def light(shine: Shine) -> CaptureResponse:
    """Return the message of one colour."""
    return session_service_pb2.CaptureResponse(light=session_service_pb2.Light(number=shine.number, rgb=shine.rgb))


def progress(*, analysed_s: float, done: int) -> CaptureResponse:
    """Return the message of how far it is."""
    told = session_service_pb2.Progress(analysed_ms=max(0, round(analysed_s * 1000)), done=done)
    return session_service_pb2.CaptureResponse(progress=told)


def result(reply: VerifyResponseResponse, *, language: str, may_retry: bool) -> CaptureResponse:
    """Return the last message: of the reply to the app, what the person may know.

    Args:
        reply: as the app gets it.
        language: of the session; the hint is in it where the texts have it.
        may_retry: the person's rate limit permits it.
    """
    attempt = reply.attempt
    hint = Hint(attempt.hint, FALLBACK if attempt.hint else "")
    if attempt.hint and attempt.reasons:
        hint = hint_in(Reason(short_name(reason_pb2.Reason, attempt.reasons[0])), language)
    told = session_service_pb2.Result(
        attempt_id=attempt.id,
        verdict=attempt.verdict,
        reasons=attempt.reasons,
        hint=hint.text,
        hint_language=hint.language,
        again=may_retry and attempt.verdict in _AGAIN,
    )
    return session_service_pb2.CaptureResponse(result=told)
