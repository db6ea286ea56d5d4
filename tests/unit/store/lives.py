"""Lives: what people, generators and analysts do to a site, by the verbs of the store, until some people delete their cameos.

Times differ from person to person, except for two who do everything at the same moment. The same session's id is the request id
of a person's challenge, attempt and cameo, as an app may have it.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cameo_challenges.model import Challenge, Say
from cameo_credential import decoys
from cameo_verifier.cameo.model import EventKind, OutputState, UseCategory
from cameo_verifier.cameo.permissions import Relationships
from cameo_verifier.reasons import Reason
from cameo_verifier.server.services.data_subject_service import policy
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.labels import LabelStore, Truth
from cameo_verifier.store.attempts.opinions import ApprovalResult, OpinionRequest, OpinionStore
from cameo_verifier.store.cameos import cameos, events, removals, uses
from cameo_verifier.store.cameos.consent_records import ConsentRecords
from cameo_verifier.store.cameos.faces import Code, FaceStore
from cameo_verifier.store.cameos.removals import Request
from cameo_verifier.store.cameos.suspensions import SuspensionRequest, SuspensionStore
from cameo_verifier.store.cameos.uses import Job, ReportedOutput
from cameo_verifier.store.cameos.vault import Vault
from cameo_verifier.store.credentials import credentials
from cameo_verifier.store.credentials.earned import Earned as Issued
from cameo_verifier.store.credentials.receipts import KeptReceipt
from cameo_verifier.store.credentials.statuses import StatusStore
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.types import Decision, GalleryAnswer, Match, Ruling, Verdict
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import REASONS, open_site
from tests.unit.store.test_attempt_store import ACCEPTED, CREDENTIAL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from cameo_verifier.types import Judgement

PEOPLE = 14
SAME_TIME = {2: 3}
DELETED = {number: NOW + timedelta(days=5, seconds=after) for number, after in ((2, 0), (3, 0), (6, 4), (9, 70), (12, 100))}
REVIEWED = (1, 6, 8)
SUSPENDED = (0, 2, 5, 9)
PAUSED = (1, 3, 7, 12)
REJECTED_BEFORE = (3, 5, 11)
PROTECTED = 9
AUDIENCE = CREDENTIAL.audience


class Lives:
    """A site, and the times of its people."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.site = engine, open_site(engine, folder)
        self.statuses, self.attempts = StatusStore(engine), AttemptStore(engine)
        self.suspensions = SuspensionStore(engine, self.site.room.audit)
        self.records = ConsentRecords(self.site.room.keys, policy(self.site.settings))
        self._chance = random.Random(5)  # noqa: S311 - the same lives in every run

    def go_by(self) -> None:
        """Let everybody enrol, be used and be looked at."""
        FaceStore(self.engine).protect("Pia Star", [Code(b"p" * 512, "0" * 16, "ab" * 32)], now=NOW - timedelta(days=3))
        FaceStore(self.engine).allow("Pia Star", _subject(PROTECTED), now=NOW - timedelta(days=2))
        for number in range(PEOPLE):
            if number in REJECTED_BEFORE:
                self._judge(number, _time(number) - timedelta(minutes=5), rejected=True)
            self._judge(number, _time(number))
            self._use(number, _time(number, 60))
        for number in range(PEOPLE):
            later = _time(number) + timedelta(days=2, seconds=self._chance.uniform(0, 9))
            if number in SUSPENDED:
                self._suspend(number, later)
            if number in PAUSED:
                self._do(lambda connection, n=number, at=later: cameos.pause(connection, _cameo(n), reason="no", **_by(n, at)))
        for place, number in enumerate(self._chance.sample(range(PEOPLE), PEOPLE)):
            at = NOW + timedelta(days=4, minutes=place)
            self.site.room.vault.read(f"a{number}", Kind.TRACKS, reader=Reader("ana", "a look"), now=at)

    def end(self) -> None:
        """Let those of `DELETED` delete their cameos."""
        for number, at in DELETED.items():
            self._do(lambda connection, n=number, at=at: cameos.delete(connection, _cameo(n), records=self.records, **_by(n, at)))

    def _judge(self, number: int, at: datetime, *, rejected: bool = False) -> None:
        """Judge a person's attempt; of one that is accepted, create the cameo too, at once or later."""
        ids = f"r{number}" if rejected else str(number)
        attempt_id, subject, reviewed = f"a{ids}", _subject(number), number in REVIEWED and not rejected
        begun, judged = at + timedelta(seconds=31.25 + number / 7), at + timedelta(seconds=34 + number / 3)
        challenge = Challenge((Say("one"), Say(f"word{ids}")), id=f"c{ids}", issued_at=at, expires_at=at + timedelta(seconds=180))
        ChallengeStore(self.engine).add(challenge, subject=subject, request_id=f"session-{ids}")
        named = {"challenge_id": challenge.id, "audience": AUDIENCE, "request_id": f"session-{ids}"}
        self.attempts.begin(attempt_id, **named, now=begun)
        judgement = self._judgement(ids, protected=number == PROTECTED)
        fingerprint = self._chance.randbytes(32)
        face = Code(self._chance.randbytes(64), "0" * 16, "ab" * 32)
        if rejected:
            refused = replace(judgement, decision=Decision(Verdict.REJECTED, (Reason.FLAT_FACE,)))
            self.attempts.finish(attempt_id, refused, now=judged, fingerprint=fingerprint)
            self.site.room.vault.keep(attempt_id, subject, _pieces(ids), now=judged)
            return
        likeness = Vault(bytes(32)).seal(_cameo(number), b"face and voice")
        if reviewed:
            waiting = replace(judgement, decision=Decision(Verdict.REVIEW, REASONS[Verdict.REVIEW]))
            self.attempts.finish(attempt_id, waiting, now=judged, fingerprint=fingerprint, waiting=likeness)
            judged += timedelta(minutes=2)
        receipt = KeptReceipt(
            self._listed(f"i{number}"), attempt_id, _cameo(number), judged, judged + timedelta(days=180), f"r-{number}"
        )
        if reviewed:
            said = OpinionRequest(f"opinion-{number}", attempt_id, Ruling.APPROVED, "looks right", "ana")
            OpinionStore(self.engine, self.site.room.audit, needed=1).keep(said, now=judged, earned=ApprovalResult(receipt, face))
        else:
            how = {"earned": Issued(receipt), "fingerprint": fingerprint, "face": face, "likeness": likeness}
            self.attempts.finish(attempt_id, judgement, now=judged, **how)
        self.site.room.vault.keep(attempt_id, subject, _pieces(ids), now=judged)
        self.site.room.vault.keep_digest(attempt_id, f"r-{number}", now=judged)
        created = judged if number % 3 == 0 and not reviewed else judged + timedelta(seconds=11.5 + number / 9)
        consent = {"text_version": "1", "locale": "en", "agreed_at": at + timedelta(seconds=3.125 + number / 11)}
        self._do(
            lambda connection: cameos.create(
                connection, attempt_id, subject=subject, request_id=f"session-{ids}", now=created, records=self.records, **consent
            )
        )

    def _judgement(self, ids: str, *, protected: bool) -> Judgement:
        checks = tuple(replace(check, score=self._chance.random()) for check in ACCEPTED.checks)
        media = replace(ACCEPTED.evidence.media, sha256=hashlib.sha256(ids.encode()).hexdigest())
        judgement = replace(ACCEPTED, checks=checks, minor_safeguards=False, evidence=replace(ACCEPTED.evidence, media=media))
        if not protected:
            return judgement
        gallery = GalleryAnswer(0.3, protected=Match(1, 0.8))
        return replace(judgement, circumstances=replace(judgement.circumstances, gallery=gallery))

    def _listed(self, jti: str) -> str:
        """Give an id a place in a status list, and return it."""
        kept = self.statuses.open_list(capacity=2**14, new_key=lambda: b"k" * 32, now=NOW)
        groups = decoys.groups(kept.decoy_key, kept.capacity)
        while not self.statuses.take(kept, group := self._chance.randrange(len(groups)), int(groups[group, 0]), jti=jti):
            pass
        return jti

    def _credential(self, jti: str, number: int, at: datetime) -> credentials.IssuedCredential:
        self._listed(jti)
        of = {"jti": jti, "attempt_id": f"a{number}", "cameo_id": _cameo(number), "subject": f"pseudonym-{jti}"}
        return replace(CREDENTIAL, **of, issued_at=at, expires_at=at + timedelta(days=180), token=f"t-{jti}")

    def _use(self, number: int, at: datetime) -> None:
        """Issue two credentials, grant and spend a job, record its output and ask for its removal; label the attempt."""
        cameo_id, subject, grant_id = _cameo(number), _subject(number), f"grant-{number}"
        again = replace(
            self._credential(f"k{number}", number, at), request_id=f"again-{number}", audience="https://other.example"
        )
        job = Job(AUDIENCE, f"job-{number}", subject, f"job-{number}", (cameo_id,), frozenset({UseCategory.GENERAL}))
        made = ReportedOutput(
            hashlib.sha256(f"output {number}".encode()).hexdigest(), "", OutputState.PUBLISHED, subject, "https://p.example"
        )
        nobody, minute = Relationships(), timedelta(minutes=1)
        expires = at + 5 * minute
        spent = {"audience": AUDIENCE, "request_id": f"spend-{number}", "relationships": nobody, "now": at + minute}
        asked = Request(cameo_id, "", f"removal-{number}", "no more")
        opened = {"new_id": lambda: f"removal-{number}", "due_in": timedelta(days=2), "now": at + 3 * minute}
        steps: list[Callable[[Connection], object]] = [
            lambda connection: credentials.add(connection, self._credential(f"j{number}", number, at)),
            lambda connection: credentials.add(connection, again),
            lambda connection: events.append_of_credentials(
                connection, cameo_id, subject, EventKind.CREDENTIAL_WAS_ISSUED, now=at, credential_id=again.jti
            ),
            lambda connection: uses.authorize(
                connection, job, identifier=grant_id, relationships=nobody, now=at, expires_at=expires
            ),
            lambda connection: uses.spend(connection, grant_id, **spent),
            lambda connection: uses.record(
                connection, grant_id, made, audience=AUDIENCE, identifier=f"output-{number}", now=at + 2 * minute
            ),
            lambda connection: removals.begin(connection, asked, subject=subject, now=at + 3 * minute),
            lambda connection: removals.open_some(connection, asked, until=None, **opened),
            lambda connection: uses.authorize(
                connection,
                replace(job, request_id=f"open-{number}"),
                identifier=f"open-{number}",
                relationships=nobody,
                now=at + 4 * minute,
                expires_at=at + timedelta(days=9),
            ),
        ]
        for step in steps:
            self._do(step)
        about = {"attempt_id": f"a{number}", "truth": Truth.BONA_FIDE, "analyst": "ana"}
        LabelStore(self.engine).add(f"label-{number}", **about, now=at + 9 * minute)

    def _suspend(self, number: int, at: datetime) -> None:
        """Suspend a cameo and lift that again."""
        for suspended, verb in ((True, "stolen"), (False, "a mix-up")):
            said = SuspensionRequest(f"{verb}-{number}", _cameo(number), suspended, verb, "ana")
            self.suspensions.keep(said, now=at if suspended else at + timedelta(minutes=20))

    def _do(self, work: Callable[[Connection], object]) -> None:
        with self.engine.begin() as connection:
            work(connection)


def _subject(number: int) -> str:
    return f"account-{number}"


def _cameo(number: int) -> str:
    return f"cameo-{number}"


def _by(number: int, at: datetime) -> dict[str, object]:
    return {"subject": _subject(number), "now": at}


def _time(number: int, minutes: float = 0) -> datetime:
    """Return the time at which a person begins, of two days; those of `SAME_TIME` begin together."""
    number = SAME_TIME.get(number, number)
    return NOW + timedelta(days=number // 7, minutes=17 * number + minutes, microseconds=131 * number * number)


def _pieces(ids: str) -> dict[Kind, bytes]:
    return {Kind.RECORDING: f"moving pictures {ids}".encode(), Kind.TRACKS: b"numbers", Kind.RESULT: b"{}"}
