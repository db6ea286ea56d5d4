"""Capture assurance: what vouches for the way from a person's camera to the service."""

from __future__ import annotations

from enum import StrEnum


class CaptureAssurance(StrEnum):
    """What vouches for the capture of a recording, weakest first."""

    NONE = "none"
    """Nothing: the recording was uploaded, or its token is from before this was said."""
    TELEMETRY = "telemetry"
    """A live session: when its bytes arrived, by the server's clock, and what the client said about itself."""
    SESSION_SIGNED = "session_signed"
    """A live session of which one key signed every slice, with the server's nonces."""
    APP_ATTESTED = "app_attested"
    """The same, and the platform attests that the key belongs to a genuine copy of a known app."""
    CAMERA_SIGNED = "camera_signed"
    """The camera itself signed what it saw."""
