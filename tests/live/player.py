"""The studio's client, which reads errors as the tests do, and seals what it sends where it is given a sealer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cameo.v1.session_service_pb2 import Hello
from fixtures.studio import player
from tests.grpc.client import refused
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from cameo.v1.session_service_pb2 import CaptureResponse
    from tests.grpc.client import Refused
    from tests.live.sealer import Sealer


class Player(player.Player):
    """One capture, by a test.

    Attributes:
        sealer: seals each slice and the end; None seals nothing.
    """

    sealer: Sealer | None = None

    async def greet(self) -> None:
        """Say hello with the sealer's key, and wait for the nonce that the first seal needs."""
        if self.sealer is None:
            await super().greet()
            return
        self.hello = Hello(seal_key=self.sealer.public)
        self.hello.MergeFrom(player.HELLO)
        await super().greet()
        async with asyncio.timeout(PATIENCE_S):
            while not self.told("welcome") and not self.over:
                self.news.clear()
                await self.news.wait()

    async def begin(self) -> None:
        """Begin the recording of the answer, which the seals number."""
        await super().begin()
        if self.sealer is not None:
            self.sealer.recording = 2

    async def send(self, **message: Any) -> None:
        """Send one message, sealed where seals belong."""
        if self.sealer is not None and "seal" not in message and message.keys() & {"media", "bye"}:
            message["seal"] = self.sealer.seal(message.get("media"))
        await super().send(**message)

    def hear(self, message: CaptureResponse) -> None:
        """Take what the server sent, and its nonce."""
        if self.sealer is not None and message.HasField("seal_nonce"):
            self.sealer.session_id = message.welcome.session_id or self.sealer.session_id
            self.sealer.nonces.append(message.seal_nonce)
        super().hear(message)

    async def refusal(self) -> Refused:
        """Wait until the server ends the call, and return its error."""
        if self.reading is None:
            self.reading = asyncio.create_task(self.read())
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait({self.reading})
        return await refused(self._raised())

    async def _raised(self) -> None:
        if self.error is not None:
            raise self.error
