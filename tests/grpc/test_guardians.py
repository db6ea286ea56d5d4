"""Guardians and minors over the wire: changes of a minor's cameo, and every refusal."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from cameo.v1 import cameo_pb2, guardian_pb2, guardian_service_pb2_grpc
from cameo.v1 import cameo_service_pb2 as cameo_wire
from cameo.v1 import guardian_service_pb2 as wire
from cameo.v1.relationship_service_pb2 import SetFollowRequest
from cameo_verifier.cameo.cursor import Listing
from cameo_verifier.cameo.model import GuardianshipState
from cameo_verifier.server.wire.enums import short_name, short_names
from tests.databases import only_sqlite
from tests.grpc.callers import App, Metadata
from tests.grpc.client import refused
from tests.grpc.world import FAN, NOTE, OWNER, WORD, World, dump, files, reason

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.grpc.client import Client
    from tests.grpc.server import OpenServer

MOTHER, FATHER = "account-20", "account-21"
GENERAL = cameo_pb2.USE_CATEGORY_GENERAL
CONSENT = cameo_pb2.Consent(text_version="g1", locale="en-GB", agree_time=datetime.now(UTC), text_sha256="5e" * 32)


class Family(World):
    """A site with a minor who owns a cameo, and two adults."""

    def __init__(self, client: Client, app: App) -> None:
        super().__init__(client, app)
        self.guardians: Any = guardian_service_pb2_grpc.GuardianServiceStub(client.channel)
        self.app_of = app.metadata
        self.mother = app.metadata("guardian", MOTHER)
        self.father = app.metadata("guardian", FATHER)

    def consent(self, *, by: Metadata, guardian: str = MOTHER, minor: str = OWNER) -> Any:
        """Give one side's consent."""
        request = wire.LinkGuardianRequest(guardian=guardian, minor=minor, consent=CONSENT)
        return self.guardians.LinkGuardian(request, metadata=by)

    async def link(self, *guardians: str) -> None:
        """Link guardians, each by both consents."""
        for guardian in guardians:
            await self.consent(by=self.owner, guardian=guardian)
            linked = await self.consent(by=self.of(guardian), guardian=guardian)
            assert linked.state == guardian_pb2.GUARDIANSHIP_STATE_LINKED

    def of(self, guardian: str) -> Metadata:
        """The metadata of a guardian."""
        return self.mother if guardian == MOTHER else self.father

    def step_down(self, guardian: str = MOTHER, *, by: Metadata | None = None) -> Any:
        """End a link."""
        request = wire.UnlinkGuardianRequest(guardian=guardian, minor=OWNER)
        return self.guardians.UnlinkGuardian(request, metadata=by or self.of(guardian))

    def approve(self, cameo: Any, guardian: str = MOTHER, *, number: int | None = None) -> Any:
        """Say yes."""
        asked = cameo.pending_change.number if number is None else number
        request = wire.ApproveChangeRequest(cameo_id=cameo.id, number=asked)
        return self.guardians.ApproveChange(request, metadata=self.of(guardian))

    def refuse(self, cameo: Any, guardian: str = MOTHER) -> Any:
        """Say no."""
        request = wire.RefuseChangeRequest(cameo_id=cameo.id, number=cameo.pending_change.number)
        return self.guardians.RefuseChange(request, metadata=self.of(guardian))

    def narrow(self, cameo: Any, guardian: str = MOTHER, **bound: Any) -> Any:
        """Bound what a cameo permits."""
        request = wire.NarrowCameoRequest(cameo=cameo_pb2.Cameo(id=cameo.id, **bound), update_mask=FieldMask(paths=list(bound)))
        return self.guardians.NarrowCameo(request, metadata=self.of(guardian))

    def pause(self, cameo: Any, guardian: str = MOTHER, why: str = "exams") -> Any:
        """Pause as a guardian."""
        return self.guardians.PauseMinorCameo(
            wire.PauseMinorCameoRequest(cameo_id=cameo.id, reason=why), metadata=self.of(guardian)
        )

    def lift(self, cameo: Any, guardian: str = MOTHER) -> Any:
        """End a guardian's own pause."""
        return self.guardians.ResumeMinorCameo(wire.ResumeMinorCameoRequest(cameo_id=cameo.id), metadata=self.of(guardian))

    def resume(self, cameo: Any) -> Any:
        """Ask, as the owner, that pauses end."""
        return self.stub.ResumeCameo(cameo_wire.ResumeCameoRequest(cameo_id=cameo.id), metadata=self.owner)

    def uses(self, cameo: Any, guardian: str = MOTHER) -> Any:
        """List uses as a guardian."""
        return self.guardians.ListMinorUses(wire.ListMinorUsesRequest(cameo_id=cameo.id), metadata=self.of(guardian))

    async def cameos(self, guardian: str = MOTHER) -> list[Any]:
        """List the minor's cameos as a guardian."""
        request = wire.ListMinorCameosRequest(minor=OWNER)
        return list((await self.guardians.ListMinorCameos(request, metadata=self.of(guardian))).cameos)

    async def befriend(self, person: str) -> None:
        """Let the owner and someone follow each other."""
        for one, other in ((OWNER, person), (person, OWNER)):
            follow = SetFollowRequest(follower=one, followee=other, follows=True)
            await self.graph.SetFollow(follow, metadata=self.app)

    async def opened(self, *guardians: str, **terms: Any) -> Any:
        """Make a minor's cameo with guardians who have approved these terms."""
        made = await self.cameo(b"minor")
        await self.link(*guardians)
        cameo = await self.update(made, **terms)
        for guardian in guardians:
            cameo = await self.approve(cameo, guardian)
        return cameo

    async def knows(self, cameo: Any, person: str = FAN) -> str:
        """What someone is told who asks to use it."""
        request = cameo_wire.CheckPermissionRequest(cameo_id=cameo.id, requester_token=self.requester(person), purposes=[GENERAL])
        call = self.stub.CheckPermission(request, metadata=self.generator)
        try:
            return short_name(cameo_pb2.PermissionAnswer, (await call).answer)
        except grpc.aio.AioRpcError:
            return await reason(call)


