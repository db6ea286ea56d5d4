"""Request ids of callers, by which a retry after a lost reply is recognised (AIP-155)."""

from __future__ import annotations

from uuid import UUID

from cameo.v1 import error_reason_pb2
from cameo_verifier.server.wire.errors import RequestError


def require_request_id(request_id: str) -> None:
    """Check that this is a UUID in its 36-character form.

    Raises:
        RequestError: `REQUEST_ID_INVALID`.
    """
    try:
        valid = str(UUID(request_id)) == request_id.lower()
    except ValueError:
        valid = False
    if not valid:
        raise RequestError(
            error_reason_pb2.ERROR_REASON_REQUEST_ID_INVALID, "`request_id` must be a UUID in its 36-character form"
        )
