"""Erasure: what the deletion of a cameo destroys: credentials, faces, the link to the recording."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from cameo_credential.token_status import Status
from cameo_verifier.errors import NotFoundError
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.fingerprints import FingerprintStore
from cameo_verifier.store.cameos import cameos, guardians, likenesses
from cameo_verifier.store.cameos.faces import Code
from cameo_verifier.store.cameos.likenesses import LikenessStore
from cameo_verifier.store.cameos.vault import Vault
from cameo_verifier.store.credentials import credentials, receipts
from cameo_verifier.store.credentials.credentials import CredentialStore
from cameo_verifier.store.credentials.earned import Earned
from cameo_verifier.store.credentials.statuses import StatusStore
from cameo_verifier.store.db import tables
from cameo_verifier.store.evidence.errors import SubjectDeletedError
from cameo_verifier.store.evidence.retention import UNFINISHED_AFTER
from cameo_verifier.store.evidence.sealed_object import Kind, key_id
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import PIECES, open_site
from tests.unit.store.test_attempt_store import ACCEPTED, CREDENTIAL, RECEIPT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from cameo_challenges.model import Challenge
    from cameo_verifier.store.credentials.receipts import KeptReceipt

SUBJECT = "ann"


class Site:
    """A database with accepted attempts a1, a2 … of one subject, their credentials jti-1, jti-2 …, and cameos of some."""

    def __init__(self, engine: Engine, issued: Callable[[str], Challenge]) -> None:
        self.engine, self._issued = engine, issued
        self.statuses, self.credentials = StatusStore(engine), CredentialStore(engine)

    def accept(self, number: int, *, subject: str = SUBJECT, cameo: bool = True, minor: bool = False) -> None:
        """Accept an attempt, with everything that is kept of it; make a cameo of it."""
        ChallengeStore(self.engine).add(self._issued(f"c{number}"), subject=subject)
        attempts = AttemptStore(self.engine)
        attempts.begin(f"a{number}", challenge_id=f"c{number}", audience="https://g.example", request_id="r", now=NOW)
        self.take(f"receipt-{number}", index=100 + number)
        attempts.finish(
            f"a{number}",
            replace(ACCEPTED, minor_safeguards=minor),
            now=NOW,
            earned=Earned(replace(RECEIPT, jti=f"receipt-{number}", attempt_id=f"a{number}", cameo_id=f"cameo-{number}")),
            fingerprint=b"how it moved",
            face=Code(bytes([number]) * 512, "0" * 16, "ab" * 32),
            likeness=Vault(bytes(32)).seal(f"cameo-{number}", b"face and voice"),
        )
        if cameo:
            held = replace(CREDENTIAL, jti=f"jti-{number}", attempt_id=f"a{number}", cameo_id=f"cameo-{number}")
            self.take(held.jti, index=number)
            consent = {"text_version": "1", "locale": "en", "agreed_at": NOW, "now": NOW}
            self.do(lambda connection: cameos.create(connection, f"a{number}", subject=subject, request_id="r", **consent))
            self.do(lambda connection: credentials.add(connection, held))

    def take(self, jti: str, *, index: int) -> None:
        """Give a credential its place in the list."""
        kept = self.statuses.open_list(capacity=1024, new_key=lambda: b"k" * 32, now=NOW)
        assert self.statuses.take(kept, index, index, jti=jti)

    def do(self, work: Callable[[Connection], object]) -> None:
        """Do it in a transaction."""
        with self.engine.begin() as connection:
            work(connection)

    def end(self, verb: str, number: int) -> None:
        """Pause, resume, revoke or delete a cameo."""
        reason = {"reason": "so"} if verb in {"pause", "revoke"} else {}
        self.do(lambda connection: getattr(cameos, verb)(connection, f"cameo-{number}", subject=SUBJECT, now=NOW, **reason))

    def receipt_of(self, attempt_id: str) -> KeptReceipt | None:
        """The receipt of an attempt, if it has one."""
        with self.engine.connect() as connection:
            return receipts.of_attempt(connection, attempt_id)

    def status(self, jti: str) -> Status:
        """What holds of a credential."""
        return self.statuses.get(jti).status

    def faces(self) -> list[str]:
        """The attempts whose faces are in the gallery."""
        with self.engine.connect() as connection:
            return list(connection.scalars(select(tables.faces.c.attempt_id).order_by(tables.faces.c.number)))


@pytest.fixture
def site(engine: Engine, issued: Callable[[str], Challenge]) -> Site:
    return Site(engine, issued)


def test_every_credential_of_a_cameo_follows_it(site: Site) -> None:
    """Paused, resumed and revoked together, the first and those issued again, and no other cameo's."""
    for number in (1, 2):
        site.accept(number)
    site.take("jti-again", index=9)
    again = replace(CREDENTIAL, jti="jti-again", cameo_id="cameo-1", request_id="later", audience="https://other.example")
    site.do(lambda connection: credentials.add(connection, again))
    for verb, expected in (
        ("pause", Status.SUSPENDED),
        ("pause", Status.SUSPENDED),
        ("resume", Status.VALID),
        ("pause", Status.SUSPENDED),
        ("revoke", Status.INVALID),
    ):
        site.end(verb, 1)
        assert [site.status("jti-1"), site.status("jti-again")] == [expected] * 2
    assert site.status("jti-2") is Status.VALID


