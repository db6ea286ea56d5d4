"""A comparison under way: attempts judged again, a little at a time, so that whoever asked can be told how far it is.

Each step blocks, and is for a thread. Few attempts are judged in that thread; many in processes of their own, so that the server
goes on answering others meanwhile.
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
"""A second or so of judging; starting processes takes longer."""
_PROCESSES = 2


class Comparison:
    """Attempts judged again under a profile; `total`, and `done` of them. To be closed, also halfway."""

    def __init__(  # what a comparison is, by name
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
        """Look up which attempts they are; nothing is read yet. No `baseline`: they are compared with what they were judged then.

        Raises:
            StoreError: the database could not do it.
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
        """How many attempts were dealt with."""
        return len(self._found)

    def step(self, for_s: float) -> bool:
        """Go on for some time, at least by one attempt; return whether there is more to do.

        Raises:
            StoreError: the database could not do it, also not log what is read.
        """
        until = time.monotonic() + for_s
        for found in self._coming:
            self._found.append(found)
            if time.monotonic() >= until:
                return True
        return False

    def difference(self) -> Difference:
        """Return what all of them come to.

        Raises:
            StoreError: the database could not do it.
        """
        ids = [found.attempt_id for found in self._found]
        standing, verdicts = self._labels.standing(ids), self._search.verdicts(ids)
        return difference(
            self._found, standing, verdicts=verdicts, source=Source.TRACKS, profile=self._profile, made_at=self._now
        )

    def close(self) -> None:
        """End what is under way."""
        if isinstance(self._coming, Generator):
            self._coming.close()
