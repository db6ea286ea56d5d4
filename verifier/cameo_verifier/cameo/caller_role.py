"""Caller roles."""

from __future__ import annotations

from enum import StrEnum


class CallerRole(StrEnum):
    """The role of a caller, the claim `role` of its token."""

    APP = "app"
    """The app's own servers, which act for the people signed in to the app."""
    OWNER = "owner"
    """A person; `sub` is the subject their challenges were issued to."""
    GUARDIAN = "guardian"
    """A person who answers for a minor."""
    GENERATOR = "generator"
    """A service that generates video; `sub` is the name of the audience."""
    PLATFORM = "platform"
    """A service that shows video."""
    ANALYST = "analyst"
    """A person who investigates fraud."""
    CAPTURE = "capture"
    """A person's browser, by the capture token of a live session; `sub` is the session. The app's issuer has no such role."""
