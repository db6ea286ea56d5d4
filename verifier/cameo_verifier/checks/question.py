"""Questions: declare one check with its name, its texts, the thresholds it reads, when it applies, and its phase.

Every module of this package but those without `QUESTION` holds one question. `checks.QUESTIONS` is the only list of
them: pipeline, profiles, console, documents and tests read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cameo_verifier.settings import MediaLimits
from cameo_verifier.types import Circumstances

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_challenges.model import Challenge
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import CheckResult, Evidence


class Phase(StrEnum):
    """The input that a question needs; the phases are answered in this order."""

    RECORDING = "recording"
    """The recording and its challenge."""
    HISTORY = "history"
    """The stored fingerprints of other attempts."""
    GALLERY = "gallery"
    """The faces of protected and enrolled people, and a recording that all other checks accept."""


@dataclass(frozen=True, slots=True)
class Case:
    """The input of every check: the evidence of one recording, its challenge, and the circumstances of the attempt."""

    evidence: Evidence
    challenge: Challenge
    circumstances: Circumstances = field(default_factory=Circumstances)

    @property
    def limits(self) -> MediaLimits:
        """The site's limits on a recording, as they were when it was received; today's defaults where none are recorded."""
        recorded: dict[str, Any] = dict(self.circumstances.limits)
        return MediaLimits.model_construct(**recorded) if recorded else MediaLimits()


def always(_what: object) -> bool:
    """Return true for every challenge, and in all circumstances."""
    return True


def spoken(challenge: Challenge) -> bool:
    """Whether the challenge has something to say."""
    return bool(challenge.spoken)


def turned(challenge: Challenge) -> bool:
    """Whether the challenge has turns to make."""
    return bool(challenge.turns)


def gestured(challenge: Challenge) -> bool:
    """Whether the challenge has facial gestures to make."""
    return bool(challenge.gestures)


@dataclass(frozen=True, slots=True)
class Question:
    """One question about a case, and the check that answers it.

    Attributes:
        name: of the check, as in a profile's roles.
        title: the check's name for people.
        asks: what holds where it passes, in one sentence.
        check: answers it by the thresholds of a profile.
        thresholds: names of those that the answer depends on.
        applies: whether it applies to a challenge.
        phase: the input it needs.
        known: whether the circumstances contain what it needs; where they do not, it is left out, or unable if it must pass.
        needs: what a site must have for it to be answered; empty where every site has it.
        advice_only: no profile may let it decide, because its error rates are unknown.
    """

    name: str
    title: str
    asks: str
    check: Callable[[Case, Profile], CheckResult]
    thresholds: tuple[str, ...] = ()
    applies: Callable[[Challenge], bool] = always
    phase: Phase = Phase.RECORDING
    known: Callable[[Circumstances], bool] = always
    needs: str = ""
    advice_only: bool = False
