"""The rows that are kept of one person, from every table: what an export gives them.

Every table is either in `EXPORTED`, with the condition that its rows are a person's and the columns that are left out, or in
`EXCLUDED`, with the reason. A new table is in neither, and a test says so. Rows name other people only where their owner sees
them anyway: who requested a video, a guardian, followers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from cameo_credential.encoding import to_base64url
from cameo_verifier.store.cameos.faces import Collection
from cameo_verifier.store.db import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import ColumnElement, Connection, Select, Table

_INTERNAL = "an id of the server's own, not about a person"
_ANALYST = "an analyst's name"
_WORDS = "an analyst's words, which may be about somebody else"
_SEALED = "ciphertext; its content is a file of this archive"


@dataclass(frozen=True, slots=True)
class Rule:
    """How a table is exported. theirs: the condition that a row is a subject's. left_out: columns, with the reasons."""

    theirs: Callable[[str], ColumnElement[bool]]
    left_out: Mapping[str, str] = field(default_factory=dict)


def _attempts(subject: str) -> Select[tuple[str]]:
    return select(tables.attempts.c.id).where(tables.attempts.c.subject == subject)


def _cameos(subject: str) -> Select[tuple[str]]:
    return select(tables.cameos.c.id).where(tables.cameos.c.subject == subject)


def _uses(subject: str) -> Select[tuple[str]]:
    uses = tables.grant_cameos
    return select(uses.c.grant_id).where(uses.c.cameo_id.in_(_cameos(subject)))


def _listed(subject: str) -> ColumnElement[bool]:
    """Return the condition for the entries of a subject's receipts and credentials."""
    tokens = tables.receipts, tables.credentials
    return or_(
        *(tables.status_entries.c.jti.in_(select(of.c.jti).where(of.c.attempt_id.in_(_attempts(subject)))) for of in tokens)
    )


def _by_subject(table: Table) -> Callable[[str], ColumnElement[bool]]:
    return lambda subject: table.c.subject == subject


def _by_attempt(table: Table) -> Callable[[str], ColumnElement[bool]]:
    return lambda subject: table.c.attempt_id.in_(_attempts(subject))


def _by_cameo(table: Table) -> Callable[[str], ColumnElement[bool]]:
    return lambda subject: table.c.cameo_id.in_(_cameos(subject))


def _enrolled(subject: str) -> ColumnElement[bool]:
    return (tables.faces.c.collection == Collection.ENROLLED.value) & (tables.faces.c.owner == subject)


def _linked(subject: str) -> ColumnElement[bool]:
    return or_(tables.guardianships.c.minor == subject, tables.guardianships.c.guardian == subject)


def _granted(subject: str) -> ColumnElement[bool]:
    return or_(tables.grants.c.id.in_(_uses(subject)), tables.grants.c.requester == subject)


def _made(subject: str) -> ColumnElement[bool]:
    return or_(tables.outputs.c.grant_id.in_(_uses(subject)), tables.outputs.c.creator == subject)


def _following(subject: str) -> ColumnElement[bool]:
    return or_(tables.follows.c.follower == subject, tables.follows.c.followee == subject)


EXPORTED: Mapping[str, Rule] = {
    "challenges": Rule(_by_subject(tables.challenges)),
    "attempts": Rule(
        _by_subject(tables.attempts),
        {"server_id": _INTERNAL, "matches": "numbers of faces of other people", "timings_ms": _INTERNAL},
    ),
    "sessions": Rule(_by_subject(tables.sessions), {"server_id": _INTERNAL, "request_id": _INTERNAL}),
    "spooled_recordings": Rule(_by_attempt(tables.spooled_recordings), {"sealed": _SEALED, "judgings": _INTERNAL}),
    "credentials": Rule(
        _by_attempt(tables.credentials), {"token": "ciphertext that its generator alone opens; the likeness in it is a file here"}
    ),
    "receipts": Rule(_by_attempt(tables.receipts)),
    "fingerprints": Rule(_by_attempt(tables.fingerprints)),
    "status_entries": Rule(
        _listed,
        {"group_number": "it tells credentials from decoys, for everyone in the list"},
    ),
    "faces": Rule(
        _enrolled, {"code": "transformed by a secret, which faces together with their codes would give away", "key_id": _INTERNAL}
    ),
    "protected_allowances": Rule(_by_subject(tables.protected_allowances), {"name": "a protected person's name"}),
    "likenesses": Rule(_by_attempt(tables.likenesses), {"wrapped_key": "a key", "sealed": _SEALED}),
    "waiting_likenesses": Rule(_by_attempt(tables.waiting_likenesses), {"wrapped_key": "a key", "sealed": _SEALED}),
    "opinions": Rule(_by_attempt(tables.opinions), {"reason": _WORDS, "analyst": _ANALYST}),
    "cameos": Rule(_by_subject(tables.cameos)),
    "suspensions": Rule(_by_cameo(tables.suspensions), {"reason": _WORDS, "analyst": _ANALYST}),
    "guardianships": Rule(_linked),
    "grants": Rule(_granted, {"request_id": _INTERNAL, "spent_by_request": _INTERNAL}),
    "grant_cameos": Rule(_by_cameo(tables.grant_cameos)),
    "outputs": Rule(_made, {"shown_since": _INTERNAL}),
    "removal_requests": Rule(_by_cameo(tables.removal_requests)),
    "removals": Rule(_by_cameo(tables.removals)),
    "events": Rule(_by_subject(tables.events)),
    "follows": Rule(_following),
    "consent_records": Rule(_by_subject(tables.consent_records), {"sealed": _SEALED, "key_id": _INTERNAL}),
    "evidence": Rule(_by_attempt(tables.evidence)),
    "labels": Rule(_by_attempt(tables.labels), {"note": _WORDS, "analyst": _ANALYST}),
    "audit_log": Rule(
        _by_attempt(tables.audit_log), {"who": _ANALYST, "why": _WORDS, "hash": "it covers the lines of other people too"}
    ),
}
"""The tables that hold a person's rows."""

EXCLUDED: Mapping[str, str] = {
    "subject_keys": "keys: whoever has one opens what it seals, in every copy; what they seal is in this archive",
    "servers": "about servers",
    "status_lists": "about everyone's credentials together",
    "event_counter": "one number of the site",
    "webhooks": "about receivers of webhooks",
    "vault_key": "about the site's key",
    "sign_in_tokens": "about analysts",
    "audit_head": "the end of the audit log of the site",
    "end_log": "one number of the site",
    "unlogged_ends": "what ended within the last second; it is here as what ended",
}
"""Tables that hold no rows of a person to export, with the reason."""

_OTHERS_CONSENT = {"minor": "guardian_consent", "guardian": "minor_consent"}
"""Of a link, the consent of the other side, by the side the person is on."""


def of_subject(connection: Connection, subject: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each exported table with a subject's rows as JSON: times in ISO 8601, bytes in base64url."""
    for name, rule in EXPORTED.items():
        table = tables.metadata.tables[name]
        shown = [column for column in table.c if column.name not in rule.left_out]
        query = select(*shown).where(rule.theirs(subject)).order_by(*table.primary_key.columns)
        rows = [{key: _json(value) for key, value in row.items()} for row in connection.execute(query).mappings()]
        for row in rows if name == "guardianships" else ():
            row.pop(next(consent for side, consent in _OTHERS_CONSENT.items() if row[side] == subject))
        yield name, rows


def _json(value: Any) -> Any:  # noqa: ANN401 - any value of a column
    if isinstance(value, datetime):
        return value.isoformat()
    return to_base64url(value) if isinstance(value, bytes) else value
