"""Screening: adds the checks that need other attempts to what a worker judged.

1. Compare the fingerprint with those of earlier recordings, whatever the verdict so far.
2. Compare the face with the gallery, where a site has one and all other checks would accept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Self

from cameo_verifier.checks.question import Case, Phase
from cameo_verifier.pipeline import proceed
from cameo_verifier.screening.duplicates import DuplicateSearch
from cameo_verifier.screening.identification import FaceIdentification
from cameo_verifier.store.attempts.fingerprints import FingerprintStore
from cameo_verifier.store.cameos.faces import FaceStore
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from cameo_challenges.model import Challenge
    from cameo_verifier.profile import Profile
    from cameo_verifier.settings import Settings
    from cameo_verifier.types import Judgement


@dataclass(frozen=True, slots=True)
class Screening:
    """The phases `HISTORY` and `GALLERY` of a site; thread-safe.

    Attributes:
        profile: thresholds and roles, and those for a possible minor.
        duplicates: finds earlier recordings.
        identification: searches the gallery; None where a site has none.
    """

    profile: Profile
    duplicates: DuplicateSearch
    identification: FaceIdentification | None = None

    @classmethod
    def open(cls, settings: Settings, engine: Engine, profile: Profile) -> Self:
        """Read a site's fingerprints and faces; its key of the gallery is created on first start.

        Raises:
            KeyFileError: the key file cannot be used, or is not the one that transformed the stored faces.
            StoreError: the database could not be read.
        """
        duplicates = DuplicateSearch(FingerprintStore(engine), profile, timedelta(days=settings.fingerprint_days))
        gallery = FaceIdentification.open(settings, FaceStore(engine), profile) if settings.gallery else None
        return cls(profile, duplicates, gallery)

    def __call__(self, judgement: Judgement, challenge: Challenge, *, subject: str, now: datetime) -> Judgement:
        """Return the judgement with the results of both phases, recorded in its circumstances too.

        Raises:
            StoreError: the database could not be read; no recording may count as new, and no face as unknown, then.
        """
        began = perf_counter()
        recalled = self.duplicates.nearest(judgement.evidence.fingerprint, now=now)
        known = replace(judgement.circumstances, recalled=recalled, has_gallery=self.identification is not None)
        case = Case(judgement.evidence, challenge, known)
        judgement = proceed(judgement, case, self.profile, Phase.HISTORY, later=(Phase.GALLERY,))
        timings_ms = {**judgement.timings_ms, "seen_before": (perf_counter() - began) * 1e3}
        if self.identification is not None and judgement.decision.verdict is Verdict.ACCEPTED:
            began = perf_counter()
            answer = self.identification.nearest(judgement, subject=subject)
            case = replace(case, circumstances=replace(known, gallery=answer))
            timings_ms["gallery"] = (perf_counter() - began) * 1e3
        return replace(proceed(judgement, case, self.profile, Phase.GALLERY), timings_ms=timings_ms)
