"""Duplicate search: finds earlier recordings with the fingerprint of a new one.

A worker judges a recording by itself and returns its fingerprint. Here it is compared with those of earlier attempts. Outlines of
stored fingerprints stay in memory, some 4 kB each; only those on the shortlist are read and compared exactly. A fingerprint that
cannot be decoded is skipped, and logged once; each answer reports their number.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

import structlog

from cameo_verifier.checks import seen_before
from cameo_verifier.evidence.fingerprint import FingerprintError, from_bytes
from cameo_verifier.screening.shortlist import Sketch, shortlist, sketch
from cameo_verifier.types import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

    from cameo_verifier.checks.seen_before import Alike
    from cameo_verifier.profile import Profile
    from cameo_verifier.store.attempts.fingerprints import FingerprintStore
    from cameo_verifier.types import Recalled

log = structlog.get_logger(__name__)


class DuplicateSearch:
    """A search of the recordings of the last `kept`; thread-safe."""

    def __init__(self, fingerprints: FingerprintStore, profile: Profile, kept: timedelta) -> None:
        self._fingerprints, self._profile, self._kept = fingerprints, profile, kept
        self._sketches: dict[str, Sketch] = {}
        self._unreadable: set[str] = set()
        self._lock = Lock()

    def nearest(self, own: Fingerprint, *, now: datetime, but: str = "") -> Recalled:
        """Return the most similar of the stored recordings, except one attempt's.

        Raises:
            StoreError: the database could not be read; the recording must not count as new then.
        """
        known = self._sketched(now - self._kept)
        found = seen_before.search(own, self._profile, self._listed(own, known, but))
        kept = sum(len(each.motion) > 0 for attempt_id, each in known.items() if attempt_id != but)
        return replace(found, kept=kept, unreadable=len(self._unreadable & known.keys()))

    def alike(self, own: Fingerprint, *, now: datetime, but: str) -> list[Alike]:
        """Return every stored duplicate of the recording, the most similar first, except one attempt's.

        Raises:
            StoreError: the database could not be read.
        """
        known = self._sketched(now - self._kept)
        among = sum(len(each.motion) > 0 for attempt_id, each in known.items() if attempt_id != but)
        return seen_before.alike(own, self._profile, self._listed(own, known, but), among=among)

    def own(self, attempt_id: str) -> Fingerprint | None:
        """Return the stored fingerprint of an attempt; None without one, or where it cannot be decoded.

        Raises:
            StoreError: the database could not be read.
        """
        return next((self._decoded(each, data) for each, data in self._fingerprints.of([attempt_id])), None)

    def _listed(self, own: Fingerprint, known: Mapping[str, Sketch], but: str) -> Iterator[tuple[str, Fingerprint]]:
        attempt_ids = list(known)
        listed = [attempt_ids[place] for place in shortlist(own, list(known.values()))]
        for attempt_id, data in self._fingerprints.of([each for each in listed if each not in self._unreadable | {but}]):
            if (kept := self._decoded(attempt_id, data)) is not None:
                yield attempt_id, kept

    def _sketched(self, earliest: datetime) -> dict[str, Sketch]:
        """Return the sketch of every recording judged since a time, by any server; compute those that are new."""
        attempt_ids = self._fingerprints.ids_since(earliest)
        with self._lock:
            known = self._sketches
            made = {
                attempt_id: sketch(self._decoded(attempt_id, data) or Fingerprint())
                for attempt_id, data in self._fingerprints.of([each for each in attempt_ids if each not in known])
            }
            self._sketches = {each: found for each in attempt_ids if (found := known.get(each) or made.get(each)) is not None}
            self._unreadable.intersection_update(self._sketches)
            return self._sketches

    def _decoded(self, attempt_id: str, data: bytes) -> Fingerprint | None:
        try:
            return from_bytes(data)
        except FingerprintError as error:
            self._unreadable.add(attempt_id)
            log.warning("a fingerprint is passed over", attempt_id=attempt_id, why=str(error), unreadable=len(self._unreadable))
            return None
