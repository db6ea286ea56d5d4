"""People who are signed in, and their roles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cameo_credential.errors import CameoError


class ConsoleRole(StrEnum):
    """The role of a person in the console."""

    ANALYST = "analyst"
    """May read, reveal, label, and try thresholds on one attempt."""
    LEAD = "lead"
    """May also save a profile, and run it over all labelled attempts."""


class NotAllowedError(CameoError):
    """The person's role does not permit this."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person who is signed in; `name` is what the audit log records, at most 128 characters."""

    name: str
    role: ConsoleRole

    @property
    def is_lead(self) -> bool:
        """True if the person is a lead."""
        return self.role is ConsoleRole.LEAD


def only(person: Person, role: ConsoleRole) -> None:
    """Check that a person is a lead or has the role.

    Raises:
        NotAllowedError: the person has another role.
    """
    if not person.is_lead and person.role is not role:
        raise NotAllowedError(f"only a {role.value} may do this")
