"""The status of one credential in a status list, shared by issuing, storage and validation."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """The status of a credential (IETF draft-ietf-oauth-status-list, section 7.1)."""

    VALID = 0
    INVALID = 1
    """Revoked, which is final."""
    SUSPENDED = 2
    """Suspended: not to be used for now."""
