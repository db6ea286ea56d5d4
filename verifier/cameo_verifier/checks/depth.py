"""Depth from motion: checks that the turning face is solid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.checks.question import Case, Question, turned
from cameo_verifier.evidence.light import light
from cameo_verifier.evidence.movements import movements
from cameo_verifier.evidence.relief import relief
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

NAME = "depth"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the depth that the turns of the head show, as a share of a head's own.

    Unable without a turn: a head that nods a little while it talks shows too little parallax. Where there were turns but the skin
    could not be tracked, the reason is the picture's quality, as it is where it is too dark to track the skin well. A depth
    between that of prints and of heads is retried, as is one that compression blurred until heads look flat.
    """
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    found = relief(case.evidence.face)
    pairs = profile["relief_pairs_min"]
    detail = f"{found.pairs} of {len(case.evidence.face.turn_rows)} pairs of frames"
    turns = movements(
        case.evidence.face.t_s,
        case.evidence.face.pose_deg,
        min_deg=profile["turn_deg_min"].value,
        centre_deg=profile["turn_centre_deg_max"].value,
    )
    if not turns or not pairs.holds(len(case.evidence.face.turn_rows)):
        return CheckResult.unable(NAME, Reason.MOVEMENT_MISSING, f"{detail}, {pairs.value:.0f} are needed")
    if not pairs.holds(found.pairs):
        return CheckResult.unable(NAME, Reason.BLURRED, f"{detail}, {pairs.value:.0f} are needed")
    result = profile["relief_min"].judge(NAME, found.depth, Reason.FLAT_FACE, detail)
    if result.reason and not profile["fair_light_min"].holds(light(case.evidence.face)):
        return CheckResult.unable(NAME, Reason.TOO_DARK, f"depth {found.depth:.2f}, {detail}")
    flat = profile["relief_flat_max"].holds(found.depth) and profile["relief_clarity_min"].holds(found.clarity)
    if result.reason and not flat:
        return CheckResult.unable(NAME, Reason.BLURRED, f"depth {found.depth:.2f}, clarity {found.clarity:.2f}, {detail}")
    return result


QUESTION = Question(
    NAME,
    "Depth",
    "The face has depth: it moves as a head does when it turns.",
    check,
    thresholds=(
        "relief_min",
        "relief_flat_max",
        "relief_clarity_min",
        "fair_light_min",
        "relief_pairs_min",
        "turn_deg_min",
        "turn_centre_deg_max",
    ),
    applies=turned,
)
