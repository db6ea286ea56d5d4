"""Errors of the service, beside those of `cameo_credential.errors`. Vendor errors never leave `models` and `media` raw.

A programming error of ours stays a plain `RuntimeError`. No message contains biometric data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_credential.errors import CameoError

if TYPE_CHECKING:
    from cameo_verifier.reasons import Reason


class UnjudgeableError(CameoError):
    """A recording that cannot be judged at all (empty, damaged, unsupported format, over a hard limit)."""

    def __init__(self, reason: Reason, message: str) -> None:
        """Keep the `reason` (of kind `UNREADABLE`, or `CORRUPT_MEDIA`) with a message that says what to do."""
        super().__init__(message)
        self.reason = reason


class ChallengeError(CameoError):
    """The challenge is unknown, expired or spent."""

    def __init__(self, reason: Reason, message: str) -> None:
        """Keep the `reason` (of kind `LIFECYCLE`) with the message."""
        super().__init__(message)
        self.reason = reason


class ModelKitError(CameoError):
    """A model file is missing, altered or not licensed for this site; the message names the file and the command to run."""


class ProfileError(CameoError):
    """A profile is unknown, or a threshold in it is missing or malformed."""


class StoreError(CameoError):
    """The database failed; its transaction was rolled back."""


class StoreConflictError(StoreError):
    """A conflict with another server's transaction on the same rows; a retry sees its result."""


class NotFoundError(CameoError):
    """No record has this id."""


class OverloadedError(CameoError):
    """The queue is full; retry after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float) -> None:
        """Keep the delay in seconds."""
        super().__init__(f"all workers are busy; try again in {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


class AbandonedError(CameoError):
    """The caller cancelled or its deadline passed; the work was stopped on purpose."""
