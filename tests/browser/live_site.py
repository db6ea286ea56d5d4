"""A real server with the real pipeline in a thread, whose time the test moves, and the studio in place of a camera."""

from __future__ import annotations

import asyncio
import base64
import threading
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import cv2
import grpc

from cameo.v1.session_service_pb2 import CreateSessionRequest, GetSessionRequest
from cameo.v1.session_service_pb2_grpc import SessionServiceStub
from cameo_challenges.model import Say, Turn, TurnHead
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_verifier.server.app import open_server
from cameo_verifier.settings import Settings
from fixtures.studio.live import SLICE_S
from fixtures.studio.virtual_time import VirtualTime
from tests.grpc.client import AUDIENCE
from tests.grpc.server import UNHURRIED
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from cameo.v1.session_service_pb2 import CreateSessionResponse, GetSessionResponse
    from cameo_challenges.model import Step
    from cameo_verifier.server.app import Server
    from fixtures.studio.live import LivePerson

PUPPET = Path(__file__).with_name("studio_camera.js")


class LiveSite:
    """A site with two workers, seen by an app; a context manager."""

    def __init__(self, data: Path) -> None:
        self.time = VirtualTime()
        self._settings = Settings(
            listen="127.0.0.1:0", http_listen="127.0.0.1:0", data=data, workers=2, queue=0, gallery=False, **UNHURRIED
        )
        AudienceFolder(self._settings.audiences).add(AudienceKey.generate(AUDIENCE))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        """Open it, models and all."""
        self._thread.start()
        self._server: Server = self._run(
            open_server(self._settings, clock=self.time.utc, monotonic=self.time.monotonic, random=Random(11))  # noqa: S311 - a test
        )
        self._channel = grpc.insecure_channel(self._server.address)
        self._sessions = SessionServiceStub(self._channel)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self._channel.close()
        self._run(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    def create(self) -> CreateSessionResponse:
        """Create a session."""
        asked = {"subject": f"account-{uuid4()}", "audience": AUDIENCE, "request_id": str(uuid4())}
        created: CreateSessionResponse = self._sessions.CreateSession(CreateSessionRequest(**asked))
        return created

    def session(self, identifier: str) -> GetSessionResponse:
        """Return a session."""
        found: GetSessionResponse = self._sessions.GetSession(GetSessionRequest(session_id=identifier))
        return found

    @property
    def address(self) -> str:
        """Host and port of gRPC."""
        return self._server.address

    @property
    def http_address(self) -> str:
        """Host and port of the capture page."""
        return self._server.http_address

    def url(self, token: str) -> str:
        """Return the address of the capture page with a token."""
        return f"http://{self.http_address}/capture#{token}"

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_S)


@dataclass
class Puppet:
    """The studio in place of a page's camera and recorder, in lockstep with the server.

    Attributes:
        person: who is rendered.
        time: of the server; passes with each slice.
        does: what the person does when a step is shown.
        steps: what was shown.
        recordings: how many were begun.
    """

    person: LivePerson
    time: VirtualTime
    does: Callable[[LivePerson, Step], None]
    steps: list[Step] = field(default_factory=list)
    recordings: int = 0

    def sit_down(self, page: Page) -> None:
        """Take the place of this page's camera."""
        page.add_init_script(path=PUPPET)
        page.expose_function("studioRecord", self._record)
        page.expose_function("studioSlice", self._slice)
        page.expose_function("studioEnd", self._end)

    def _record(self) -> int:
        self.person.record()
        self.recordings += 1
        return self.recordings

    def _end(self, recording: int) -> str:
        # The rest of a recording that another one followed is gone.
        return _text(self.person.end()) if recording == self.recordings else ""

    def _slice(self, shown: list[dict[str, str]]) -> dict[str, Any]:
        for message in shown:
            step = Say(message["say"]) if "say" in message else TurnHead(Turn(message["turn"].removeprefix("TURN_").lower()))
            self.steps.append(step)
            self.does(self.person, step)
        media = self.person.slice()
        self.time.advance(SLICE_S)
        _, picture = cv2.imencode(".jpg", cv2.cvtColor(self.person.picture, cv2.COLOR_RGB2BGR))
        recorded_ms = self.person.recorded_s * 1000
        return {"media": _text(media), "picture": _text(picture.tobytes()), "ms": recorded_ms, "slice": SLICE_S * 1000}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
