"""Sealed captures over gRPC: taken to the verdict, and ended by whatever does not fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cameo.v1.attempt_pb2 import CAPTURE_ASSURANCE_SESSION_SIGNED, CAPTURE_ASSURANCE_TELEMETRY, VERDICT_ACCEPTED
from cameo.v1.session_service_pb2 import CaptureRequest, Hello, Seal
from cameo_credential.encoding import from_base64url
from cameo_verifier.store.attempts.sessions import SessionStore
from cameo_verifier.store.db.engine import open_database
from tests.live.sealer import Sealer
from tests.live.test_sessions import opened

if TYPE_CHECKING:
    from pathlib import Path

    from cameo.v1.session_service_pb2 import CreateSessionResponse
    from tests.live.player import Player
    from tests.live.test_sessions import Site


def sealing(site: Site, created: CreateSessionResponse) -> Player:
    """Return a browser that seals."""
    player = site.player(created)
    player.sealer = Sealer()
    return player


async def assurance(site: Site, created: CreateSessionResponse) -> tuple[int, str]:
    """Return what the attempt and its receipt say of the capture."""
    result = (await site.get(created)).result
    disclosures = [json.loads(from_base64url(each)) for each in result.receipt.token.split("~")[1:-1]]
    (verification,) = (value for _, name, value in disclosures if name == "verification")
    return result.attempt.capture, verification["capture"]


async def test_a_sealed_session_is_judged(tmp_path: Path) -> None:
    """A nonce comes with `welcome`, `start`, each prompt and each colour, and every slice is sealed with the newest."""
    async with opened(tmp_path) as site:
        created = await site.create()
        player = sealing(site, created)
        await player.greet()
        await player.prepare()
        await player.answer()
        result = await player.finish()
        assert result is not None, await player.refusal()
        assert result.verdict == VERDICT_ACCEPTED
        assert player.told("welcome")[0].session_id == created.session.id
        with_nonce = [message for _, message in player.heard if message.HasField("seal_nonce")]
        kinds = {"welcome", "start", "prompt", "light"}
        assert with_nonce == [message for _, message in player.heard if message.WhichOneof("message") in kinds]
        assert player.sealer is not None
        assert await assurance(site, created) == (CAPTURE_ASSURANCE_SESSION_SIGNED, "session_signed")
        assert len({*player.sealer.nonces}) == len(with_nonce) > 5
        assert {len(nonce) for nonce in player.sealer.nonces} == {32}


async def test_what_does_not_fit_the_stated_browser_is_kept(tmp_path: Path) -> None:
    """Beside what it said, for analysts; the verdict is the same."""
    async with opened(tmp_path) as site:
        created = await site.create()
        player = site.player(created)
        await player.greet()
        await player.prepare()
        await player.answer()
        result = await player.finish()
        assert result is not None
        assert result.verdict == VERDICT_ACCEPTED
        database = open_database(f"sqlite:///{tmp_path / 'data' / 'cameo.sqlite3'}")
        hello = SessionStore(database, server_id="").get(created.session.id, now=site.time.utc()).hello
        database.dispose()
        assert hello is not None
        (misfit,) = hello["misfits"]
        assert misfit.startswith("states opus and vp8, sends")


async def test_an_unsealed_session_says_so(tmp_path: Path) -> None:
    """It is a live session, with what the client said about itself."""
    async with opened(tmp_path) as site:
        created = await site.create()
        player = site.player(created)
        await player.greet()
        await player.prepare()
        await player.answer()
        assert await player.finish() is not None
        assert not any(message.HasField("seal_nonce") for _, message in player.heard)
        assert await assurance(site, created) == (CAPTURE_ASSURANCE_TELEMETRY, "telemetry")


async def test_what_does_not_fit_ends_the_session(tmp_path: Path) -> None:
    """In preparation nothing is spent; after the first prompt the attempt is, and no verdict comes of it."""
    async with opened(tmp_path) as site:
        created = await site.create()
        player = sealing(site, created)
        await player.greet()
        await player.prepare(lambda: bool(player.told("progress")))
        await player.call.write(CaptureRequest(media=player.person.slice()))
        assert (await player.refusal()).reason == "SEAL_MISSING"
        await site.becomes(created, "WAITING")

        player = sealing(site, created)
        await player.greet()
        await player.prepare()
        await player.begin()
        await player.play(lambda: bool(player.steps))
        assert player.sealer is not None
        media = player.person.slice()
        await player.send(media=media + b"\n", seal=player.sealer.seal(media))
        assert (await player.refusal()).reason == "SEAL_INVALID"
        await site.becomes(created, "ENDED SEAL_INVALID")


async def test_a_site_may_ask_for_seals(tmp_path: Path) -> None:
    """A client without a key is refused before it begins."""
    async with opened(tmp_path, live={"sealed": True}) as site:
        created = await site.create()
        plain = site.player(created)
        await plain.send(hello=Hello())
        assert (await plain.refusal()).reason == "SEAL_MISSING"
        player = sealing(site, created)
        await player.greet()
        await player.prepare(lambda: bool(player.told("progress")))
        await player.leave()


@pytest.mark.parametrize(
    ("hello", "message", "reason"),
    [
        (Hello(seal_key=b"key"), None, "REQUEST_INVALID"),
        (Hello(), CaptureRequest(media=b"[]", seal=Seal()), "REQUEST_INVALID"),
        (Hello(seal_key=Sealer().public), CaptureRequest(media=b"[]", seal=Seal(nonce=1)), "SEAL_STALE"),
    ],
)
async def test_a_client_that_seals_wrongly_is_refused(
    hello: Hello, message: CaptureRequest | None, reason: str, tmp_path: Path
) -> None:
    """A key that is none, a seal without a key, a nonce that was never sent."""
    async with opened(tmp_path) as site:
        player = site.player(await site.create())
        await player.send(hello=hello)
        if message is not None:
            await player.call.write(message)
        assert (await player.refusal()).reason == reason