@pytest.fixture
def open_family(serve: OpenServer, tmp_path: Path) -> Any:
    """Open a site whose callers have roles."""

    @asynccontextmanager
    async def opened(**how: Any) -> AsyncIterator[Family]:
        app = App.make(tmp_path)
        async with serve(**app.settings, **how) as client:
            yield Family(client, app)

    return opened


def test_wire_states_mirror_the_values() -> None:
    """The states of a link have the same names on both sides."""
    assert guardian_pb2.GuardianshipState.Name(0) == "GUARDIANSHIP_STATE_UNSPECIFIED"
    assert sorted(short_names(guardian_pb2.GuardianshipState)) == sorted(state.name for state in GuardianshipState)


async def test_two_are_linked_when_both_consent_in_either_order(open_family: Any) -> None:
    """One side's consent gives the guardian nothing; with the other's they are linked, each with its own digest, once."""
    async with open_family() as family:
        cameo = await family.cameo(b"minor")
        invited = await family.consent(by=family.mother)
        assert invited.state == guardian_pb2.GUARDIANSHIP_STATE_AWAITING_MINOR
        assert await family.consent(by=family.mother) == invited
        assert await family.cameos() == []
        for call in (
            family.pause(cameo),
            family.narrow(cameo, who_may_use="WHO_MAY_USE_ONLY_ME"),
            family.uses(cameo),
            family.lift(cameo),
        ):
            assert await reason(call) == "CAMEO_UNKNOWN"
        linked = await family.consent(by=family.owner)
        assert linked.state == guardian_pb2.GUARDIANSHIP_STATE_LINKED
        assert linked.guardian_consent.digest != linked.minor_consent.digest
        assert len(bytes.fromhex(linked.minor_consent.digest)) == 32
        assert await family.consent(by=family.mother) == linked
        asked = await family.consent(by=family.owner, guardian=FATHER)
        assert asked.state == guardian_pb2.GUARDIANSHIP_STATE_AWAITING_GUARDIAN
        assert (await family.consent(by=family.father, guardian=FATHER)).state == guardian_pb2.GUARDIANSHIP_STATE_LINKED
        assert [each.id for each in await family.cameos()] == [each.id for each in await family.cameos(FATHER)] == [cameo.id]


