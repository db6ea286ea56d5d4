"""Webhooks from a real server to a real receiver that fails in every way and then recovers."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from sqlalchemy import update
from structlog.testing import capture_logs
from typer.testing import CliRunner

from cameo.v1 import cameo_service_pb2 as wire
from cameo.v1.credential_service_pb2 import GetKeysRequest
from cameo_credential.audience_keys import AudienceFolder, AudienceKey
from cameo_credential.errors import InvalidRequestError
from cameo_credential.issuer_keys import VerificationKeys
from cameo_credential.webhook import Webhook, open_webhook
from cameo_verifier.cli import app as cli
from cameo_verifier.server.app import open_server, utc_now
from cameo_verifier.settings import Settings
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database
from tests.aliases import alias
from tests.grpc.callers import App
from tests.grpc.client import AUDIENCE, Client
from tests.grpc.judges import OpenScripted
from tests.grpc.receiver import eventually, receiving
from tests.grpc.test_removals import SHOWS, Site, state
from tests.waiting import ended, heard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from multiprocessing.connection import Connection
    from pathlib import Path

    from tests.grpc.receiver import Came
    from tests.grpc.server import OpenServer

WORDS = "these are my own words"


def endpoint(name: str, url: str, role: str = "app", **more: Any) -> str:
    """Return one table of the site's file."""
    given = {"name": name, "url": url, "role": role, "private": True, **more}
    return "[[endpoint]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in given.items())


@pytest.fixture
def open_site(serve: OpenServer, tmp_path: Path) -> Any:
    """Open a site whose callers have roles and which tells these endpoints."""

    @asynccontextmanager
    async def opened(*endpoints: str, **how: Any) -> AsyncIterator[Site]:
        app, listed = App.make(tmp_path), tmp_path / "webhooks.toml"
        listed.write_text("\n".join(endpoints))
        quick = {"webhook_retry_s": 0.05, "webhook_timeout_s": 1.0}
        async with serve(**app.settings, **{**quick, "webhooks": listed, **how}) as client:
            site = Site(client, app)
            await begun(tmp_path, len(endpoints))
            yield site

    return opened


async def begun(folder: Path, count: int) -> None:
    """Wait until the server has seen its endpoints: what happens from then on is told."""
    await eventually(lambda: len(standings(folder)) == count)


def standings(folder: Path) -> dict[str, Any]:
    """Return how the endpoints stand."""
    engine = open_database(f"sqlite:///{folder / 'data' / 'cameo.sqlite3'}")
    try:
        with engine.connect() as connection:
            return {row.name: row for row in connection.execute(tables.webhooks.select())}
    finally:
        engine.dispose()


async def opened(site: Site, came: Came, audience: str) -> Webhook:
    """Verify what came with the keys the server publishes."""
    reply = await site.client.credentials.GetKeys(GetKeysRequest())
    return open_webhook(
        came.headers,
        came.body,
        issuer_keys=VerificationKeys.from_jwks(json.loads(reply.jwks)),
        expected_issuer="https://cameo.localhost",
        expected_audience=audience,
        now=utc_now(),
    )


