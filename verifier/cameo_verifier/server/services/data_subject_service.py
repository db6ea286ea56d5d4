"""`cameo.v1.DataSubjectService`: what is kept of a person, for that person."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cameo.v1 import data_subject_service_pb2 as wire
from cameo.v1 import data_subject_service_pb2_grpc
from cameo_credential.consent_receipt import sign_receipt
from cameo_verifier.cameo.caller_role import CallerRole
from cameo_verifier.cameo.consent_record import Party, Policy
from cameo_verifier.server.auth.caller import current_caller
from cameo_verifier.server.wire import cameo_input as given
from cameo_verifier.server.wire.enums import full_name
from cameo_verifier.store.cameos import guardianships

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from grpc.aio import ServicerContext as Context
    from sqlalchemy import Connection

    from cameo_verifier.server.issuing import Issuer
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.cameos.consent_records import ConsentRecords, KeptRecord
    from cameo_verifier.store.db.batches import Batches


class DataSubjectService(data_subject_service_pb2_grpc.DataSubjectServiceServicer):
    """The service; see the module."""

    def __init__(self, *, reads: Batches, records: ConsentRecords, issuer: Issuer, clock: Callable[[], datetime]) -> None:
        """Keep the parts; `clock` returns the time in UTC."""
        self._reads = reads
        self._records = records
        self._issuer = issuer
        self._clock = clock

    async def ListConsentRecords(  # noqa: N802 - the contract's
        self,
        request: wire.ListConsentRecordsRequest,
        context: Context[Any, Any],  # noqa: ARG002 - grpc passes it
    ) -> wire.ListConsentRecordsResponse:
        """Return a page of signed receipts."""
        caller = current_caller()
        own = caller.id if caller.role is CallerRole.OWNER else ""
        subject = given.user(request.subject or own, "subject")
        size, after = given.page_size(request.page_size), given.place_of(request.page_token)
        guardian = caller.id if caller.role is CallerRole.GUARDIAN else ""

        def work(connection: Connection) -> list[KeptRecord]:
            if guardian and guardian not in guardianships.guardians_of(connection, subject):
                return []
            return self._records.of_subject(connection, subject, after=after, limit=size + 1, minors_only=bool(guardian))

        if own and subject != own:
            return wire.ListConsentRecordsResponse()
        found = await self._reads.submit(work)
        page = found[:size]
        token = given.to_place(page[-1].created_at, page[-1].id) if len(found) > size else ""
        receipts = await asyncio.to_thread(self._receipts, page)
        return wire.ListConsentRecordsResponse(records=receipts, next_page_token=token)

    def _receipts(self, records: Sequence[KeptRecord]) -> list[wire.ConsentRecord]:
        keys, now = self._issuer.keys.current(), self._clock()
        return [
            wire.ConsentRecord(
                id=record.id,
                cameo_id=record.cameo_id,
                kind=full_name(wire.ConsentRecordKind, record.kind),
                create_time=record.created_at,
                receipt=sign_receipt(record.document, receipt_id=str(uuid4()), issuer=self._issuer.name, keys=keys, now=now),
            )
            for record in records
        ]


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
