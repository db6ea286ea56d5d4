"""Face consistency: checks that the face is the same person's throughout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.usable import why_few
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile, Threshold
    from cameo_verifier.types import F32

NAME = "same_person"


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the least cosine similarity between any two embedded frames, the one worst frame left out.

    The least pair, not a distance from the mean: after a swap halfway the mean lies between both faces. One frame may be spoiled
    by a blink, a hand or motion blur; a face in a single one of the frames has said and turned nothing. A poor picture lowers the
    similarity of all pairs of one person; another face is claimed only where the frames form two clusters, each consistent.
    """
    if isinstance(case.evidence.face, Missing):
        return CheckResult.unable(NAME, case.evidence.face.reason)
    embeddings = case.evidence.face.embeddings
    frames = profile["identity_frames_min"]
    if not frames.holds(len(embeddings)):
        return CheckResult.unable(
            NAME, why_few(case.evidence.face), f"{len(embeddings)} near-frontal frames, {frames.value:.0f} are needed"
        )
    similarity = embeddings @ embeddings.T
    rest = (np.delete(np.delete(similarity, i, 0), i, 1) for i in range(len(similarity)))
    least = max(float(pairs.min()) for pairs in rest)
    result = profile["same_person_min"].judge(NAME, least, Reason.FACE_CHANGED, f"{len(embeddings)} frames")
    if result.reason and not _two_faces(similarity, same=profile["same_person_min"], other=profile["other_face_max"]):
        return CheckResult.unable(NAME, Reason.BLURRED, f"least pair {least:.2f}, {result.detail}")
    return result


def _two_faces(similarity: F32, *, same: Threshold, other: Threshold) -> bool:
    """Whether the frames form two clusters, of two and more, each of one face and each of another.

    The clusters are the frames nearer to either one of the least similar pair; the criterion is the mean within and between them.
    """
    one, two = np.unravel_index(int(similarity.argmin()), similarity.shape)
    near = similarity[one] >= similarity[two]
    groups = [similarity[np.ix_(group, group)] for group in (near, ~near)]
    if min(len(group) for group in groups) < 2:
        return False
    within = [(group.sum() - np.trace(group)) / (len(group) * (len(group) - 1)) for group in groups]
    return all(same.holds(float(mean)) for mean in within) and other.holds(float(similarity[np.ix_(near, ~near)].mean()))


QUESTION = Question(
    NAME,
    "One face",
    "It is the same face throughout, by how alike its pictures are.",
    check,
    thresholds=("identity_frames_min", "same_person_min", "other_face_max"),
)