def test_a_resumed_cameo_brings_no_revoked_credential_back(site: Site) -> None:
    """A credential that was revoked by itself stays so through pause and resume."""
    site.accept(1)
    site.statuses.change("jti-1", Status.INVALID)
    for verb in ("pause", "resume"):
        site.end(verb, 1)
        assert site.status("jti-1") is Status.INVALID


def test_a_minor_s_credentials_follow_the_guardian_too(site: Site) -> None:
    """A guardian's pause suspends them, and only the approved wish to resume makes them hold again."""
    site.accept(1, minor=True)
    pair = {"guardian": "mother", "minor": SUBJECT, "text_version": "1", "locale": "en", "agreed_at": NOW, "now": NOW}
    for by_guardian in (True, False):
        site.do(lambda connection, side=by_guardian: guardians.consent(connection, by_guardian=side, **pair))
    how = {"guardian": "mother", "now": NOW}
    site.do(lambda connection: guardians.pause(connection, "cameo-1", reason="", **how))
    assert site.status("jti-1") is Status.SUSPENDED
    site.end("resume", 1)
    assert site.status("jti-1") is Status.SUSPENDED
    with site.engine.begin() as connection:
        pending = cameos.get(connection, "cameo-1", subject=SUBJECT).pending
        assert pending is not None
        guardians.approve(connection, "cameo-1", pending.number, **how)
    assert site.status("jti-1") is Status.VALID


def test_a_change_that_fails_leaves_the_status_alone(site: Site) -> None:
    """Cameo and credentials change together or not at all."""
    site.accept(1)

    def interrupted(connection: Connection) -> None:
        cameos.revoke(connection, "cameo-1", subject=SUBJECT, reason="", now=NOW)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        site.do(interrupted)
    assert site.status("jti-1") is Status.VALID


def test_a_deleted_cameo_leaves_a_revoked_entry_and_no_credential(site: Site) -> None:
    """The entry is for good; the row that named audience, pseudonym and attempt is gone, and so is the likeness."""
    site.accept(1)
    site.end("delete", 1)
    assert site.status("jti-1") is Status.INVALID
    for missing in (lambda: site.credentials.get("jti-1"), lambda: LikenessStore(site.engine).of("cameo-1")):
        with pytest.raises(NotFoundError):
            missing()


def test_the_fingerprint_stays_and_names_nobody(site: Site) -> None:
    """A recording that is sent again is still known, but neither attempt nor challenge says whose it was."""
    site.accept(1)
    site.end("delete", 1)
    assert list(FingerprintStore(site.engine).of(["a1"])) == [("a1", b"how it moved")]
    assert AttemptStore(site.engine).get("a1").subject == ""
    assert ChallengeStore(site.engine).get("c1").subject == ""


def test_what_is_left_of_the_recording_leads_nowhere(site: Site, tmp_path: Path) -> None:
    """Gone are the protected person it resembled, the digest of its credential and the app's request id; times are days."""
    kept = open_site(site.engine, tmp_path)
    site.accept(1)
    kept.room.vault.keep_digest("a1", "t.t.t.t.t", now=NOW)
    found = tables.attempts.c.id == "a1"
    site.do(lambda connection: connection.execute(update(tables.attempts).where(found).values(matches={"protected": 7})))
    site.end("delete", 1)
    attempt = AttemptStore(site.engine).get("a1")
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    assert (attempt.matches, attempt.request_id, attempt.created_at, attempt.finished_at) == ({}, "", midnight, midnight)
    assert kept.room.vault.held("a1") == ()
    stored = ChallengeStore(site.engine).get("c1")
    assert (stored.challenge.issued_at, stored.challenge.expires_at, stored.spent_at) == (midnight, midnight, midnight)


