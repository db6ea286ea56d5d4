"""Suspension of an account's cameos and credentials: what the pages show of them, and the form that suspends them or lifts it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import RedirectResponse
from starlette.routing import Route

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.cameo.model import CameoState
from cameo_verifier.console.walk import back
from cameo_verifier.store.cameos.suspensions import SuspensionRequest, SuspensionStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from cameo_verifier.cameo.model import Cameo
    from cameo_verifier.console.cases import Cases
    from cameo_verifier.store.cameos.holdings import HeldCredential, HeldItems
    from cameo_verifier.store.cameos.suspensions import Suspension

_MAX_REQUEST = 64
_DONE = {"suspend": True, "lift": False}


@dataclass(frozen=True, slots=True)
class Holding:
    """A cameo with its receipt and credentials. cameo: None if its owner has not created it. request: the id of the next form."""

    cameo_id: str
    cameo: Cameo | None
    receipts: Sequence[HeldCredential]
    credentials: Sequence[HeldCredential]
    said: Sequence[Suspension]
    request: str

    @property
    def suspended(self) -> bool:
        """True if analysts have suspended it."""
        return bool(self.said) and self.said[-1].suspended

    @property
    def ended(self) -> bool:
        """True if nothing is left to suspend."""
        return self.cameo is not None and self.cameo.state in {CameoState.CAMEO_REVOKED, CameoState.CAMEO_DELETED}


class SuspensionForm:
    """Handler of the suspension form, and its data."""

    def __init__(self, cases: Cases, *, clock: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._store = SuspensionStore(cases.engine, cases.room.audit)
        self._clock, self._new_id = clock, new_id

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/cameos/{id}/suspension", self._keep, methods=["POST"])]

    def of(self, held: HeldItems) -> list[Holding]:
        """Return the holdings, one per cameo, the latest first.

        Raises:
            StoreError: the database failed.
        """
        cameos = {cameo.id: cameo for cameo in held.cameos}
        ids = list(dict.fromkeys([*cameos, *(each.cameo_id for each in (*held.receipts, *held.credentials))]))
        said = self._store.of(ids)
        return [
            Holding(
                cameo_id,
                cameos.get(cameo_id),
                [each for each in held.receipts if each.cameo_id == cameo_id],
                [each for each in held.credentials if each.cameo_id == cameo_id],
                said.get(cameo_id, ()),
                self._new_id(),
            )
            for cameo_id in ids
        ]

    def _keep(self, request: Request) -> Response:
        form = dict(request.state.form)
        if form.get("do") not in _DONE:
            raise InvalidRequestError("a cameo is suspended, or that is lifted")
        who = request.state.person.name
        sent = form.get("request", "")[:_MAX_REQUEST] or self._new_id()
        identifier = hashlib.sha256(f"{sent} {who}".encode()).hexdigest()
        where = self._where(request, form)
        said = SuspensionRequest(identifier, request.path_params["id"], _DONE[form["do"]], form.get("reason", ""), who)
        self._store.keep(said, now=self._clock())
        return where

    def _where(self, request: Request, form: dict[str, str]) -> RedirectResponse:
        """Return a redirect to the page that the form was on."""
        if form.get("subject"):
            return RedirectResponse(f"/subject?{urlencode({'id': form['subject']})}#holdings", 303)
        return back(request, form.get("attempt", ""), "#holdings")
