"""Storage of evidence of judged attempts, by the site's retention policy.

The verdict has been returned by then: any failure here is logged and counted, and does not change it.
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
    from cameo_verifier.store.credentials.receipts import KeptReceipt
    from cameo_verifier.store.evidence.evidence import EvidenceVault
    from cameo_verifier.store.evidence.retention import Sweeper
    from cameo_verifier.types import Judgement
    from cameo_verifier.workers.judge import Response

log = structlog.get_logger(__name__)


class EvidenceKeeper:
    """Stores evidence; thread-safe. `failures`: number of attempts whose evidence could not be stored."""

    def __init__(self, vault: EvidenceVault, sweeper: Sweeper, policy: Retention) -> None:
        self._vault, self._sweeper, self._policy = vault, sweeper, policy
        self._lock = Lock()
        self.failures = 0

    def keep(
        self,
        attempt: Attempt,
        judgement: Judgement,
        response: Response,
        receipt: KeptReceipt | None,
        *,
        enrolled: bool,
        now: datetime,
    ) -> bool:
        """Store the evidence of a judged attempt that the policy keeps; return whether that succeeded. It raises nothing.

        enrolled: True if its face is in the gallery.
        """
        try:
            if receipt is not None:
                self._vault.keep_digest(attempt.id, receipt.token, now=now)
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
        except Exception as error:  # noqa: BLE001 - a bug of ours here must not change a verdict either
            # Without its text, which may contain anything.
            self._failed(type(error).__name__, "")
            return False
        return True

    def _failed(self, kind: str, message: str) -> None:
        with self._lock:
            self.failures += 1
            count = self.failures
        log.error("evidence could not be kept", kind=kind, error=message, failures=count)


def _pieces(judgement: Judgement, response: Response, wanted: Sequence[Kind]) -> dict[Kind, bytes]:
    """Return the pieces to store; of the recording only what was judged, and nothing if the rest cannot be cut off."""
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