async def test_everything_is_told_in_order_and_signed(open_site: Any, tmp_path: Path) -> None:
    """The app is told each thing that happens, once, in order, by messages that verify; the platform only what concerns it."""
    async with receiving() as first, receiving() as second:
        endpoints = endpoint("backend", first.url), endpoint("shorts", second.url, "platform", id=SHOWS)
        async with open_site(*endpoints) as site:
            cameo = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE", appearance_notes=WORDS)
            output = await site.output(cameo, platform=SHOWS)
            [asked] = (await site.ask(cameo, output, reason=WORDS)).removals
            await site.end(cameo, "REVOCATION_MODE_FOR_GOOD", WORDS)
            await second.until(lambda receiver: len(receiver.taken) == 2)
            [removal] = (await site.listed(cameo)).removals
            assert (state(removal), removal.HasField("deliver_time")) == ("DELIVERED", True)
            await site.reply(asked, "REMOVAL_ANSWER_REMOVED", by=site.platform)
            await site.stub.DeleteCameo(wire.DeleteCameoRequest(cameo_id=cameo.id), metadata=site.owner)
            await first.until(lambda receiver: len(receiver.taken) == 8)
            await second.until(lambda receiver: len(receiver.taken) == 3)
            assert first.types() == [
                *("created", "permission_changed", "use_granted", "output_recorded"),
                *("removal_requested", "revoked", "removal_answered", "deleted"),
            ]
            assert second.types() == ["removal_requested", "revoked", "deleted"]
            told = await opened(site, second.taken[0], SHOWS)
            name = alias(tmp_path, cameo.id, SHOWS)
            assert (told.type, told.data["cameo"], told.data["output"]) == ("cameo.removal_requested", name, output.id)
            assert (told.data["removal"]["id"], told.data["removal"]["sha256"]) == (asked.id, output.sha256)
            seen = await site.seen(site.owner)
            whole = [await opened(site, each, "app") for each in first.taken]
            assert [each.data["cursor"] for each in whole] == [event.cursor for event in seen]
            assert len({each.id for each in first.came}) == len(first.came) == 8
            for each in first.came + second.came:
                assert WORDS.encode() not in each.body
                assert each.headers["content-type"] == "application/json"


async def test_failures_are_tried_again_until_they_end(open_site: Any, tmp_path: Path) -> None:
    """An error, a silence, a redirect and a busy receiver hold up the endpoint, no call, and nothing is lost or out of order."""
    async with receiving() as receiver:
        receiver.script = [500, "hang", "redirect", 404, 503]
        async with open_site(endpoint("backend", receiver.url)) as site:
            began = time.monotonic()
            cameo = await site.cameo()
            for number in range(5):
                cameo = await site.update(cameo, voice_notes=str(number))
            await receiver.until(lambda receiver: len(receiver.came) == 2)
            assert (await site.check(cameo))[1] == "NOT_CHOSEN"
            assert receiver.taken == []
            await receiver.until(lambda receiver: len(receiver.taken) == 6)
            assert time.monotonic() - began > 1
        assert len({each.id for each in receiver.came[:6]}) == 1
        assert {each.path for each in receiver.came} == {"/hook"}
        assert len({each.headers["webhook-signature"] for each in receiver.came[:6]}) > 1
        assert receiver.types() == ["created", *["permission_changed"] * 5]
        numbers = [int(each.id.removeprefix("evt_")) for each in receiver.taken]
        assert numbers == sorted(set(numbers))
    row = standings(tmp_path)["backend"]
    assert (row.delivered, row.attempts, row.last_error, row.stopped_at) == (6, 0, "", None)


async def test_an_endpoint_that_does_not_answer_holds_up_no_other(open_site: Any, tmp_path: Path) -> None:
    """Others are told everything, in order, while the first message of this one is still under way."""
    async with receiving() as silent, receiving() as receiver:
        silent.script = ["hang"]
        listed = (endpoint("a-silent", silent.url), endpoint("backend", receiver.url))
        async with open_site(*listed, webhook_timeout_s=60) as site:
            cameo = await site.cameo()
            await silent.until(lambda silent: len(silent.came) == 1)
            for number in range(5):
                cameo = await site.update(cameo, voice_notes=str(number))
            await receiver.until(lambda receiver: len(receiver.taken) == 6)
            assert (len(silent.came), silent.taken) == (1, [])
        assert receiver.types() == ["created", *["permission_changed"] * 5]
    assert standings(tmp_path)["backend"].delivered == 6


async def test_a_reply_without_end_is_cut_off(open_site: Any) -> None:
    """A receiver that takes the message and then talks for ever counts as having taken it, and the next one goes out."""
    async with receiving() as receiver:
        receiver.script = ["flood"]
        async with open_site(endpoint("backend", receiver.url, events=["created", "revoked"])) as site:
            cameo = await site.cameo(appearance_notes="x")
            await site.end(cameo, "REVOCATION_MODE_FOR_GOOD")
            await receiver.until(lambda receiver: receiver.types() == ["created", "revoked"])
        assert len(receiver.came) == 2