def test_no_other_recording_names_the_person_either(site: Site, tmp_path: Path) -> None:
    """What they tried before is theirs no more, nor what became nothing; another cameo, a likeness, others' stay."""
    kept = open_site(site.engine, tmp_path)
    kept.judged("rejected", SUBJECT)
    kept.judged("others", "bob")
    for number in (1, 2):
        site.accept(number)
    site.accept(3, cameo=False)
    site.accept(4, cameo=False)
    with site.engine.begin() as connection:
        likenesses.destroy(connection, "cameo-4")
    ChallengeStore(site.engine).add(site._issued("c5"), subject=SUBJECT)
    AttemptStore(site.engine).begin("open", challenge_id="c5", audience="https://g.example", request_id="r", now=NOW)
    site.end("delete", 1)
    with site.engine.connect() as connection:
        table = tables.attempts
        named = {row.id: row.subject for row in connection.execute(select(table.c.id, table.c.subject))}
    assert named == {"rejected": "", "others": "bob", "a1": "", "a2": SUBJECT, "a3": SUBJECT, "a4": "", "open": SUBJECT}
    assert ChallengeStore(site.engine).get("c-rejected").subject == ""


def test_the_face_goes_with_its_cameo_and_others_stay(site: Site) -> None:
    """Of one subject's faces those stay that belong to another cameo or to one that can still be made; then none does."""
    site.accept(1)
    site.accept(2)
    site.accept(3, cameo=False)
    site.accept(4, subject="ben")
    site.end("delete", 1)
    assert site.faces() == ["a2", "a3", "a4"]
    LikenessStore(site.engine).drop_unclaimed(before=NOW.replace(year=NOW.year + 1))
    assert site.faces() == ["a2", "a3", "a4"]
    site.end("delete", 2)
    assert site.faces() == ["a4"]


def test_deleting_a_cameo_deletes_the_evidence_of_its_person(site: Site, tmp_path: Path) -> None:
    """Nothing opens it from then on, not even what was copied before; the sweep takes the objects; others' stays."""
    kept = open_site(site.engine, tmp_path)
    site.accept(1)
    kept.kept("r1", SUBJECT)
    kept.kept("r2", "bob")
    copy = {path: path.read_bytes() for path in kept.folder.rglob("*") if path.is_file()}
    site.end("delete", 1)
    with pytest.raises(SubjectDeletedError, match=r"recording of attempt r1: the subject was deleted$"):
        kept.read("r1")
    [sealed] = [data for path, data in copy.items() if path.match("r1/recording")]
    with pytest.raises(SubjectDeletedError):
        kept.room.keys.open(key_id(sealed))
    assert kept.read("r2") == PIECES[Kind.RECORDING]
    for path in copy:
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    assert kept.room.sweeper.sweep(now=NOW + 2 * UNFINISHED_AFTER).left_overs == len(PIECES)
    assert {path.parent.name for path in kept.folder.rglob("*") if path.is_file()} == {"r2"}


def test_a_receipt_is_its_attempts_and_not_the_cameos(site: Site) -> None:
    """No pause and no end of the cameo touches it; with the person's data it is revoked and gone, and no other with it."""
    for number in (1, 2):
        site.accept(number)
    site.accept(3, subject="ben")
    for verb in ("pause", "resume", "pause", "revoke"):
        site.end(verb, 1)
        assert site.status("receipt-1") is Status.VALID
    assert site.receipt_of("a1") is not None
    site.end("delete", 1)
    assert site.status("receipt-1") is Status.INVALID
    assert site.receipt_of("a1") is None
    for number in (2, 3):
        assert site.status(f"receipt-{number}") is Status.VALID
        assert site.receipt_of(f"a{number}") is not None


def test_the_receipt_of_an_attempt_that_nothing_is_left_of_goes_too(site: Site) -> None:
    """An attempt that never became a cameo, once its likeness is gone, is unlinked with the person's next deletion."""
    site.accept(1)
    site.accept(2, cameo=False)
    site.do(lambda connection: likenesses.destroy(connection, "cameo-2"))
    site.end("delete", 1)
    assert site.status("receipt-2") is Status.INVALID
    assert site.receipt_of("a2") is None
