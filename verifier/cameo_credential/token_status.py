"""What a status list says of one credential: the one word that issuing, keeping and checking share."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """What a credential's entry says (IETF draft-ietf-oauth-status-list, section 7.1)."""

    VALID = 0
    INVALID = 1
    """Revoked for good."""
    SUSPENDED = 2
    """Not to be used for now."""
