"""Manual review over the wire: from REVIEW to a credential or to none, and the app's notification."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import insert, select

from cameo.v1 import attempt_pb2, cameo_pb2
from cameo.v1.cameo_service_pb2 import WatchCameoEventsRequest
from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo.v1.review_service_pb2 import (
    ApproveAttemptRequest,
    DeclineAttemptRequest,
    ListAttemptsRequest,
    ReviewServiceGetAttemptRequest,
)
from cameo.v1.verification_service_pb2 import GetAttemptRequest, VerifyResponseConfig, VerifyResponseRequest
from cameo_verifier.cameo.model import EventKind, GuardianshipState
from cameo_verifier.settings import Settings
from cameo_verifier.store.cameos import events
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database
from tests.aliases import alias
from tests.grpc.client import AUDIENCE, refused
from tests.grpc.receiver import eventually, receiving
from tests.grpc.test_webhooks import begun, endpoint
from tests.grpc.test_webhooks import opened as verified
from tests.grpc.world import OWNER
from tests.patience import PATIENCE_S
from tests.unit.store.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from tests.grpc.holders import Site

WHY = "case 9: twins, both were on the phone"


@dataclass(frozen=True)
class Desk:
    """Analysts at a site, and uploads that can be sent again."""

    site: Site
    data: Path

    async def upload(self, subject: str, script: bytes, *, again: VerifyResponseConfig | None = None) -> tuple[Any, Any]:
        """Have a recording judged; return the config, to be sent `again`, and the reply."""
        client = self.site.client
        config = again
        if config is None:
            challenge = await client.challenges.IssueChallenge(IssueChallengeRequest(subject=subject), metadata=self.site.app)
            config = VerifyResponseConfig(challenge_id=challenge.id, audience=AUDIENCE, request_id=str(uuid4()))
        messages = [VerifyResponseRequest(config=config), VerifyResponseRequest(chunk=script)]
        return config, await client.verification.VerifyResponse(iter(messages), metadata=self.site.app)

    async def in_review(self) -> tuple[Any, Any, Any]:
        """Enrol ann's face as somebody else; return ann's attempt, the other's config, and theirs."""
        _, first = await self.upload("ann", b"face:7")
        config, taken = await self.upload(OWNER, b"face:7")
        assert taken.attempt.verdict == attempt_pb2.VERDICT_REVIEW
        return first.attempt, config, taken.attempt

    def ask(self, method: str, request: Any, who: str = "ana") -> Any:
        """Call as an analyst."""
        return getattr(self.site.client.review, method)(request, metadata=self.site.signed_in("analyst", who))

    def approve(self, attempt: Any, who: str = "ana", **more: Any) -> Any:
        """Say that it holds."""
        fields = {"attempt_id": attempt.id, "reason": WHY, "request_id": str(uuid4())} | more
        return self.ask("ApproveAttempt", ApproveAttemptRequest(**fields), who)

    def decline(self, attempt: Any, who: str = "ana", **more: Any) -> Any:
        """Say that it does not."""
        fields = {"attempt_id": attempt.id, "reason": WHY, "request_id": str(uuid4())} | more
        return self.ask("DeclineAttempt", DeclineAttemptRequest(**fields), who)

    async def seen(self, attempt: Any) -> Any:
        """Look at it as an analyst."""
        return await self.ask("GetAttempt", ReviewServiceGetAttemptRequest(attempt_id=attempt.id))

    async def as_told(self, attempt: Any) -> Any:
        """Look at it as the app."""
        return await self.site.client.verification.GetAttempt(GetAttemptRequest(attempt_id=attempt.id), metadata=self.site.app)

    async def found(self, filter_: str) -> list[str]:
        """Return which attempts a filter finds."""
        return [each.attempt_id for each in (await self.ask("ListAttempts", ListAttemptsRequest(filter=filter_))).attempts]

    async def told(self, by: Any, count: int) -> list[Any]:
        """Return the first events that a caller is told of."""
        call = self.site.stub.WatchCameoEvents(WatchCameoEventsRequest(), metadata=by, timeout=PATIENCE_S)
        return [await call.read() for _ in range(count)]

    def rows(self, table: Any, **wanted: Any) -> list[Any]:
        """Return rows of the database."""
        with self.database() as connection:
            return list(connection.execute(select(table).filter_by(**wanted)).all())

    @contextmanager
    def database(self) -> Iterator[Connection]:
        """Open the database beside the server."""
        engine = open_database(Settings(data=self.data).database)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()


async def reason(call: Any) -> str:
    return (await refused(call)).reason


