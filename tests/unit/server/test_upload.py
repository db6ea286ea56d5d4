"""Places for uploads: refusals, their reasons, and the retry delay."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from cameo.v1 import error_reason_pb2
from cameo_verifier.errors import OverloadedError
from cameo_verifier.server.wire import upload
from cameo_verifier.server.wire.errors import RequestError
from cameo_verifier.server.wire.upload import UploadLimits, Uploads


class Clock:
    """A clock that stands until it is moved."""

    now = 1000.0

    def monotonic(self) -> float:
        """Return the seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the places."""
    standing = Clock()
    monkeypatch.setattr(upload, "time", standing)
    return standing


def places(at_once: int = 9, a_subject: int = 2, a_challenge: int = 1) -> Uploads:
    limits = UploadLimits(at_once, a_subject, a_challenge, max_bytes=1, limit_s=60, min_bytes_s=1, stall_s=1)
    return Uploads(limits, refusal=lambda: OverloadedError(8.0))


def refused(uploads: Uploads, subject: str, challenge: str) -> RequestError:
    with pytest.raises(RequestError) as refusal, uploads.place(subject, challenge):
        pass
    assert refusal.value.reason == error_reason_pb2.ERROR_REASON_UPLOADS_UNDER_WAY
    return refusal.value


def test_who_is_over_their_own_share_is_not_told_that_others_are_busy() -> None:
    """Each share has its own words, and counts before the places of all; who is within theirs hears of all."""
    uploads = places(at_once=2)
    with uploads.place("ann", "c1"), uploads.place("ann", "c2"):
        person, challenge = refused(uploads, "ann", "c3"), refused(uploads, "ben", "c1")
        assert (person.metadata, challenge.metadata) == ({"limit": "uploads_a_subject"}, {"limit": "uploads_a_challenge"})
        assert str(person).startswith("as many recordings of this person as may be at once are under way (2)")
        assert str(challenge).startswith("as many recordings for this challenge as may be at once are under way (1)")
        with pytest.raises(OverloadedError), uploads.place("ben", "c3"):
            pass
    with uploads.place("ann", "c1"):
        pass


def test_the_delay_is_what_the_oldest_of_them_still_takes(clock: Clock) -> None:
    """By what places were held for lately; one that is overdue is given as long again, and nobody is told less than a second."""
    uploads = places()
    with uploads.place("ann", "c0"):
        clock.now += 6
    with ExitStack() as held:
        held.enter_context(uploads.place("ann", "c1"))
        clock.now += 2
        held.enter_context(uploads.place("ann", "c2"))
        assert refused(uploads, "ann", "c3").retry_after_s == 4
        clock.now += 3.5
        assert refused(uploads, "ann", "c3").retry_after_s == 1
        clock.now += 14.5
        assert refused(uploads, "ann", "c3").retry_after_s == 20
