"""Profile comparison: attempts judged again in small steps, so that progress can be reported.

Each step blocks, and belongs in a thread. Few attempts are judged in that thread; many in processes of their own, so that the
server stays responsive.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TYPE_CHECKING

from cameo_verifier.review.replay import OpenReplay, OpenVersus, Source, materials
from cameo_verifier.review.replay_diff import Difference, difference
from cameo_verifier.review.replay_engine import replay_all
from cameo_verifier.store.attempts.labels import LabelStore
from cameo_verifier.store.attempts.search import AttemptSearch

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Engine

    from cameo_verifier.profile import Profile
    from cameo_verifier.review.replay import NotReplayed, Replayed
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.evidence.audit import Reader
    from cameo_verifier.store.evidence.evidence import EvidenceVault

FEW = 100
"""About a second of judging; starting processes takes longer."""
_PROCESSES = 2


class Comparison:
    """Attempts judged again under a profile; `total` of them, and `done` so far. It must be closed, also before its end."""

    def __init__(  # what a comparison needs, by name
        self,
        engine: Engine,
        vault: EvidenceVault,
        *,
        condition: ColumnElement[bool],
        profile: Profile,
        baseline: Profile | None,
        settings: Settings,
        reader: Reader,
        now: datetime,
    ) -> None:
        """Find the attempts; nothing is read yet. Without `baseline` they are compared with their stored judgement.

        Raises:
            StoreError: the database failed.
        """
        self._search = AttemptSearch(engine)
        ids = self._search.judged(condition)
        self.total = len(ids)
        self._labels, self._profile, self._now = LabelStore(engine), profile, now
        self._found: list[Replayed | NotReplayed] = []
        given = materials(vault, ids, Source.TRACKS, reader=reader, now=now)
        processes = 1 if self.total <= FEW else _PROCESSES
        candidate = OpenReplay(profile, Source.TRACKS, settings)
        if baseline is None:
            self._coming = replay_all(given, candidate, workers=processes)
        else:
            versus = OpenVersus(OpenReplay(baseline, Source.TRACKS, settings), candidate)
            self._coming = replay_all(given, versus, workers=processes)

    @property
    def done(self) -> int:
        """The number of attempts that are done."""
        return len(self._found)

    def step(self, for_s: float) -> bool:
        """Continue for some seconds, at least by one attempt; return whether there is more to do.

        Raises:
            StoreError: the database failed, or the access could not be logged.
        """
        until = time.monotonic() + for_s
        for found in self._coming:
            self._found.append(found)
            if time.monotonic() >= until:
                return True
        return False

    def difference(self) -> Difference:
        """Return the difference over all attempts.

        Raises:
            StoreError: the database failed.
        """
        ids = [found.attempt_id for found in self._found]
        consensus, verdicts = self._labels.consensus(ids), self._search.verdicts(ids)
        return difference(
            self._found, consensus, verdicts=verdicts, source=Source.TRACKS, profile=self._profile, made_at=self._now
        )

    def close(self) -> None:
        """Stop what is in progress."""
        if isinstance(self._coming, Generator):
            self._coming.close()
