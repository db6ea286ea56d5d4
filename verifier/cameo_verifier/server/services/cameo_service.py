"""`cameo.v1.CameoService`: cameos, their terms, grants, uses and events.

Each method maps its request to one function that runs in a transaction (`store`), where the rules (`cameo`)
apply to the state at that moment. If a rule needs a relationship that is unknown, the transaction is abandoned, the relationship
is looked up, and the function runs again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from cameo.v1 import cameo_pb2, cameo_service_pb2, cameo_service_pb2_grpc, error_reason_pb2
from cameo_credential.errors import CredentialError
from cameo_credential.grant_token import open_grant, sign_grant
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.cameo.cursor import EVENTS, Listing
from cameo_verifier.cameo.grants import compose
from cameo_verifier.cameo.permissions import Answer, RelationshipNeededError, Relationships
from cameo_verifier.cameo.refusal import RefusedError
from cameo_verifier.server.auth.caller import current_caller
from cameo_verifier.server.wire import cameo_convert as convert
from cameo_verifier.server.wire import cameo_input as given
from cameo_verifier.server.wire.enums import full_name
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.server.wire.request_id import require_request_id
from cameo_verifier.store.cameos import cameos, likenesses, removals, uses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from grpc.aio import ServicerContext as Context
    from sqlalchemy import Connection

    from cameo.v1.cameo_pb2 import Cameo, CameoEvent, Output
    from cameo.v1.cameo_service_pb2 import (
        AuthorizeUseRequest,
        AuthorizeUseResponse,
        CheckPermissionRequest,
        CheckPermissionResponse,
        CreateCameoRequest,
        DeleteCameoRequest,
        GetCameoRequest,
        ListCameosRequest,
        ListCameosResponse,
        ListUsesRequest,
        ListUsesResponse,
        RecordOutputRequest,
        ResumeCameoRequest,
        RevokeCameoRequest,
        SpendGrantRequest,
        SpendGrantResponse,
        UpdateCameoRequest,
        WatchCameoEventsRequest,
    )
    from cameo_verifier.cameo import model
    from cameo_verifier.cameo.model import Grant, Use
    from cameo_verifier.cameo.removals import Removal
    from cameo_verifier.server.auth.requester import RequesterTokens
    from cameo_verifier.server.delivering import Delivering
    from cameo_verifier.server.event_feed import EventFeed
    from cameo_verifier.server.rate import Rate
    from cameo_verifier.server.services.relationships import RelationshipSource
    from cameo_verifier.store.cameos.consent_records import ConsentRecords
    from cameo_verifier.store.cameos.vault import SealedLikeness
    from cameo_verifier.store.db.batches import Batches

log = structlog.get_logger(__name__)

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class UseLimits:
    """Limits that a site sets: cameos of a job, lifetimes of a grant, a cached answer and an open removal, outputs of a grant."""

    job_cameos: int
    grant_ttl: timedelta
    cached_for: timedelta
    removal_due: timedelta
    grant_outputs: int


@dataclass(frozen=True, slots=True)
class Permissions:
    """Frequent requests of generators, `uses.check_all` and `uses.authorize_all`: one request, batched with others.

    checks, refusals: how often a caller may be answered by the one, and refused by the other, which answers too.
    """

    check: Callable[[uses.Question], asyncio.Future[Answer]]
    authorize: Callable[[uses.GrantRequest], asyncio.Future[uses.Granted]]
    checks: Rate
    refusals: Rate


class CameoService(cameo_service_pb2_grpc.CameoServiceServicer):
    """The service; see the module."""

    def __init__(  # noqa: PLR0913 - everything is injected, by name
        self,
        *,
        reads: Batches,
        writes: Batches,
        records: ConsentRecords,
        permissions: Permissions,
        requesters: RequesterTokens | None,
        relationships: RelationshipSource,
        delivering: Delivering,
        limits: UseLimits,
        scrub: Callable[[], bool],
        clock: Callable[[], datetime],
        feed: EventFeed,
    ) -> None:
        """Keep the parts.

        `requesters` is None where every caller counts as the app; `scrub` clears deleted data from the disk too; `clock` returns
        the time in UTC; `feed` supplies all streams of events.
        """
        self._reads = reads
        self._writes = writes
        self._records = records
        self._permissions = permissions
        self._requesters = requesters
        self._relationships = relationships
        self._issuer = delivering.issuer
        self._delivering = delivering
        self._limits = limits
        self._scrub = scrub
        self._clock = clock
        self._feed = feed

    async def CreateCameo(self, request: CreateCameoRequest, context: Context[Any, Any]) -> Cameo:  # noqa: ARG002, N802 - the contract's
        """Create a cameo of an accepted attempt."""
        require_request_id(request.request_id)
        text_version, locale, agreed_at, text_sha256 = given.consent(request.consent)
        return await self._change(
            partial(
                cameos.create,
                attempt_id=request.attempt_id,
                subject=_own(),
                request_id=request.request_id.lower(),
                text_version=text_version,
                locale=locale,
                agreed_at=agreed_at,
                now=self._clock(),
                text_sha256=text_sha256,
                records=self._records,
            )
        )

    async def GetCameo(self, request: GetCameoRequest, context: Context[Any, Any]) -> Cameo:  # noqa: ARG002, N802 - the contract's
        """Return a cameo."""
        return convert.cameo(await self._read(partial(cameos.get, identifier=request.cameo_id, subject=_own())))

    async def ListCameos(  # noqa: N802 - the contract's
        self,
        request: ListCameosRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> ListCameosResponse:
        """Return a page of a person's cameos."""
        own = _own()
        subject = given.user(request.subject, "subject") if own is None or request.subject else own
        if own not in {None, subject}:
            return cameo_service_pb2.ListCameosResponse()
        size, listed = given.page_size(request.page_size), Listing("ListCameos", (subject,))
        after = listed.place(request.page_token, now=self._clock())
        found = await self._read(partial(cameos.of_subject, subject=subject, after=after, limit=size + 1))
        page, token = listed.page(found, size, lambda each: (each.created_at, each.id))
        return cameo_service_pb2.ListCameosResponse(cameos=map(convert.cameo, page), next_page_token=token)

    async def UpdateCameo(self, request: UpdateCameoRequest, context: Context[Any, Any]) -> Cameo:  # noqa: ARG002, N802 - the contract's
        """Change the terms of a cameo."""
        changed, asked = given.changed_terms(request), request.cameo
        return await self._change(
            partial(
                cameos.change,
                identifier=asked.id,
                changed=changed,
                subject=_own(),
                version=asked.version,
                now=self._clock(),
                records=self._records,
            )
        )

    async def CheckPermission(  # noqa: N802 - the contract's
        self,
        request: CheckPermissionRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> CheckPermissionResponse:
        """Return whether a use would be permitted now."""
        caller, now = current_caller(), self._clock()
        if caller.role is CallerRole.APP:
            requester = given.user(request.requester, "requester")
        else:
            requester = self._requester(request.requester_token)
            self._permissions.checks.require(caller)
            self._permissions.checks.count(caller)
        purposes, since = given.purposes(request.purposes), self._issuer.attested_since(now)
        generator = caller.id if caller.role is CallerRole.GENERATOR else ""
        answer = await self._asking(
            lambda known: self._permissions.check(uses.Question(request.cameo_id, requester, purposes, known, since, generator))
        )
        return cameo_service_pb2.CheckPermissionResponse(
            allowed=answer is Answer.PERMITTED,
            answer=full_name(cameo_pb2.PermissionAnswer, answer),
            cache_until=now if answer is Answer.RELATIONSHIP_UNKNOWN else now + self._limits.cached_for,
        )

    async def AuthorizeUse(  # noqa: N802 - the contract's
        self,
        request: AuthorizeUseRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> AuthorizeUseResponse:
        """Grant the use of cameos to one job."""
        caller = current_caller()
        job = given.job(
            request,
            audience=caller.id,
            requester=partial(self._requester, request.requester_token),
            at_most=self._limits.job_cameos,
        )
        algorithm = self._issuer.signature_for(job.audience)
        # Whole seconds, so that the token equals the row.
        now = self._clock().replace(microsecond=0)
        identifier, expires_at = self._issuer.new_id(), now + self._limits.grant_ttl
        since = self._issuer.attested_since(now)
        self._permissions.refusals.require(caller)
        try:
            grant, found = await self._asking(
                lambda known: self._permissions.authorize(uses.GrantRequest(job, identifier, known, now, expires_at, since))
            )
        except RefusedError:
            self._permissions.refusals.count(caller)
            raise
        claims = compose(grant, found, issuer=self._issuer.name, pairwise=self._issuer.pairwise)
        token = sign_grant(claims, keys=self._issuer.keys.current(), algorithm=algorithm)
        return cameo_service_pb2.AuthorizeUseResponse(
            grant_id=grant.id, token=token, expire_time=grant.expires_at, terms=convert.use_terms(found)
        )

    async def SpendGrant(  # noqa: N802 - the contract's
        self,
        request: SpendGrantRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> SpendGrantResponse:
        """Spend a grant."""
        require_request_id(request.request_id)
        audience, now = current_caller().id, self._clock()
        try:
            facts = open_grant(
                request.token,
                issuer_keys=self._issuer.keys.current().public(self._issuer.name),
                expected_audience=audience,
                expected_issuer=self._issuer.name,
                now=now,
                by_its_own_times=False,
            )
        except CredentialError as error:
            raise RequestError(
                error_reason_pb2.ERROR_REASON_GRANT_INVALID, str(error), metadata={"refusal": error.reason}
            ) from None
        self._issuer.signature_for(audience)

        def work(connection: Connection, known: Relationships) -> tuple[Grant, tuple[model.Cameo, ...], list[SealedLikeness]]:
            grant, found = uses.spend(
                connection,
                facts.id,
                audience=audience,
                request_id=request.request_id.lower(),
                relationships=known,
                now=now,
                attested_since=self._issuer.attested_since(now),
            )
            return grant, found, [likenesses.of(connection, cameo.id) for cameo in found]

        grant, found, sealed = await self._asking(lambda known: self._writes.submit(partial(work, known=known)))
        delivered = await asyncio.to_thread(self._delivering.deliver, grant, found, sealed, now=now)
        return cameo_service_pb2.SpendGrantResponse(
            grant_id=grant.id, spend_time=grant.spent_at, terms=convert.use_terms(found), likenesses=delivered
        )

    async def RecordOutput(self, request: RecordOutputRequest, context: Context[Any, Any]) -> Output:  # noqa: ARG002, N802 - the contract's
        """Record an output; if it was to be removed already, its present holder is notified."""
        now, new_id = self._clock(), self._issuer.new_id
        made, audience = given.made(request.output), current_caller().id

        def work(connection: Connection) -> Output:
            how: dict[str, Any] = {"audience": audience, "identifier": new_id(), "now": now}
            output = uses.record(connection, request.grant_id, made, at_most=self._limits.grant_outputs, **how)
            removals.follow(connection, output.id, new_id=new_id, now=now, due_in=self._limits.removal_due)
            return convert.output(output)

        return await self._writes.submit(work)

    async def ListUses(  # noqa: N802 - the contract's
        self,
        request: ListUsesRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> ListUsesResponse:
        """Return a page of uses."""
        size, subject = given.page_size(request.page_size), _own()
        listed = Listing("ListUses", (request.cameo_id,))
        before = listed.number(request.page_token)

        def work(connection: Connection) -> tuple[list[Use], Mapping[str, list[Removal]]]:
            cameos.get(connection, request.cameo_id, subject=subject)
            found = uses.of_cameo(connection, request.cameo_id, before=before, limit=size + 1)
            return found, removals.of_grants(connection, request.cameo_id, [use.grant.id for use in found])

        found, asked = await self._read(work)
        (page, token), now = listed.page(found, size, lambda each: each.number), self._clock()
        shown = [convert.use(each, asked, now=now) for each in page]
        return cameo_service_pb2.ListUsesResponse(uses=shown, next_page_token=token)

    async def RevokeCameo(self, request: RevokeCameoRequest, context: Context[Any, Any]) -> Cameo:  # noqa: ARG002, N802 - the contract's
        """Pause or revoke a cameo."""
        verbs: dict[int, Callable[..., Any]] = {
            cameo_service_pb2.REVOCATION_MODE_PAUSE: cameos.pause,
            cameo_service_pb2.REVOCATION_MODE_FOR_GOOD: partial(cameos.revoke, records=self._records),
        }
        if request.mode not in verbs:
            raise given.invalid("mode", "must be REVOCATION_MODE_PAUSE or REVOCATION_MODE_FOR_GOOD")
        reason = given.note(request.reason, "reason")
        return await self._change(
            partial(verbs[request.mode], identifier=request.cameo_id, subject=_own(), reason=reason, now=self._clock())
        )

    async def ResumeCameo(self, request: ResumeCameoRequest, context: Context[Any, Any]) -> Cameo:  # noqa: ARG002, N802 - the contract's
        """End the owner's pause."""
        return await self._change(partial(cameos.resume, identifier=request.cameo_id, subject=_own(), now=self._clock()))

    async def DeleteCameo(self, request: DeleteCameoRequest, context: Context[Any, Any]) -> Cameo:  # noqa: ARG002, N802 - the contract's
        """Delete a cameo."""
        tombstone = await self._change(
            partial(cameos.delete, identifier=request.cameo_id, subject=_own(), now=self._clock(), records=self._records)
        )
        if not await asyncio.to_thread(self._scrub):
            log.info("the write-ahead log is being read; it is emptied within a minute")
        return tombstone

    async def WatchCameoEvents(  # noqa: N802 - the contract's
        self, request: WatchCameoEventsRequest, context: Context[WatchCameoEventsRequest, CameoEvent]
    ) -> None:
        """Stream the events after the cursor."""
        with self._feed.open(current_caller(), EVENTS.number(request.cursor) or 0) as stream:
            while True:
                for event in await stream.read():
                    await context.write(convert.event(event))

    def _requester(self, token: str, job_id: str | None = None) -> str:
        if self._requesters is None:
            raise RuntimeError("a site without an issuer of tokens has no callers but the app")
        return self._requesters.requester(token, generator=current_caller().id, job_id=job_id)

    async def _read(self, work: Callable[[Connection], ResultT]) -> ResultT:
        return await self._reads.submit(work)

    async def _change(self, work: Callable[[Connection], Any]) -> cameo_pb2.Cameo:
        return convert.cameo(await self._writes.submit(work))

    async def _asking(self, submit: Callable[[Relationships], asyncio.Future[ResultT]]) -> ResultT:
        answers: dict[tuple[str, str], bool | None] = {}
        # Each round answers one more lookup, and there are no more of them than cameos in a job; owners do not change.
        for _ in range(self._limits.job_cameos + 1):
            try:
                return await submit(Relationships(answers))
            except RelationshipNeededError as needed:
                answers[needed.pair] = await self._relationships.mutuals(*needed.pair)
        raise RuntimeError("the same relationship was asked for again")


def _own() -> str | None:
    """Return the subject whose cameos the caller sees: their own, or None, everyone's, for the app."""
    return current_caller().sees
