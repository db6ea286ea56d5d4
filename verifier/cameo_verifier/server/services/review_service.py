"""`cameo.v1.ReviewService`: attempts, evidence, replays, labels and decisions for analysts.

Evidence is read only by the vault, which writes the audit log before it decrypts. Slow work (reading, replaying, comparing) runs
beside the event loop, and a replay that needs the models in a process of its own; a stream that its caller does not read is ended
after a while.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from cameo.v1 import error_reason_pb2, review_service_pb2, review_service_pb2_grpc
from cameo_credential.errors import InvalidRequestError
from cameo_verifier.errors import NotFoundError
from cameo_verifier.review.replay import Material, NotReplayed, OpenReplay, Source
from cameo_verifier.server.auth.caller import current_caller
from cameo_verifier.server.comparing import Comparison
from cameo_verifier.server.places import Places
from cameo_verifier.server.replaying import replay_aside
from cameo_verifier.server.threads import undisturbed
from cameo_verifier.server.wire import review_convert as convert
from cameo_verifier.server.wire import review_input as given
from cameo_verifier.server.wire.cameo_input import invalid, page_size
from cameo_verifier.server.wire.enums import full_name
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.server.wire.evidence_errors import damaged, refusal
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.labels import LabelStore
from cameo_verifier.store.attempts.result import from_bytes as result_from
from cameo_verifier.store.attempts.search import AttemptSearch
from cameo_verifier.store.attempts.sessions import hello_of
from cameo_verifier.store.cameos.faces import FaceStore
from cameo_verifier.store.cameos.suspensions import SuspensionStore
from cameo_verifier.store.evidence.errors import EvidenceError
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.types import Ruling

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from grpc.aio import ServicerContext as Context
    from sqlalchemy import Engine

    from cameo.v1.review_service_pb2 import (
        ApproveAttemptRequest,
        CompareProfilesRequest,
        CompareProfilesResponse,
        DeclineAttemptRequest,
        GetEvidenceRequest,
        GetEvidenceResponse,
        Label,
        LabelAttemptRequest,
        LiftSuspensionRequest,
        ListAttemptsRequest,
        ListAttemptsResponse,
        ReplayAttemptRequest,
        ReplayAttemptResponse,
        Reviewed,
        ReviewedAttempt,
        ReviewServiceGetAttemptRequest,
        SuspendCameoRequest,
        Suspended,
        WithdrawLabelRequest,
    )
    from cameo_verifier.review.evidence_room import EvidenceRoom
    from cameo_verifier.server.deciding import Deciding
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.attempts import labels
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.store.attempts.opinions import OpinionRequest
    from cameo_verifier.store.cameos import suspensions
    from cameo_verifier.store.evidence.audit import Reader

log = structlog.get_logger(__name__)

_CHUNK_BYTES = 64 * 1024
_STEP_S = 0.5
_AUDIT_LINES = 1000
_EVIDENCE_AT_ONCE = 8
"""Maximum number of pieces of evidence in memory, each up to a recording."""
_REPLAYS_AT_ONCE = 2
_RECORDINGS_AT_ONCE = 1
"""Each has a process with models of its own."""
_COMPARISONS_AT_ONCE = 1


@dataclass(frozen=True, slots=True)
class Site:
    """The parts of a site that review needs."""

    engine: Engine
    room: EvidenceRoom
    settings: Settings
    deciding: Deciding


class ReviewService(review_service_pb2_grpc.ReviewServiceServicer):
    """The service; see the module."""

    def __init__(self, site: Site, *, clock: Callable[[], datetime], stopping: asyncio.Event) -> None:
        """Keep the parts; `clock` returns the time in UTC, `stopping` is set when the server stops."""
        self._site, self._clock, self._stopping = site, clock, stopping
        self._attempts, self._labels = AttemptStore(site.engine), LabelStore(site.engine)
        self._search, self._faces = AttemptSearch(site.engine), FaceStore(site.engine)
        self._suspensions = SuspensionStore(site.engine, site.room.audit)
        self._evidence = Places(_EVIDENCE_AT_ONCE, "readings of evidence")
        self._replays = Places(_REPLAYS_AT_ONCE, "replays from tracks")
        self._recordings = Places(_RECORDINGS_AT_ONCE, "replays from recordings")
        self._comparisons = Places(_COMPARISONS_AT_ONCE, "comparisons")

    async def ListAttempts(  # noqa: N802 - the contract's
        self,
        request: ListAttemptsRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> ListAttemptsResponse:
        """Return a page of attempts."""
        condition, size, after = (
            given.condition(request.filter),
            page_size(request.page_size),
            given.after(request, now=self._clock()),
        )
        found = await asyncio.to_thread(self._search.page, condition, after=after, limit=size + 1)
        page, token = given.attempts_of(request).page(found, size, lambda each: (each.created_at, each.id))
        consensus = await asyncio.to_thread(self._labels.consensus, [attempt.id for attempt in page])
        return review_service_pb2.ListAttemptsResponse(
            attempts=[convert.summary(attempt, consensus.get(attempt.id)) for attempt in page], next_page_token=token
        )

    async def GetAttempt(  # noqa: N802 - the contract's
        self,
        request: ReviewServiceGetAttemptRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> ReviewedAttempt:
        """Return an attempt with everything except its evidence."""
        return await asyncio.to_thread(self._reviewed, given.attempt_id(request.attempt_id))

    async def GetEvidence(  # noqa: N802 - the contract's
        self, request: GetEvidenceRequest, context: Context[GetEvidenceRequest, GetEvidenceResponse]
    ) -> None:
        """Stream a piece of evidence."""
        identifier, kind, reader = given.attempt_id(request.attempt_id), given.kind(request.kind), given.reader(request.why)
        structlog.contextvars.bind_contextvars(attempt_id=identifier)
        async with self._evidence.place():
            piece = await asyncio.to_thread(self._piece, identifier, kind, reader)
            header = review_service_pb2.EvidenceHeader(
                kind=full_name(review_service_pb2.EvidenceKind, kind),
                size_bytes=len(piece),
                sha256=hashlib.sha256(piece).hexdigest(),
            )
            await self._send(context, review_service_pb2.GetEvidenceResponse(header=header))
            for start in range(0, len(piece), _CHUNK_BYTES):
                chunk = piece[start : start + _CHUNK_BYTES]
                await self._send(context, review_service_pb2.GetEvidenceResponse(chunk=chunk))

    async def ReplayAttempt(  # noqa: N802 - the contract's
        self,
        request: ReplayAttemptRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> ReplayAttemptResponse:
        """Replay an attempt: judge it again."""
        identifier, reader = given.attempt_id(request.attempt_id), given.reader(request.why)
        source = given.source(request.source)
        structlog.contextvars.bind_contextvars(attempt_id=identifier)
        async with (self._recordings if source is Source.RECORDING else self._replays).place():
            profile = await asyncio.to_thread(given.profile, request.profile, self._site.settings.profile)
            material = await undisturbed(self._material, identifier, source, reader)
            opened = OpenReplay(profile, source, self._site.settings)
            if source is Source.RECORDING:
                found = await replay_aside(opened, material)
            else:
                found = await undisturbed(lambda: opened()(material))
            if isinstance(found, NotReplayed):
                # It was decrypted intact, so another version of the service, or one with other limits, stored it.
                log.error("an attempt could not be replayed", error=found.why)
                raise damaged(Kind(source.value), "unreadable")
            return convert.replayed(found, source)

    async def LabelAttempt(self, request: LabelAttemptRequest, context: Context[Any, Any]) -> Label:  # noqa: ARG002, N802 - the contract's
        """Add a label."""
        said = given.said(request)
        structlog.contextvars.bind_contextvars(attempt_id=said.attempt_id)
        return convert.label(await undisturbed(self._labelled, said))

    async def WithdrawLabel(self, request: WithdrawLabelRequest, context: Context[Any, Any]) -> Label:  # noqa: ARG002, N802 - the contract's
        """Withdraw a label."""
        identifier = given.attempt_id(request.attempt_id)
        structlog.contextvars.bind_contextvars(attempt_id=identifier)
        return convert.label(await undisturbed(self._withdrawn, identifier, request.number, current_caller().id))

    async def ApproveAttempt(self, request: ApproveAttemptRequest, context: Context[Any, Any]) -> Reviewed:  # noqa: ARG002, N802 - the contract's
        """Add an analyst's approval of an attempt."""
        return await self._decided(given.opinion(request, Ruling.APPROVED))

    async def DeclineAttempt(self, request: DeclineAttemptRequest, context: Context[Any, Any]) -> Reviewed:  # noqa: ARG002, N802 - the contract's
        """Add an analyst's refusal of an attempt."""
        return await self._decided(given.opinion(request, Ruling.DECLINED))

    async def SuspendCameo(self, request: SuspendCameoRequest, context: Context[Any, Any]) -> Suspended:  # noqa: ARG002, N802 - the contract's
        """Suspend a cameo."""
        return await self._suspended(given.suspension(request, suspended=True))

    async def LiftSuspension(self, request: LiftSuspensionRequest, context: Context[Any, Any]) -> Suspended:  # noqa: ARG002, N802 - the contract's
        """Lift a cameo's suspension."""
        return await self._suspended(given.suspension(request, suspended=False))

    async def CompareProfiles(  # noqa: N802 - the contract's
        self, request: CompareProfilesRequest, context: Context[CompareProfilesRequest, CompareProfilesResponse]
    ) -> None:
        """Stream the difference that a profile would make."""
        condition, reader = given.condition(request.filter), given.reader(request.why)
        own = self._site.settings.profile
        async with self._comparisons.place():
            profile = await asyncio.to_thread(given.profile, request.profile, own)
            baseline = await asyncio.to_thread(given.profile, request.baseline, own) if request.HasField("baseline") else None
            comparison = await asyncio.to_thread(
                Comparison,
                self._site.engine,
                self._site.room.vault,
                condition=condition,
                profile=profile,
                baseline=baseline,
                settings=self._site.settings,
                reader=reader,
                now=self._clock(),
            )
            try:
                await self._compare(comparison, context)
            finally:
                await undisturbed(comparison.close)

    async def _compare(self, comparison: Comparison, context: Context[Any, CompareProfilesResponse]) -> None:
        began, more = time.monotonic(), True
        await self._tell(comparison, began, context)
        while more:
            if self._stopping.is_set():
                raise RequestError(error_reason_pb2.ERROR_REASON_SERVER_STOPPING, "the server is stopping; ask again")
            more = await undisturbed(comparison.step, _STEP_S)
            await self._tell(comparison, began, context)
        found = await undisturbed(comparison.difference)
        await self._send(context, review_service_pb2.CompareProfilesResponse(difference=convert.difference(found)))
        for attempts in convert.compared(found):
            await self._send(context, review_service_pb2.CompareProfilesResponse(attempts=attempts))

    async def _tell(self, comparison: Comparison, began: float, context: Context[Any, CompareProfilesResponse]) -> None:
        progress = review_service_pb2.ComparisonProgress(done=comparison.done, total=comparison.total)
        progress.elapsed.FromNanoseconds(int((time.monotonic() - began) * 1e9))
        await self._send(context, review_service_pb2.CompareProfilesResponse(progress=progress))

    async def _send(self, context: Context[Any, Any], message: Any) -> None:  # noqa: ANN401 - any message
        try:
            async with asyncio.timeout(self._site.settings.stall_s):
                await context.write(message)
        except TimeoutError:
            raise RequestError(error_reason_pb2.ERROR_REASON_CALLER_TOO_SLOW, "nobody read the stream; ask again") from None

    async def _suspended(self, said: suspensions.SuspensionRequest) -> Suspended:
        suspended = await undisturbed(lambda: self._suspensions.keep(said, now=self._clock()))
        return review_service_pb2.Suspended(cameo_id=said.cameo_id, suspended=suspended)

    async def _decided(self, said: OpinionRequest) -> Reviewed:
        structlog.contextvars.bind_contextvars(attempt_id=said.attempt_id)
        try:
            attempt = await undisturbed(self._site.deciding.decide, said)
        except NotFoundError:
            raise given.unknown_attempt() from None
        return convert.standing_of(attempt, await asyncio.to_thread(self._site.deciding.opinions.given, attempt.id))

    def _attempt(self, identifier: str) -> Attempt:
        try:
            return self._attempts.get(identifier)
        except NotFoundError:
            raise given.unknown_attempt() from None

    def _reviewed(self, identifier: str) -> ReviewedAttempt:
        attempt, opinions = self._attempt(identifier), self._site.deciding.opinions
        since = opinions.waits_since(identifier)
        return convert.reviewed(
            attempt,
            held=self._site.room.vault.held(identifier),
            labels=self._labels.history(identifier),
            consensus=self._labels.consensus([identifier]).get(identifier),
            lines=self._site.room.audit.lines(attempt_id=identifier, limit=_AUDIT_LINES),
            holders=self._faces.holders(attempt.matches.values()),
            opinions=opinions.given(identifier),
            until=since + timedelta(days=self._site.settings.review_wait_days) if since else None,
            hello=hello_of(self._site.engine, identifier),
        )

    def _piece(self, identifier: str, kind: Kind, reader: Reader) -> bytes:
        self._attempt(identifier)
        try:
            return self._site.room.vault.read(identifier, kind, reader=reader, now=self._clock())
        except EvidenceError as error:
            raise refusal(error, kind) from None

    def _material(self, identifier: str, source: Source, reader: Reader) -> Material:
        result = self._piece(identifier, Kind.RESULT, reader)
        try:
            result_from(result)
        except EvidenceError as error:
            raise refusal(error, Kind.RESULT) from None
        if source is Source.TRACKS:
            return Material(identifier, result=result, tracks=self._piece(identifier, Kind.TRACKS, reader))
        recording = self._piece(identifier, Kind.RECORDING, reader)
        try:
            tracks = self._piece(identifier, Kind.TRACKS, reader)
        except RequestError as error:
            if error.reason == error_reason_pb2.ERROR_REASON_EVIDENCE_UNAVAILABLE:
                raise
            tracks = b""  # The results of earlier recordings were in them, and are missing now.
        return Material(identifier, result=result, tracks=tracks, recording=recording)

    def _labelled(self, said: given.LabelRequest) -> labels.Label:
        try:
            label = self._labels.add(
                said.identifier,
                attempt_id=said.attempt_id,
                truth=said.truth,
                species=said.species,
                note=said.note,
                analyst=said.analyst,
                now=self._clock(),
            )
        except NotFoundError:
            raise given.unknown_attempt() from None
        except InvalidRequestError as error:
            raise invalid("species", f"is refused: {error}") from None
        if (label.attempt_id, label.truth, label.species, label.note) != (said.attempt_id, said.truth, said.species, said.note):
            raise RequestError(error_reason_pb2.ERROR_REASON_REQUEST_ID_REUSED, "this request_id was used for another label")
        return label

    def _withdrawn(self, identifier: str, number: int, analyst: str) -> labels.Label:
        try:
            return self._labels.withdraw(identifier, number, analyst=analyst, audit=self._site.room.audit, now=self._clock())
        except NotFoundError:
            raise given.unknown_attempt() from None
        except InvalidRequestError as error:
            raise invalid("number", f"is refused: {error}") from None
