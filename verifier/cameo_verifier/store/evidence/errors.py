"""Errors of evidence: each cause has its own. An error concerns one object only."""

from __future__ import annotations

from cameo_credential.errors import CameoError


class EvidenceError(CameoError):
    """Evidence could not be stored or read."""


class EvidenceMissingError(EvidenceError):
    """None was stored, or its object is missing."""


class EvidenceRemovedError(EvidenceError):
    """It was removed after its retention; the message says when."""


class TruncatedEvidenceError(EvidenceError):
    """The end of the object is missing."""


class AlteredEvidenceError(EvidenceError):
    """The object is not what was written, or was written for another attempt or kind."""


class SubjectDeletedError(EvidenceError):
    """The subject's data key was destroyed."""


class DataKeyLostError(EvidenceError):
    """The subject's data key is missing or damaged, though nobody destroyed it."""


class VaultKeyLostError(EvidenceError):
    """The vault key is not the one that wrapped the data key."""


class StorageFullError(EvidenceError):
    """There is no space; nothing was stored."""


class StorageError(EvidenceError):
    """The folder or the object store failed; the message says what to check."""
