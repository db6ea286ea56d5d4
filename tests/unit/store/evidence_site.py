"""A site with evidence of a few attempts, for tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cameo_challenges.model import Challenge, Say
from cameo_verifier.reasons import Reason
from cameo_verifier.review.evidence_room import EvidenceRoom
from cameo_verifier.settings import Settings
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.credentials.earned import Earned
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.types import Decision, Verdict
from tests.unit.store.conftest import NOW
from tests.unit.store.test_attempt_store import ACCEPTED, RECEIPT

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Engine

READER = Reader("ana", "case 7")
PIECES = {Kind.RECORDING: b"moving pictures" * 50, Kind.TRACKS: b"numbers", Kind.RESULT: b"{}"}
REASONS = {Verdict.REJECTED: (Reason.FLAT_FACE,), Verdict.REVIEW: (Reason.POSSIBLE_MINOR,), Verdict.RETRY: (Reason.TOO_DARK,)}


@dataclass(frozen=True, slots=True)
class Site:
    """A database, its evidence, and the folder the evidence lies in."""

    engine: Engine
    room: EvidenceRoom
    folder: Path
    settings: Settings

    def judged(self, attempt_id: str, subject: str = "ann", verdict: Verdict = Verdict.REJECTED, *, at: datetime = NOW) -> str:
        """Judge an attempt and keep nothing of it yet."""
        challenge = Challenge((Say("one two"),), id=f"c-{attempt_id}", issued_at=at, expires_at=at.replace(year=2030))
        ChallengeStore(self.engine).add(challenge, subject=subject)
        store = AttemptStore(self.engine)
        store.begin(attempt_id, challenge_id=challenge.id, audience="https://g.example", request_id="r", now=at)
        if verdict is Verdict.ACCEPTED:
            receipt = replace(RECEIPT, jti=f"j-{attempt_id}", attempt_id=attempt_id)
            store.finish(attempt_id, ACCEPTED, now=at, earned=Earned(receipt))
        else:
            store.finish(attempt_id, replace(ACCEPTED, decision=Decision(verdict, REASONS[verdict])), now=at)
        return attempt_id

    def kept(self, attempt_id: str, subject: str = "ann", verdict: Verdict = Verdict.REJECTED, *, at: datetime = NOW) -> str:
        """Judge an attempt and keep its evidence."""
        self.judged(attempt_id, subject, verdict, at=at)
        self.room.vault.keep(attempt_id, subject, PIECES, now=at)
        return attempt_id

    def read(self, attempt_id: str, kind: Kind = Kind.RECORDING) -> bytes:
        """Read a piece."""
        return self.room.vault.read(attempt_id, kind, reader=READER, now=NOW)


def open_site(engine: Engine, data: Path, **changed: object) -> Site:
    """Open a site whose evidence is in a folder of its own."""
    settings = Settings(data=data, evidence=str(data / "evidence")).model_copy(update=changed)
    return Site(engine, EvidenceRoom.open(settings, engine), data / "evidence", settings)
