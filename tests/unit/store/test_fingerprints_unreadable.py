"""A stored fingerprint that cannot be decoded fails no verification, and the others are compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from structlog.testing import capture_logs

from cameo_challenges.model import Challenge
from cameo_verifier import profiles
from cameo_verifier.checks import seen_before
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.fingerprint import to_bytes
from cameo_verifier.reasons import Reason
from cameo_verifier.screening.duplicates import DuplicateSearch
from cameo_verifier.screening.shortlist import EACH
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.fingerprints import FingerprintStore
from cameo_verifier.types import Circumstances, Fingerprint
from tests.unit.store.conftest import NOW
from tests.unit.store.test_attempt_store import JUDGEMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from cameo_verifier.profile import Profile
    from cameo_verifier.types import CheckResult, Recalled


def made(seed: int) -> Fingerprint:
    rng = np.random.default_rng(seed)
    return Fingerprint(rng.integers(-32, 33, (160, 6), np.int8), rng.integers(-1, 2, (160, 10), np.int8))


@pytest.fixture
def keep(engine: Engine, issued: Callable[[str], Challenge]) -> Callable[[dict[str, bytes]], None]:
    """Keep fingerprints, each of an attempt of that name."""

    def kept(rows: dict[str, bytes]) -> None:
        attempts = AttemptStore(engine)
        for key, data in rows.items():
            ChallengeStore(engine).add(issued(f"c-{key}"), subject="ann")
            attempts.begin(key, challenge_id=f"c-{key}", audience="https://g.example", request_id="r", now=NOW)
            attempts.finish(key, JUDGEMENT, now=NOW, fingerprint=data)

    return kept


def sent_again(own: Fingerprint, profile: Profile, found: Recalled) -> CheckResult:
    evidence = replace(JUDGEMENT.evidence, fingerprint=own)
    return seen_before.check(Case(evidence, Challenge(()), Circumstances(recalled=found)), profile)


@pytest.mark.parametrize("others", [3, 4 * EACH + 5], ids=["all compared", "from a shortlist"])
@pytest.mark.parametrize(
    "damaged",
    [b"\0", b"\2\0\0\0", to_bytes(made(1))[:-9], to_bytes(made(1))[:16] + b"\xff" * 40],
    ids=["a byte", "head cut", "cut", "garbled"],
)
def test_what_cannot_be_decoded_is_passed_over(others: int, damaged: bytes, engine: Engine, keep: Callable[..., None]) -> None:
    """One line in the log for each such row, however often it is met; the answer says how many there are, and finds the copy."""
    rows = {f"a{seed}": to_bytes(made(seed)) for seed in range(1, others + 1)}
    keep(rows | {"broken": damaged, "older": b"\1\0\0\0" + to_bytes(made(1))[4:]})
    profile = profiles.load()
    recall = DuplicateSearch(FingerprintStore(engine), profile, timedelta(days=1))
    with capture_logs() as lines:
        for _ in range(2):
            found = recall.nearest(made(2), now=NOW)
    assert (found.motion_attempt, found.kept, found.unreadable) == ("a2", others, 1)
    assert [(line["log_level"], line["attempt_id"], line["unreadable"]) for line in lines] == [("warning", "broken", 1)]
    result = sent_again(made(2), profile, found)
    assert result.reason is Reason.SEEN_BEFORE
    assert result.detail.endswith("1 could not be read")
    assert sent_again(made(999), profile, recall.nearest(made(999), now=NOW)).reason is None
