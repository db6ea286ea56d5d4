"""Manual review of an attempt: the gallery's matches, the opinions given, and the form for another one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.routing import Route

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.console.walk import back
from cameo_verifier.store.attempts.opinions import OpinionRequest
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.types import Ruling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from cameo_verifier.console.cases import Cases
    from cameo_verifier.server.deciding import Deciding
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.store.attempts.opinions import Opinion
    from cameo_verifier.store.cameos.faces import Holder

_CHECK_OF = {"protected": "protected_person", "enrolled": "already_enrolled"}
_MAX_REQUEST = 64


@dataclass(frozen=True, slots=True)
class Found:
    """A match in the gallery. cosine: None if no check reports it. holder: None if the face was removed since."""

    number: int
    collection: str
    cosine: float | None
    holder: Holder | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The state of a manual review.

    until: end of the time to approve, None if it cannot be approved. request: id of the next form.
    """

    found: Sequence[Found]
    opinions: Sequence[Opinion]
    until: datetime | None
    four_eyes: bool
    request: str


class DecisionForm:
    """Handler of the review form, and its data."""

    def __init__(self, cases: Cases, deciding: Deciding, *, new_id: Callable[[], str]) -> None:
        self._cases, self._deciding, self._new_id = cases, deciding, new_id

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/attempts/{id}/decide", self._decide, methods=["POST"])]

    def of(self, attempt: Attempt) -> Decision:
        """Return the state of an attempt's manual review.

        Raises:
            StoreError: the database failed.
        """
        settings, opinions = self._deciding.settings, self._deciding.opinions
        since = opinions.waits_since(attempt.id)
        return Decision(
            found=matches(self._cases, attempt),
            opinions=opinions.given(attempt.id),
            until=since + timedelta(days=settings.review_wait_days) if since else None,
            four_eyes=settings.review_four_eyes,
            request=self._new_id(),
        )

    def _decide(self, request: Request) -> Response:
        form = dict(request.state.form)
        try:
            ruling = Ruling(form.get("ruling", ""))
        except ValueError:
            raise InvalidRequestError("an attempt is approved or declined") from None
        attempt_id, who = request.path_params["id"], Reader(request.state.person.name, form.get("reason", ""))
        sent = form.get("request", "")[:_MAX_REQUEST] or self._new_id()
        answer = back(request, attempt_id, "#decision")
        identifier = hashlib.sha256(f"{sent} {who.who}".encode()).hexdigest()
        self._deciding.decide(OpinionRequest(identifier, attempt_id, ruling, who.why, who.who))
        return answer


def matches(cases: Cases, attempt: Attempt) -> list[Found]:
    """Return the gallery's matches of an attempt, with their current holders.

    Raises:
        StoreError: the database failed.
    """
    holders = cases.faces.holders(attempt.matches.values())
    cosines = {check.name: check.score for check in attempt.checks}
    return [
        Found(number, collection, cosines.get(_CHECK_OF[collection]), holders.get(number))
        for collection, number in attempt.matches.items()
    ]
