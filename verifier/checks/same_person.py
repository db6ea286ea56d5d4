"""Is it the same face all along?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from verifier.evidence.usable import why_few
from verifier.reasons import Reason
from verifier.types import CheckResult, Evidence, Missing

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.profiles import Profile

NAME = "same_person"


def check(evidence: Evidence, _challenge: Challenge, profile: Profile) -> CheckResult:
    """Judge the least cosine similarity between any two embedded frames, the one worst frame left out.

    The least pair, not a distance from the mean: after a swap halfway the mean lies between both faces. One frame may be spoiled
    by a blink, a hand or motion blur; a face that shows in a single one of the frames has said and turned nothing. A poor picture
    makes one person's pairs less alike than usual; where they are more so than two people's ever were, it is asked for again.
    """
    if isinstance(evidence.face, Missing):
        return CheckResult.unable(NAME, evidence.face.reason)
    embeddings = evidence.face.embeddings
    frames = profile["identity_frames_min"]
    if not frames.holds(len(embeddings)):
        return CheckResult.unable(
            NAME, why_few(evidence.face), f"{len(embeddings)} near-frontal frames, {frames.value:.0f} are needed"
        )
    similarity = embeddings @ embeddings.T
    rest = (np.delete(np.delete(similarity, i, 0), i, 1) for i in range(len(similarity)))
    least = max(float(pairs.min()) for pairs in rest)
    result = profile["same_person_min"].judge(NAME, least, Reason.FACE_CHANGED, f"{len(embeddings)} frames")
    if result.reason and not profile["other_face_max"].holds(least):
        return CheckResult.unable(NAME, Reason.BLURRED, f"least pair {least:.2f}, {result.detail}")
    return result
