"""Who is signed in, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cameo_credential.errors import CameoError


class ConsoleRole(StrEnum):
    """What someone may do in the console."""

    ANALYST = "analyst"
    """Look, reveal, label, try thresholds on one attempt."""
    LEAD = "lead"
    """Besides, save a profile and run it over all labelled attempts."""


class NotAllowedError(CameoError):
    """Whoever is signed in may not do this."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who is signed in; `name` is what the audit log says, at most 128 characters."""

    name: str
    role: ConsoleRole

    @property
    def is_lead(self) -> bool:
        """Whether what only leads may do is theirs to do."""
        return self.role is ConsoleRole.LEAD


def only(person: Person, role: ConsoleRole) -> None:
    """Let a lead do everything, and anybody else only what their role may.

    Raises:
        NotAllowedError: it is not theirs to do.
    """
    if not person.is_lead and person.role is not role:
        raise NotAllowedError(f"only a {role.value} may do this")
