"""Rate limits per person, on a clock of the test's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from cameo_challenges.model import Challenge, Say
from cameo_verifier.reasons import Reason
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.rate_limits import RateLimits, TooManyAttemptsError
from cameo_verifier.types import Decision, Verdict
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import REASONS
from tests.unit.store.test_attempt_store import ACCEPTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

MINUTE = timedelta(minutes=1)
RATE_LIMITS = RateLimits(open_challenges=3, attempts_an_hour=6, failures_in_a_row=2, wait=15 * MINUTE)


class Site:
    """A database in which people try."""

    def __init__(self, engine: Engine, rate_limits: RateLimits = RATE_LIMITS) -> None:
        self.challenges, self.attempts = (
            ChallengeStore(engine, rate_limits=rate_limits),
            AttemptStore(engine, rate_limits=rate_limits),
        )
        self.unhurried = ChallengeStore(engine)
        self.now, self.ids = NOW, count()

    def issue(self, subject: str = "ann", *, request_id: str = "", unhurried: bool = False) -> str:
        """Issue a challenge of three minutes and return its id."""
        challenge = Challenge((Say("one"),), id=f"c{next(self.ids)}", issued_at=self.now, expires_at=self.now + 3 * MINUTE)
        store = self.unhurried if unhurried else self.challenges
        return store.add(challenge, subject=subject, request_id=request_id).id

    def try_(self, verdict: Verdict | None, subject: str = "ann", *, challenge: str = "") -> None:
        """Answer a challenge; None: it ends unjudged."""
        identifier = f"a{next(self.ids)}"
        began = {"challenge_id": challenge or self.issue(subject), "audience": "a", "request_id": identifier}
        self.attempts.begin(identifier, **began, now=self.now)
        if verdict is None:
            self.attempts.fail(identifier, now=self.now)
        else:
            decision = Decision(verdict, REASONS[verdict])
            self.attempts.finish(identifier, replace(ACCEPTED, decision=decision), now=self.now)


@pytest.fixture
def site(engine: Engine) -> Site:
    return Site(engine)


def refused(call: Callable[[], object]) -> tuple[str, float]:
    """Return the limit that refuses, and for how long."""
    with pytest.raises(TooManyAttemptsError) as error:
        call()
    assert error.value.reason is Reason.TOO_MANY_ATTEMPTS
    assert f"{error.value.retry_after_s:.0f} s" in str(error.value)
    return error.value.limit, error.value.retry_after_s


def test_one_person_has_so_many_open_challenges(site: Site) -> None:
    """The one that expires first makes room, as does an answer; a repeated request gets what it got; others are not held up."""
    first = site.issue(request_id="r")
    site.now += MINUTE
    for _ in range(2):
        site.issue()
    assert refused(site.issue) == ("open_challenges", 120.0)
    assert site.issue(request_id="r") == first
    site.issue("bob")
    site.try_(Verdict.RETRY, challenge=first)
    site.issue()
    assert refused(site.issue) == ("open_challenges", 180.0)
    site.now += 3 * MINUTE
    site.issue()


def test_one_person_begins_so_many_attempts_an_hour(site: Site) -> None:
    """Whatever came of them; refused when a challenge is asked for, before an upload, and when the challenge would be spent."""
    for verdict in (Verdict.RETRY, None, Verdict.REVIEW, Verdict.RETRY, None, Verdict.RETRY):
        site.try_(verdict)
        site.now += MINUTE
    assert refused(site.issue) == ("attempts_an_hour", 54 * 60.0)
    assert refused(lambda: site.attempts.require_rate("ann", now=site.now)) == ("attempts_an_hour", 54 * 60.0)
    challenge = site.issue(unhurried=True)
    assert refused(lambda: site.try_(Verdict.RETRY, challenge=challenge))[0] == "attempts_an_hour"
    assert site.challenges.get(challenge).spent_at is None
    site.try_(Verdict.RETRY, "bob")
    site.now += 54 * MINUTE
    site.try_(Verdict.RETRY)
    assert refused(site.issue) == ("attempts_an_hour", 60.0)


def test_after_rejections_in_a_row_each_further_attempt_has_to_wait(site: Site) -> None:
    """From the last one; a bad picture neither counts nor helps, and another verdict ends the row."""
    site.try_(Verdict.REJECTED)
    site.try_(Verdict.REVIEW)
    site.try_(Verdict.REJECTED)
    site.try_(Verdict.RETRY)
    site.now += 20 * MINUTE
    site.try_(Verdict.REJECTED)
    assert refused(site.issue) == ("failures_in_a_row", 900.0)
    site.now += 15 * MINUTE - timedelta(seconds=1)
    assert refused(site.issue) == ("failures_in_a_row", 1.0)
    site.now += timedelta(seconds=1)
    site.try_(Verdict.REJECTED)
    site.now += 40 * MINUTE
    site.try_(Verdict.REJECTED)
    assert refused(site.issue) == ("failures_in_a_row", 900.0)
    site.now += 60 * MINUTE
    site.try_(Verdict.REVIEW)
    site.try_(Verdict.REJECTED)
    site.issue()


def test_of_several_limits_the_longest_is_told(engine: Engine) -> None:
    """Whoever comes back after the delay is let in."""
    site = Site(engine, RateLimits(open_challenges=1, attempts_an_hour=2, failures_in_a_row=2, wait=15 * MINUTE))
    for _ in range(2):
        site.try_(Verdict.REJECTED)
    site.issue(unhurried=True)
    limit, wait_s = refused(site.issue)
    assert (limit, wait_s) == ("attempts_an_hour", 3600.0)
    site.now += timedelta(seconds=wait_s)
    site.issue()
