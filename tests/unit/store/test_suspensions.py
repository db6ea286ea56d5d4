"""Suspensions by analysts: uses, grants, credentials and events, and who may lift them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_credential.errors import InvalidRequestError
from cameo_credential.token_status import Status
from cameo_verifier.cameo.guardians import approve, ask_to_resume, end_suspension, suspend
from cameo_verifier.cameo.model import ANALYSTS, OWNER, CameoState, EventKind
from cameo_verifier.cameo.permissions import Answer, Relationships
from cameo_verifier.cameo.refusal import Refusal, RefusedError
from cameo_verifier.store.cameos import cameos, events, uses
from cameo_verifier.store.cameos.holdings import Holdings
from cameo_verifier.store.cameos.suspensions import SuspensionRequest, SuspensionStore
from cameo_verifier.store.cameos.uses import Job
from cameo_verifier.store.credentials.issuance import IssuanceStore
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import open_site
from tests.unit.store.test_erasure import SUBJECT, Site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Engine

    from cameo_challenges.model import Challenge
    from cameo_verifier.store.evidence.audit import AuditLog

CAMEO = "cameo-1"
LATER = NOW + timedelta(seconds=60)
JOB = Job("https://g.example", "r1", SUBJECT, "job", (CAMEO,), frozenset())
NOBODY = Relationships()


@pytest.fixture
def site(engine: Engine, issued: Callable[[str], Challenge]) -> Site:
    """A cameo of one subject with its receipt and credential, and the receipt of a second attempt whose cameo is not made."""
    site = Site(engine, issued)
    site.accept(1)
    site.accept(2, cameo=False)
    return site


@pytest.fixture
def audit(engine: Engine, tmp_path: Path) -> AuditLog:
    """The audit log of the same database."""
    return open_site(engine, tmp_path).room.audit


@pytest.fixture
def store(engine: Engine, audit: AuditLog) -> SuspensionStore:
    """What analysts say."""
    return SuspensionStore(engine, audit)


def said(
    identifier: str, *, suspended: bool = True, cameo_id: str = CAMEO, reason: str = "stolen", who: str = "ana"
) -> SuspensionRequest:
    """Return what an analyst says."""
    return SuspensionRequest(identifier, cameo_id, suspended, reason, who)


def kinds(engine: Engine, after: int = 0) -> list[tuple[str, str, EventKind]]:
    """Return the events there are: cameo, whose, and what."""
    with engine.begin() as connection:
        found = events.after(connection, after, subject=SUBJECT, limit=100)
    return [(each.cameo_id, SUBJECT, each.kind) for each in found]


def test_nothing_of_it_can_be_used_while_it_lasts(store: SuspensionStore, site: Site, engine: Engine) -> None:
    """A grant that is open dies, another one and a further credential are refused, the credential is suspended: all at once."""
    with engine.begin() as connection:
        open_grant, _ = uses.authorize(
            connection, JOB, identifier="g1", relationships=NOBODY, now=NOW, expires_at=NOW + timedelta(hours=1)
        )
    assert store.keep(said("s1"), now=LATER)
    with engine.begin() as connection, pytest.raises(RefusedError) as refused:
        uses.spend(connection, open_grant.id, audience=JOB.audience, request_id="r2", relationships=NOBODY, now=LATER)
    assert refused.value.refusal is Refusal.GRANT_REVOKED
    with engine.begin() as connection:
        assert uses.check_all(connection, [uses.Question(CAMEO, SUBJECT, frozenset(), NOBODY)]) == [Answer.NOT_NOW]
        with pytest.raises(RefusedError) as refused:
            uses.authorize(connection, JOB, identifier="g2", relationships=NOBODY, now=LATER, expires_at=LATER + timedelta(1))
    assert refused.value.refusal is Refusal.USE_NOT_PERMITTED
    with pytest.raises(RefusedError) as refused:
        IssuanceStore(engine).basis(CAMEO, subject=SUBJECT, audience=JOB.audience, request_id="r3")
    assert refused.value.refusal is Refusal.CAMEO_IS_PAUSED
    assert site.statuses.get("jti-1").status is Status.SUSPENDED
    assert site.statuses.get("receipt-2").status is Status.VALID


def test_only_analysts_end_it(store: SuspensionStore, site: Site, engine: Engine) -> None:
    """The owner's resume ends the owner's pause alone; any analyst lifts it, and what is still paused stays so."""
    store.keep(said("s1"), now=LATER)
    with engine.begin() as connection:
        cameos.pause(connection, CAMEO, subject=SUBJECT, reason="me too", now=LATER)
        resumed = cameos.resume(connection, CAMEO, subject=SUBJECT, now=LATER)
    assert (resumed.state, resumed.paused_by, resumed.suspended) == (CameoState.CAMEO_PAUSED, {ANALYSTS}, True)
    assert site.statuses.get("jti-1").status is Status.SUSPENDED
    with engine.begin() as connection:
        cameos.pause(connection, CAMEO, subject=SUBJECT, reason="me too", now=LATER)
    assert not store.keep(said("s2", suspended=False, reason="a mix-up", who="ben"), now=LATER)
    with engine.begin() as connection:
        still = cameos.get(connection, CAMEO, subject=SUBJECT)
        assert (still.state, still.paused_by, still.reason) == (CameoState.CAMEO_PAUSED, {OWNER}, "me too")
        assert cameos.resume(connection, CAMEO, subject=SUBJECT, now=LATER).state is CameoState.CAMEO_ACTIVE
    assert site.statuses.get("jti-1").status is Status.VALID


def test_app_and_owner_are_told_and_the_log_says_why(store: SuspensionStore, site: Site, engine: Engine, audit: AuditLog) -> None:
    """Two events each way, in order; the reason is in the log and the history alone, and the owner does not read it."""
    begin = len(kinds(engine))
    store.keep(said("s1"), now=LATER)
    with engine.begin() as connection:
        assert cameos.get(connection, CAMEO, subject=SUBJECT).reason == ""
    store.keep(said("s2", suspended=False, reason="a mix-up", who="ben"), now=LATER)
    told = [EventKind.WAS_SUSPENDED, EventKind.WAS_PAUSED, EventKind.SUSPENSION_WAS_LIFTED, EventKind.WAS_RESUMED]
    assert kinds(engine)[begin:] == [(CAMEO, SUBJECT, kind) for kind in told]
    lines = [(line.who, line.action, line.attempt_id, line.what, line.why) for line in audit.lines()]
    assert lines == [("ana", "suspend", "", f"cameo {CAMEO}", "stolen"), ("ben", "lift", "", f"cameo {CAMEO}", "a mix-up")]
    history = store.of([CAMEO, "cameo-2"])
    assert list(history) == [CAMEO]
    assert [(each.number, each.suspended, each.reason, each.analyst) for each in history[CAMEO]] == [
        (1, True, "stolen", "ana"),
        (2, False, "a mix-up", "ben"),
    ]
    assert site.statuses.get("jti-1").status is Status.VALID


def test_a_receipt_is_suspended_before_its_cameo_is_made(store: SuspensionStore, site: Site, engine: Engine) -> None:
    """Its status and its owner say so; the cameo that is made of it is paused from the start, until it is lifted."""
    begin = len(kinds(engine))
    store.keep(said("s1", cameo_id="cameo-2"), now=LATER)
    assert site.statuses.get("receipt-2").status is Status.SUSPENDED
    assert kinds(engine)[begin:] == [("cameo-2", SUBJECT, EventKind.WAS_SUSPENDED)]
    with engine.begin() as connection:
        made = cameos.create(
            connection, "a2", subject=SUBJECT, request_id="r", text_version="1", locale="en", agreed_at=NOW, now=LATER
        )
    assert (made.id, made.state, made.suspended) == ("cameo-2", CameoState.CAMEO_PAUSED, True)
    store.keep(said("s2", suspended=False, cameo_id="cameo-2"), now=LATER)
    with engine.begin() as connection:
        assert cameos.get(connection, "cameo-2", subject=SUBJECT).state is CameoState.CAMEO_ACTIVE
    assert site.statuses.get("receipt-2").status is Status.VALID


def test_what_is_sent_again_or_is_so_already_changes_nothing(store: SuspensionStore, site: Site, engine: Engine) -> None:
    """One word, one line, one pair of events; another one under the same id is refused, and a reason is needed."""
    assert site.engine is engine
    begin = len(kinds(engine))
    assert not store.keep(said("s0", suspended=False), now=LATER)
    for identifier in ("s1", "s1", "s2"):
        assert store.keep(said(identifier), now=LATER)
    assert (len(store.of([CAMEO])[CAMEO]), len(kinds(engine)) - begin) == (1, 2)
    with pytest.raises(RefusedError, match="used for something else"):
        store.keep(said("s1", reason="other"), now=LATER)
    with pytest.raises(InvalidRequestError, match="why"):
        store.keep(said("s3", suspended=False, reason=" "), now=LATER)
    with pytest.raises(RefusedError, match="no cameo"):
        store.keep(said("s4", cameo_id="nobody-s"), now=LATER)


def test_what_ended_cannot_be_suspended_and_an_end_forgets_it(store: SuspensionStore, site: Site, engine: Engine) -> None:
    """Its owner may end a suspended cameo for good; what analysts said of it is deleted with it, but for the log."""
    store.keep(said("s1"), now=LATER)
    with engine.begin() as connection:
        cameos.revoke(connection, CAMEO, subject=SUBJECT, reason="enough", now=LATER)
    with pytest.raises(RefusedError, match="revoked for good"):
        store.keep(said("s2", suspended=False), now=LATER)
    assert site.statuses.get("jti-1").status is Status.INVALID
    with engine.begin() as connection:
        cameos.delete(connection, CAMEO, subject=SUBJECT, now=LATER)
    assert store.of([CAMEO]) == {}
    with pytest.raises(RefusedError, match="deleted"):
        store.keep(said("s3"), now=LATER)


def test_guardians_do_not_end_it_either(site: Site, engine: Engine) -> None:
    """A minor's wish to resume that every guardian approves ends their pauses, and leaves the analysts'."""
    with engine.begin() as connection:
        cameo = cameos.get(connection, CAMEO, subject=SUBJECT)
        paused = cameos.pause(connection, CAMEO, subject=SUBJECT, reason="", now=NOW)
    assert site.engine is engine
    held, _ = suspend(paused)
    asked, _ = ask_to_resume(held, guardians=frozenset({"gil"}), now=NOW)
    assert asked.change is not None
    resumed, told = approve(asked, asked.change.number, guardian="gil", guardians=frozenset({"gil"}))
    assert (resumed.state, resumed.paused_by) == (CameoState.CAMEO_PAUSED, {ANALYSTS})
    assert EventKind.WAS_RESUMED not in told
    assert ask_to_resume(resumed, guardians=frozenset({"gil"}), now=NOW) == (resumed, ())
    assert end_suspension(resumed)[0].state is CameoState.CAMEO_ACTIVE
    assert suspend(suspend(cameo)[0]) == (suspend(cameo)[0], ())


def test_what_an_account_holds_is_read_with_its_statuses(store: SuspensionStore, site: Site, engine: Engine) -> None:
    """Cameos, receipts and credentials of both attempts with their statuses, and what came of one attempt alone."""
    assert site.engine is engine
    store.keep(said("s1"), now=LATER)
    held = Holdings(engine).of_subject(SUBJECT, now=LATER)
    assert [cameo.id for cameo in held.cameos] == [CAMEO]
    assert {each.jti: (each.cameo_id, each.status) for each in held.credentials} == {
        "jti-1": (CAMEO, Status.SUSPENDED),
    }
    assert {each.jti: (each.cameo_id, each.status) for each in held.receipts} == {
        "receipt-1": (CAMEO, Status.SUSPENDED),
        "receipt-2": ("cameo-2", Status.VALID),
    }
    assert [each.id for each in Holdings(engine).of_subject(SUBJECT, now=NOW).challenges] == []
    second = Holdings(engine).of_attempt("a2")
    assert (second.cameos, second.credentials, [each.jti for each in second.receipts]) == ((), (), ["receipt-2"])


@pytest.mark.parametrize("cameo_id", [CAMEO, "cameo-2"])
def test_the_receipt_is_suspended_with_it(store: SuspensionStore, site: Site, cameo_id: str) -> None:
    """Whether its owner has made the cameo or not; and it holds again once analysts lift that."""
    receipt = cameo_id.replace("cameo", "receipt")
    store.keep(said("s1", cameo_id=cameo_id), now=LATER)
    assert site.status(receipt) is Status.SUSPENDED
    store.keep(said("s2", cameo_id=cameo_id, suspended=False), now=LATER)
    assert site.status(receipt) is Status.VALID


def test_no_owner_ends_the_suspension_of_a_receipt(store: SuspensionStore, site: Site) -> None:
    """Neither a pause of their own, nor its end, nor the end of the cameo brings it back."""
    store.keep(said("s1"), now=LATER)
    for verb in ("pause", "resume", "revoke"):
        site.end(verb, 1)
        assert site.status("receipt-1") is Status.SUSPENDED
