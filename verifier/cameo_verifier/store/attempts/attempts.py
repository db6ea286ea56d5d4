"""Attempts: challenge, verdict and reasons, with the digests that make them reproducible. No biometric data.

An attempt begins by spending its challenge, and ends once: judged, or unjudged (unreadable, or its server died). Until then it
belongs to the server that judges it. Another server may take it over when that server is dead (`take_over`), and from then on
results of the first are ignored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Row, delete, insert, select, update

from cameo_challenges.model import AnswerPath
from cameo_credential.capture_assurance import CaptureAssurance
from cameo_verifier.cameo.model import EventKind
from cameo_verifier.cameo.verification_options import NOTHING, VerificationOptions
from cameo_verifier.errors import NotFoundError
from cameo_verifier.reasons import Reason
from cameo_verifier.store.attempts import challenges, fingerprints, sessions, spool
from cameo_verifier.store.attempts.states import AttemptState
from cameo_verifier.store.cameos import faces, likenesses
from cameo_verifier.store.credentials import earned as earnings
from cameo_verifier.store.credentials.earned import NOTHING_EARNED
from cameo_verifier.store.db import documents, tables
from cameo_verifier.store.db.engine import writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.types import CheckResult, Direction, Outcome, Ruling, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from cameo_verifier.store.attempts.rate_limits import RateLimits
    from cameo_verifier.store.cameos.consent_records import ConsentRecords
    from cameo_verifier.store.cameos.faces import Code
    from cameo_verifier.store.cameos.vault import SealedLikeness
    from cameo_verifier.store.credentials.earned import Earned
    from cameo_verifier.types import Judgement


_JUDGINGS = 3
"""Maximum number of servers that try to judge one recording: one that kills every server must not be passed on forever."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt.

    Attributes:
        id: the attempt's id.
        challenge_id: the challenge it spent.
        subject: the account.
        audience: the generator a credential would be for.
        request_id: the caller's id of the request.
        state: open, judged or unjudged.
        verdict: None while open, and if it ended unjudged.
        reasons: reasons of the verdict.
        checks: results of all checks.
        profile: name of the profile.
        digests: digests of models, profile and code, hex sha256.
        timings_ms: duration of each stage.
        recording_sha256: digest of the recording; empty until judged.
        created_at: time in UTC.
        finished_at: time in UTC, None while open.
        minor_safeguards: see `Judgement`; False until judged.
        ruling: the reviewers' decision on a verdict REVIEW, None until then.
        ruled_at: time of that decision.
        matches: number of the face that the gallery found, by its collection.
        asked: what its request asks beside the verdict, until that is carried out.
        path: the kind of challenge it answers.
        capture: what vouches for its capture; of an attempt without a verdict, what its client had begun.
    """

    id: str
    challenge_id: str
    subject: str
    audience: str
    request_id: str
    state: AttemptState
    verdict: Verdict | None
    reasons: tuple[Reason, ...]
    checks: tuple[CheckResult, ...]
    profile: str
    digests: Mapping[str, str]
    timings_ms: Mapping[str, float]
    recording_sha256: str
    created_at: datetime
    finished_at: datetime | None
    minor_safeguards: bool
    ruling: Ruling | None = None
    ruled_at: datetime | None = None
    matches: Mapping[str, int] = field(default_factory=dict)
    asked: VerificationOptions = NOTHING
    path: AnswerPath = AnswerPath.SPEECH_AND_TURNS
    capture: CaptureAssurance = CaptureAssurance.NONE

    @property
    def holds(self) -> bool:
        """True if it was accepted, by its verdict or by reviewers."""
        return self.verdict is Verdict.ACCEPTED or self.ruling is Ruling.APPROVED

    @property
    def waits(self) -> bool:
        """True if it waits for a decision by reviewers."""
        return self.verdict is Verdict.REVIEW and self.ruling is None


_UNJUDGED = {"state": AttemptState.UNJUDGED.value, "asked": None}


class AttemptStore:
    """Attempts in the database behind `engine`; those begun here belong to the server `server_id`."""

    def __init__(
        self, engine: Engine, *, server_id: str = "", rate_limits: RateLimits | None = None, records: ConsentRecords | None = None
    ) -> None:
        """Use the database behind `engine`.

        Args:
            engine: of the database.
            server_id: of the server that judges; empty for one that does not.
            rate_limits: the limits per person, None for none.
            records: where consents given with a request are recorded.
        """
        self._engine, self._server_id, self._rate_limits, self._records = engine, server_id, rate_limits, records

    def require_rate(self, subject: str, *, now: datetime) -> None:
        """Check a person's rate limit.

        Raises:
            TooManyAttemptsError: this person may begin no attempt now.
            StoreError: the database failed.
        """
        if self._rate_limits is not None:
            with store_errors(), self._engine.connect() as connection:
                self._rate_limits.require_attempt(connection, subject, now=now)

    def begin(
        self,
        identifier: str,
        *,
        challenge_id: str,
        audience: str,
        request_id: str,
        now: datetime,
        spooled: bytes = b"",
        asked: VerificationOptions = NOTHING,
        session_id: str = "",
        capture: CaptureAssurance = CaptureAssurance.NONE,
    ) -> Attempt:
        """Spend a challenge and open its attempt, in one transaction.

        Args:
            identifier: the id of the new attempt.
            challenge_id: the challenge it answers; its subject becomes the attempt's.
            audience: the generator a credential would be for.
            request_id: the caller's id of this request, see `by_request_id`.
            now: the time.
            spooled: the recording, encrypted by `Spool.seal`, for a server that takes the attempt over; empty stores none.
            asked: what this request asks beside the verdict.
            session_id: the live session whose attempt it is, if any.
            capture: what vouches for its capture.

        Raises:
            ChallengeError: `CHALLENGE_UNKNOWN`, `CHALLENGE_SPENT`, `CHALLENGE_EXPIRED` or `TOO_MANY_ATTEMPTS`; no attempt was
                opened and nothing spent.
            NotFoundError: the live session was deleted, or another server captures it; nothing was spent.
            StoreError: the database failed; nothing was spent.
        """
        with store_errors(), self._engine.begin() as connection:
            challenge = challenges.spend(connection, challenge_id, now=now)
            if self._rate_limits is not None:
                self._rate_limits.require_attempt(connection, challenge.subject, now=now)
            row = {
                "id": identifier,
                "challenge_id": challenge_id,
                "subject": challenge.subject,
                "audience": audience,
                "request_id": request_id,
                "state": AttemptState.OPEN.value,
                "reasons": [],
                "checks": [],
                "profile": "",
                "digests": {},
                "timings_ms": {},
                "recording_sha256": "",
                "created_at": now,
                "server_id": self._server_id,
                "asked": documents.asked_to_json(asked),
                "path": challenge.challenge.path.value,
                "capture": capture.value,
            }
            connection.execute(insert(tables.attempts).values(row))
            if spooled:
                spool.add(connection, identifier, spooled)
            if session_id:
                sessions.prompting(connection, session_id, identifier, server_id=self._server_id)
            return _one(connection, tables.attempts.c.id == identifier)

    def finish(
        self,
        identifier: str,
        judgement: Judgement,
        *,
        now: datetime,
        earned: Earned = NOTHING_EARNED,
        fingerprint: bytes = b"",
        face: Code | None = None,
        likeness: SealedLikeness | None = None,
        waiting: SealedLikeness | None = None,
    ) -> Attempt:
        """Store the judgement of an open attempt with everything that follows from it, in one transaction.

        Evidence is stored elsewhere.

        Args:
            identifier: the attempt's id.
            judgement: its judgement.
            now: the time.
            earned: what was issued for an accepted attempt.
            fingerprint: of its recording.
            face: the transformed face to enrol in the gallery.
            likeness: the encrypted likeness, from which credentials are issued.
            waiting: the encrypted likeness of an attempt that reviewers have to decide.

        Raises:
            NotFoundError: no open attempt of this server has this id.
            StoreError: the database failed; the attempt is still open.
        """
        if (earned.receipt is not None) != (judgement.decision.verdict is Verdict.ACCEPTED):
            raise RuntimeError("an attempt has a receipt exactly when it is accepted")
        values = judged_values(judgement, now=now)
        with store_errors(), self._engine.begin() as connection:
            waits = judgement.decision.verdict is Verdict.REVIEW
            # Reviewers decide of a receipt, not of a cameo.
            key = _one(connection, tables.attempts.c.id == identifier).asked.device_key if waits else None
            self._end(connection, identifier, {**values, "asked": documents.asked_to_json(VerificationOptions(key))})
            if fingerprint:
                fingerprints.add(connection, identifier, fingerprint, now=now)
            if likeness is not None:
                likenesses.add(connection, identifier, likeness, now=now)
            if waiting is not None:
                likenesses.wait(connection, identifier, waiting, now=now)
            attempt = _one(connection, tables.attempts.c.id == identifier)
            earnings.add(connection, attempt, earned, records=self._records)
            if face is not None:
                faces.enrol(connection, attempt.subject, face, attempt_id=identifier, now=now)
            sessions.ended(connection, [identifier], EventKind.SESSION_WAS_JUDGED, now=now)
            return attempt

    def fail(self, identifier: str, *, now: datetime, reason: Reason | None = None) -> Attempt:
        """End an open attempt that could not be judged, with the reason if the recording is at fault.

        Raises:
            NotFoundError: no open attempt of this server has this id.
            StoreError: the database failed; the attempt is still open.
        """
        reasons = [] if reason is None else [reason.value]
        values = {**_UNJUDGED, "reasons": reasons, "finished_at": now}
        with store_errors(), self._engine.begin() as connection:
            self._end(connection, identifier, values)
            sessions.ended(connection, [identifier], EventKind.SESSION_HAS_ENDED, now=now)
            return _one(connection, tables.attempts.c.id == identifier)

    def take_over(self, *, dead: Collection[str], now: datetime) -> tuple[tuple[Attempt, ...], int]:
        """Take over the open attempts of dead servers: those with a spooled recording are to be judged, the others are ended.

        Args:
            dead: ids of dead servers; an unknown server counts as dead too.
            now: the time.

        Returns:
            the attempts that now belong to this server, and the number of ended ones.

        Raises:
            StoreError: the database failed.
        """
        attempts, spooled = tables.attempts, tables.spooled_recordings
        others = (attempts.c.state == AttemptState.OPEN.value) & (attempts.c.server_id != self._server_id)
        lost = others & (attempts.c.server_id.in_(sorted(dead)) | attempts.c.server_id.not_in(select(tables.servers.c.id)))
        again = attempts.c.id.in_(select(spooled.c.attempt_id).where(spooled.c.judgings < _JUDGINGS))
        taken = update(attempts).where(lost, again).values(server_id=self._server_id).returning(*attempts.c)
        with store_errors(), writing(self._engine).begin() as connection:
            mine = tuple(from_row(row) for row in connection.execute(taken).all())
            if mine:
                ids = spooled.c.attempt_id.in_([attempt.id for attempt in mine])
                connection.execute(update(spooled).where(ids).values(judgings=spooled.c.judgings + 1))
            ended = connection.execute(
                update(attempts).where(lost).values(**_UNJUDGED, finished_at=now).returning(attempts.c.id)
            ).all()
            if ended:
                over = [row.id for row in ended]
                connection.execute(delete(spooled).where(spooled.c.attempt_id.in_(over)))
                sessions.ended(connection, over, EventKind.SESSION_HAS_ENDED, now=now)
            return mine, len(ended)

    def own_open(self) -> list[str]:
        """Return the ids of the open attempts of this server.

        Raises:
            StoreError: the database failed.
        """
        table = tables.attempts
        mine = (table.c.state == AttemptState.OPEN.value) & (table.c.server_id == self._server_id)
        with store_errors(), self._engine.connect() as connection:
            return list(connection.scalars(select(table.c.id).where(mine)))

    def get(self, identifier: str) -> Attempt:
        """Return an attempt.

        Raises:
            NotFoundError: no attempt has this id.
            StoreError: the database failed.
        """
        with store_errors(), self._engine.connect() as connection:
            return get(connection, identifier)

    def by_request_id(self, challenge_id: str, request_id: str) -> Attempt:
        """Return the attempt that an earlier request with the same challenge and id began.

        Raises:
            NotFoundError: there is none.
            StoreError: the database failed.
        """
        table = tables.attempts
        with store_errors(), self._engine.connect() as connection:
            return _one(connection, (table.c.challenge_id == challenge_id) & (table.c.request_id == request_id))

    def _end(self, connection: Connection, identifier: str, values: dict[str, Any]) -> None:
        table = tables.attempts
        mine = (table.c.id == identifier) & (table.c.state == AttemptState.OPEN.value) & (table.c.server_id == self._server_id)
        if connection.execute(update(table).where(mine).values(values)).rowcount != 1:
            raise NotFoundError("no open attempt of this server has this id")
        spool.drop(connection, identifier)


def judged_values(judgement: Judgement, *, now: datetime) -> dict[str, Any]:
    """Return the columns of a judged attempt."""
    return {
        "state": AttemptState.JUDGED.value,
        "verdict": judgement.decision.verdict.value,
        "reasons": [reason.value for reason in judgement.decision.reasons],
        "checks": [_check_to_json(check) for check in judgement.checks],
        "profile": judgement.profile,
        "minor_safeguards": judgement.minor_safeguards,
        "digests": dict(judgement.digests),
        "timings_ms": {stage: float(ms) for stage, ms in judgement.timings_ms.items()},
        "recording_sha256": judgement.evidence.media.sha256,
        "finished_at": now,
        "matches": _matches(judgement),
    }


def get(connection: Connection, identifier: str) -> Attempt:
    """Return an attempt, inside a transaction of the caller; errors as `AttemptStore.get`."""
    return _one(connection, tables.attempts.c.id == identifier)


def _one(connection: Connection, condition: ColumnElement[bool]) -> Attempt:
    row = connection.execute(select(tables.attempts).where(condition)).one_or_none()
    if row is None:
        raise NotFoundError("no attempt has this id")
    return from_row(row)


def from_row(row: Row[Any]) -> Attempt:
    """Return the attempt of a row of `tables.attempts`."""
    return Attempt(
        id=row.id,
        challenge_id=row.challenge_id,
        subject=row.subject,
        audience=row.audience,
        request_id=row.request_id,
        state=AttemptState(row.state),
        verdict=None if row.verdict is None else Verdict(row.verdict),
        reasons=tuple(Reason(reason) for reason in row.reasons),
        checks=tuple(_check_from_json(check) for check in row.checks),
        profile=row.profile,
        digests=row.digests,
        timings_ms=row.timings_ms,
        recording_sha256=row.recording_sha256,
        created_at=row.created_at,
        finished_at=row.finished_at,
        minor_safeguards=row.minor_safeguards,
        ruling=None if row.ruling is None else Ruling(row.ruling),
        ruled_at=row.ruled_at,
        matches=row.matches or {},
        asked=documents.asked_from_json(row.asked),
        path=AnswerPath(row.path),
        capture=CaptureAssurance(row.capture),
    )


def _matches(judgement: Judgement) -> dict[str, int] | None:
    answer = judgement.circumstances.gallery
    found = (
        {}
        if answer is None
        else {
            faces.Collection.PROTECTED: answer.protected,
            faces.Collection.ENROLLED: answer.enrolled,
        }
    )
    # None, not {}: an index finds the few that have any.
    return {collection.value: match.number for collection, match in found.items() if match is not None} or None


def _check_to_json(check: CheckResult) -> dict[str, Any]:
    return {
        "name": check.name,
        "outcome": check.outcome.value,
        "score": _number(check.score),
        "unit": check.unit,
        "threshold": _number(check.threshold),
        "direction": None if check.direction is None else check.direction.value,
        "reason": None if check.reason is None else check.reason.value,
        "detail": check.detail,
    }


def _check_from_json(document: Mapping[str, Any]) -> CheckResult:
    return CheckResult(
        name=document["name"],
        outcome=Outcome(document["outcome"]),
        score=document["score"],
        unit=document["unit"],
        threshold=document["threshold"],
        direction=None if document["direction"] is None else Direction(document["direction"]),
        reason=None if document["reason"] is None else Reason(document["reason"]),
        detail=document["detail"],
    )


def _number(value: float | None) -> float | None:
    # float() also accepts numpy scalars; NaN and infinities are not JSON.
    return None if value is None or not math.isfinite(value) else float(value)
