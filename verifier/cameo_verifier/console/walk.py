"""Navigation from one attempt to the next in the queue it was opened from: the filters stay in the URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from cameo_verifier.console.filters import read

if TYPE_CHECKING:
    from starlette.requests import Request

    from cameo_verifier.console.cases import Cases
    from cameo_verifier.store.attempts.attempts import Attempt


@dataclass(frozen=True, slots=True)
class Walk:
    """The position of an attempt in a queue. newer, older: ids of its neighbours, empty at either end.

    query: the filters, with their question mark; queue: the address of that queue.
    """

    newer: str
    older: str
    query: str
    queue: str


def walk(cases: Cases, attempt: Attempt, request: Request) -> Walk:
    """Return the position of an attempt in the queue that the request's URL names; it need not be in it any more.

    Raises:
        InvalidRequestError: a filter has a value that is not allowed.
        StoreError: the database failed.
    """
    filters = read(request.query_params)
    newer, older = cases.search.neighbours(filters.condition, (attempt.created_at, attempt.id))
    return Walk(newer, older, filters.query, filters.url())


def back(request: Request, attempt_id: str, anchor: str = "") -> RedirectResponse:
    """Return a redirect to an attempt's page after a form, with the filters that the form was sent with.

    Raises:
        InvalidRequestError: a filter has a value that is not allowed.
    """
    return RedirectResponse(f"/attempts/{attempt_id}{read(request.query_params).query}{anchor}", 303)
