"""`cameo.v1.DataSubjectService`: what is kept of a person, for that person."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cameo.v1 import data_subject_service_pb2 as wire
from cameo.v1 import data_subject_service_pb2_grpc, error_reason_pb2
from cameo_credential.consent_receipt import sign_receipt
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.cameo.consent_record import Party, Policy
from cameo_verifier.cameo.cursor import Listing
from cameo_verifier.server.auth.caller import current_caller
from cameo_verifier.server.places import Places
from cameo_verifier.server.wire import cameo_input as given
from cameo_verifier.server.wire.enums import full_name
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.store.cameos import guardianships

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grpc.aio import ServicerContext as Context
    from sqlalchemy import Connection

    from cameo_verifier.server.exporting import Exporting
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.cameos.consent_records import KeptRecord
    from cameo_verifier.store.db.batches import Batches


_EXPORTS_AT_ONCE = 2
"""Each has up to a recording in memory."""
_CHUNK_BYTES = 64 * 1024


class DataSubjectService(data_subject_service_pb2_grpc.DataSubjectServiceServicer):
    """The service; see the module."""

    def __init__(self, exporting: Exporting, *, reads: Batches, stall_s: float) -> None:
        """Keep the parts; a stream that nobody reads for `stall_s` is ended."""
        self._exporting = exporting
        self._reads = reads
        self._stall_s = stall_s
        self._exports = Places(_EXPORTS_AT_ONCE, "exports")

    async def ListConsentRecords(  # noqa: N802 - the contract's
        self,
        request: wire.ListConsentRecordsRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> wire.ListConsentRecordsResponse:
        """Return a page of signed receipts."""
        caller = current_caller()
        own, subject = _whose(request)
        guardian = caller.id if caller.role is CallerRole.GUARDIAN else ""
        size, listed = given.page_size(request.page_size), Listing("ListConsentRecords", (subject, guardian))
        after = listed.place(request.page_token, now=self._exporting.clock())

        def work(connection: Connection) -> list[KeptRecord]:
            if guardian and guardian not in guardianships.guardians_of(connection, subject):
                return []
            return self._exporting.records.of_subject(
                connection, subject, after=after, limit=size + 1, minors_only=bool(guardian)
            )

        if own and subject != own:
            return wire.ListConsentRecordsResponse()
        found = await self._reads.submit(work)
        page, token = listed.page(found, size, lambda each: (each.created_at, each.id))
        receipts = await asyncio.to_thread(self._receipts, page)
        return wire.ListConsentRecordsResponse(records=receipts, next_page_token=token)

    async def ExportMyData(  # noqa: N802 - the contract's
        self, request: wire.ExportMyDataRequest, context: Context[wire.ExportMyDataRequest, wire.ExportMyDataResponse]
    ) -> None:
        """Stream a person's archive."""
        own, subject = _whose(request)
        if own and subject != own:
            raise given.invalid("subject", "must be the caller, or empty")
        async with self._exports.place():
            parts = self._exporting.export(subject)
            while (part := await asyncio.to_thread(next, parts, None)) is not None:
                for start in range(0, len(part), _CHUNK_BYTES):
                    await self._send(context, part[start : start + _CHUNK_BYTES])

    async def GetRetention(  # noqa: N802 - the contract's
        self,
        request: wire.GetRetentionRequest,  # noqa: ARG002 - it is empty
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> wire.GetRetentionResponse:
        """Return the retention schedule."""
        rules = [
            wire.RetentionRule(data=rule.data, since=rule.since, kept=rule.kept, until=rule.until, setting=rule.setting)
            for rule in self._exporting.retention
        ]
        return wire.GetRetentionResponse(rules=rules)

    async def _send(self, context: Context[Any, wire.ExportMyDataResponse], chunk: bytes) -> None:
        try:
            async with asyncio.timeout(self._stall_s):
                await context.write(wire.ExportMyDataResponse(chunk=chunk))
        except TimeoutError:
            raise RequestError(error_reason_pb2.ERROR_REASON_CALLER_TOO_SLOW, "nobody read the stream; ask again") from None

    def _receipts(self, records: Sequence[KeptRecord]) -> list[wire.ConsentRecord]:
        issuer, now = self._exporting.issuer, self._exporting.clock()
        keys = issuer.keys.current()
        return [
            wire.ConsentRecord(
                id=record.id,
                cameo_id=record.cameo_id,
                kind=full_name(wire.ConsentRecordKind, record.kind),
                create_time=record.created_at,
                receipt=sign_receipt(record.document, receipt_id=str(uuid4()), issuer=issuer.name, keys=keys, now=now),
            )
            for record in records
        ]


def _whose(request: wire.ListConsentRecordsRequest | wire.ExportMyDataRequest) -> tuple[str, str]:
    """Return the calling owner, empty for others, and whose data is asked for."""
    caller = current_caller()
    own = caller.id if caller.role is CallerRole.OWNER else ""
    return own, given.user(request.subject or own, "subject")


def policy(settings: Settings) -> Policy:
    """Return the site's side of every consent record; what a site does not state is its issuer."""
    said, issuer = settings.controller, settings.issuer
    party = Party(
        id=issuer,
        name=said.name or issuer,
        address=said.address or issuer,
        contact=said.contact or issuer,
        jurisdiction=said.jurisdiction,
        storage=said.storage or said.jurisdiction,
        notice=said.notice or issuer,
        withdrawal=said.withdrawal or issuer,
    )
    return Policy(party, timedelta(days=settings.consent_days), timedelta(days=settings.reattest_days))
