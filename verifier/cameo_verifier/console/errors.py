"""Error pages: status, title and message of each error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from cameo_credential.errors import InvalidRequestError, KeyFileError
from cameo_verifier.cameo.refusal import RefusedError
from cameo_verifier.console.people import NotAllowedError
from cameo_verifier.console.previews import PreviewError
from cameo_verifier.console.rendering import refusal
from cameo_verifier.errors import NotFoundError, ProfileError, StoreConflictError, StoreError
from cameo_verifier.evidence.tracks import TracksError
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.store.cameos.vault import VaultError
from cameo_verifier.store.evidence.errors import EvidenceError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_KINDS = {
    NotFoundError: (404, "Nothing here"),
    InvalidRequestError: (400, "That cannot be done"),
    NotAllowedError: (403, "Not yours to do"),
    ProfileError: (400, "No such profile"),
    EvidenceError: (410, "The evidence cannot be read"),
    TracksError: (410, "The evidence cannot be read"),
    RefusedError: (409, "That cannot be decided"),
    RequestError: (409, "That cannot be decided"),
    KeyFileError: (503, "A key cannot be used"),
    PreviewError: (503, "No preview"),
    VaultError: (503, "A key cannot be used"),
    StoreConflictError: (409, "Somebody else was at it"),
    StoreError: (503, "The database does not answer"),
}


def handlers() -> dict[Any, Any]:
    """Return the exception handlers for Starlette, one per error that a page may raise on purpose."""
    return {HTTPException: _http, **dict.fromkeys(_KINDS, _raised)}


def _raised(request: Request, error: Exception) -> Response:
    status, title = next(found for kind, found in _KINDS.items() if isinstance(error, kind))
    return _answer(request, status, title, str(error))


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _answer(request, status, "Nothing here" if status == 404 else "That cannot be done", "There is no such page.")


def _answer(request: Request, status: int, title: str, message: str) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        return refusal(request, status, title, message)
    return JSONResponse({"error": message}, status)
