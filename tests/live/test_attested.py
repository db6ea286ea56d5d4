"""Attested captures over gRPC: taken to the verdict, and ended by an attestation that is false or not taken."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from cameo.v1.attempt_pb2 import CAPTURE_ASSURANCE_APP_ATTESTED
from cameo.v1.session_service_pb2 import Attestation, CaptureRequest
from tests.attested import APP_ID, PACKAGE, Apple, Google
from tests.live.test_sealed import assurance, sealing
from tests.live.test_sessions import opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.player import Player


def digest(player: Player) -> bytes:
    """Return what a platform has to attest."""
    assert player.sealer is not None
    return sha256(player.sealer.nonces[0] + player.sealer.public).digest()


@pytest.fixture
def google() -> Google:
    return Google()


@pytest.fixture
def known(google: Google, tmp_path: Path) -> dict[str, dict[str, object]]:
    """Settings of a site that knows an app on each platform."""
    keys = google.keys(tmp_path / "play-keys")
    return {"play_integrity": {"app": PACKAGE, "keys": keys}, "app_attest": {"apps": (APP_ID,)}}


async def test_an_attested_session_says_so(google: Google, known: dict[str, dict[str, object]], tmp_path: Path) -> None:
    async with opened(tmp_path, **known) as site:
        created = await site.create()
        player = sealing(site, created)
        await player.greet()
        await player.send(attestation=Attestation(play_integrity=google.attest(digest(player))))
        await player.prepare()
        await player.answer()
        assert await player.finish() is not None
        assert await assurance(site, created) == (CAPTURE_ASSURANCE_APP_ATTESTED, "app_attested")


async def test_a_false_attestation_ends_the_session_unspent(
    google: Google, known: dict[str, dict[str, object]], tmp_path: Path
) -> None:
    """One of another session, and one of another root than Apple's; the session can be captured again."""
    async with opened(tmp_path, **known) as site:
        created = await site.create()
        first = sealing(site, created)
        await first.greet()
        of_first = digest(first)
        await first.send(attestation=Attestation(app_attest=Apple().attest(of_first)))
        assert (await first.refusal()).reason == "ATTESTATION_INVALID"
        await site.becomes(created, "WAITING")
        second = sealing(site, created)
        await second.greet()
        await second.send(attestation=Attestation(play_integrity=google.attest(of_first)))
        assert (await second.refusal()).reason == "ATTESTATION_INVALID"
        await site.becomes(created, "WAITING")
        assert not (await site.get(created)).session.attempt_id


async def test_an_attestation_that_is_not_taken_is_refused(
    google: Google, known: dict[str, dict[str, object]], tmp_path: Path
) -> None:
    """Where the site names no app, where nothing is sealed, the second time, and once the answer is recorded."""
    given = CaptureRequest(attestation=Attestation(play_integrity="token"))
    (tmp_path / "plain").mkdir()
    async with opened(tmp_path / "plain") as site:
        player = sealing(site, await site.create())
        await player.greet()
        await player.call.write(given)
        refused = await player.refusal()
        assert (refused.reason, refused.metadata["field"]) == ("REQUEST_INVALID", "attestation.play_integrity")
    async with opened(tmp_path, **known) as site:
        created = await site.create()
        unsealed = site.player(created)
        await unsealed.greet()
        await unsealed.call.write(given)
        assert (await unsealed.refusal()).reason == "REQUEST_INVALID"
        await site.becomes(created, "WAITING")
        twice = sealing(site, created)
        await twice.greet()
        for _ in range(2):
            await twice.send(attestation=Attestation(play_integrity=google.attest(digest(twice))))
        assert (await twice.refusal()).reason == "REQUEST_INVALID"
        await site.becomes(created, "WAITING")
        late = sealing(site, created)
        await late.greet()
        await late.prepare()
        await late.begin()
        await late.send(attestation=Attestation(play_integrity=google.attest(digest(late))))
        assert (await late.refusal()).reason == "REQUEST_INVALID"
