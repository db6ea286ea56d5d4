"""A site whose attempts were made by the real pipeline from committed recordings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert

from cameo_verifier import profiles
from cameo_verifier.evidence.tracks import Tracks, to_bytes
from cameo_verifier.review.rejudge import complete
from cameo_verifier.store.attempts import result as attempt_result
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.result import AttemptResult
from cameo_verifier.store.credentials.earned import Earned
from cameo_verifier.store.db import tables
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.types import Recalled, Verdict
from fixtures.manifest import load
from tests.conftest import ASKED
from tests.unit.store.evidence_site import Site, open_site
from tests.unit.store.test_attempt_store import RECEIPT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from sqlalchemy import Connection, Engine

    from cameo_challenges.model import Challenge
    from cameo_verifier.store.cameos.vault import SealedLikeness
    from cameo_verifier.types import Judgement

    Judged = Callable[[str], tuple[Judgement, Challenge]]

RECORDINGS = {fixture.id: fixture.file for fixture in load()}


def add_session(connection: Connection, *, attempt_id: str, hello: Mapping[str, Any]) -> None:
    """Add the live session of an attempt, with what its client said about itself."""
    row = {"id": "s1", "subject": "ann", "audience": "a", "request_id": "r", "language": "en", "needs": [], "state": "JUDGED"}
    rest = {"created_at": ASKED, "expires_at": ASKED, "ended_by": "", "server_id": ""}
    connection.execute(insert(tables.sessions).values(**row, **rest, attempt_id=attempt_id, hello=hello))


def keep(
    site: Site,
    attempt_id: str,
    judgement: Judgement,
    challenge: Challenge,
    recording: bytes,
    subject: str = "ann",
    *,
    waiting: SealedLikeness | None = None,
) -> str:
    """Keep an attempt as the server does."""
    asked_at = challenge.issued_at
    assert asked_at is not None
    challenge = replace(challenge, id=f"c-{attempt_id}", expires_at=asked_at + timedelta(minutes=3))
    now = asked_at + timedelta(seconds=25)
    ChallengeStore(site.engine).add(challenge, subject=subject)
    store = AttemptStore(site.engine)
    store.begin(attempt_id, challenge_id=challenge.id, audience="https://g.example", request_id="r", now=now)
    accepted = judgement.decision.verdict is Verdict.ACCEPTED
    receipt = replace(RECEIPT, jti=f"j-{attempt_id}", attempt_id=attempt_id) if accepted else None
    store.finish(attempt_id, judgement, now=now, earned=Earned(receipt), waiting=waiting)
    pieces = {
        Kind.RECORDING: recording,
        Kind.TRACKS: to_bytes(Tracks(judgement.evidence, judgement.circumstances)),
        Kind.RESULT: attempt_result.to_bytes(AttemptResult.of(judgement, challenge)),
    }
    site.room.vault.keep(attempt_id, subject, pieces, now=now)
    return attempt_id


def fixture_site(engine: Engine, data: Path, judged: Judged, *recordings: str) -> Site:
    """Open a site that has judged these recordings, each as an attempt of that name."""
    site = open_site(engine, data)
    for name in recordings:
        judgement, challenge = judged(name)
        told = replace(judgement.circumstances, recalled=Recalled(0.1, "earlier", 0.05, "earlier", 3))
        seen = complete(judgement, challenge, told, profiles.load())
        keep(site, name, seen, challenge, judgement.kept)
    return site
