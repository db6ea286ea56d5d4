"""The roles of callers."""

from __future__ import annotations

from enum import StrEnum


class CallerRole(StrEnum):
    """What a caller is to the service; `role` in its token."""

    APP = "app"
    """The app's own servers, which act for the people signed in to it."""
    OWNER = "owner"
    """A person; `sub` is the subject their challenges were issued to."""
    GUARDIAN = "guardian"
    """Who answers for a minor."""
    GENERATOR = "generator"
    """Who makes video; `sub` is the name of the audience."""
    PLATFORM = "platform"
    """Where video is shown."""
    ANALYST = "analyst"
    """Who looks into fraud."""
