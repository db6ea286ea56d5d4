"""Removals of outputs over the wire: requested by owners, answered by holders, and seen by both."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from cameo.v1 import cameo_pb2, removal_pb2, removal_service_pb2_grpc
from cameo.v1 import cameo_service_pb2 as wire
from cameo.v1 import removal_service_pb2 as removals_wire
from cameo_verifier.cameo.cursor import Listing
from cameo_verifier.server.wire.enums import short_name
from cameo_verifier.store.cameos import removals, watching
from tests.aliases import alias
from tests.grpc.callers import App, Metadata
from tests.grpc.client import AUDIENCE, refused
from tests.grpc.test_refusals import Clock
from tests.grpc.world import SHA, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.grpc.client import Client
    from tests.grpc.server import OpenServer

SHOWS = "shorts.example"


class Site(World):
    """The world with a platform in it."""

    def __init__(self, client: Client, app: App) -> None:
        super().__init__(client, app)
        self.removals: Any = removal_service_pb2_grpc.RemovalServiceStub(client.channel)
        self.platform = app.metadata("platform", SHOWS)
        self.other_platform = app.metadata("platform", "other.example")

    async def output(self, *cameos: Any, sha256: str = SHA, **facts: Any) -> Any:
        """Have a job done with these cameos and its output recorded."""
        grant = await self.authorize(*cameos)
        await self.spend(grant.token)
        return await self.record(grant.grant_id, sha256=sha256, **facts)

    def ask(self, cameo: Any, output: Any = None, *, by: Metadata | None = None, **more: Any) -> Any:
        """Ask for an output to be removed, or for all."""
        what: dict[str, Any] = {"all_outputs": True} if output is None else {"output_id": output.id}
        fields = {"cameo_id": cameo.id, "request_id": str(uuid4()), **what} | more
        return self.removals.RequestRemoval(removals_wire.RequestRemovalRequest(**fields), metadata=by or self.owner)

    async def listed(self, cameo: Any, *, by: Metadata | None = None, **more: Any) -> Any:
        """List a cameo's removals."""
        request = removals_wire.ListRemovalsRequest(cameo_id=cameo.id, **more)
        return await self.removals.ListRemovals(request, metadata=by or self.owner)

    async def pending(self, by: Metadata, **more: Any) -> Any:
        """List what is to be removed."""
        return await self.removals.ListPendingRemovals(removals_wire.ListPendingRemovalsRequest(**more), metadata=by)

    def reply(self, removal: Any, answer: str, reason: str = "", *, by: Metadata) -> Any:
        """Answer a removal."""
        request = removals_wire.AcknowledgeRemovalRequest(removal_id=removal.id, answer=answer, reason=reason)
        return self.removals.AcknowledgeRemoval(request, metadata=by)

    async def seen(self, by: Metadata, cursor: str = "") -> list[Any]:
        """Return all events a caller is told of now."""
        call = self.stub.WatchCameoEvents(wire.WatchCameoEventsRequest(cursor=cursor), metadata=by)
        found = []
        try:
            while True:
                found.append(await asyncio.wait_for(call.read(), 0.7))
        except TimeoutError:
            return found


@pytest.fixture
def open_site(serve: OpenServer, tmp_path: Path) -> Any:
    """Open a site whose callers have roles."""

    @asynccontextmanager
    async def opened(**how: Any) -> AsyncIterator[Site]:
        app = App.make(tmp_path)
        async with serve(**app.settings, **how) as client:
            yield Site(client, app)

    return opened


def state(removal: Any) -> str:
    return short_name(removal_pb2.RemovalState, removal.state)


def kinds(events: list[Any]) -> list[str]:
    return [short_name(cameo_pb2.CameoEventKind, event.kind) for event in events]


