"""Why evidence cannot be kept or read; each cause has its own error. One object's trouble is no other's."""

from __future__ import annotations

from cameo_credential.errors import CameoError


class EvidenceError(CameoError):
    """Evidence could not be kept or read."""


class EvidenceMissingError(EvidenceError):
    """None was kept, or the object that should be there is not."""


class EvidenceRemovedError(EvidenceError):
    """It was removed when its time was over; the message says when."""


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
    """There is no room to keep it; nothing was half kept."""


class StorageError(EvidenceError):
    """The folder or the object store does not answer as it should; the message says what to look at."""
