"""A rate on real recordings, with the item that it is worst for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cameo_verifier.review.error_rates import Rate, rate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.profile import Profile
    from cameo_verifier.settings import Settings


class Item(NamedTuple):
    """One trial.

    name: the recording, and what was done to it. counts: whether it is one of those the rate counts. score: how near it is to
    that, higher is nearer; 0 where only the outcome is known.
    """

    name: str
    counts: bool
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        question: what was asked of the recordings, the same for all lines of a section.
        group: whose recordings they are.
        what: what is counted, in a few words.
        rate: how many of how many, with its 95 % interval.
        worst: the item with the highest score of those that count, or of all where none does; empty of no items.
        goal: what the share is to be, as a person writes it; empty where there is none.
    """

    question: str
    group: str
    what: str
    rate: Rate
    worst: str
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Real:
    """What a question is put to: the folder of real recordings, and what judges them."""

    folder: Path
    kit: ModelKit
    profile: Profile
    settings: Settings


def finding(question: str, group: str, what: str, items: Sequence[Item], *, goal: str = "") -> Finding:
    """Count the items."""
    counted = [item for item in items if item.counts]
    worst = max(counted or items, key=lambda item: item.score, default=None)
    return Finding(question, group, what, rate(len(counted), len(items)), worst.name if worst else "", goal)
