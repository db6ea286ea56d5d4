"""Screen light: checks that the face reflects the colours that the display showed, as they were shown.

Whoever is before the display is lit by it, without doing anything. What was recorded or rendered in advance is not, nor is what
another camera films elsewhere; a filmed display becomes brighter with all that surrounds the face in it. A picture that is relit
while it arrives passes, unless that takes longer than a slow line is allowed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.light_response import Answers
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_challenges.model import Challenge
    from cameo_verifier.evidence.light_response import Response
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import Circumstances

NAME = "screen_light"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the match of the light on the face with the colours revealed, its strength over the noise, and its delay.

    Unable where skin and background are not both seen for most of the time, or a colour was not revealed.
    """
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    if case.circumstances.live is None:
        return CheckResult.unable(NAME, Reason.NOT_CONFIRMED, "no live session")
    face = case.evidence.face
    rows = np.searchsorted(face.t_s, face.lit_t_s)
    answers = Answers(face.lit_t_s, face.lit, face.landmarks[rows], case.circumstances.live)
    return judge(answers.to(case.challenge.colours), profile)


def judge(found: Response, profile: Profile) -> CheckResult:
    """Judge a measured response."""
    if math.isnan(found.match):
        return CheckResult.unable(NAME, Reason.NOT_CONFIRMED, f"{found.pictures} pictures show skin and background")
    detail = f"{found.strength:.1f} deviations, {found.delay_s * 1e3:.0f} ms after each was sent, {found.pictures} pictures"
    result = profile["screen_light_match_min"].judge(NAME, found.match, Reason.NOT_CONFIRMED, detail)
    for name, value in (("screen_light_strength_min", found.strength), ("screen_light_delay_max", found.delay_s)):
        if result.reason is None and not profile[name].holds(value):
            result = profile[name].judge(NAME, value, Reason.NOT_CONFIRMED, detail)
    return result


def _lit(challenge: Challenge) -> bool:
    return bool(challenge.colours)


def _revealed(circumstances: Circumstances) -> bool:
    return circumstances.live is not None and bool(circumstances.live.colours)


QUESTION = Question(
    NAME,
    "Screen light",
    "The face reflects the colours that the screen showed.",
    check,
    thresholds=("screen_light_match_min", "screen_light_strength_min", "screen_light_delay_max"),
    applies=_lit,
    known=_revealed,
    needs="a live session with screen light",
    advice_only=True,
)
