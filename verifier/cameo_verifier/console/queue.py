"""The queue page: attempts filtered by the URL, with counts over time."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from starlette.routing import Route

from cameo_verifier.console.filters import DECISIONS, LABELS, place, read, read_place
from cameo_verifier.console.rendering import page
from cameo_verifier.console.species import known
from cameo_verifier.console.trend import trend
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from cameo_verifier.console.cases import Cases
    from cameo_verifier.console.filters import Filters
    from cameo_verifier.console.trend import Trend
    from cameo_verifier.profile import Profile

PAGE = 50
_COUNTED = 64


class Queue:
    """Handler of the queue page."""

    def __init__(self, cases: Cases, *, profile: Profile) -> None:
        self._cases = cases
        self._profiles = tuple(dict.fromkeys([profile.name, profile.judging(minor=True).name]))
        self._lock = Lock()
        self._counted: OrderedDict[tuple[tuple[str, str], ...], tuple[tuple[object, ...], Trend]] = OrderedDict()

    def routes(self) -> list[Route]:
        """Return the routes."""
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
            labels=cases.labels.consensus([attempt.id for attempt in attempts]),
            older=filters.url(after=place(attempts[-1])) if len(found) > PAGE else "",
            first=after is None,
            trend=self._trend(filters),
            verdicts=tuple(Verdict),
            reasons=tuple(Reason),
            profiles=self._profiles,
            labels_known=LABELS,
            species_known=known(cases.labels),
            decisions=DECISIONS,
        )

    def _trend(self, filters: Filters) -> Trend:
        """Return counts over time, cached until something is judged or labelled: they take all attempts into account."""
        key, mark = tuple(sorted(filters.given.items())), self._cases.counts.mark()
        kept = self._counted.get(key)
        if kept is not None and kept[0] == mark:
            return kept[1]
        found = trend(self._cases.counts.by_day(filters.condition))
        with self._lock:
            self._counted[key] = (mark, found)
            while len(self._counted) > _COUNTED:
                self._counted.popitem(last=False)
        return found
