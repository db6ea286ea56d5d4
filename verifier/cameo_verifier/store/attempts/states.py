"""States of attempts."""

from __future__ import annotations

from enum import StrEnum


class AttemptState(StrEnum):
    """The state of an attempt."""

    OPEN = "open"
    """Being judged."""
    JUDGED = "judged"
    """It has a verdict."""
    UNJUDGED = "unjudged"
    """It ended without a verdict; `reasons` has the cause, or is empty if its server died."""