async def test_what_is_approved_has_a_receipt_and_the_app_is_told(open_site: Any, tmp_path: Path) -> None:
    """The account and attempt that the face is from are named; approval brings receipt, face, event, webhook and log line."""
    listed = tmp_path / "webhooks.toml"
    async with receiving() as receiver:
        listed.write_text(endpoint("backend", receiver.url))
        async with open_site(webhooks=listed) as site:
            await begun(tmp_path, 1)
            desk = Desk(site, tmp_path / "data")
            first, config, taken = await desk.in_review()
            assert await desk.found("decision=waiting") == [taken.id]
            before = await desk.seen(taken)
            [match] = before.matches
            assert (match.collection, match.owner, match.attempt_id) == ("enrolled", "ann", first.id)
            assert before.HasField("decide_until")
            assert not (await desk.upload(OWNER, b"", again=config))[1].HasField("receipt")

            sent = str(uuid4())
            decided = await desk.approve(taken, request_id=sent)
            again = await desk.approve(taken, request_id=sent)
            assert decided.decision == again.decision == attempt_pb2.REVIEW_DECISION_APPROVED
            assert [(each.analyst, each.reason) for each in again.opinions] == [("ana", WHY)]
            assert await reason(desk.decline(taken, "ben")) == "ATTEMPT_ALREADY_DECIDED"

            _, reply = await desk.upload(OWNER, b"", again=config)
            assert (reply.attempt.verdict, reply.attempt.decision, reply.attempt.hint) == (
                attempt_pb2.VERDICT_REVIEW,
                attempt_pb2.REVIEW_DECISION_APPROVED,
                "",
            )
            receipt = await site.read(reply.receipt)
            assert receipt.verification is not None
            assert receipt.verification.attempt_id == alias(tmp_path, taken.id, AUDIENCE)
            assert not reply.HasField("credential")
            cameo = await site.update(await site.create(taken.id), offline_audiences=[AUDIENCE])
            assert await site.standing(await site.issue(cameo)) == "valid"

            await receiver.until(lambda receiver: len(receiver.taken) == 4)
            assert receiver.types() == ["attempt.decided", "created", "permission_changed", "credential_issued"]
            told = await verified(site, receiver.taken[0], "app")  # type: ignore[arg-type]  # another world's site
            assert (told.data["attempt"], told.data["decision"]) == (taken.id, "approved")
            assert WHY.encode() not in receiver.taken[0].body
            event, _ = await desk.told(site.owner, 2)
            assert (event.kind, event.attempt_id, event.decision, event.cameo_id) == (
                cameo_pb2.CAMEO_EVENT_KIND_ATTEMPT_DECIDED,
                taken.id,
                attempt_pb2.REVIEW_DECISION_APPROVED,
                "",
            )
            after = await desk.seen(taken)
            assert [(line.who, line.action, line.what, line.why) for line in after.audit] == [("ana", "approve", "decided", WHY)]
            assert await desk.found("decision=approved") == [taken.id]
            assert await desk.found("decision=waiting") == []
            assert desk.rows(tables.waiting_likenesses) == []
            assert len(desk.rows(tables.faces, owner=OWNER, attempt_id=taken.id)) == 1
            assert len(desk.rows(tables.evidence, attempt_id=taken.id, kind="receipt")) == 1


async def test_what_is_declined_leaves_nothing_behind(open_site: Any, tmp_path: Path) -> None:
    """The likeness that waited is destroyed, no receipt and no cameo comes of it, and the owner hears that."""
    async with open_site() as site:
        desk = Desk(site, tmp_path / "data")
        _, config, taken = await desk.in_review()
        assert len(desk.rows(tables.waiting_likenesses)) == 1
        assert (await desk.decline(taken)).decision == attempt_pb2.REVIEW_DECISION_DECLINED
        _, reply = await desk.upload(OWNER, b"", again=config)
        assert not reply.HasField("receipt")
        assert reply.attempt.hint == "This was looked at by a person and cannot be accepted."
        assert await reason(site.create(taken.id)) == "ATTEMPT_NOT_ACCEPTED"
        assert desk.rows(tables.waiting_likenesses) == []
        with desk.database() as connection:
            linked = {"guardian": "mum", "minor": OWNER, "state": GuardianshipState.LINKED.value}
            connection.execute(insert(tables.guardianships).values(**linked, created_at=NOW, updated_at=NOW))
            assert events.of_guardian(connection, 0, guardian="mum", limit=9) == []
        [event] = await desk.told(site.owner, 1)
        assert event.decision == attempt_pb2.REVIEW_DECISION_DECLINED
        assert [line.action for line in (await desk.seen(taken)).audit] == ["decline"]
        assert desk.rows(tables.faces, owner=OWNER) == []


