"""Ends of live sessions as events and webhooks, with scripted judges, in virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo.v1 import cameo_pb2
from cameo.v1.cameo_service_pb2 import WatchCameoEventsRequest
from cameo.v1.cameo_service_pb2_grpc import CameoServiceStub
from tests.grpc.receiver import receiving
from tests.grpc.test_webhooks import begun, endpoint
from tests.live.test_sessions import opened, played
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path


async def test_each_end_is_told_once_in_the_feed_and_by_webhook(tmp_path: Path) -> None:
    """A verdict, a client that left and a worker that died: ids alone, in order; a preparation that broke off is no end."""
    async with receiving() as receiver:
        listed = tmp_path / "webhooks.toml"
        listed.write_text(endpoint("backend", receiver.url))
        async with opened(tmp_path, webhooks=listed, webhook_retry_s=0.05) as site:
            await begun(tmp_path, 1)
            judged, left, died, unprepared = [await site.create(subject=f"account-{number}") for number in range(4)]
            player = site.player(unprepared)
            await player.greet()
            await player.leave()
            await site.becomes(unprepared, "WAITING")
            player = site.player(judged)
            await player.greet()
            assert await played(player)
            await (await site.prompted(left)).leave()
            await site.becomes(left, "ENDED CALLER_GONE")
            player = await site.prompted(died)
            player.person.trick = "die"
            await player.play(lambda: False)
            await site.becomes(died, "ENDED JUDGING_INTERRUPTED")

            feed = CameoServiceStub(site.channel).WatchCameoEvents(
                WatchCameoEventsRequest(), metadata=site.metadata, timeout=PATIENCE_S
            )
            told = [await feed.read() for _ in range(3)]
            feed.cancel()
            kinds = [cameo_pb2.CameoEventKind.Name(each.kind).removeprefix("CAMEO_EVENT_KIND_") for each in told]
            assert kinds == ["SESSION_JUDGED", "SESSION_ENDED", "SESSION_ENDED"]
            found = [(await site.get(each)).session for each in (judged, left, died)]
            ids = [(each.id, each.attempt_id) for each in found]
            assert [(each.session_id, each.attempt_id) for each in told] == ids
            await receiver.until(lambda receiver: len(receiver.taken) == 3)
            assert receiver.types() == ["session.judged", "session.ended", "session.ended"]
            bodies = [each.document["data"] for each in receiver.taken]
            assert [(each["session"], each["attempt"]) for each in bodies] == ids
            assert all(each.keys() == {"cursor", "session", "attempt"} for each in bodies)
            assert len({each.id for each in receiver.taken}) == 3
