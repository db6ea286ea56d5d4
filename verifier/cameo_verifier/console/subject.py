"""The account page: an account's attempts and labels, its cameos and credentials, and its rate limits."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from starlette.routing import Route

from cameo_verifier.console.attempt import OPENED, reader_of
from cameo_verifier.console.rendering import page
from cameo_verifier.store.attempts.rate_limits import RateLimits
from cameo_verifier.store.cameos.holdings import Holdings
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.store.evidence.audit import Entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from cameo_verifier.console.cases import Cases
    from cameo_verifier.console.suspension import SuspensionForm
    from cameo_verifier.settings import Settings

AT_MOST = 200
"""Maximum number of attempts, the latest; the queue has the others."""


class SubjectPage:
    """Handler of the account page."""

    def __init__(self, cases: Cases, settings: Settings, suspension: SuspensionForm, *, clock: Callable[[], datetime]) -> None:
        self._cases, self._suspension, self._clock, self._rate_limits = cases, suspension, clock, RateLimits.of(settings)
        self._holdings = Holdings(cases.engine)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/subject", self._show)]

    def _show(self, request: Request) -> Response:
        cases, now, subject = self._cases, self._clock(), request.query_params.get("id", "")
        # An account whose data was erased has no page: its attempts have no subject.
        cases.search.require_subject(subject)
        theirs = tables.attempts.c.subject == subject
        attempts = cases.search.page(theirs, limit=AT_MOST)
        # Logged by attempt, not by account: no log may name an account whose data is erased later.
        entry = Entry("read", attempts[0].id if attempts else "", "subject")
        cases.room.audit.append([entry], reader=reader_of(request, OPENED), now=now)
        held = self._holdings.of_subject(subject, now=now)
        with store_errors(), cases.engine.connect() as connection:
            tried = self._rate_limits.tried(connection, subject, now=now)
        return page(
            request,
            "subject.html",
            subject=subject,
            attempts=attempts,
            of_all=cases.search.count(theirs),
            verdicts=Counter(attempt.verdict for attempt in attempts if attempt.verdict),
            labels=cases.labels.consensus([attempt.id for attempt in attempts]),
            held=held,
            holdings=self._suspension.of(held),
            tried=tried,
            rate_limits=self._rate_limits,
        )
