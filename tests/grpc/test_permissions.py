"""Who may use a cameo for what, over the wire: the owner's word, generators, mutuals."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import grpc

from cameo.v1 import cameo_pb2, relationship_service_pb2_grpc
from cameo.v1 import cameo_service_pb2 as wire
from cameo.v1.credential_service_pb2 import (
    CREDENTIAL_STATE_REVOKED,
    CREDENTIAL_STATE_VALID,
    ListCredentialsRequest,
)
from cameo.v1.relationship_service_pb2 import AreMutualsRequest, SetFollowRequest
from cameo_verifier.server.app import utc_now
from tests.aliases import alias
from tests.grpc.client import AUDIENCE, refused
from tests.grpc.world import FAN, GENERAL, OWNER, WORD, reason

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_owner_decides_who_may_use_it_for_what_at_once(open_world: Any) -> None:
    """Each setting lets in exactly whom it names; an excluded category is refused to everyone; answers say how long they keep."""
    async with open_world(permission_cache_s=30) as world:
        cameo = await world.cameo()
        assert await world.check(cameo, OWNER) == (True, "PERMITTED")
        assert await world.check(cameo) == (False, "NOT_CHOSEN")
        cameo = await world.update(cameo, who_may_use="WHO_MAY_USE_SELECTED", selected_users=[FAN])
        assert await world.check(cameo) == (True, "PERMITTED")
        assert await world.check(cameo, "account-3") == (False, "NOT_CHOSEN")
        cameo = await world.update(
            cameo, who_may_use="WHO_MAY_USE_EVERYONE", restrictions={"categories": ["USE_CATEGORY_POLITICS"], "words": [WORD]}
        )
        assert await world.check(cameo, "account-3") == (True, "PERMITTED")
        for requester in ("account-3", OWNER):
            assert await world.check(cameo, requester, ("USE_CATEGORY_POLITICS", "USE_CATEGORY_SATIRE")) == (
                False,
                "PURPOSE_EXCLUDED",
            )
        request = wire.CheckPermissionRequest(cameo_id=cameo.id, requester_token=world.requester(FAN), purposes=GENERAL)
        until = (await world.stub.CheckPermission(request, metadata=world.generator)).cache_until.ToDatetime(utc_now().tzinfo)
        assert timedelta(seconds=20) < until - utc_now() <= timedelta(seconds=30)
        request = wire.CheckPermissionRequest(cameo_id="none", requester_token=world.requester(FAN), purposes=GENERAL)
        assert await reason(world.stub.CheckPermission(request, metadata=world.generator)) == "CAMEO_UNKNOWN"


async def test_a_use_says_what_it_is_about(open_world: Any) -> None:
    """A purpose is required; `GENERAL` stands alone and cannot be excluded; an unknown one passes where nothing is excluded."""
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        for purposes in ((), ("USE_CATEGORY_GENERAL", "USE_CATEGORY_SATIRE")):
            assert await reason(world.authorize(cameo, purposes=purposes)) == "REQUEST_INVALID"
            assert await reason(world.check(cameo, purposes=purposes)) == "REQUEST_INVALID"
        for category in ("USE_CATEGORY_GENERAL", "USE_CATEGORY_UNSPECIFIED"):
            excluded = cameo_pb2.Restrictions(categories=[category])
            assert await reason(world.update(cameo, restrictions=excluded)) == "REQUEST_INVALID"
        assert await world.check(cameo, purposes=("USE_CATEGORY_UNSPECIFIED",)) == (True, "PERMITTED")
        await world.update(cameo, restrictions=cameo_pb2.Restrictions(categories=["USE_CATEGORY_SATIRE"]))
        assert await world.check(cameo, purposes=("USE_CATEGORY_UNSPECIFIED",)) == (False, "PURPOSE_EXCLUDED")
        assert await world.check(cameo) == (True, "PERMITTED")


async def test_what_was_taken_back_once_does_not_return(open_world: Any) -> None:
    """A grant that a narrower word ended stays ended when the owner widens it again."""
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        lost, kept = await world.authorize(cameo), await world.authorize(cameo, requester=OWNER)
        cameo = await world.update(cameo, who_may_use="WHO_MAY_USE_ONLY_ME")
        await world.update(cameo, who_may_use="WHO_MAY_USE_EVERYONE")
        assert await reason(world.spend(lost.token)) == "GRANT_REVOKED"
        assert (await world.spend(kept.token)).grant_id == kept.grant_id


async def test_the_owner_chooses_generators(open_world: Any) -> None:
    """One that is not chosen gets no grant and no credential; what it had ends, and stays ended when it is chosen again."""
    async with open_world() as world:
        cameo = await world.create((await world.attempt()).id)
        assert cameo.generators == cameo_pb2.Generators(every_registered=True)
        cameo = await world.update(cameo, who_may_use="WHO_MAY_USE_EVERYONE", offline_audiences=[AUDIENCE])
        first = await world.issue(cameo)
        granted = await world.authorize(cameo)
        for names in (["a" * 129], [""], ["g"] * 101, ["a\nb"]):
            assert await reason(world.update(cameo, generators=cameo_pb2.Generators(names=names))) == "REQUEST_INVALID"
        both = cameo_pb2.Generators(every_registered=True, names=[AUDIENCE])
        assert await reason(world.update(cameo, generators=both)) == "REQUEST_INVALID"
        cameo = await world.update(cameo, generators=cameo_pb2.Generators(names=["https://other.example"]))
        refusal = await refused(world.authorize(cameo))
        assert (refusal.reason, refusal.metadata["answer"]) == ("USE_NOT_PERMITTED", "GENERATOR_NOT_CHOSEN")
        assert await world.check(cameo) == (False, "GENERATOR_NOT_CHOSEN")
        assert await reason(world.issue(cameo)) == "USE_NOT_PERMITTED"
        await world.update(cameo, generators=cameo_pb2.Generators(every_registered=True))
        assert await reason(world.spend(granted.token)) == "GRANT_REVOKED"
        fresh = await world.issue(cameo)
        listed = await world.client.credentials.ListCredentials(ListCredentialsRequest(), metadata=world.owner)
        assert {each.id: each.state for each in listed.credentials} == {
            first.id: CREDENTIAL_STATE_REVOKED,
            fresh.id: CREDENTIAL_STATE_VALID,
        }


async def test_mutuals_are_asked_of_the_table(open_world: Any, tmp_path: Path) -> None:
    """One-sided following permits nothing, both sides do, and unfollowing ends it."""
    async with open_world() as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_MUTUALS")

        async def follow(one: str, other: str, *, follows: bool = True) -> None:
            await world.graph.SetFollow(SetFollowRequest(follower=one, followee=other, follows=follows), metadata=world.app)

        await follow(OWNER, FAN)
        await follow(OWNER, FAN)
        assert await world.check(cameo) == (False, "NOT_CHOSEN")
        await follow(FAN, OWNER)
        assert await world.check(cameo) == (True, "PERMITTED")
        assert (await world.spend((await world.authorize(cameo)).token)).grant_id
        granted = await world.authorize(cameo)
        await follow(FAN, OWNER, follows=False)
        assert await world.check(cameo) == (False, "NOT_CHOSEN")
        answer = await refused(world.spend(granted.token))
        told = {"cameo_id": alias(tmp_path, cameo.id, AUDIENCE), "answer": "NOT_CHOSEN"}
        assert (answer.reason, answer.metadata) == ("USE_NOT_PERMITTED", told)


async def test_an_app_s_own_graph_is_asked_and_silence_permits_nothing(open_world: Any) -> None:
    """Another server's `RelationshipService` answers; when it is gone every mutual is refused."""
    graph = grpc.aio.server()
    seen = []

    class Graph(relationship_service_pb2_grpc.RelationshipServiceServicer):
        async def AreMutuals(self, request: AreMutualsRequest, context: Any) -> Any:  # noqa: ARG002, N802 - the contract's
            from cameo.v1.relationship_service_pb2 import AreMutualsResponse  # noqa: PLC0415

            seen.append((request.one, request.other))
            return AreMutualsResponse(mutuals=request.other == FAN)

    relationship_service_pb2_grpc.add_RelationshipServiceServicer_to_server(Graph(), graph)
    port = graph.add_insecure_port("127.0.0.1:0")
    await graph.start()
    async with open_world(relationships=f"127.0.0.1:{port}") as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_MUTUALS")
        assert await world.check(cameo) == (True, "PERMITTED")
        assert await world.check(cameo, "account-3") == (False, "NOT_CHOSEN")
        assert seen == [(OWNER, FAN), (OWNER, "account-3")]
        token = (await world.authorize(cameo)).token
        follow = SetFollowRequest(follower=FAN, followee=OWNER, follows=True)
        assert await reason(world.graph.SetFollow(follow, metadata=world.app)) == "RELATIONSHIPS_KEPT_ELSEWHERE"
        await graph.stop(None)
        assert await world.check(cameo) == (False, "RELATIONSHIP_UNKNOWN")
        assert await world.check(cameo, OWNER) == (True, "PERMITTED")
        answer = await refused(world.spend(token))
        assert (answer.reason, answer.metadata["answer"]) == ("USE_NOT_PERMITTED", "RELATIONSHIP_UNKNOWN")
        asked = AreMutualsRequest(one=OWNER, other=FAN)
        assert await reason(world.graph.AreMutuals(asked, metadata=world.app)) == "RELATIONSHIPS_UNAVAILABLE"
