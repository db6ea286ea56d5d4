"""Keeping the evidence of judged attempts, as the site's retention policy says.

The verdict is out by then: whatever goes wrong here is logged and counted, and takes nothing of it back.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import structlog

from cameo_verifier.errors import StoreError
from cameo_verifier.evidence import tracks
from cameo_verifier.store.attempts import result as attempt_result
from cameo_verifier.store.attempts.result import AttemptResult
from cameo_verifier.store.evidence.errors import EvidenceError
from cameo_verifier.store.evidence.retention import kept_days
from cameo_verifier.store.evidence.sealed_object import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cameo_verifier.settings import Retention
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.store.credentials.credentials import IssuedCredential
    from cameo_verifier.store.evidence.evidence import EvidenceVault
    from cameo_verifier.store.evidence.retention import Sweeper
    from cameo_verifier.types import Judgement
    from cameo_verifier.workers.judge import Response

log = structlog.get_logger(__name__)


class EvidenceKeeper:
    """Keeps evidence; may be asked from several threads at once. `failures`: attempts of which it could not."""

    def __init__(self, vault: EvidenceVault, sweeper: Sweeper, policy: Retention) -> None:
        self._vault, self._sweeper, self._policy = vault, sweeper, policy
        self._lock = Lock()
        self.failures = 0

    def keep(
        self,
        attempt: Attempt,
        judgement: Judgement,
        response: Response,
        credential: IssuedCredential | None,
        *,
        enrolled: bool,
        now: datetime,
    ) -> bool:
        """Keep what the policy says of a judged attempt; return whether that was done. It raises nothing.

        enrolled: the gallery keeps its face.
        """
        try:
            if credential is not None:
                self._vault.keep_digest(attempt.id, credential.token, now=now)
            verdict = judgement.decision.verdict
            wanted = [kind for kind in Kind if kept_days(self._policy, verdict, kind, attempt.id, enrolled=enrolled)]
            if pieces := _pieces(judgement, response, wanted):
                size_bytes = sum(map(len, pieces.values()))
                if gone := self._sweeper.make_room(size_bytes, judgement.decision.verdict, now=now):
                    log.warning("older evidence made room for new", pieces=len(gone), attempts=len({p.attempt_id for p in gone}))
                self._vault.keep(attempt.id, attempt.subject, pieces, now=now)
        except (EvidenceError, StoreError) as error:
            self._failed(type(error).__name__, str(error))
            return False
        except Exception as error:  # noqa: BLE001 - a bug of ours here must not take a verdict back either
            # Not its text: nobody knows what is in it.
            self._failed(type(error).__name__, "")
            return False
        return True

    def _failed(self, kind: str, message: str) -> None:
        with self._lock:
            self.failures += 1
            count = self.failures
        log.error("evidence could not be kept", kind=kind, error=message, failures=count)


def _pieces(judgement: Judgement, response: Response, wanted: Sequence[Kind]) -> dict[Kind, bytes]:
    """Return what is kept; of the recording only what was judged, and nothing where that cannot be had without the rest."""
    pieces = {}
    if Kind.RECORDING in wanted:
        pieces[Kind.RECORDING] = judgement.kept
        if not judgement.kept:
            log.warning("no recording kept: it holds more than was judged and cannot be written again without it")
    if Kind.TRACKS in wanted:
        pieces[Kind.TRACKS] = tracks.to_bytes(tracks.Tracks(judgement.evidence, judgement.circumstances))
        pieces[Kind.RESULT] = attempt_result.to_bytes(AttemptResult.of(judgement, response.challenge))
    if Kind.CROPS in wanted:
        pieces[Kind.CROPS] = judgement.crops
    return {kind: piece for kind, piece in pieces.items() if piece}