async def test_a_removal_from_the_asking_to_the_end(open_site: Any) -> None:
    """The platform that shows an output is asked, told, takes it on and removes it; the owner sees each step in three places."""
    async with open_site() as site:
        cameo = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        output = await site.output(cameo, platform=SHOWS, state="OUTPUT_STATE_PUBLISHED")
        [asked] = (await site.ask(cameo, output, reason="I look silly")).removals
        assert (state(asked), asked.holder, asked.reason) == ("REQUESTED", SHOWS, "I look silly")
        assert asked.holder_kind == removal_pb2.REMOVAL_HOLDER_PLATFORM
        assert asked.due_time.ToDatetime() - asked.request_time.ToDatetime() == timedelta(hours=48)
        assert not asked.HasField("deliver_time")

        [told] = (await site.pending(site.platform)).removals
        assert (told.id, told.sha256, told.c2pa_manifest_id, told.grant_id) == (asked.id, SHA, "urn:c2pa:1", output.grant_id)
        assert (state(told), told.HasField("deliver_time")) == ("DELIVERED", True)

        taken = await site.reply(told, "REMOVAL_ANSWER_WILL_REMOVE", by=site.platform)
        assert (state(taken), taken.HasField("acknowledge_time"), taken.HasField("finish_time")) == (
            *("ACKNOWLEDGED", True),
            False,
        )
        assert [each.id for each in (await site.pending(site.platform)).removals] == [asked.id]
        done = await site.reply(told, "REMOVAL_ANSWER_REMOVED", by=site.platform)
        assert (state(done), done.HasField("finish_time")) == ("DONE", True)
        assert not (await site.pending(site.platform)).removals

        done.cameo_id = cameo.id  # the owner's name of it
        assert list((await site.listed(cameo)).removals) == [done]
        [use] = (await site.stub.ListUses(wire.ListUsesRequest(cameo_id=cameo.id), metadata=site.owner)).uses
        assert list(use.outputs[0].removals) == [done]
        assert use.outputs[0].platform == SHOWS
        events = await site.seen(site.owner)
        assert kinds(events)[-3:] == ["REMOVAL_REQUESTED", "REMOVAL_ANSWERED", "REMOVAL_ANSWERED"]
        assert {(event.removal_id, event.output_id) for event in events[-3:]} == {(asked.id, output.id)}


async def test_a_refusal_needs_a_reason_and_can_only_become_a_removal(open_site: Any) -> None:
    """No answer and no reason are refused; after a refusal only the removal itself is taken, and what is gone stays gone."""
    async with open_site() as site:
        cameo = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        output = await site.output(cameo)
        [asked] = (await site.ask(cameo, output)).removals
        assert (asked.holder_kind, asked.holder) == (removal_pb2.REMOVAL_HOLDER_GENERATOR, "https://generator.example")
        for answer, reason, field in (
            ("REMOVAL_ANSWER_UNSPECIFIED", "", "answer"),
            ("REMOVAL_ANSWER_REFUSES", " ", "reason"),
            ("REMOVAL_ANSWER_REFUSES", "x" * 501, "reason"),
        ):
            error = await refused(site.reply(asked, answer, reason, by=site.generator))
            assert (error.reason, error.metadata) == ("REQUEST_INVALID", {"field": field})
        kept = await site.reply(asked, "REMOVAL_ANSWER_REFUSES", "it is news", by=site.generator)
        assert (state(kept), kept.answer_reason) == ("REFUSED", "it is news")
        assert await site.reply(asked, "REMOVAL_ANSWER_REFUSES", "another word", by=site.generator) == kept
        error = await refused(site.reply(asked, "REMOVAL_ANSWER_WILL_REMOVE", by=site.generator))
        assert (error.code.name, error.reason) == ("FAILED_PRECONDITION", "REMOVAL_ANSWERED")
        done = await site.reply(asked, "REMOVAL_ANSWER_REMOVED", by=site.generator)
        assert (state(done), done.answer_reason) == ("DONE", "")
        for answer in ("REMOVAL_ANSWER_WILL_REMOVE", "REMOVAL_ANSWER_REFUSES"):
            assert (await refused(site.reply(asked, answer, "no", by=site.generator))).reason == "REMOVAL_ANSWERED"


