"""Is the face that turns a solid one?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verifier.evidence.relief import relief
from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "depth"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the depth that the turns of the head show, as a share of a head's own.

    Without a turn there is nothing to judge; where there were turns but the skin could not be followed, the picture is to blame,
    and so it is where it is too dark to follow the skin well.
    """
    if isinstance(evidence.face, Missing):
        return CheckResult.unable(NAME, evidence.face.reason)
    found = relief(evidence.face)
    pairs = profile["relief_pairs_min"]
    detail = f"{found.pairs} of {len(evidence.face.turn_rows)} pairs of frames"
    if not pairs.holds(len(evidence.face.turn_rows)):
        return CheckResult.unable(NAME, Reason.MOVEMENT_MISSING, f"{detail}, {pairs.value:.0f} are needed")
    if not pairs.holds(found.pairs):
        return CheckResult.unable(NAME, Reason.BLURRED, f"{detail}, {pairs.value:.0f} are needed")
    result = profile["relief_min"].judge(NAME, found.depth, Reason.FLAT_FACE, detail)
    light = profile["fair_luma_min"]
    if result.reason and not light.holds(float(np.nanmedian(evidence.face.luma))):
        return CheckResult.unable(NAME, Reason.TOO_DARK, f"depth {found.depth:.2f}, {detail}")
    return result
