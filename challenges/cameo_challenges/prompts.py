"""Prompts: puts a step of a challenge into words of its language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_challenges.languages import language
from cameo_challenges.model import Say, TurnHead

if TYPE_CHECKING:
    from cameo_challenges.model import Step


def prompt(step: Step, tag: str) -> str:
    """Return what to tell the person, in lower case and without a full stop, e.g. ``"turn your head left"``.

    Raises:
        UnknownLanguageError: no language has that tag.
    """
    prompts = language(tag).prompts
    if isinstance(step, Say):
        return prompts.say.format(words=step.text)
    return prompts.turn[step.turn] if isinstance(step, TurnHead) else prompts.gesture[step.gesture]
