"""Knowing a recording again: the one question that needs what other attempts left behind.

A worker judges a recording by itself and sends back its fingerprint. Here it is held against those of earlier attempts, and the
answer is folded into the decision as if it had been put with the others. Outlines of what is kept stay in memory, some 4 kB each;
only what they put on the shortlist is read and compared.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

from verifier.checks import seen_before
from verifier.decision import also
from verifier.evidence.fingerprint import from_bytes
from verifier.evidence.shortlist import Outline, outline, shortlist
from verifier.types import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from verifier.profiles import Profile
    from verifier.store.fingerprints import FingerprintStore
    from verifier.types import Judgement, Recalled


class Recall:
    """Holds recordings against those of the last `kept`; may be asked from several threads at once."""

    def __init__(self, fingerprints: FingerprintStore, profile: Profile, kept: timedelta) -> None:
        self._fingerprints, self._profile, self._kept = fingerprints, profile, kept
        self._outlines: dict[str, Outline] = {}
        self._lock = Lock()

    def reconsider(self, judgement: Judgement, *, now: datetime) -> Judgement:
        """Return the judgement with the answer to whether the recording was seen before.

        Raises:
            StoreError: the database could not be read; the recording must not count as new then.
        """
        began = perf_counter()
        profile = self._profile.judging(minor=judgement.minor_safeguards)
        recalled = self.nearest(judgement.evidence.fingerprint, now=now)
        result = seen_before.judge(judgement.evidence.fingerprint, profile, recalled)
        return replace(
            judgement,
            decision=also(judgement.decision, result, profile),
            checks=(*judgement.checks, result),
            circumstances=replace(judgement.circumstances, recalled=recalled),
            timings_ms={**judgement.timings_ms, "seen_before": (perf_counter() - began) * 1e3},
        )

    def nearest(self, own: Fingerprint, *, now: datetime, but: str = "") -> Recalled:
        """Return what is most alike of the recordings that are remembered, but for one attempt's.

        Raises:
            StoreError: the database could not be read.
        """
        earlier = self._earlier(own, now - self._kept)
        return seen_before.search(own, ((attempt_id, kept) for attempt_id, kept in earlier if attempt_id != but))

    def _earlier(self, own: Fingerprint, earliest: datetime) -> Iterator[tuple[str, Fingerprint]]:
        known = self._outlined(earliest)
        attempt_ids = list(known)
        listed = [attempt_ids[place] for place in shortlist(own, list(known.values()))]
        for attempt_id, data in self._fingerprints.of(listed):
            if (kept := from_bytes(data)) is not None:
                yield attempt_id, kept

    def _outlined(self, earliest: datetime) -> dict[str, Outline]:
        """Return the outline of every recording judged since a time, whichever server judged it; make those that are new."""
        attempt_ids = self._fingerprints.ids_since(earliest)
        with self._lock:
            known = self._outlines
            made = {
                attempt_id: outline(from_bytes(data) or Fingerprint())
                for attempt_id, data in self._fingerprints.of([each for each in attempt_ids if each not in known])
            }
            self._outlines = {each: found for each in attempt_ids if (found := known.get(each) or made.get(each)) is not None}
            return self._outlines
