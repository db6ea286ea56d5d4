"""`cameo.v1.GuardianService`: links guardians to minors, and takes their decisions.

Each method is one function in a transaction, see `cameo_verifier.store.cameos.guardians`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cameo.v1 import guardian_service_pb2 as wire
from cameo.v1 import guardian_service_pb2_grpc
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.cameo.cursor import Listing
from cameo_verifier.server.auth.caller import current_caller
from cameo_verifier.server.wire import cameo_convert as convert
from cameo_verifier.server.wire import cameo_input as given
from cameo_verifier.store.cameos import guardians, guardianships, removals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from grpc.aio import ServicerContext as Context
    from sqlalchemy import Connection

    from cameo.v1.cameo_pb2 import Cameo
    from cameo.v1.guardian_pb2 import Guardianship
    from cameo_verifier.cameo.model import Use
    from cameo_verifier.cameo.removals import Removal
    from cameo_verifier.store.cameos.consent_records import ConsentRecords
    from cameo_verifier.store.db.batches import Batches


class GuardianService(guardian_service_pb2_grpc.GuardianServiceServicer):
    """The service; see the module."""

    def __init__(self, *, reads: Batches, writes: Batches, records: ConsentRecords, clock: Callable[[], datetime]) -> None:
        """Keep the parts; `clock` returns the time in UTC."""
        self._reads = reads
        self._writes = writes
        self._records = records
        self._clock = clock

    async def LinkGuardian(  # noqa: N802 - the contract's
        self,
        request: wire.LinkGuardianRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> Guardianship:
        """Record one side's consent to a link."""
        guardian, minor, by_guardian = _pair(request)
        text_version, locale, agreed_at, text_sha256 = given.consent(request.consent)
        work = partial(
            guardians.consent,
            guardian=guardian,
            minor=minor,
            by_guardian=by_guardian,
            text_version=text_version,
            locale=locale,
            agreed_at=agreed_at,
            now=self._clock(),
            text_sha256=text_sha256,
        )
        return convert.guardianship(await self._writes.submit(work))

    async def UnlinkGuardian(  # noqa: N802 - the contract's
        self,
        request: wire.UnlinkGuardianRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> Guardianship:
        """End a link, or one side's consent to it."""
        guardian, minor, by_guardian = _pair(request)
        work = partial(guardians.end, guardian=guardian, minor=minor, by_guardian=by_guardian, now=self._clock())
        return convert.guardianship(await self._writes.submit(work))

    async def ListGuardianships(  # noqa: N802 - the contract's
        self,
        request: wire.ListGuardianshipsRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> wire.ListGuardianshipsResponse:
        """Return a page of the caller's links."""
        caller = current_caller()
        mine = caller.role is CallerRole.GUARDIAN
        size, listed = given.page_size(request.page_size), Listing("ListGuardianships", (caller.role, caller.id))
        after = listed.place(request.page_token, now=self._clock())
        work = partial(guardianships.of_person, person=caller.id, as_guardian=mine, after=after, limit=size + 1)
        found = await self._reads.submit(work)
        page, token = listed.page(found, size, lambda each: (each.created_at, each.minor if mine else each.guardian))
        return wire.ListGuardianshipsResponse(guardianships=map(convert.guardianship, page), next_page_token=token)

    async def ListMinorCameos(  # noqa: N802 - the contract's
        self,
        request: wire.ListMinorCameosRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> wire.ListMinorCameosResponse:
        """Return a page of a minor's cameos."""
        minor, size = given.user(request.minor, "minor"), given.page_size(request.page_size)
        listed = Listing("ListMinorCameos", (minor,))
        after = listed.place(request.page_token, now=self._clock())
        work = partial(guardians.cameos_of, minor=minor, guardian=current_caller().id, after=after, limit=size + 1)
        found = await self._reads.submit(work)
        page, token = listed.page(found, size, lambda each: (each.created_at, each.id))
        return wire.ListMinorCameosResponse(cameos=map(convert.cameo, page), next_page_token=token)

    async def ApproveChange(self, request: wire.ApproveChangeRequest, context: Context[Any, Any]) -> Cameo:  # noqa: ARG002, N802 - the contract's
        """Approve a pending change."""
        return await self._answer(guardians.approve, request.cameo_id, number=request.number, records=self._records)

    async def RefuseChange(self, request: wire.RefuseChangeRequest, context: Context[Any, Any]) -> Cameo:  # noqa: ARG002, N802 - the contract's
        """Refuse a pending change."""
        return await self._answer(guardians.refuse, request.cameo_id, number=request.number)

    async def NarrowCameo(self, request: wire.NarrowCameoRequest, context: Context[Any, Any]) -> Cameo:  # noqa: ARG002, N802 - the contract's
        """Narrow a cameo to at most these terms."""
        return await self._answer(guardians.narrow, request.cameo.id, bound=given.changed_terms(request))

    async def PauseMinorCameo(self, request: wire.PauseMinorCameoRequest, context: Context[Any, Any]) -> Cameo:  # noqa: ARG002, N802 - the contract's
        """Pause a minor's cameo."""
        return await self._answer(guardians.pause, request.cameo_id, reason=given.note(request.reason, "reason"))

    async def ResumeMinorCameo(self, request: wire.ResumeMinorCameoRequest, context: Context[Any, Any]) -> Cameo:  # noqa: ARG002, N802 - the contract's
        """End the guardian's own pause."""
        return await self._answer(guardians.resume, request.cameo_id)

    async def ListMinorUses(  # noqa: N802 - the contract's
        self,
        request: wire.ListMinorUsesRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> wire.ListMinorUsesResponse:
        """Return a page of uses of a minor's cameo."""
        size, listed = given.page_size(request.page_size), Listing("ListMinorUses", (request.cameo_id,))
        before = listed.number(request.page_token)
        guardian = current_caller().id

        def work(connection: Connection) -> tuple[list[Use], Mapping[str, list[Removal]]]:
            found = guardians.uses_of(connection, request.cameo_id, guardian=guardian, before=before, limit=size + 1)
            return found, removals.of_grants(connection, request.cameo_id, [use.grant.id for use in found])

        found, asked = await self._reads.submit(work)
        (page, token), now = listed.page(found, size, lambda each: each.number), self._clock()
        shown = [convert.use(each, asked, now=now) for each in page]
        return wire.ListMinorUsesResponse(uses=shown, next_page_token=token)

    async def _answer(self, verb: Callable[..., Any], cameo_id: str, **how: Any) -> Cameo:  # noqa: ANN401 - the verb's own
        work = partial(verb, identifier=cameo_id, guardian=current_caller().id, now=self._clock(), **how)
        return convert.cameo(await self._writes.submit(work))


def _pair(request: wire.LinkGuardianRequest | wire.UnlinkGuardianRequest) -> tuple[str, str, bool]:
    """Return guardian, minor, and whether the guardian calls; the caller is one of the two."""
    caller = current_caller()
    by_guardian = caller.role is CallerRole.GUARDIAN
    guardian = caller.id if by_guardian and not request.guardian else given.user(request.guardian, "guardian")
    minor = caller.id if not by_guardian and not request.minor else given.user(request.minor, "minor")
    if caller.id != (guardian if by_guardian else minor):
        raise given.invalid("guardian" if by_guardian else "minor", "must be the caller, or empty")
    if guardian == minor:
        raise given.invalid("minor" if by_guardian else "guardian", "must be someone else")
    return guardian, minor, by_guardian