async def test_links_come_in_pages_and_only_ones_own(open_family: Any) -> None:
    """Owner and guardian see theirs, ended ones included, every one once; someone else sees none; a made-up token is refused."""
    async with open_family() as family:
        await family.link(MOTHER)
        await family.consent(by=family.owner, guardian=FATHER)
        await family.step_down(FATHER, by=family.owner)

        async def page(by: Metadata, token: str = "", size: int = 1) -> Any:
            request = wire.ListGuardianshipsRequest(page_size=size, page_token=token)
            return await family.guardians.ListGuardianships(request, metadata=by)

        first = await page(family.owner)
        rest = await page(family.owner, first.next_page_token)
        assert [(each.guardian, each.state) for each in (*first.guardianships, *rest.guardianships)] == [
            (MOTHER, guardian_pb2.GUARDIANSHIP_STATE_LINKED),
            (FATHER, guardian_pb2.GUARDIANSHIP_STATE_ENDED),
        ]
        assert not rest.next_page_token
        assert [each.minor for each in (await page(family.mother)).guardianships] == [OWNER]
        assert not (await page(family.stranger)).guardianships
        request = wire.ListGuardianshipsRequest(page_token="bm9uZQ")  # noqa: S106 - no secret
        assert await reason(family.guardians.ListGuardianships(request, metadata=family.owner)) == "PAGE_TOKEN_INVALID"


async def test_each_wrong_link_is_refused_with_its_own_reason(open_family: Any) -> None:
    """Only for oneself, to someone else, with a consent, by nobody under safeguards; a minor alone removes no guardian."""
    async with open_family() as family:
        await family.cameo(b"minor")
        for by, pair in (
            (family.owner, {"guardian": MOTHER, "minor": "other"}),
            (family.mother, {"guardian": FATHER, "minor": OWNER}),
            (family.owner, {"guardian": OWNER, "minor": OWNER}),
            (family.mother, {"guardian": MOTHER, "minor": MOTHER}),
            (family.owner, {"guardian": "", "minor": OWNER}),
            (family.mother, {"guardian": MOTHER, "minor": " "}),
        ):
            assert await reason(family.consent(by=by, **pair)) == "REQUEST_INVALID", pair
        bare = wire.LinkGuardianRequest(guardian=MOTHER)
        answer = await refused(family.guardians.LinkGuardian(bare, metadata=family.owner))
        assert (answer.reason, answer.metadata) == ("REQUEST_INVALID", {"field": "consent.text_version"})
        minor_as_guardian = family.app_of("guardian", OWNER)
        assert await reason(family.consent(by=minor_as_guardian, guardian=OWNER, minor="sibling")) == "GUARDIAN_IS_A_MINOR"
        assert await reason(family.step_down()) == "GUARDIANSHIP_UNKNOWN"
        await family.link(MOTHER)
        assert await reason(family.step_down(by=family.owner)) == "GUARDIAN_MUST_STEP_DOWN"
        assert await reason(family.step_down(by=family.father)) == "REQUEST_INVALID"
        ended = await family.step_down()
        assert ended.state == guardian_pb2.GUARDIANSHIP_STATE_ENDED
        assert await family.step_down() == ended
        again = await family.consent(by=family.owner)
        assert (again.state, again.HasField("guardian_consent")) == (guardian_pb2.GUARDIANSHIP_STATE_AWAITING_GUARDIAN, False)