async def test_four_eyes_are_two_people_who_say_the_same(open_site: Any, tmp_path: Path) -> None:
    """One analyst decides nothing, however often; of each the last word counts; the second who agrees decides."""
    async with open_site(review_four_eyes=True) as site:
        desk = Desk(site, tmp_path / "data")
        _, _, taken = await desk.in_review()
        sent = str(uuid4())
        for _ in range(2):
            assert (await desk.approve(taken, request_id=sent)).decision == attempt_pb2.REVIEW_DECISION_UNSPECIFIED
        assert await reason(desk.approve(taken, request_id=sent, reason="another one")) == "REQUEST_ID_REUSED"
        assert (await desk.approve(taken)).decision == attempt_pb2.REVIEW_DECISION_UNSPECIFIED
        assert (await desk.decline(taken, "ben")).decision == attempt_pb2.REVIEW_DECISION_UNSPECIFIED
        assert len(desk.rows(tables.waiting_likenesses)) == 1
        assert desk.rows(tables.events) == []
        decided = await desk.approve(taken, "ben")
        assert decided.decision == attempt_pb2.REVIEW_DECISION_APPROVED
        assert [(each.number, each.analyst) for each in decided.opinions] == [(1, "ana"), (2, "ana"), (3, "ben"), (4, "ben")]
        assert [line.what for line in (await desk.seen(taken)).audit] == ["first of two"] * 3 + ["decided"]


async def test_nobody_decides_what_is_not_theirs_to_decide(open_site: Any, tmp_path: Path) -> None:
    """An accepted attempt stays so; an unknown one is unknown; a reason is asked for, on one line."""
    async with open_site() as site:
        desk = Desk(site, tmp_path / "data")
        first, _, taken = await desk.in_review()
        assert await reason(desk.decline(first)) == "ATTEMPT_NOT_IN_REVIEW"
        assert await reason(desk.approve(attempt_pb2.Attempt(id="nobody"))) == "ATTEMPT_UNKNOWN"
        for said in ("", " ", "x" * 1001, "two\nlines"):
            assert await reason(desk.approve(taken, reason=said)) == "REQUEST_INVALID"
        assert await reason(desk.approve(taken, request_id="7")) == "REQUEST_ID_INVALID"
        assert len(desk.rows(tables.waiting_likenesses)) == 1


async def test_what_nobody_decides_in_time_is_declined(open_site: Any, tmp_path: Path) -> None:
    """The likeness goes with its time, and the app hears of that too."""
    async with open_site(review_wait_days=7) as site:
        desk = Desk(site, tmp_path / "data")
        _, _, taken = await desk.in_review()
    async with open_site(review_wait_days=1e-9) as site:
        desk = Desk(site, tmp_path / "data")
        await eventually(lambda: desk.rows(tables.waiting_likenesses) == [])
        assert (await desk.as_told(taken)).decision == attempt_pb2.REVIEW_DECISION_DECLINED
        assert [event.decision for event in await desk.told(site.app, 1)] == [attempt_pb2.REVIEW_DECISION_DECLINED]
        [line] = (await desk.seen(taken)).audit
        assert (line.who, line.action, line.why) == ("retention", "decline", "nobody decided in time")


async def test_a_person_who_is_forgotten_cannot_be_approved(open_site: Any, tmp_path: Path) -> None:
    """Deleting a person's evidence destroys the likeness that waited; a deleted cameo the ids in the event of the decision."""
    async with open_site() as site:
        desk = Desk(site, tmp_path / "data")
        _, _, taken = await desk.in_review()
        _, own = await desk.upload(OWNER, b"face:9")
        cameo = await site.create(own.attempt.id)
        _, other = await desk.upload(OWNER, b"face:7")
        assert (await desk.decline(other.attempt)).decision == attempt_pb2.REVIEW_DECISION_DECLINED
        assert [row.subject for row in desk.rows(tables.events, attempt_id=other.attempt.id)] == [OWNER]
        await site.delete(cameo)
        assert desk.rows(tables.waiting_likenesses) == []
        assert await reason(desk.approve(taken)) == "LIKENESS_NOT_KEPT"
        assert desk.rows(tables.events, attempt_id=other.attempt.id) == []
        [decided] = desk.rows(tables.events, kind=EventKind.ATTEMPT_WAS_DECIDED.value)
        assert (decided.subject, decided.attempt_id, decided.ruling) == ("", "", "declined")
        assert (await desk.decline(taken)).decision == attempt_pb2.REVIEW_DECISION_DECLINED
