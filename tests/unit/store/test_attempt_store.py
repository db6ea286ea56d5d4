from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy import inspect, select, update
from sqlalchemy.exc import IntegrityError

from cameo_verifier.cameo.model import Terms
from cameo_verifier.cameo.permissions import new_cameo
from cameo_verifier.cameo.verification_options import NOTHING, Enrolment, VerificationOptions
from cameo_verifier.errors import ChallengeError, NotFoundError, StoreError
from cameo_verifier.reasons import Reason
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.servers import KnownServer, ServerStore
from cameo_verifier.store.attempts.spool import Spool
from cameo_verifier.store.attempts.states import AttemptState
from cameo_verifier.store.cameos.vault import Vault
from cameo_verifier.store.credentials import credentials
from cameo_verifier.store.credentials.credentials import CredentialStore, IssuedCredential
from cameo_verifier.store.credentials.earned import NOTHING_EARNED, Earned, EarnedStore
from cameo_verifier.store.credentials.receipts import KeptReceipt
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.tables import metadata
from cameo_verifier.store.evidence.errors import AlteredEvidenceError
from cameo_verifier.store.evidence.evidence import withdraw
from cameo_verifier.store.evidence.subject_keys import SubjectKeys
from cameo_verifier.types import (
    CheckResult,
    Decision,
    Direction,
    Evidence,
    Judgement,
    MediaInfo,
    Missing,
    Outcome,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from cameo_challenges.model import Challenge

NOW = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
LATER = NOW + timedelta(seconds=4)
CHECKS = (
    CheckResult("phrase", Outcome.PASS, 0.97, "share", 0.8, Direction.AT_LEAST),
    CheckResult("speaker", Outcome.FAIL, -0.1, "cosine", 0.25, Direction.AT_LEAST, Reason.SPEAKER_CHANGED, "at 3.1 s"),
    CheckResult("blink", Outcome.UNABLE, reason=Reason.NO_VIDEO),
)
JUDGEMENT = Judgement(
    decision=Decision(Verdict.REJECTED, (Reason.SPEAKER_CHANGED, Reason.NO_VIDEO)),
    checks=CHECKS,
    evidence=Evidence(MediaInfo("mp4", 1000, "cd" * 32, 9.5), Missing(Reason.NO_VIDEO), Missing(Reason.NO_AUDIO)),
    profile="default",
    minor_safeguards=True,
    digests={"profile": "ab" * 32, "face-model": "ef" * 32},
    timings_ms={"decode": 12.5},
)
ACCEPTED = replace(JUDGEMENT, decision=Decision(Verdict.ACCEPTED, ()))
CREDENTIAL = IssuedCredential(
    jti="jti-1",
    attempt_id="a1",
    cameo_id="cameo-1",
    request_id="",
    audience="https://generator.example",
    subject="pseudonym",
    issued_at=LATER,
    expires_at=LATER + timedelta(days=180),
    token="t.t.t.t.t",  # noqa: S106 - not a secret
)
SHA = "5e" * 32
CAMEO = new_cameo(
    "cameo-1",
    Enrolment("1", "en", LATER, SHA, Terms(offline=frozenset({"https://generator.example"}))),
    subject="account-7",
    attempt_id="a1",
    attested_at=LATER,
    minor_safeguards=False,
    now=LATER,
)
ADULT = replace(ACCEPTED, minor_safeguards=False)
RECEIPT = KeptReceipt("receipt-1", "a1", "cameo-1", LATER, LATER + timedelta(days=180), "r.r.r~")


@pytest.fixture
def attempts(engine: Engine, issued: Callable[[str], Challenge]) -> AttemptStore:
    """Attempts in a database with the challenges c1 and c2, issued to account-7."""
    for identifier in ("c1", "c2"):
        ChallengeStore(engine).add(issued(identifier), subject="account-7")
    return AttemptStore(engine)


@pytest.fixture
def spool(engine: Engine) -> Spool:
    """Where recordings are kept until they are judged."""
    return Spool(engine, SubjectKeys(engine, Vault(bytes(32))))


def _begin(attempts: AttemptStore, identifier: str = "a1", challenge_id: str = "c1", spooled: bytes = b"") -> None:
    named = {"challenge_id": challenge_id, "audience": "https://generator.example", "request_id": "r1"}
    attempts.begin(identifier, **named, now=NOW, spooled=spooled)


def test_an_attempt_spends_its_challenge(engine: Engine, attempts: AttemptStore) -> None:
    """Beginning spends the challenge and opens an attempt for its subject."""
    _begin(attempts)

    attempt = attempts.get("a1")
    assert (attempt.state, attempt.verdict, attempt.finished_at) == (AttemptState.OPEN, None, None)
    assert (attempt.challenge_id, attempt.subject, attempt.request_id) == ("c1", "account-7", "r1")
    assert attempt.created_at == NOW
    assert ChallengeStore(engine).get("c1").spent_at == NOW


def test_beginning_is_all_or_nothing(engine: Engine, attempts: AttemptStore) -> None:
    """Where the challenge cannot be spent no attempt is opened, and where the attempt cannot be kept nothing is spent."""
    _begin(attempts)

    with pytest.raises(ChallengeError) as refused:
        _begin(attempts, "a2")
    assert refused.value.reason is Reason.CHALLENGE_SPENT
    with pytest.raises(NotFoundError):
        attempts.get("a2")
    with pytest.raises(StoreError):
        _begin(attempts, "a1", "c2")
    assert ChallengeStore(engine).get("c2").spent_at is None


def test_a_judgement_comes_back_whole(attempts: AttemptStore) -> None:
    """Verdict, reasons in order, every check, digests and timings are what was judged."""
    _begin(attempts)

    finished = attempts.finish("a1", JUDGEMENT, now=LATER)

    assert finished == attempts.get("a1") == attempts.by_request_id("c1", "r1")
    assert (finished.state, finished.verdict) == (AttemptState.JUDGED, Verdict.REJECTED)
    assert finished.reasons == (Reason.SPEAKER_CHANGED, Reason.NO_VIDEO)
    assert finished.checks == CHECKS
    assert (finished.profile, dict(finished.digests)) == ("default", {"profile": "ab" * 32, "face-model": "ef" * 32})
    assert dict(finished.timings_ms) == {"decode": 12.5}
    assert finished.minor_safeguards
    assert (finished.recording_sha256, finished.finished_at) == ("cd" * 32, LATER)


def test_numpy_scores_are_kept_as_numbers_and_nan_as_none(attempts: AttemptStore) -> None:
    """A float32 score survives, one that is not a number becomes none."""
    checks = (
        CheckResult("a", Outcome.PASS, np.float32(0.5)),  # type: ignore[arg-type]
        CheckResult("b", Outcome.UNABLE, float("nan")),
    )
    _begin(attempts)

    finished = attempts.finish("a1", replace(JUDGEMENT, checks=checks), now=LATER)

    assert [check.score for check in finished.checks] == [0.5, None]


def test_an_attempt_ends_once(attempts: AttemptStore) -> None:
    """A second ending, judged or not, changes nothing."""
    _begin(attempts)
    first = attempts.finish("a1", JUDGEMENT, now=LATER)

    with pytest.raises(NotFoundError, match="no open attempt"):
        attempts.fail("a1", now=LATER)
    with pytest.raises(NotFoundError, match="no open attempt"):
        attempts.finish("a1", JUDGEMENT, now=LATER)
    assert attempts.get("a1") == first


def test_what_was_earned_is_kept_with_its_attempt(engine: Engine, attempts: AttemptStore) -> None:
    """An accepted attempt, its receipt, its cameo and its credential are kept together or not at all."""
    _begin(attempts)
    _begin(attempts, "a2", "c2")

    kept = attempts.finish("a1", ADULT, now=LATER, earned=Earned(RECEIPT, CAMEO, CREDENTIAL))
    other = replace(RECEIPT, jti="receipt-2", attempt_id="a2"), replace(CAMEO, id="cameo-2", attempt_id="a2")
    with pytest.raises(StoreError):
        attempts.finish("a2", ADULT, now=LATER, earned=Earned(*other, CREDENTIAL))

    assert EarnedStore(engine).of(kept) == Earned(RECEIPT, CAMEO, CREDENTIAL)
    assert attempts.get("a2").state is AttemptState.OPEN
    assert EarnedStore(engine).of(attempts.get("a2")) == NOTHING_EARNED
    for judgement, earned in ((ACCEPTED, NOTHING_EARNED), (JUDGEMENT, Earned(RECEIPT))):
        with pytest.raises(RuntimeError, match="exactly when it is accepted"):
            attempts.finish("a2", judgement, now=LATER, earned=earned)


def test_nothing_is_earned_without_what_it_rests_on(engine: Engine, attempts: AttemptStore) -> None:
    """No credential without a cameo, no cameo without a receipt, no minor's cameo at once; nor does the database keep one."""
    for bad in ({"cameo": CAMEO}, {"receipt": RECEIPT, "credential": CREDENTIAL}):
        with pytest.raises(RuntimeError, match="without"):
            Earned(**bad)
    _begin(attempts)
    with pytest.raises(RuntimeError, match="without the guardians"):
        attempts.finish("a1", replace(ACCEPTED, minor_safeguards=True), now=LATER, earned=Earned(RECEIPT, CAMEO))
    attempts.finish("a1", ADULT, now=LATER, earned=Earned(RECEIPT))
    with engine.connect() as connection, pytest.raises(IntegrityError):
        credentials.add(connection, CREDENTIAL)


def test_what_a_request_asks_is_kept_until_it_is_carried_out(
    engine: Engine, attempts: AttemptStore, issued: Callable[[str], Challenge]
) -> None:
    """For a server that takes the attempt over, and of what reviewers have to decide; consent and terms are gone after that."""
    asked = VerificationOptions(
        {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}, Enrolment("1", "en", LATER, "5e" * 32, Terms(appearance_notes="no hats"))
    )
    for number, end in enumerate((ADULT, replace(ADULT, decision=Decision(Verdict.REVIEW, ())), None), 1):
        ChallengeStore(engine).add(issued(f"d{number}"), subject="account-7")
        named = {"challenge_id": f"d{number}", "audience": "https://g.example", "request_id": "r", "now": NOW}
        assert attempts.begin(f"b{number}", **named, asked=asked).asked == asked
        if end is None:
            assert attempts.fail(f"b{number}", now=LATER).asked == NOTHING
            continue
        receipt = replace(RECEIPT, jti=f"s{number}", attempt_id=f"b{number}") if end is ADULT else None
        ended = attempts.finish(f"b{number}", end, now=LATER, earned=Earned(receipt))
        assert ended.asked == (NOTHING if end is ADULT else VerificationOptions(asked.device_key))


def test_tokens_are_dropped_after_a_while(engine: Engine, attempts: AttemptStore) -> None:
    """The encrypted token goes when asked, the receipt and everything else stays."""
    store = CredentialStore(engine)
    _begin(attempts)
    attempts.finish("a1", ADULT, now=LATER, earned=Earned(RECEIPT, CAMEO, CREDENTIAL))

    assert store.drop_tokens(issued_before=LATER) == 0
    assert store.drop_tokens(issued_before=LATER + timedelta(microseconds=1)) == 1
    assert store.get("jti-1") == replace(CREDENTIAL, token="")


def test_an_unreadable_recording_ends_unjudged(attempts: AttemptStore) -> None:
    """An attempt that could not be judged keeps the reason and has no verdict."""
    _begin(attempts)

    failed = attempts.fail("a1", now=LATER, reason=Reason.CORRUPT_MEDIA)

    assert (failed.state, failed.verdict, failed.reasons) == (AttemptState.UNJUDGED, None, (Reason.CORRUPT_MEDIA,))


def test_what_a_lost_server_left_open_is_ended(engine: Engine, attempts: AttemptStore) -> None:
    """Open attempts of a server that is unknown or dead end without a reason; of one that lives, and ended ones, none does."""
    _begin(attempts)
    other, servers = AttemptStore(engine, server_id="other"), ServerStore(engine)
    servers.renew(KnownServer("other", "boot", LATER))
    _begin(other, "a2", "c2")
    third = AttemptStore(engine, server_id="third")

    assert third.take_over(dead=(), now=LATER) == ((), 1)
    assert attempts.get("a1").state is AttemptState.UNJUDGED
    assert (attempts.get("a1").reasons, attempts.get("a1").finished_at) == ((), LATER)
    assert attempts.get("a2").state is AttemptState.OPEN
    assert other.take_over(dead=("other",), now=LATER) == ((), 0)
    assert third.take_over(dead=("other",), now=LATER) == ((), 1)
    assert attempts.get("a2").state is AttemptState.UNJUDGED
    with pytest.raises(NotFoundError):
        other.finish("a2", JUDGEMENT, now=LATER)
    servers.forget(["other"])
    assert servers.known() == ()


def test_a_spooled_attempt_passes_to_another_server(engine: Engine, attempts: AttemptStore, spool: Spool) -> None:
    """Its recording opens there and goes with the end of the attempt; what the first server still says of it does not count."""
    first, second = AttemptStore(engine, server_id="first"), AttemptStore(engine, server_id="second")
    _begin(first, spooled=spool.seal("a1", "account-7", b"pictures and sound", now=NOW))

    ((taken,), ended) = second.take_over(dead=("first",), now=LATER)

    assert (taken, ended) == (attempts.get("a1"), 0)
    assert taken.state is AttemptState.OPEN
    assert second.own_open() == ["a1"]
    assert spool.open("a1") == b"pictures and sound"
    with pytest.raises(NotFoundError):
        first.finish("a1", JUDGEMENT, now=LATER)
    with pytest.raises(NotFoundError):
        first.fail("a1", now=LATER)
    assert second.finish("a1", JUDGEMENT, now=LATER).state is AttemptState.JUDGED
    with pytest.raises(NotFoundError):
        spool.open("a1")


def test_a_recording_that_ends_every_server_is_given_up(engine: Engine, attempts: AttemptStore, spool: Spool) -> None:
    """Three servers try to judge it; the fourth ends it and keeps nothing."""
    _begin(attempts, spooled=spool.seal("a1", "account-7", b"poison", now=NOW))
    for number in (2, 3):
        server = AttemptStore(engine, server_id=f"server-{number}")
        ((_,), ended) = server.take_over(dead=(f"server-{number - 1}",), now=LATER)
        assert ended == 0
    assert AttemptStore(engine, server_id="server-4").take_over(dead=("server-3",), now=LATER) == ((), 1)
    assert attempts.get("a1").state is AttemptState.UNJUDGED
    with pytest.raises(NotFoundError):
        spool.open("a1")


def test_a_spooled_recording_is_sealed_and_goes_with_its_subject(engine: Engine, attempts: AttemptStore, spool: Spool) -> None:
    """The database holds none of its bytes in clear, it opens for no other attempt, and nothing is left when the person goes."""
    sealed = spool.seal("a1", "account-7", b"pictures and sound" * 100, now=NOW)
    _begin(attempts, spooled=sealed)
    assert b"pictures" not in sealed
    with engine.begin() as connection:
        connection.execute(update(tables.spooled_recordings).values(sealed=sealed[:-1] + bytes([sealed[-1] ^ 1])))
    with pytest.raises(AlteredEvidenceError):
        spool.open("a1")
    with engine.begin() as connection:
        withdraw(connection, "account-7")
    with engine.connect() as connection:
        assert connection.execute(select(tables.spooled_recordings)).all() == []


def test_a_request_is_found_by_challenge_and_id(attempts: AttemptStore) -> None:
    """Only the same challenge and the same request id find the attempt."""
    _begin(attempts)

    assert attempts.by_request_id("c1", "r1").id == "a1"
    for challenge_id, request_id in (("c1", "r2"), ("c2", "r1")):
        with pytest.raises(NotFoundError):
            attempts.by_request_id(challenge_id, request_id)


def test_no_column_is_for_biometric_data(engine: Engine) -> None:
    """The tables have exactly these columns: a new one has to pass this line first."""
    columns = {table: {column["name"] for column in inspect(engine).get_columns(table)} for table in metadata.tables}
    assert columns == {
        "challenges": {"id", "subject", "request_id", "document", "issued_at", "expires_at", "spent_at"},
        "attempts": {
            *("id", "challenge_id", "subject", "audience", "request_id", "state", "verdict", "reasons", "checks"),
            *("profile", "digests", "timings_ms", "recording_sha256", "created_at", "finished_at"),
            *("minor_safeguards", "server_id", "ruling", "ruled_at", "matches", "asked", "path", "capture"),
        },
        "servers": {"id", "boot", "expires_at"},
        "spooled_recordings": {"attempt_id", "sealed", "judgings"},  # ciphertext, until it is judged
        "credentials": {
            *("jti", "attempt_id", "cameo_id", "request_id", "audience", "sub", "issued_at", "expires_at", "token"),
            *("revoked_at", "revoke_reason", "revoke_request_id"),
        },
        "receipts": {"jti", "attempt_id", "cameo_id", "issued_at", "expires_at", "token"},
        "fingerprints": {"attempt_id", "created_at", "data"},
        "status_lists": {"number", "capacity", "used", "decoy_key", "created_at", "closed"},
        "unlogged_ends": {"kind", "of_id"},
        "end_log": {"id", "number"},
        "status_entries": {"list_number", "idx", "jti", "group_number", "status"},
        # The one exception: `code` is a face embedding, turned by a secret that is not in the database.
        "faces": {"number", "collection", "owner", "attempt_id", "key_id", "model", "code", "created_at"},
        "protected_allowances": {"name", "subject", "created_at"},
        "likenesses": {"cameo_id", "attempt_id", "wrapped_key", "sealed", "created_at"},
        "guardianships": {"guardian", "minor", "state", "guardian_consent", "minor_consent", "created_at", "updated_at"},
        "cameos": {
            *("id", "subject", "attempt_id", "request_id", "state", "terms", "minor_safeguards", "consent", "version"),
            *("created_at", "updated_at", "reason", "change", "paused_by", "attested_at"),
        },
        "grants": {
            *("id", "audience", "request_id", "requester", "job_id", "purposes", "created_at", "expires_at"),
            *("spent_at", "spent_by_request", "revoked_at", "overdue_at"),
        },
        "grant_cameos": {"grant_id", "cameo_id", "number"},
        "outputs": {
            *("id", "grant_id", "sha256", "c2pa_manifest", "state", "creator", "created_at", "updated_at"),
            *("platform", "shown_since", "audience"),
        },
        "removal_requests": {"cameo_id", "request_id", "output_id", "reason", "created_at"},
        "removals": {
            *("id", "number", "cameo_id", "output_id", "holder_kind", "holder", "request_id", "state", "reason"),
            *("answer_reason", "requested_at", "due_at", "delivered_at", "acknowledged_at", "finished_at"),
        },
        "events": {
            *("number", "cameo_id", "subject", "kind", "at", "grant_id", "output_id", "removal_id", "attempt_id", "ruling"),
            "credential_id",
            "session_id",
        },
        "event_counter": {"id", "last"},
        "webhooks": {
            *("name", "cursor", "delivered", "delivered_at", "attempts", "failing_since", "next_at", "last_error"),
            *("stopped_at", "claimed_by", "claimed_until"),
        },
        "follows": {"follower", "followee"},
        # `hello` is what a browser says about itself and its devices.
        "sessions": {
            "id",
            "subject",
            "audience",
            "request_id",
            "language",
            "needs",
            "asked",
            "state",
            "attempt_id",
            "ended_by",
            "server_id",
            "hello",
            "created_at",
            "expires_at",
        },
        "subject_keys": {"id", "subject", "vault_key_id", "wrapped_key", "created_at"},
        "vault_key": {"number", "id"},
        "consent_records": {"id", "subject", "cameo_id", "kind", "created_at", "key_id", "sealed"},  # ciphertext
        "evidence": {"attempt_id", "kind", "size_bytes", "sha256", "kept_at", "removed_at"},
        "audit_log": {"number", "at", "who", "action", "attempt_id", "what", "why", "hash"},
        "audit_head": {"id", "number", "hash", "mac"},
        "labels": {"id", "attempt_id", "truth", "species", "note", "analyst", "number", "created_at", "withdrawn_at"},
        "suspensions": {"id", "cameo_id", "number", "suspended", "reason", "analyst", "created_at"},
        "opinions": {"id", "attempt_id", "number", "ruling", "reason", "analyst", "created_at"},
        # The digest is that of a random token.
        "sign_in_tokens": {"id", "digest", "name", "role", "made_at", "expires_at", "spent_at", "revoked_at"},
        # Both are ciphertext.
        "waiting_likenesses": {"attempt_id", "cameo_id", "wrapped_key", "sealed", "created_at"},
    }
