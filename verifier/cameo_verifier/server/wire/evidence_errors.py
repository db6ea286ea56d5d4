"""Conversion of evidence errors to errors on the wire: each cause has its reason, and no message contains a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from cameo.v1 import error_reason_pb2
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.store.evidence.errors import (
    AlteredEvidenceError,
    DataKeyLostError,
    EvidenceMissingError,
    EvidenceRemovedError,
    SubjectDeletedError,
    TruncatedEvidenceError,
    VaultKeyLostError,
)

if TYPE_CHECKING:
    from cameo.v1.error_reason_pb2 import ErrorReason
    from cameo_verifier.store.evidence.errors import EvidenceError
    from cameo_verifier.store.evidence.sealed_object import Kind

log = structlog.get_logger(__name__)

_OURS: dict[type[EvidenceError], tuple[ErrorReason, str]] = {
    EvidenceMissingError: (error_reason_pb2.ERROR_REASON_EVIDENCE_MISSING, "is not kept here"),
    EvidenceRemovedError: (
        error_reason_pb2.ERROR_REASON_EVIDENCE_GONE,
        "was removed when its time was over, or made room for newer",
    ),
    SubjectDeletedError: (error_reason_pb2.ERROR_REASON_SUBJECT_DELETED, "is gone with all data of its subject"),
    DataKeyLostError: (
        error_reason_pb2.ERROR_REASON_DATA_KEY_LOST,
        "cannot be opened: the key of its subject is lost or damaged",
    ),
    VaultKeyLostError: (
        error_reason_pb2.ERROR_REASON_VAULT_KEY_LOST,
        "cannot be opened: the server does not have its vault key any more",
    ),
}
_DAMAGE: dict[type[EvidenceError], str] = {TruncatedEvidenceError: "truncated", AlteredEvidenceError: "altered"}
_NOBODY_S_FAULT = (EvidenceRemovedError, SubjectDeletedError)


def refusal(error: EvidenceError, kind: Kind) -> RequestError:
    """Return the error of a piece that could not be read; errors that need an operator are logged."""
    if not isinstance(error, _NOBODY_S_FAULT):
        log.error("evidence could not be read", kind=type(error).__name__, error=str(error))
    if damage := _DAMAGE.get(type(error)):
        return damaged(kind, damage)
    reason, what = _OURS.get(type(error), (error_reason_pb2.ERROR_REASON_EVIDENCE_UNAVAILABLE, "cannot be read now; try again"))
    return RequestError(reason, f"the {kind} {what}", metadata={"kind": kind.name})


def damaged(kind: Kind, damage: str) -> RequestError:
    """Return the error of a piece that was damaged."""
    return RequestError(
        error_reason_pb2.ERROR_REASON_EVIDENCE_DAMAGED, f"the {kind} is {damage}", metadata={"kind": kind.name, "damage": damage}
    )
