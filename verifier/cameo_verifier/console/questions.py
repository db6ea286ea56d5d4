"""Questions by the names of their checks, including checks that this version does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from cameo_verifier.checks import BY_NAME
from cameo_verifier.checks.question import Question

if TYPE_CHECKING:
    from cameo_verifier.checks.question import Case
    from cameo_verifier.profile import Profile


def question(check: str) -> Question:
    """Return the question of that name; for another version's check only a title is known."""
    title = check.replace("_", " ").capitalize()
    return BY_NAME.get(check) or Question(check, title, "A check of another version of this service.", _unknown)


def _unknown(_case: Case, _profile: Profile) -> NoReturn:
    raise LookupError("a check of another version of this service cannot be asked")