async def test_without_a_guardian_nothing_is_widened_and_everything_narrowed(open_family: Any) -> None:
    """A wider audience, a longer list, a restriction less, a changed note, the end of a pause need a guardian; less does not."""
    async with open_family() as family:
        cameo = await family.cameo(
            b"minor", restrictions={"words": [WORD], "categories": ["USE_CATEGORY_SATIRE"]}, appearance_notes=NOTE
        )
        assert not cameo.HasField("pending_change")
        for wider in (
            *({"who_may_use": who} for who in ("WHO_MAY_USE_SELECTED", "WHO_MAY_USE_MUTUALS", "WHO_MAY_USE_EVERYONE")),
            {"selected_users": [FAN]},
            {"restrictions": {"words": [WORD]}},
            {"restrictions": {"categories": ["USE_CATEGORY_SATIRE"]}},
            {"appearance_notes": ""},
            {
                "who_may_use": "WHO_MAY_USE_EVERYONE",
                "restrictions": {"words": [WORD], "categories": ["USE_CATEGORY_SATIRE", "USE_CATEGORY_POLITICS"]},
            },
        ):
            assert await reason(family.update(cameo, **wider)) == "MINOR_NEEDS_GUARDIAN", wider
        cameo = await family.update(
            cameo,
            restrictions={"words": [WORD], "categories": ["USE_CATEGORY_SATIRE", "USE_CATEGORY_POLITICS"]},
            voice_notes="softly",
        )
        assert not cameo.HasField("pending_change")
        await family.end(cameo, "REVOCATION_MODE_PAUSE")
        assert await reason(family.resume(cameo)) == "MINOR_NEEDS_GUARDIAN"


async def test_what_widens_waits_for_the_guardian(open_family: Any) -> None:
    """The reply is the unchanged cameo with the pending change; approved, it holds; outside the graph it stays unknown."""
    async with open_family() as family:
        made = await family.cameo(b"minor")
        await family.link(MOTHER)
        await family.befriend(FAN)
        asked = await family.update(made, who_may_use="WHO_MAY_USE_EVERYONE")
        assert (asked.who_may_use, asked.pending_change.who_may_use) == (
            cameo_pb2.WHO_MAY_USE_ONLY_ME,
            cameo_pb2.WHO_MAY_USE_EVERYONE,
        )
        assert await family.update(asked, who_may_use="WHO_MAY_USE_EVERYONE") == asked
        assert await family.cameos() == [asked]
        assert await family.knows(asked) == "CAMEO_UNKNOWN"
        held = await family.approve(asked)
        assert (held.who_may_use, held.HasField("pending_change")) == (cameo_pb2.WHO_MAY_USE_EVERYONE, False)
        assert await family.approve(asked) == held
        assert await family.knows(held) == "PERMITTED"
        assert await family.knows(held, "account-3") == await family.knows(cameo_pb2.Cameo(id="none"), FAN) == "CAMEO_UNKNOWN"
        assert await reason(family.authorize(held, requester="account-3")) == "CAMEO_UNKNOWN"
        grant = await family.authorize(held)
        unfollow = SetFollowRequest(follower=FAN, followee=OWNER, follows=False)
        await family.graph.SetFollow(unfollow, metadata=family.app)
        assert await reason(family.spend(grant.token)) == "CAMEO_UNKNOWN"


async def test_a_selected_adult_outside_the_graph_finds_nothing(open_family: Any) -> None:
    """Being chosen and approved is not enough: who is no mutual is told that there is no cameo, a mutual not chosen too."""
    async with open_family() as family:
        cameo = await family.opened(MOTHER, who_may_use="WHO_MAY_USE_SELECTED", selected_users=[FAN])
        assert await family.knows(cameo) == "CAMEO_UNKNOWN"
        await family.befriend("account-3")
        assert await family.knows(cameo, "account-3") == "CAMEO_UNKNOWN"
        await family.befriend(FAN)
        assert await family.knows(cameo) == "PERMITTED"
        await family.pause(cameo)
        assert await family.knows(cameo) == "NOT_NOW"
        assert await family.knows(cameo, "account-3") == "CAMEO_UNKNOWN"


async def test_a_silent_graph_hides_a_minor_s_cameo(open_family: Any) -> None:
    """Where the app's graph cannot be asked, the answer does not give away that there is something to ask about."""
    async with open_family(relationships="127.0.0.1:9") as family:
        cameo = await family.opened(MOTHER, who_may_use="WHO_MAY_USE_EVERYONE")
        assert await family.knows(cameo) == "CAMEO_UNKNOWN"
        assert await family.knows(cameo, OWNER) == "PERMITTED"


