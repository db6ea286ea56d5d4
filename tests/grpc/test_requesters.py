"""Requesters over the wire: a generator says who asks by the app's word, never by its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest

from cameo.v1 import cameo_pb2
from cameo.v1 import cameo_service_pb2 as wire
from cameo_verifier.server.wire.enums import short_name
from tests.grpc.client import AUDIENCE, refused
from tests.grpc.world import FAN, GENERAL, OWNER, World, open_world, reason

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["open_world"]

OTHER, JOB = "https://other.example", "job-1"


def _ask(world: World, cameo: Any, token: str, job_id: str = JOB) -> Any:
    request = wire.AuthorizeUseRequest(
        cameo_ids=[cameo.id], requester_token=token, job_id=job_id, purposes=GENERAL, request_id=str(uuid4())
    )
    return world.stub.AuthorizeUse(request, metadata=world.generator)


def _check(world: World, cameo: Any, *, by: Any = None, **asker: str) -> Any:
    request = wire.CheckPermissionRequest(cameo_id=cameo.id, purposes=GENERAL, **asker)
    return world.stub.CheckPermission(request, metadata=by or world.generator)


_FORGED: dict[str, tuple[Callable[[World], str], str]] = {
    "a bare name": (lambda _: OWNER, "malformed"),
    "nothing": (lambda _: "", "missing"),
    "the owner's token to call with": (lambda world: world.owner[0][1].removeprefix("Bearer "), "wrong_type"),
    "the generator's own": (lambda world: world.generator[0][1].removeprefix("Bearer "), "wrong_type"),
    "another generator's": (lambda world: world.requester(OWNER, generator=OTHER), "wrong_generator"),
    "nobody's": (lambda world: world.signer.requester(OWNER, generator=AUDIENCE, job_id=JOB, azp=None), "malformed"),
    "one for no job": (lambda world: world.signer.requester(OWNER, generator=AUDIENCE, job_id=JOB, job=None), "malformed"),
    "an old one": (lambda world: world.signer.requester(OWNER, generator=AUDIENCE, job_id=JOB, exp=1), "expired"),
    "one for months": (lambda world: world.signer.requester(OWNER, generator=AUDIENCE, job_id=JOB, exp=2**35), "lives_too_long"),
    "for another service": (
        lambda world: world.signer.requester(OWNER, generator=AUDIENCE, job_id=JOB, aud=OTHER),
        "wrong_audience",
    ),
    "of another issuer": (
        lambda world: world.signer.requester(OWNER, generator=AUDIENCE, job_id=JOB, iss=OTHER),
        "wrong_issuer",
    ),
    "a name with a space": (lambda world: world.requester("account 1"), "malformed"),
}


@pytest.mark.parametrize("name", _FORGED)
async def test_a_generator_opens_no_cameo_in_its_owner_s_name(open_world: Any, name: str) -> None:
    """The cameo is for its owner alone; whatever a generator says without the app's word is refused, with the reason."""
    forge, expected = _FORGED[name]
    async with open_world() as world:
        cameo, token = await world.cameo(), forge(world)
        for call in (_ask(world, cameo, token), _check(world, cameo, requester_token=token)):
            refusal = await refused(call)
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.PERMISSION_DENIED, "REQUESTER_TOKEN_REFUSED")
            assert refusal.metadata == {"refusal": expected}
        by_name = await refused(_check(world, cameo, requester=OWNER))
        assert (by_name.reason, by_name.metadata) == ("REQUESTER_TOKEN_REFUSED", {"refusal": "missing"})


async def test_the_app_s_word_is_for_one_generator_and_one_job(open_world: Any) -> None:
    """The same job again is the same request; another job's is refused, also once the token was believed."""
    async with open_world() as world:
        cameo, token = await world.cameo(), world.requester(OWNER)
        assert (await _ask(world, cameo, token)).grant_id
        assert (await _check(world, cameo, requester_token=token)).allowed
        other = await refused(_ask(world, cameo, token, "job-2"))
        assert (other.reason, other.metadata) == ("REQUESTER_TOKEN_REFUSED", {"refusal": "wrong_job"})
        await _check(world, cameo, requester_token=world.requester(OWNER, generator="shorts"), by=_platform(world))
        replayed = await refused(_check(world, cameo, requester_token=token, by=_platform(world)))
        assert replayed.metadata == {"refusal": "wrong_generator"}


async def test_it_calls_nothing(open_world: Any) -> None:
    """What vouches for who asks is no token to call with, not of that person's either."""
    async with open_world() as world:
        metadata = (("authorization", f"Bearer {world.requester(OWNER)}"),)
        refusal = await refused(world.stub.ListCameos(wire.ListCameosRequest(), metadata=metadata))
        assert (refusal.reason, refusal.metadata) == ("CALLER_TOKEN_REFUSED", {"refusal": "wrong_type"})


async def test_the_app_knows_its_people(open_world: Any) -> None:
    """The app asks by a name; a token in its place is none."""
    async with open_world() as world:
        cameo = await world.cameo()
        answers = [(await _check(world, cameo, by=world.app, requester=name)).answer for name in (OWNER, FAN)]
        assert [short_name(cameo_pb2.PermissionAnswer, answer) for answer in answers] == ["PERMITTED", "NOT_CHOSEN"]
        token = world.signer.requester(OWNER, generator="backend", job_id=JOB)
        assert await reason(_check(world, cameo, by=world.app, requester_token=token)) == "REQUEST_INVALID"


def _platform(world: World) -> Any:
    return world.signer.metadata("platform", "shorts")


async def test_who_asks_too_often_waits(open_world: Any) -> None:
    """A generator's checks, and its refused jobs, which answer too; not the app, which may look at every cameo anyway."""
    async with open_world(permission_checks_s=0.001) as world:
        cameo = await world.cameo()
        assert not (await _check(world, cameo, requester_token=world.requester(FAN))).allowed
        assert await reason(_ask(world, cameo, world.requester(FAN))) == "USE_NOT_PERMITTED"
        for call in (
            _check(world, cameo, requester_token=world.requester(OWNER)),
            _ask(world, cameo, world.requester(OWNER)),
        ):
            refusal = await refused(call)
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CHECKS")
            assert refusal.metadata == {"limit": "CAMEO_PERMISSION_CHECKS_S"}
            assert refusal.retry_s > 60
        await _check(world, cameo, by=_platform(world), requester_token=world.requester(FAN, generator="shorts"))
        for _ in range(3):
            await _check(world, cameo, by=world.app, requester=FAN)


async def test_jobs_that_are_permitted_cost_nothing(open_world: Any) -> None:
    """They leave a trace, which the owner sees."""
    async with open_world(permission_checks_s=0.001) as world:
        cameo = await world.cameo(who_may_use="WHO_MAY_USE_EVERYONE")
        assert len({(await world.authorize(cameo)).grant_id for _ in range(4)}) == 4


async def test_a_stranger_is_told_nothing_of_a_cameo(open_world: Any) -> None:
    """Paused, ended or for nobody's purposes: whom the owner has not chosen hears that, and the same each time."""
    async with open_world() as world:
        cameo = await world.cameo()
        for purposes in (GENERAL, ("USE_CATEGORY_POLITICS",)):
            assert await world.check(cameo, FAN, purposes) == (False, "NOT_CHOSEN")
        for mode, own in (("REVOCATION_MODE_PAUSE", "NOT_NOW"), ("REVOCATION_MODE_FOR_GOOD", "NO_LONGER")):
            await world.end(cameo, mode)
            assert await world.check(cameo, FAN) == (False, "NOT_CHOSEN")
            assert await world.check(cameo, OWNER) == (False, own)