async def test_an_endpoint_that_only_fails_is_stopped_and_can_be_revived(
    open_site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the stated time it is left alone, which log and command say; `--retry` has everything told that was missed."""
    monkeypatch.setenv("CAMEO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CAMEO_WEBHOOKS", str(tmp_path / "webhooks.toml"))

    def command(*options: str) -> dict[str, Any]:
        result = CliRunner().invoke(cli, ["webhooks", *options, "--json"], catch_exceptions=False)
        [document] = json.loads(result.stdout)["endpoints"]
        return dict(document)

    async with receiving() as receiver:
        receiver.script = [500] * 1000
        with capture_logs() as lines:
            async with open_site(endpoint("backend", receiver.url), webhook_give_up_h=0.7 / 3600) as site:
                await site.cameo(appearance_notes="x")
                await eventually(lambda: command()["state"] == "stopped")
                tried = len(receiver.came)
                assert tried > 1
                shown = command()
                assert (shown["delivered"], shown["failures"], shown["last_error"]) == (0, tried, "status 500")
                assert datetime.fromisoformat(shown["failing_since"]) < utc_now()
                assert (shown["last_delivery"], shown["next_attempt"]) == (None, None)
                await asyncio.sleep(1.2)
                assert len(receiver.came) == tried
                receiver.script = []
                assert command("--retry", "backend")["state"] == "well"
                await receiver.until(lambda receiver: receiver.types() == ["created", "permission_changed"])
        [said] = [line for line in lines if "STOPPED" in line["event"]]
        assert (said["log_level"], said["endpoint"]) == ("error", "backend")
        assert receiver.url not in json.dumps(lines, default=str)
    shown = command()
    assert (shown["state"], shown["delivered"], shown["failures"], shown["last_error"]) == ("well", 2, 0, "")
    assert "backend" in CliRunner().invoke(cli, ["webhooks"]).stdout
    with pytest.raises(InvalidRequestError, match="no endpoint 'other'"):
        command("--retry", "other")


async def test_a_receiver_that_is_gone_is_stopped_at_once(open_site: Any, tmp_path: Path) -> None:
    """410 ends the deliveries with the first answer."""
    async with receiving() as receiver:
        receiver.script = [410]
        async with open_site(endpoint("backend", receiver.url)) as site:
            await site.cameo()
            await eventually(lambda: standings(tmp_path)["backend"].stopped_at is not None)
        assert (len(receiver.came), standings(tmp_path)["backend"].last_error) == (1, "status 410")


async def test_what_another_server_is_sending_is_left_to_it(open_site: Any, tmp_path: Path) -> None:
    """While another server's claim holds nothing is sent; once it has run out, everything is."""
    async with receiving() as receiver, open_site(endpoint("backend", receiver.url)) as site:
        engine = open_database(f"sqlite:///{tmp_path / 'data' / 'cameo.sqlite3'}")
        until = utc_now() + timedelta(seconds=8)
        with engine.begin() as connection:
            connection.execute(update(tables.webhooks).values(claimed_by="another", claimed_until=until))
        engine.dispose()
        await site.cameo()
        await asyncio.sleep(1)
        assert not receiver.came
        await receiver.until(lambda receiver: receiver.types() == ["created"])
        assert utc_now() >= until


async def test_servers_side_by_side_tell_each_thing_once(open_site: Any) -> None:
    """Two servers over one database take turns: nothing is told twice or out of order."""
    async with receiving() as receiver:
        listed = endpoint("backend", receiver.url)
        async with open_site(listed), open_site(listed) as site:
            cameo = await site.cameo()
            for number in range(10):
                cameo = await site.update(cameo, voice_notes=str(number))
            await receiver.until(lambda receiver: len(receiver.taken) == 11)
            await asyncio.sleep(1)
        assert [each.id for each in receiver.came] == [f"evt_{number}" for number in range(1, 12)]


async def test_a_removal_is_delivered_to_its_holder_alone(open_site: Any, tmp_path: Path) -> None:
    """That the app or another platform was told leaves a removal undelivered; that its generator was, delivers it."""
    async with receiving() as app, receiving() as generator:
        generator.script = [500, 500]
        asking = endpoint("g", generator.url, "generator", id=AUDIENCE), endpoint("p", app.url, "platform", id=SHOWS)
        async with open_site(endpoint("backend", app.url), *asking, webhook_retry_s=1) as site:
            cameo = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
            await site.ask(cameo, await site.output(cameo))
            await app.until(lambda receiver: "removal_requested" in receiver.types())
            [asked] = (await site.listed(cameo)).removals
            assert state(asked) == "REQUESTED"
            await generator.until(lambda receiver: receiver.types() == ["removal_requested"])
            await eventually(lambda: standings(tmp_path)["g"].delivered == 1)
            assert state((await site.listed(cameo)).removals[0]) == "DELIVERED"
        assert app.types().count("removal_requested") == 1


def _serve(settings: dict[str, Any], journal: Path, pipe: Connection) -> None:
    """Serve until killed."""

    async def serve() -> None:
        server = await open_server(Settings(**settings), open_judge=OpenScripted(journal))
        pipe.send(server.address)
        await asyncio.Event().wait()

    asyncio.run(serve())


class Serving:
    """A server as a process of its own, to be killed."""

    def __init__(self, settings: dict[str, Any], journal: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(settings, journal, theirs), daemon=True)
        self._process.start()

    async def address(self) -> str:
        """Wait until it serves."""
        found: str = await asyncio.to_thread(heard, self._pipe)
        return found

    def kill(self) -> None:
        """Cut its power."""
        self._process.kill()
        ended(self._process)


async def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed while it waits for the receiver's answer, and again: the next server tells the same message, then all others."""
    app, listed, key = App.make(tmp_path), tmp_path / "webhooks.toml", AudienceKey.generate(AUDIENCE)
    async with receiving() as receiver:
        listed.write_text(endpoint("backend", receiver.url))
        settings = {
            "listen": "127.0.0.1:0",
            "data": tmp_path / "data",
            "workers": 1,
            "queue": 0,
            **app.settings,
            "webhooks": listed,
            "webhook_timeout_s": 1.0,
            "webhook_retry_s": 0.05,
        }
        AudienceFolder(Settings(**settings).audiences).add(key)
        receiver.script = [204, "hang"]
        first = Serving(settings, tmp_path / "journal")
        try:
            async with grpc.aio.insecure_channel(await first.address()) as channel:
                await begun(tmp_path, 1)
                site = Site(Client(None, channel, tmp_path / "journal", key), app)  # type: ignore[arg-type]  # it is elsewhere
                cameo = await site.cameo(appearance_notes="x")
                for number in range(4):
                    cameo = await site.update(cameo, appearance_notes=str(number))
                await receiver.until(lambda receiver: len(receiver.came) == 2)
        finally:
            first.kill()
        assert receiver.types() == ["created"]
        second = Serving(settings, tmp_path / "journal")
        try:
            await second.address()
            await receiver.until(lambda receiver: len(receiver.taken) == 6)
        finally:
            second.kill()
    assert receiver.came[1].id == receiver.came[2].id == receiver.taken[1].id
    assert receiver.types() == ["created", *["permission_changed"] * 5]
    assert [each.id for each in receiver.taken] == [f"evt_{number}" for number in range(1, 7)]


async def test_a_receiver_is_not_told_of_what_was_before_it(open_site: Any, serve: OpenServer, tmp_path: Path) -> None:
    """An endpoint that is new begins with what happens next."""
    app = App.make(tmp_path)
    async with serve(**app.settings) as client:
        await Site(client, app).cameo(appearance_notes="x")
    async with receiving() as receiver, open_site(endpoint("backend", receiver.url)) as site:
        await site.end(await site.cameo(), "REVOCATION_MODE_FOR_GOOD")
        await receiver.until(lambda receiver: len(receiver.taken) == 2)
        assert receiver.types() == ["created", "revoked"]