async def test_of_two_guardians_both_approve_and_one_refuses(open_family: Any) -> None:
    """One approval holds nothing; a refusal ends the change for both, and each answer can be repeated, not turned around."""
    async with open_family() as family:
        made = await family.cameo(b"minor")
        await family.link(MOTHER, FATHER)
        asked = await family.update(made, who_may_use="WHO_MAY_USE_MUTUALS")
        half = await family.approve(asked)
        assert (half.who_may_use, list(half.pending_change.approved_by)) == (cameo_pb2.WHO_MAY_USE_ONLY_ME, [MOTHER])
        assert await family.approve(asked) == half
        ended = await family.refuse(asked, FATHER)
        assert (ended.who_may_use, ended.HasField("pending_change")) == (cameo_pb2.WHO_MAY_USE_ONLY_ME, False)
        assert await family.refuse(asked, FATHER) == ended
        assert await reason(family.approve(asked)) == "CHANGE_NOT_PENDING"
        again = await family.update(ended, who_may_use="WHO_MAY_USE_MUTUALS")
        assert again.pending_change.number > asked.pending_change.number
        assert await reason(family.approve(asked)) == "CHANGE_NOT_PENDING"
        await family.approve(again)
        held = await family.approve(again, FATHER)
        assert held.who_may_use == cameo_pb2.WHO_MAY_USE_MUTUALS
        assert await reason(family.refuse(again)) == "CHANGE_NOT_PENDING"


async def test_the_owner_s_last_word_is_what_waits(open_family: Any) -> None:
    """Narrowing holds at once and keeps or withdraws what waits; a wider wish takes its place, and the old one is dead."""
    async with open_family() as family:
        made = await family.cameo(b"minor", restrictions={"words": [WORD]})
        await family.link(MOTHER, FATHER)
        asked = await family.update(made, who_may_use="WHO_MAY_USE_MUTUALS", restrictions={"categories": ["USE_CATEGORY_SATIRE"]})
        assert (list(asked.restrictions.words), list(asked.restrictions.categories)) == ([WORD], [cameo_pb2.USE_CATEGORY_SATIRE])
        assert (list(asked.pending_change.restrictions.words), asked.who_may_use) == ([], cameo_pb2.WHO_MAY_USE_ONLY_ME)
        half = await family.approve(asked)
        kept = await family.update(
            half, restrictions={"words": [WORD], "categories": ["USE_CATEGORY_SATIRE", "USE_CATEGORY_POLITICS"]}
        )
        assert kept.restrictions == kept.pending_change.restrictions
        assert (kept.pending_change.number, list(kept.pending_change.approved_by)) == (asked.pending_change.number, [MOTHER])
        wider = await family.update(kept, who_may_use="WHO_MAY_USE_EVERYONE")
        assert (list(wider.pending_change.approved_by), wider.who_may_use) == ([], cameo_pb2.WHO_MAY_USE_ONLY_ME)
        assert await reason(family.approve(asked, FATHER)) == "CHANGE_NOT_PENDING"
        gone = await family.update(wider, who_may_use="WHO_MAY_USE_ONLY_ME")
        assert not gone.HasField("pending_change")
        assert await reason(family.approve(wider)) == "CHANGE_NOT_PENDING"
        assert list(gone.restrictions.categories) == [cameo_pb2.USE_CATEGORY_POLITICS, cameo_pb2.USE_CATEGORY_SATIRE]


