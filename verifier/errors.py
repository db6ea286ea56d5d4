"""The error tree: what a caller can catch. Vendor errors never leave `verifier.models` and `verifier.media` raw.

A programming error of ours stays a plain `RuntimeError`. No message carries biometric data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verifier.reasons import Reason


class CameoError(Exception):
    """Everything this package raises on purpose. Can be pickled, so that a process of one command can hand it to another."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild by attributes: the default would call the class with the message alone."""
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[CameoError], arguments: tuple[object, ...], attributes: dict[str, object]) -> CameoError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(attributes)
    return error


class InvalidRequestError(CameoError):
    """The caller's input is wrong; the message says what to change."""


class UnjudgeableError(CameoError):
    """A recording that cannot be judged at all (empty, damaged, no medium we read, over a hard limit)."""

    def __init__(self, reason: Reason, message: str) -> None:
        """Keep the `reason` (of kind `UNREADABLE`, or `CORRUPT_MEDIA`) beside a message that says what to do."""
        super().__init__(message)
        self.reason = reason


class ChallengeError(CameoError):
    """The challenge is unknown, expired or spent."""

    def __init__(self, reason: Reason, message: str) -> None:
        """Keep the `reason` (kind `LIFECYCLE`) beside the message."""
        super().__init__(message)
        self.reason = reason


class ModelKitError(CameoError):
    """A model file is missing, altered or not licensed for this site; the message names the file and the command to run."""


class ProfileError(CameoError):
    """A profile is unknown, or a threshold in it is missing or malformed."""


class KeyFileError(CameoError):
    """A key file is missing, malformed or open to others; the message names the file and what to do."""


class CredentialError(CameoError):
    """A token was refused; `reason` is a short stable code such as ``"expired"`` or ``"wrong_audience"``."""

    def __init__(self, reason: str, message: str) -> None:
        """Keep the refusal code beside the message."""
        super().__init__(message)
        self.reason = reason


class StoreError(CameoError):
    """The database could not do what was asked; nothing was half done."""


class StoreConflictError(StoreError):
    """Another server was at the same rows at the same moment; tried again, it sees what that one did."""


class NotFoundError(CameoError):
    """Nothing is kept under this id."""


class OverloadedError(CameoError):
    """The queue is full; try again after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float) -> None:
        """Keep the delay in seconds."""
        super().__init__(f"all workers are busy; try again in {retry_after_s:.1f} s")
        self.retry_after_s = retry_after_s


class AbandonedError(CameoError):
    """The caller went away or its deadline passed; the work was stopped on purpose."""
