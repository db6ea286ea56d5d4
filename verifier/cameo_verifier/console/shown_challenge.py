"""The challenge of an attempt, with its times and the hints that the person was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_challenges.model import MakeGesture, Say, TurnHead
from cameo_challenges.prompts import prompt
from cameo_verifier.errors import ChallengeError
from cameo_verifier.server.wire.convert import hint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cameo_challenges.model import Step
    from cameo_verifier.console.cases import Cases
    from cameo_verifier.store.attempts.attempts import Attempt


@dataclass(frozen=True, slots=True)
class Prompt:
    """A step of the challenge. what: `say`, `turn` or `do`; text: words, a direction as the person sees it, or a gesture."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownChallenge:
    """The challenge of an attempt, and the hints.

    Attributes:
        prompts: the steps in order; empty if the challenge is not kept, and then the times are None.
        language: the challenge's language (BCP 47).
        issued_at, expires_at, answered_at: times in UTC.
        took_s: seconds from the challenge to the complete answer.
        hint: the text that the app is given for the person, empty if there is none.
        first_hint: the hint before reviewers decided, empty if it was the same.
    """

    prompts: Sequence[Prompt]
    language: str
    issued_at: datetime | None
    expires_at: datetime | None
    answered_at: datetime | None
    took_s: float | None
    hint: str
    first_hint: str


def shown_challenge(cases: Cases, attempt: Attempt) -> ShownChallenge:
    """Return the challenge and the hints of an attempt.

    Raises:
        StoreError: the database failed.
    """
    told = hint(attempt)
    first = attempt.reasons[0].hint if attempt.ruling is not None and attempt.reasons else told
    try:
        kept = cases.challenges.get(attempt.challenge_id)
    except ChallengeError:
        return ShownChallenge((), "", None, None, None, None, told, first if first != told else "")
    issued_at, answered_at = kept.challenge.issued_at, kept.spent_at
    return ShownChallenge(
        prompts=tuple(_prompt(step, kept.challenge.language) for step in kept.challenge.steps),
        language=kept.challenge.language,
        issued_at=issued_at,
        expires_at=kept.challenge.expires_at,
        answered_at=answered_at,
        took_s=(answered_at - issued_at).total_seconds() if issued_at and answered_at else None,
        hint=told,
        first_hint=first if first != told else "",
    )


def _prompt(step: Step, tag: str) -> Prompt:
    match step:
        case Say(words):
            return Prompt("say", words)
        case TurnHead(turn):
            return Prompt("turn", turn.value)
        case MakeGesture():
            return Prompt("do", prompt(step, tag))