async def test_any_guardian_narrows_at_once(open_family: Any) -> None:
    """What holds and what waits both shrink, restrictions are added, nothing widens; notes and nonsense are refused."""
    async with open_family() as family:
        cameo = await family.opened(MOTHER, FATHER, who_may_use="WHO_MAY_USE_MUTUALS", restrictions={"words": [WORD]})
        await family.befriend(FAN)
        grant = await family.authorize(cameo)
        asked = await family.update(cameo, who_may_use="WHO_MAY_USE_EVERYONE")
        await family.approve(asked, MOTHER)
        left = await family.narrow(asked, FATHER, restrictions={"words": ["no dogs"], "categories": ["USE_CATEGORY_ADVERTISING"]})
        assert (list(left.restrictions.words), list(left.restrictions.categories)) == (
            [WORD, "no dogs"],
            [cameo_pb2.USE_CATEGORY_ADVERTISING],
        )
        assert left.pending_change.restrictions == left.restrictions
        assert list(left.pending_change.approved_by) == [MOTHER]
        ended = await family.narrow(left, FATHER, who_may_use="WHO_MAY_USE_SELECTED", selected_users=["account-3"])
        assert (ended.who_may_use, list(ended.selected_users)) == (cameo_pb2.WHO_MAY_USE_SELECTED, ["account-3"])
        assert not ended.HasField("pending_change")
        assert await reason(family.spend(grant.token)) == "GRANT_REVOKED"
        assert await family.narrow(ended, MOTHER, who_may_use="WHO_MAY_USE_EVERYONE") == ended
        for bad in ({"appearance_notes": NOTE}, {"subject": "me"}, {"who_may_use": 9}, {"restrictions": {"words": [""]}}, {}):
            assert await reason(family.narrow(ended, **bad)) == "REQUEST_INVALID", bad


async def test_restrictions_that_stand_together_have_a_limit(open_family: Any) -> None:
    """Twenty words that hold and twenty that wait would be forty: refused, to owner and guardian, and nothing changes."""
    async with open_family() as family:
        first, second = ([f"no {kind} {number}" for number in range(20)] for kind in ("cats", "dogs"))
        cameo = await family.cameo(b"minor", restrictions={"words": first})
        await family.link(MOTHER)
        assert await reason(family.update(cameo, restrictions={"words": second})) == "TOO_MANY_RESTRICTIONS"
        assert await reason(family.narrow(cameo, restrictions={"words": second[:1]})) == "TOO_MANY_RESTRICTIONS"
        assert await family.cameos() == [cameo]


async def test_a_guardian_s_pause_outlasts_the_minor(open_family: Any) -> None:
    """Open grants die; the minor can only ask; everyone who paused has to end it, or every guardian to approve the wish."""
    async with open_family() as family:
        cameo = await family.opened(MOTHER, FATHER, who_may_use="WHO_MAY_USE_MUTUALS")
        await family.befriend(FAN)
        grant = await family.authorize(cameo)
        paused = await family.pause(cameo)
        assert (paused.state, paused.reason, paused.paused_by_guardian) == (cameo_pb2.CAMEO_STATE_PAUSED, "exams", True)
        assert await family.pause(cameo) == paused
        assert await reason(family.spend(grant.token)) == "GRANT_REVOKED"
        await family.end(cameo, "REVOCATION_MODE_PAUSE")
        assert (await family.lift(cameo)).state == cameo_pb2.CAMEO_STATE_PAUSED
        asked = await family.resume(cameo)
        assert (asked.state, asked.pending_change.resume) == (cameo_pb2.CAMEO_STATE_PAUSED, True)
        assert await family.resume(cameo) == asked
        assert (await family.approve(asked)).state == cameo_pb2.CAMEO_STATE_PAUSED
        refusing = await family.pause(cameo, FATHER)
        assert not refusing.HasField("pending_change")
        assert await reason(family.approve(asked, FATHER)) == "CHANGE_NOT_PENDING"
        again = await family.resume(cameo)
        await family.approve(again)
        running = await family.approve(again, FATHER)
        assert (running.state, running.reason, running.paused_by_guardian) == (cameo_pb2.CAMEO_STATE_ACTIVE, "", False)
        await family.pause(cameo)
        await family.resume(cameo)
        lifted = await family.lift(cameo)
        assert (lifted.state, lifted.HasField("pending_change")) == (cameo_pb2.CAMEO_STATE_ACTIVE, False)


