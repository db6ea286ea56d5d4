"""Screening: the questions that need what a server keeps of other attempts, put to what a worker judged.

1. Compare the fingerprint with those of earlier recordings, whatever the verdict so far.
2. Compare the face with the gallery, where a site has one and everything else would accept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

from verifier.checks.question import Case, Phase
from verifier.pipeline import proceed
from verifier.types import Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from challenges.model import Challenge
    from verifier.profile import Profile
    from verifier.server.protection import Protection
    from verifier.server.recall import Recall
    from verifier.types import Judgement


@dataclass(frozen=True, slots=True)
class Screening:
    """Puts the phases `HISTORY` and `GALLERY`; may be asked from several threads at once.

    Attributes:
        profile: thresholds and roles, and those for a possible minor.
        recall: knows earlier recordings.
        protection: knows the gallery; None where a site has none.
    """

    profile: Profile
    recall: Recall
    protection: Protection | None = None

    def __call__(self, judgement: Judgement, challenge: Challenge, *, subject: str, now: datetime) -> Judgement:
        """Return the judgement with the answers, which are in its circumstances too.

        Raises:
            StoreError: the database could not be read; nothing may count as new, or nobody's, then.
        """
        began = perf_counter()
        recalled = self.recall.nearest(judgement.evidence.fingerprint, now=now)
        known = replace(judgement.circumstances, recalled=recalled, has_gallery=self.protection is not None)
        case = Case(judgement.evidence, challenge, known)
        judgement = proceed(judgement, case, self.profile, Phase.HISTORY, later=(Phase.GALLERY,))
        timings_ms = {**judgement.timings_ms, "seen_before": (perf_counter() - began) * 1e3}
        if self.protection is not None and judgement.decision.verdict is Verdict.ACCEPTED:
            began = perf_counter()
            answer = self.protection.nearest(judgement, subject=subject)
            case = replace(case, circumstances=replace(known, gallery=answer))
            timings_ms["gallery"] = (perf_counter() - began) * 1e3
        return replace(proceed(judgement, case, self.profile, Phase.GALLERY), timings_ms=timings_ms)
