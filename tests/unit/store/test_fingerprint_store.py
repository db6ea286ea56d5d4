from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.fingerprints import FingerprintStore
from tests.unit.store.conftest import NOW
from tests.unit.store.test_attempt_store import JUDGEMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from cameo_challenges.model import Challenge


@pytest.fixture
def finish(engine: Engine, issued: Callable[[str], Challenge]) -> Callable[[str, str, bytes, timedelta], None]:
    """Judge an attempt of a subject some time after `NOW` and keep a fingerprint."""
    attempts = AttemptStore(engine)

    def judge(identifier: str, subject: str, data: bytes, later: timedelta) -> None:
        ChallengeStore(engine).add(issued(f"c-{identifier}"), subject=subject)
        attempts.begin(identifier, challenge_id=f"c-{identifier}", audience="https://g.example", request_id="r", now=NOW)
        attempts.finish(identifier, JUDGEMENT, now=NOW + later, fingerprint=data)

    return judge


def test_fingerprints_of_every_subject_come_back_latest_first(engine: Engine, finish: Callable[..., None]) -> None:
    """Who made an attempt does not matter; how long ago does."""
    for hours, subject in enumerate(("ann", "ben", "ann")):
        finish(f"a{hours}", subject, bytes([hours]) * 3, timedelta(hours=hours))
    store = FingerprintStore(engine)
    assert store.ids_since(NOW) == ["a2", "a1", "a0"]
    assert store.ids_since(NOW + timedelta(minutes=30)) == ["a2", "a1"]
    assert dict(store.of(["a0", "a2", "never"])) == {"a0": b"\0\0\0", "a2": b"\2\2\2"}


def test_an_attempt_without_a_fingerprint_leaves_none(engine: Engine, finish: Callable[..., None]) -> None:
    """Nothing to recognise a recording by is not kept as a recording that resembles others."""
    finish("a", "ann", b"", timedelta())
    assert FingerprintStore(engine).ids_since(NOW) == []


def test_a_fingerprint_is_kept_with_its_judgement_or_not_at_all(engine: Engine, finish: Callable[..., None]) -> None:
    """An attempt that has ended already takes no second fingerprint."""
    finish("a", "ann", b"first", timedelta())
    with pytest.raises(NotFoundError):
        AttemptStore(engine).finish("a", JUDGEMENT, now=NOW, fingerprint=b"second")
    assert list(FingerprintStore(engine).of(["a"])) == [("a", b"first")]


def test_old_fingerprints_are_forgotten(engine: Engine, finish: Callable[..., None]) -> None:
    """Dropping takes those before a time and leaves the attempts."""
    finish("old", "ann", b"1", timedelta())
    finish("new", "ann", b"2", timedelta(days=2))
    store = FingerprintStore(engine)
    assert store.drop(before=NOW + timedelta(days=1)) == 1
    assert store.ids_since(NOW) == ["new"]
    assert dict(store.of(["old", "new"])) == {"new": b"2"}
    assert AttemptStore(engine).get("old").recording_sha256 == JUDGEMENT.evidence.media.sha256