async def test_stepping_down_widens_nothing(open_family: Any) -> None:
    """With one guardian left what waited is withdrawn and a pause goes on; with none left only the owner may use it."""
    async with open_family() as family:
        cameo = await family.opened(MOTHER, FATHER, who_may_use="WHO_MAY_USE_MUTUALS")
        await family.befriend(FAN)
        asked = await family.update(cameo, who_may_use="WHO_MAY_USE_EVERYONE")
        await family.approve(asked, FATHER)
        await family.pause(cameo, MOTHER)
        await family.step_down(MOTHER)
        [left] = await family.cameos(FATHER)
        assert (left.who_may_use, left.state, left.HasField("pending_change")) == (
            cameo_pb2.WHO_MAY_USE_MUTUALS,
            cameo_pb2.CAMEO_STATE_PAUSED,
            False,
        )
        assert await reason(family.approve(asked, FATHER)) == "CHANGE_NOT_PENDING"
        assert await reason(family.lift(cameo, MOTHER)) == "CAMEO_UNKNOWN"
        assert (await family.lift(cameo, FATHER)).state == cameo_pb2.CAMEO_STATE_ACTIVE
        assert await family.knows(cameo) == "PERMITTED"
        await family.step_down(FATHER)
        assert await family.knows(cameo) == "CAMEO_UNKNOWN"
        found = await family.stub.GetCameo(cameo_wire.GetCameoRequest(cameo_id=cameo.id), metadata=family.owner)
        assert found.who_may_use == cameo_pb2.WHO_MAY_USE_ONLY_ME
        assert await reason(family.update(found, who_may_use="WHO_MAY_USE_MUTUALS")) == "MINOR_NEEDS_GUARDIAN"


async def test_guardians_who_step_down_at_once_leave_no_one_in(open_family: Any) -> None:
    """Two who leave at the same time: the second sees that the first is gone, and the audience ends."""
    async with open_family() as family:
        cameo = await family.opened(MOTHER, FATHER, who_may_use="WHO_MAY_USE_EVERYONE")
        await asyncio.gather(family.step_down(MOTHER), family.step_down(FATHER))
        found = await family.stub.GetCameo(cameo_wire.GetCameoRequest(cameo_id=cameo.id), metadata=family.owner)
        assert found.who_may_use == cameo_pb2.WHO_MAY_USE_ONLY_ME


async def test_a_guardian_sees_uses_of_a_minor_s_cameo_only(open_family: Any) -> None:
    """Others' drafts included; not of a cameo without the safeguards, not of another's minor, not after stepping down."""
    async with open_family() as family:
        cameo = await family.opened(MOTHER, who_may_use="WHO_MAY_USE_MUTUALS")
        await family.befriend(FAN)
        grant = await family.authorize(cameo)
        await family.spend(grant.token)
        draft = await family.record(grant.grant_id)
        [use] = (await family.uses(cameo)).uses
        assert (use.grant_id, use.requester, list(use.outputs)) == (grant.grant_id, FAN, [draft])
        grown = await family.cameo()
        assert not grown.minor_safeguards
        assert [each.id for each in await family.cameos()] == [cameo.id]
        for call in (
            family.uses(cameo, FATHER),
            family.uses(grown),
            family.pause(grown),
            family.narrow(grown, who_may_use="WHO_MAY_USE_ONLY_ME"),
        ):
            assert await reason(call) == "CAMEO_UNKNOWN"
        for call in (family.approve(grown, number=1), family.approve(cameo, FATHER, number=1), family.refuse(grown)):
            assert await reason(call) == "CAMEO_UNKNOWN"
        await family.step_down()
        assert await reason(family.uses(cameo)) == "CAMEO_UNKNOWN"
        assert await family.cameos() == []


