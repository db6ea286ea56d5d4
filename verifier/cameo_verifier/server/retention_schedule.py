"""The retention schedule: what is kept of people, and for how long, from the settings and constants that enforce it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cameo_verifier.server.maintenance import CHALLENGE_KEPT, TOKEN_KEPT, UNCLAIMED_KEPT

if TYPE_CHECKING:
    from cameo_verifier.settings import Settings

_DELETION = "its owner deletes the cameo"


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long one kind of data is kept.

    Attributes:
        data: the data, in words.
        tables: the tables of the database that list it.
        since: what its time begins with; empty without a fixed time.
        kept: the time; None without a fixed one.
        until: what ends it besides, in words.
        setting: the variable that sets the time; empty if none does.
    """

    data: str
    tables: tuple[str, ...]
    since: str = ""
    kept: timedelta | None = None
    until: str = ""
    setting: str = ""


def schedule(settings: Settings) -> tuple[RetentionRule, ...]:
    """Return the schedule of a site."""
    return (*_of_attempts(settings), *_of_evidence(settings), *_of_cameos(settings), *_of_people())


def _of_attempts(settings: Settings) -> tuple[RetentionRule, ...]:
    answerable, capturable = timedelta(seconds=settings.challenge_ttl_s), timedelta(seconds=settings.live.session_s)
    judged = ("attempts", "challenges", "opinions", "labels")
    fingerprint = timedelta(days=settings.fingerprint_days)
    return (
        RetentionRule(
            "challenge that nobody answered",
            ("challenges",),
            "its issue",
            answerable + CHALLENGE_KEPT,
            "",
            "CAMEO_CHALLENGE_TTL_S",
        ),
        RetentionRule("recording that waits to be judged", ("spooled_recordings",), until="it is judged"),
        RetentionRule("attempt: verdict, scores, reviews, labels", judged, until=f"no time; it names nobody once {_DELETION}"),
        RetentionRule("fingerprint of a recording", ("fingerprints",), "the attempt", fingerprint, "", "CAMEO_FINGERPRINT_DAYS"),
        RetentionRule(
            "live session that nobody used",
            ("sessions",),
            "its creation",
            capturable + CHALLENGE_KEPT,
            "",
            "CAMEO_LIVE_SESSION_S",
        ),
        RetentionRule("live session of an attempt, with what its browser said about itself", ("sessions",), until=_DELETION),
        RetentionRule("line of the audit log: a reading of evidence, or a decision", ("audit_log",), until="no time"),
    )


def _of_evidence(settings: Settings) -> tuple[RetentionRule, ...]:
    kept, until = settings.retention, f"{_DELETION}; sooner where there is no room"

    def rule(data: str, name: str) -> RetentionRule:
        return RetentionRule(data, ("evidence",), "the verdict", timedelta(days=getattr(kept, name)), until, kept.variable(name))

    return (
        rule("recording, tracks and result of a rejected attempt", "rejected_days"),
        rule("recording, tracks, result and pictures of an attempt in manual review", "review_days"),
        rule("recording, tracks and result of an attempt that was asked to try again", "retry_days"),
        rule("recording, tracks and result of an accepted attempt", "accepted_days"),
        rule("tracks and result of an accepted attempt", "accepted_tracks_days"),
        rule("tracks, result and pictures of an attempt whose face is in the gallery", "enrolled_days"),
    )


def _of_cameos(settings: Settings) -> tuple[RetentionRule, ...]:
    waiting, withdrawn = timedelta(days=settings.review_wait_days), timedelta(days=settings.consent_days)
    stays = "no time; of a deleted cameo without what it was made of"
    return (
        RetentionRule("likeness of which no cameo is created", ("likenesses",), "the acceptance", UNCLAIMED_KEPT),
        RetentionRule("likeness of a cameo", ("likenesses",), until=_DELETION),
        RetentionRule(
            "likeness of an attempt in manual review",
            ("waiting_likenesses",),
            "the verdict",
            waiting,
            "it is decided",
            "CAMEO_REVIEW_WAIT_DAYS",
        ),
        RetentionRule("face in the gallery, transformed", ("faces",), until=f"{_DELETION}, or its likeness is destroyed"),
        RetentionRule("receipt", ("receipts",), until=_DELETION),
        RetentionRule("encrypted credential, for a repeated request", ("credentials",), "its issue", TOKEN_KEPT),
        RetentionRule("credential without its token; suspensions", ("credentials", "suspensions"), until=_DELETION),
        RetentionRule("entry of a status list", ("status_entries",), until="no time; it leads to nobody once that is gone"),
        RetentionRule("consent records", ("consent_records",), "the withdrawal", withdrawn, "", "CAMEO_CONSENT_DAYS"),
        RetentionRule("cameo and its terms", ("cameos",), until=f"{_DELETION}; a tombstone with the consent stays"),
        RetentionRule(
            "uses, outputs, removals and events of a cameo",
            ("grants", "grant_cameos", "outputs", "removal_requests", "removals", "events"),
            until=stays,
        ),
    )


def _of_people() -> tuple[RetentionRule, ...]:
    return (
        RetentionRule("link between a guardian and a minor, ended ones too", ("guardianships",), until="no time"),
        RetentionRule("who follows whom, where the app keeps no graph", ("follows",), until="the app ends it"),
        RetentionRule("permission to be taken for a protected person", ("protected_allowances",), until="the site ends it"),
    )


def as_json(rules: tuple[RetentionRule, ...]) -> list[dict[str, Any]]:
    """Return the schedule as JSON; times in days."""
    return [
        {
            "data": rule.data,
            "tables": list(rule.tables),
            "since": rule.since,
            "days": None if rule.kept is None else rule.kept / timedelta(days=1),
            "until": rule.until,
            "setting": rule.setting,
        }
        for rule in rules
    ]
