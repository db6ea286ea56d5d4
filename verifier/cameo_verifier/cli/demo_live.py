"""The demo's live session: the server reveals one prompt at a time to a rendered person, and judges by its own clock.

The rendering stands in for a camera, which is an injection. It may take longer than the person: so a server in this process is
given the person's time as its clock, and no one waits for another.
"""

from __future__ import annotations

import asyncio
from random import SystemRandom
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc

from cameo.v1.attempt_pb2 import Verdict
from cameo.v1.reason_pb2 import Reason
from cameo.v1.session_service_pb2 import CreateSessionRequest, GetSessionRequest, GuidanceCode
from cameo.v1.session_service_pb2_grpc import SessionServiceStub
from cameo_challenges.prompts import prompt
from cameo_credential.audience_keys import AudienceFolder
from cameo_verifier.cli.output import no_log
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.server.app import open_server
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from cameo.v1.session_service_pb2 import CaptureResponse
    from cameo_challenges.model import Step
    from cameo_credential.audience_keys import AudienceKey

TITLE = "a live session: each prompt is revealed when the one before it was answered"
_TRIES = 2


def live_session(folder: Path, audience: AudienceKey, console: Console) -> dict[str, Any]:
    """Play a session with a rendered person, show what the server said and when, and return the outcome as JSON.

    A refused person may try once more, as an app would let them.

    Args:
        folder: of the session's server; it need not exist.
        audience: of the receipt.
        console: where to show it.
    """
    settings = Settings(listen="127.0.0.1:0", data=folder, workers=1, queue=0, gallery=False)
    AudienceFolder(settings.audiences).add(audience.public())
    with no_log():
        return asyncio.run(_played(settings, audience.audience, console))


async def _played(settings: Settings, audience: str, console: Console) -> dict[str, Any]:
    from fixtures.studio.virtual_time import VirtualTime  # noqa: PLC0415 - the studio is an extra

    time, result = VirtualTime(), dict[str, Any]()
    server = await open_server(settings, clock=time.utc, monotonic=time.monotonic, random=SystemRandom())
    try:
        async with grpc.aio.insecure_channel(server.address) as channel:
            with ModelKit.open(settings) as kit:
                for _ in range(_TRIES):
                    result = await _session(channel, audience, time, kit, console)
                    if result["as_it_must"]:
                        break
    finally:
        await server.stop()
    return result


async def _session(channel: grpc.aio.Channel, audience: str, time: Any, kit: ModelKit, console: Console) -> dict[str, Any]:  # noqa: ANN401
    from fixtures.studio.live import LivePerson  # noqa: PLC0415 - the studio is an extra
    from fixtures.studio.player import Player  # noqa: PLC0415
    from fixtures.studio.portrait import Persona  # noqa: PLC0415
    from fixtures.studio.voices import Voice  # noqa: PLC0415

    service: Any = SessionServiceStub(channel)
    asked = CreateSessionRequest(subject=f"account-{uuid4()}", audience=audience, request_id=str(uuid4()))
    created = await service.CreateSession(asked)
    person = LivePerson(Persona.ASTRONAUT, Voice.REED, seed=SystemRandom().randrange(2**31), kit=kit)
    player = Player(channel, created.capture_token, person, time)
    began_s = time.monotonic()
    await player.greet()
    await player.prepare()
    await player.answer()
    result = await player.finish()
    for at_s, line in _told(player.heard, player.steps):
        console.print(f"{at_s - began_s:6.2f} s  {line}")
    verdict = Verdict.Name(result.verdict).removeprefix("VERDICT_") if result is not None else ""
    reasons = [Reason.Name(each).removeprefix("REASON_") for each in result.reasons] if result is not None else []
    found = (await service.GetSession(GetSessionRequest(session_id=created.session.id))).result
    console.print(
        f"[bold]{verdict or 'no verdict'}[/bold] {', '.join(reasons)}  receipt of {len(found.receipt.token)} characters"
    )
    wanted = verdict == "ACCEPTED" and bool(found.receipt.token)
    if not wanted:
        console.print(f"[red]must be ACCEPTED{f': {player.error}' if player.error else ''}[/red]")
    return {
        "title": TITLE,
        "attempt_id": found.attempt.id,
        "as_it_must": wanted,
        "verdict": verdict,
        "reasons": reasons,
        "prompts": [prompt(step, "en") for step in player.steps],
    }


def _told(heard: list[tuple[float, CaptureResponse]], steps: list[Step]) -> list[tuple[float, str]]:
    """Return what the server said that a person saw, with its time in seconds."""
    left, told, guided = iter(steps), list[tuple[float, str]](), ""
    for at_s, message in heard:
        kind = message.WhichOneof("message")
        if kind == "guidance":
            names = (GuidanceCode.Name(code).removeprefix("GUIDANCE_CODE_") for code in message.guidance.codes)
            if (now := ", ".join(names)) != guided:
                guided = now
                told.append((at_s, f"guidance: {now or 'nothing is wrong'}"))
        elif kind == "start":
            told.append((at_s, "the recording of the answer begins"))
        elif kind == "prompt":
            told.append((at_s, f"prompt: {prompt(next(left), 'en')}"))
        elif kind == "stop":
            told.append((at_s, "the recording ends"))
    return told