async def test_owner_and_guardian_are_told_the_same(open_family: Any) -> None:
    """Links, proposals, answers and what became of them, in one stream without a gap; a guardian hears of no other person."""
    async with open_family() as family:
        adult = await family.cameo()
        cameo = await family.cameo(b"minor")
        await family.link(MOTHER)
        asked = await family.update(cameo, who_may_use="WHO_MAY_USE_MUTUALS")
        asked = await family.update(await family.refuse(asked), who_may_use="WHO_MAY_USE_EVERYONE")
        held = await family.approve(asked)
        asked = await family.update(held, voice_notes="softly", restrictions={"categories": ["USE_CATEGORY_SATIRE"]})
        asked = await family.update(
            await family.narrow(asked, who_may_use="WHO_MAY_USE_MUTUALS"), who_may_use="WHO_MAY_USE_EVERYONE"
        )
        await family.update(asked, who_may_use="WHO_MAY_USE_MUTUALS")
        kinds = [
            *("CREATED", "GUARDIAN_LINKED", "CHANGE_PROPOSED", "CHANGE_REFUSED", "CHANGE_PROPOSED", "CHANGE_APPROVED"),
            *("PERMISSION_CHANGED", "PERMISSION_CHANGED", "PERMISSION_CHANGED", "CHANGE_PROPOSED", "CHANGE_WITHDRAWN"),
        ]
        told = await family.events(by=family.mother, count=len(kinds))
        assert [short_name(cameo_pb2.CameoEventKind, event.kind) for event in told] == kinds
        assert {event.cameo_id for event in told} == {cameo.id, ""}
        everything = await family.events(by=family.owner, count=len(kinds) + 1)
        assert everything[0].cameo_id == adult.id
        assert everything[1:] == told
        assert await family.events(told[4].cursor, by=family.mother, count=len(kinds) - 5) == told[5:]
        silent = family.stub.WatchCameoEvents(cameo_wire.WatchCameoEventsRequest(), metadata=family.father, timeout=0.5)
        with pytest.raises(grpc.aio.AioRpcError):
            await silent.read()


@only_sqlite
async def test_an_ended_cameo_has_no_guardian_s_word_any_more(open_family: Any, tmp_path: Path) -> None:
    """Revoking and deleting are the minor's own to do; what waited is gone, from the files too, and answers are refused."""
    async with open_family() as family:
        first, second = await family.cameo(b"minor"), await family.cameo(b"minor")
        await family.link(MOTHER)
        first = await family.update(first, who_may_use="WHO_MAY_USE_MUTUALS")
        second = await family.update(second, who_may_use="WHO_MAY_USE_SELECTED", selected_users=["chosen-one"])
        database = tmp_path / "data" / "cameo.sqlite3"
        assert b"chosen-one" in files(database)
        ended = await family.end(first, "REVOCATION_MODE_FOR_GOOD")
        assert not ended.HasField("pending_change")
        gone = await family.stub.DeleteCameo(cameo_wire.DeleteCameoRequest(cameo_id=second.id), metadata=family.owner)
        assert not gone.HasField("pending_change")
        assert b"chosen-one" not in files(database)
        assert b"chosen-one" not in dump(database)
        for cameo, expected in ((first, "CAMEO_ENDED"), (second, "CAMEO_GONE")):
            calls = (family.approve(cameo), family.refuse(cameo), family.pause(cameo), family.lift(cameo))
            for call in (*calls, family.narrow(cameo, who_may_use="WHO_MAY_USE_ONLY_ME")):
                assert await reason(call) == expected
        await family.step_down()


async def test_an_unbounded_reason_and_an_empty_minor_are_refused(open_family: Any) -> None:
    """Fields of guardians' requests are held against the contract like everyone else's."""
    async with open_family() as family:
        cameo = await family.opened(MOTHER, who_may_use="WHO_MAY_USE_MUTUALS")
        assert await reason(family.pause(cameo, why="x" * 501)) == "REQUEST_INVALID"
        empty = wire.ListMinorCameosRequest()
        assert await reason(family.guardians.ListMinorCameos(empty, metadata=family.mother)) == "REQUEST_INVALID"
        for token in ("bm9uZQ", Listing("ListMinorUses", (cameo.id,)).token(2**62)):
            bad = wire.ListMinorUsesRequest(cameo_id=cameo.id, page_token=token)
            assert await reason(family.guardians.ListMinorUses(bad, metadata=family.mother)) == "PAGE_TOKEN_INVALID"
