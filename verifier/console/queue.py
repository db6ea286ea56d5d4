"""The queue: what came in, filtered by the URL, with counts over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from verifier.console.filters import LABELS, place, read, read_place
from verifier.console.rendering import page
from verifier.console.trend import trend
from verifier.reasons import Reason
from verifier.types import Verdict

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from verifier.console.cases import Cases

PAGE = 50


class Queue:
    """The page."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases

    def routes(self) -> list[Route]:
        """Return what answers."""
        return [Route("/", self._show)]

    def _show(self, request: Request) -> Response:
        cases = self._cases
        filters = read(request.query_params)
        after = read_place(request.query_params.get("after", ""))
        found = cases.search.page(filters.condition, after=after, limit=PAGE + 1)
        attempts = found[:PAGE]
        return page(
            request,
            "queue.html",
            filters=filters,
            attempts=attempts,
            labels=cases.labels.standing([attempt.id for attempt in attempts]),
            older=filters.url(after=place(attempts[-1])) if len(found) > PAGE else "",
            first=after is None,
            trend=trend(cases.counts.by_day(filters.condition)),
            verdicts=tuple(Verdict),
            reasons=tuple(Reason),
            profiles=cases.counts.profiles(),
            labels_known=LABELS,
        )
