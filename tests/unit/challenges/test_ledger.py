from datetime import UTC, datetime, timedelta

import pytest

from challenges.ledger import AlreadySpentError, Expired, ExpiredError, Issued, Spent, spend, state_at

END = datetime(2025, 6, 1, 12, tzinfo=UTC)
BEFORE, AFTER = END - timedelta(microseconds=1), END + timedelta(days=1)


def test_an_issued_challenge_is_spent_once() -> None:
    """The first spending holds, the second is refused."""
    spent = spend(Issued(END), now=BEFORE)
    assert spent == Spent(BEFORE)
    with pytest.raises(AlreadySpentError, match="spent at 2025-06-01T11:59:59"):
        spend(spent, now=BEFORE)


def test_the_moment_of_expiry_is_too_late() -> None:
    """It can be spent until just before its end."""
    with pytest.raises(ExpiredError, match="expired at 2025-06-01T12:00:00"):
        spend(Issued(END), now=END)
    assert state_at(Issued(END), now=END) == Expired(END)
    assert state_at(Issued(END), now=BEFORE) == Issued(END)


def test_spent_and_expired_are_final() -> None:
    """Time changes neither, and a spent one stays spent after its end."""
    assert state_at(Spent(BEFORE), now=AFTER) == Spent(BEFORE)
    assert state_at(Expired(END), now=AFTER) == Expired(END)
    with pytest.raises(AlreadySpentError):
        spend(Spent(BEFORE), now=AFTER)
    with pytest.raises(ExpiredError):
        spend(Expired(END), now=BEFORE)
