"""Knowing a recording again: the one question that needs what other attempts left behind.

A worker judges a recording by itself and sends back its fingerprint. Here it is held against those of earlier attempts, and the
answer is folded into the decision as if it had been put with the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

from verifier.checks import seen_before
from verifier.decision import also
from verifier.evidence.fingerprint import from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from challenges.model import Challenge
    from verifier.profiles import Profile
    from verifier.store.fingerprints import FingerprintStore
    from verifier.types import Fingerprint, Judgement


@dataclass(frozen=True, slots=True)
class Recall:
    """Holds recordings against those of the last `kept`."""

    fingerprints: FingerprintStore
    profile: Profile
    kept: timedelta

    def reconsider(self, judgement: Judgement, challenge: Challenge, *, now: datetime) -> Judgement:
        """Return the judgement with the answer to whether the recording was seen before.

        Raises:
            StoreError: the database could not be read; the recording must not count as new then.
        """
        began = perf_counter()
        profile = self.profile.judging(minor=judgement.minor_safeguards)
        result = seen_before.check(judgement.evidence, challenge, profile, earlier=self._earlier(now - self.kept))
        return replace(
            judgement,
            decision=also(judgement.decision, result, profile),
            checks=(*judgement.checks, result),
            timings_ms={**judgement.timings_ms, "seen_before": (perf_counter() - began) * 1e3},
        )

    def _earlier(self, earliest: datetime) -> Iterator[tuple[str, Fingerprint]]:
        for attempt_id, data in self.fingerprints.since(earliest):
            if (known := from_bytes(data)) is not None:
                yield attempt_id, known