async def test_all_outputs_can_go_after_the_cameo_is_gone(open_site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After deletion, every output gets one removal, drafts included, at whoever holds it, in as many rounds as it takes."""
    monkeypatch.setattr(removals, "OPENED_AT_ONCE", 2)
    async with open_site() as site:
        cameo, other = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE"), await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        made = [await site.output(cameo, sha256=f"{number:064x}", platform=SHOWS if number % 2 else "") for number in range(5)]
        both = await site.output(cameo, other, sha256="ff" * 32, platform=SHOWS)
        await site.output(other, sha256="ee" * 32)
        early = (await site.ask(cameo, made[0])).removals[0]
        await site.stub.DeleteCameo(wire.DeleteCameoRequest(cameo_id=cameo.id), metadata=site.owner)

        asked = (await site.ask(cameo, by=site.app)).removals
        assert {each.output_id for each in asked} == {each.id for each in [*made, both]}
        assert [each.id for each in asked][-1] == early.id
        assert len((await site.pending(site.platform)).removals) == 3
        assert len((await site.pending(site.generator)).removals) == 3
        assert not (await site.listed(other)).removals
        assert [each.cameo_id for each in (await site.ask(other)).removals] == [other.id, other.id]
        assert len((await site.pending(site.platform)).removals) == 4


async def test_a_request_made_again_opens_nothing_more(open_site: Any) -> None:
    """The same id returns what it returned, without what was recorded since; with another target or reason it is refused."""
    async with open_site() as site:
        cameo = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        output, request_id = await site.output(cameo), str(uuid4())
        first = await site.ask(cameo, request_id=request_id)
        await site.output(cameo, sha256="cd" * 32)
        assert await site.ask(cameo, request_id=request_id.upper()) == first
        assert (await refused(site.ask(cameo, output, request_id=request_id))).reason == "REQUEST_ID_REUSED"
        assert (await refused(site.ask(cameo, request_id=request_id, reason="why"))).reason == "REQUEST_ID_REUSED"
        assert await site.ask(cameo, output) == first
        assert (await refused(site.ask(cameo, request_id="1"))).reason == "REQUEST_ID_INVALID"
        for changes in ({"all_outputs": False}, {"output_id": ""}):
            error = await refused(site.ask(cameo, **changes))
            assert (error.reason, error.metadata) == ("REQUEST_INVALID", {"field": "what"})


async def test_what_is_not_the_callers_does_not_exist(open_site: Any) -> None:
    """Another's cameo, another cameo's output and another's removal are all unknown, and no list shows them."""
    async with open_site() as site:
        cameo, other = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE"), await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        output = await site.output(cameo, platform=SHOWS)
        [asked] = (await site.ask(cameo, output)).removals
        for call in (site.ask(cameo, output, by=site.stranger), site.ask(cameo, by=site.stranger)):
            error = await refused(call)
            assert (error.code.name, error.reason) == ("NOT_FOUND", "CAMEO_UNKNOWN")
        assert (await refused(site.ask(other, output))).reason == "OUTPUT_UNKNOWN"
        with pytest.raises(Exception, match="no cameo has this id"):
            await site.listed(cameo, by=site.stranger)
        for by in (site.other_platform, site.generator, site.other_generator):
            error = await refused(site.reply(asked, "REMOVAL_ANSWER_REMOVED", by=by))
            assert (error.code.name, error.reason) == ("NOT_FOUND", "REMOVAL_UNKNOWN")
            assert not (await site.pending(by)).removals
        assert state((await site.listed(cameo)).removals[0]) == "REQUESTED"


async def test_removals_come_in_pages(open_site: Any) -> None:
    """Owners read the latest first, holders the oldest first, each exactly once; one output's removals can be asked for alone."""
    async with open_site() as site:
        cameo = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        made = [await site.output(cameo, sha256=f"{number:064x}", platform=SHOWS) for number in range(5)]
        await site.ask(cameo)
        for read, by, expected in ((site.listed, (cameo,), made[::-1]), (site.pending, (site.platform,), made)):
            token, found = "", []
            while True:
                page = await read(*by, page_size=2, page_token=token)
                found += [each.output_id for each in page.removals]
                assert len(page.removals) <= 2
                if not (token := page.next_page_token):
                    break
            assert found == [each.id for each in expected]
        assert [each.output_id for each in (await site.listed(cameo, output_id=made[3].id)).removals] == [made[3].id]
        with pytest.raises(Exception, match="as this server gave it out"):
            await site.pending(site.platform, page_token="?")  # noqa: S106 - no password
        beyond = Listing("ListPendingRemovals", ("platform", SHOWS)).token(2**62)
        assert (await refused(site.pending(site.platform, page_token=beyond))).reason == "PAGE_TOKEN_INVALID"
        beyond = Listing("ListRemovals", (cameo.id, "")).token(2**62)
        assert (await refused(site.listed(cameo, page_token=beyond))).reason == "PAGE_TOKEN_INVALID"


async def test_a_removal_becomes_overdue(open_site: Any) -> None:
    """Past its time a removal that is neither done nor refused says so to the owner; one that is finished does not."""
    clock = Clock()
    async with open_site(clock=clock, removal_due_h=0.1) as site:
        cameo = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        made = [await site.output(cameo, sha256=f"{number:064x}") for number in range(2)]
        await site.ask(cameo)
        [last, first] = (await site.listed(cameo)).removals
        assert not last.overdue
        await site.reply(first, "REMOVAL_ANSWER_REFUSES", "no", by=site.generator)
        clock.ahead = timedelta(minutes=7)
        assert {each.output_id: each.overdue for each in (await site.listed(cameo)).removals} == {
            made[0].id: False,
            made[1].id: True,
        }


async def test_an_output_that_moves_to_a_platform_is_removed_there_too(open_site: Any) -> None:
    """A draft whose removal was asked for and that is published all the same gets a removal at the platform, once."""
    async with open_site() as site:
        cameo = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        output = await site.output(cameo)
        [asked] = (await site.ask(cameo, output, reason="not that one")).removals
        await site.reply(asked, "REMOVAL_ANSWER_REMOVED", by=site.generator)
        for _ in range(2):
            shown = await site.record(output.grant_id, state="OUTPUT_STATE_PUBLISHED", platform=SHOWS)
        assert (shown.id, shown.platform) == (output.id, SHOWS)
        [there] = (await site.pending(site.platform)).removals
        assert (there.output_id, there.reason, there.holder) == (output.id, "not that one", SHOWS)
        assert [each.holder for each in (await site.listed(cameo)).removals] == [SHOWS, "https://generator.example"]


async def test_a_platform_that_was_named_stays(open_site: Any) -> None:
    """An output keeps the platform it named: not saying it changes nothing, another one is refused, a name has its limits."""
    async with open_site() as site:
        cameo = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        output = await site.output(cameo, platform=SHOWS)
        assert await site.record(output.grant_id) == output
        error = await refused(site.record(output.grant_id, platform="other.example"))
        assert error.reason == "OUTPUT_RECORDED_OTHERWISE"
        for name in ("x" * 129, "a b"):
            error = await refused(site.record(output.grant_id, platform=name))
            assert error.metadata == {"field": "output.platform"}


async def test_generators_and_platforms_watch_what_ends_a_cameo_they_use(open_site: Any, tmp_path: Path) -> None:
    """Each is told from its grant or output on of pause, end and removals addressed to it, and of nothing else."""
    async with open_site() as site:
        cameo, hidden = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE"), await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        pause = wire.ResumeCameoRequest(cameo_id=cameo.id)
        await site.end(cameo, "REVOCATION_MODE_PAUSE")
        await site.stub.ResumeCameo(pause, metadata=site.owner)
        assert await site.seen(site.generator) == []
        output = await site.output(cameo)
        await site.end(cameo, "REVOCATION_MODE_PAUSE", "holiday")
        assert kinds(await site.seen(site.generator)) == ["PAUSED"]
        await site.stub.ResumeCameo(pause, metadata=site.owner)
        await site.record(output.grant_id, platform=SHOWS)
        assert await site.seen(site.platform) == []
        await site.end(hidden, "REVOCATION_MODE_FOR_GOOD")
        await site.ask(cameo)
        await site.end(cameo, "REVOCATION_MODE_FOR_GOOD")
        [asked] = (await site.pending(site.platform)).removals
        await site.reply(asked, "REMOVAL_ANSWER_REMOVED", by=site.platform)
        await site.stub.DeleteCameo(wire.DeleteCameoRequest(cameo_id=cameo.id), metadata=site.owner)

        told = await site.seen(site.platform)
        assert kinds(told) == ["REMOVAL_REQUESTED", "REVOKED", "DELETED"]
        assert (told[0].removal_id, {event.cameo_id for event in told}) == (asked.id, {alias(tmp_path, cameo.id, SHOWS)})
        assert await site.seen(site.platform, told[0].cursor) == told[1:]
        ends = ["PAUSED", "RESUMED", "REVOKED", "DELETED"]
        assert kinds(await site.seen(site.generator)) == ends
        assert await site.seen(site.other_generator) == await site.seen(site.other_platform) == []


async def test_a_watch_that_waits_is_told_of_a_revocation(
    open_site: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A generator's open stream brings the end of a cameo it was granted, though nothing of its own happened for long."""
    monkeypatch.setattr(watching, "LOOKED_AT_ONCE", 2)
    async with open_site() as site:
        cameo, busy = await site.cameo(who_may_use="WHO_MAY_USE_EVERYONE"), await site.cameo()
        await site.authorize(cameo)
        call = site.stub.WatchCameoEvents(wire.WatchCameoEventsRequest(), metadata=site.generator)
        waiting = asyncio.ensure_future(call.read())
        for number in range(5):
            busy = await site.update(busy, appearance_notes=str(number))
        await site.end(cameo, "REVOCATION_MODE_FOR_GOOD")
        event = await asyncio.wait_for(waiting, 10)
        assert (event.cameo_id, kinds([event])) == (alias(tmp_path, cameo.id, AUDIENCE), ["REVOKED"])
        call.cancel()
