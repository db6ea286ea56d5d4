"""The retention schedule: complete, and the times that are enforced."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from cameo_verifier.live_settings import Live
from cameo_verifier.server import maintenance
from cameo_verifier.server.retention_schedule import as_json, schedule
from cameo_verifier.settings import Retention, Settings
from cameo_verifier.store.evidence.retention import kept_days
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.store.subject_rows import EXPORTED
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from cameo_verifier.server.retention_schedule import RetentionRule

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHANGED = {
    "challenge_ttl_s": 77,
    "live": Live(session_s=88),
    "fingerprint_days": 11,
    "review_wait_days": 12.5,
    "consent_days": 13.0,
    "retention": Retention(
        rejected_days=1, review_days=2, retry_days=3, accepted_days=4, accepted_tracks_days=5, enrolled_days=6
    ),
}


def by_data(**settings: Any) -> dict[str, RetentionRule]:
    """Return the rules of a site, by what they are about."""
    return {rule.data: rule for rule in schedule(Settings(**settings))}


def test_every_table_with_rows_of_people_is_in_the_schedule() -> None:
    """And no other."""
    assert {table for rule in schedule(Settings()) for table in rule.tables} == set(EXPORTED)


def test_each_rule_says_when_it_ends() -> None:
    """By a time with its beginning, or by an event; names are unique."""
    rules = schedule(Settings())
    assert len({rule.data for rule in rules}) == len(rules)
    for rule in rules:
        assert (rule.kept is None) == (rule.since == ""), rule.data
        assert rule.kept is not None or rule.until, rule.data


def test_a_setting_changes_the_rules_that_name_it() -> None:
    """Every rule with a setting, and none without."""
    before, after = by_data(), by_data(**CHANGED)
    for data, rule in after.items():
        assert (rule.kept != before[data].kept) == bool(rule.setting), data
    wrong = {rule.setting for rule in after.values()} - {""} - _variables()
    assert not wrong


def _variables() -> set[str]:
    return {kind.variable(name) for kind in (Settings, Live, Retention) for name in kind.model_fields}


async def test_what_is_forgotten_is_what_the_schedule_says() -> None:
    """The thresholds that maintenance passes to the stores are its times."""
    asked: dict[str, datetime] = {}
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    def noting(name: str) -> Any:
        return lambda **threshold: asked.update({name: next(iter(threshold.values()))})

    def scrub() -> bool:
        loop.call_soon_threadsafe(done.set)
        return True

    kept = maintenance.Kept(
        challenges=cast("Any", SimpleNamespace(drop_unanswered=noting("challenges"))),
        sessions=cast("Any", SimpleNamespace(drop_unused=noting("sessions"), expire=lambda **_: 0)),
        credentials=cast("Any", SimpleNamespace(drop_tokens=noting("tokens"))),
        fingerprints=cast("Any", SimpleNamespace(drop=noting("fingerprints"))),
        likenesses=cast("Any", SimpleNamespace(drop_unclaimed=noting("unclaimed"), scrub=scrub)),
        protection=None,
        deciding=cast("Any", SimpleNamespace(expire=noting("waiting"))),
        consents=noting("consents"),
        overdue=noting("overdue"),
    )
    watch = cast("Any", SimpleNamespace(look=lambda: NOW))
    task = asyncio.create_task(maintenance.forget(kept, Settings(**CHANGED), watch))
    await done.wait()
    task.cancel()
    rules = by_data(**CHANGED)
    challenge = rules["challenge that nobody answered"].kept
    assert challenge is not None
    assert asked.pop("overdue") == NOW - timedelta(hours=Settings().output_due_h)
    assert asked == {
        # Counted from the end of the challenge.
        "challenges": NOW - (challenge - timedelta(seconds=77)),
        "sessions": NOW - (_time(rules["live session that nobody used"]) - timedelta(seconds=88)),
        "tokens": NOW - _time(rules["encrypted credential, for a repeated request"]),
        "fingerprints": NOW - _time(rules["fingerprint of a recording"]),
        "unclaimed": NOW - _time(rules["likeness of which no cameo is created"]),
        "waiting": NOW - _time(rules["likeness of an attempt in manual review"]),
        "consents": NOW - _time(rules["consent records"]),
    }


def _time(rule: RetentionRule) -> timedelta:
    assert rule.kept is not None
    return rule.kept


REJECTED, REVIEW, RETRY, ACCEPTED = (Verdict.REJECTED, Verdict.REVIEW, Verdict.RETRY, Verdict.ACCEPTED)
LOOKED_AT = (Kind.TRACKS, Kind.RESULT)


@pytest.mark.parametrize(
    ("data", "verdict", "kinds", "enrolled"),
    [
        ("recording, tracks and result of a rejected attempt", REJECTED, (Kind.RECORDING, *LOOKED_AT), False),
        ("recording, tracks, result and pictures of an attempt in manual review", REVIEW, tuple(Kind)[:4], False),
        ("recording, tracks and result of an attempt that was asked to try again", RETRY, (Kind.RECORDING, *LOOKED_AT), False),
        ("recording, tracks and result of an accepted attempt", ACCEPTED, (Kind.RECORDING,), False),
        ("tracks and result of an accepted attempt", ACCEPTED, LOOKED_AT, False),
        ("tracks, result and pictures of an attempt whose face is in the gallery", ACCEPTED, (Kind.TRACKS, Kind.CROPS), True),
    ],
)
def test_evidence_is_swept_by_the_times_of_the_schedule(
    data: str, verdict: Verdict, kinds: tuple[Kind, ...], *, enrolled: bool
) -> None:
    """The days of `retention.kept_days`, which the sweep uses."""
    days = _time(by_data(**CHANGED)[data]) / timedelta(days=1)
    policy = CHANGED["retention"]
    assert isinstance(policy, Retention)
    assert {kept_days(policy, verdict, kind, "a1", enrolled=enrolled) for kind in kinds} == {days}


def test_as_json_the_times_are_days() -> None:
    """For the export."""
    first = as_json(schedule(Settings(**CHANGED)))[3]
    assert (first["data"], first["days"], first["setting"]) == ("fingerprint of a recording", 11.0, "CAMEO_FINGERPRINT_DAYS")
