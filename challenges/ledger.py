"""The life of a challenge: issued, then either spent once or expired.

A pure state machine; whoever keeps the states (a database, with one conditional update) must follow it:

    Issued --spend before expires_at--> Spent
    Issued --expires_at passes--------> Expired

Invariants: spent and expired are final; the moment of expiry is already too late; a challenge is spent at most once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """It can be answered until just before `expires_at`."""

    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Spent:
    """It was answered at `at`, rightly or not."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Expired:
    """Nobody answered it before `at`."""

    at: datetime


State = Issued | Spent | Expired


class LedgerError(Exception):
    """The challenge cannot be spent."""


class AlreadySpentError(LedgerError):
    """It was answered before."""


class ExpiredError(LedgerError):
    """Its time is over."""


def state_at(state: State, *, now: datetime) -> State:
    """Return the state as it is at a moment: an issued challenge whose time is over has expired."""
    if isinstance(state, Issued) and now >= state.expires_at:
        return Expired(at=state.expires_at)
    return state


def spend(state: State, *, now: datetime) -> Spent:
    """Spend a challenge.

    Raises:
        AlreadySpentError: it was spent before, whatever the time.
        ExpiredError: its time is over.
    """
    match state_at(state, now=now):
        case Issued():
            return Spent(at=now)
        case Spent(at=at):
            raise AlreadySpentError(f"the challenge was spent at {at.isoformat()}")
        case Expired(at=at):
            raise ExpiredError(f"the challenge expired at {at.isoformat()}")
