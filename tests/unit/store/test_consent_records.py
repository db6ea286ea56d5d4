"""Consent records in the database: readable by nobody else, whole after a deletion, gone when their time is over."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from cameo_verifier.cameo.consent_record import RecordKind
from cameo_verifier.cameo.model import Terms, WhoMayUse
from cameo_verifier.server.services.data_subject_service import policy
from cameo_verifier.settings import Settings
from cameo_verifier.store.cameos import cameos
from cameo_verifier.store.cameos.consent_records import ConsentRecords, drop_withdrawn
from cameo_verifier.store.cameos.vault import Vault
from cameo_verifier.store.db import tables
from cameo_verifier.store.evidence.errors import AlteredEvidenceError, EvidenceError, VaultKeyLostError
from cameo_verifier.store.evidence.subject_keys import SubjectKeys
from tests.enrolled import enrol
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import READER, open_site

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from cameo_verifier.store.cameos.consent_records import KeptRecord

ANN = "owner-1"
LATER = NOW + timedelta(days=1)
EVERYONE = Terms(who=WhoMayUse.EVERYONE)
KINDS = (RecordKind.CONSENT_GIVEN, RecordKind.CONSENT_WIDENED)


@pytest.fixture
def records(engine: Engine) -> ConsentRecords:
    """Records under a vault key of their own."""
    return ConsentRecords(SubjectKeys(engine, Vault(bytes(32))), policy(Settings()))


def enrolled(connection: Connection, records: ConsentRecords, *numbers: int) -> None:
    """Create the cameos of some numbers, all of one person, who then lets everyone use them."""
    for number in numbers:
        cameo_id, subject = enrol(connection, number)
        for table in (tables.cameos, tables.attempts, tables.challenges):
            connection.execute(update(table).where(table.c.subject == subject).values(subject=ANN))
        cameo = cameos.get(connection, cameo_id, subject=ANN)
        records.note(connection, RecordKind.CONSENT_GIVEN, cameo, now=NOW)
        cameos.change(connection, cameo_id, lambda _: EVERYONE, subject=ANN, version=1, now=LATER, records=records)


def kept(connection: Connection, records: ConsentRecords) -> list[tuple[str, RecordKind]]:
    """Return cameo and kind of Ann's records."""
    return [(each.cameo_id, each.kind) for each in records.of_subject(connection, ANN)]


def test_a_deletion_leaves_one_record_of_the_cameo_and_all_of_others(engine: Engine, records: ConsentRecords) -> None:
    """It destroys the person's data key: those of another cameo are under the next one, and say what they said."""
    with engine.begin() as connection:
        enrolled(connection, records, 1, 2)
        before = {each.id: each for each in records.of_subject(connection, ANN)}
        cameos.delete(connection, "cameo-1", subject=ANN, now=LATER, records=records)
        left = records.of_subject(connection, ANN)
        keys = connection.execute(select(tables.subject_keys.c.subject)).scalars().all()
    assert sorted(keys, key=str) == [None, ANN]
    assert [(each.cameo_id, each.kind) for each in left] == [
        ("cameo-2", RecordKind.CONSENT_GIVEN),
        *sorted([("cameo-2", RecordKind.CONSENT_WIDENED), ("cameo-1", RecordKind.CONSENT_WITHDRAWN)], key=_order(left)),
    ]
    assert [each for each in left if each.cameo_id == "cameo-2"] == [
        each for each in before.values() if each.cameo_id == "cameo-2"
    ]
    withdrawn = next(each for each in left if each.cameo_id == "cameo-1").document
    assert withdrawn["dpv:hasProcess"]["dpv:hasPurpose"]["cameo:who_may_use"] == "only_me"


def _order(found: list[KeptRecord]) -> object:
    """Return the order of the list: records of one moment are in the order of their random ids."""
    places = [(each.cameo_id, each.kind) for each in found]
    return places.index


def test_forgetting_evidence_keeps_the_records(engine: Engine, tmp_path: Path) -> None:
    """`cameo evidence forget` destroys the data key that they are under too."""
    site = open_site(engine, tmp_path)
    records = ConsentRecords(site.room.keys, policy(Settings()))
    with engine.begin() as connection:
        enrolled(connection, records, 1)
    site.room.vault.forget(ANN, reader=READER, now=LATER)
    with engine.connect() as connection:
        assert kept(connection, records) == [("cameo-1", kind) for kind in KINDS]


def test_an_altered_or_moved_record_is_refused(engine: Engine, records: ConsentRecords) -> None:
    """A flipped bit, a record in another row, and one under another key."""
    with engine.begin() as connection:
        enrolled(connection, records, 1)
        table = tables.consent_records
        one, other = connection.execute(select(table).order_by(table.c.created_at)).all()
        flipped = bytes([other.sealed[0], *other.sealed[1:-1], other.sealed[-1] ^ 1])
        for wrong in (flipped, one.sealed, b""):
            connection.execute(update(table).where(table.c.id == other.id).values(sealed=wrong))
            with pytest.raises(AlteredEvidenceError):
                records.of_subject(connection, ANN)
        connection.execute(update(table).where(table.c.id == other.id).values(sealed=other.sealed, key_id="0" * 32))
        with pytest.raises(EvidenceError):
            records.of_subject(connection, ANN)


def test_who_has_no_key_can_withdraw_but_not_consent(engine: Engine, records: ConsentRecords) -> None:
    """With another vault key nothing is recorded: a withdrawal goes on, anything wider is refused."""
    foreign = ConsentRecords(SubjectKeys(engine, Vault(secrets.token_bytes(32))), records.policy)
    only_me = Terms()
    with engine.begin() as connection:
        enrolled(connection, records, 1, 2)
        cameos.change(connection, "cameo-2", lambda _: only_me, subject=ANN, version=2, now=LATER, records=foreign)
        with pytest.raises(VaultKeyLostError):
            cameos.change(
                connection, "cameo-2", lambda _: Terms(WhoMayUse.EVERYONE), subject=ANN, version=3, now=LATER, records=foreign
            )
        cameos.revoke(connection, "cameo-1", subject=ANN, reason="", now=LATER, records=foreign)
        assert len(kept(connection, records)) == 4
        cameos.delete(connection, "cameo-2", subject=ANN, now=LATER, records=foreign)
        assert connection.execute(select(tables.consent_records.c.cameo_id)).scalars().all() == ["cameo-2"]


def test_records_go_when_the_time_after_the_withdrawal_is_over(engine: Engine, records: ConsentRecords) -> None:
    """Those of a cameo that still stands stay, however old."""
    with engine.begin() as connection:
        enrolled(connection, records, 1, 2)
        cameos.revoke(connection, "cameo-1", subject=ANN, reason="", now=LATER, records=records)
    assert drop_withdrawn(engine, before=LATER) == 0
    assert drop_withdrawn(engine, before=LATER + timedelta(seconds=1)) == 3
    with engine.connect() as connection:
        assert kept(connection, records) == [("cameo-2", kind) for kind in KINDS]


def test_nothing_of_a_record_is_in_the_clear(engine: Engine, records: ConsentRecords) -> None:
    """Neither the words nor the generators of the terms."""
    with engine.begin() as connection:
        enrolled(connection, records, 1)
        secret = Terms(words=("no cats",), generators=frozenset({"https://g.example"}), who=WhoMayUse.EVERYONE)
        records.note(
            connection, RecordKind.CONSENT_WIDENED, cameos.get(connection, "cameo-1", subject=ANN), now=LATER, terms=secret
        )
        rows = connection.execute(select(tables.consent_records)).all()
    assert b"cats" not in b"".join(row.sealed for row in rows)
    assert "g.example" not in repr(rows)


def test_keys_of_a_transaction_are_those_of_the_store(engine: Engine, records: ConsentRecords) -> None:
    """A key generated inside a transaction is the one found later."""
    with engine.begin() as connection:
        made = records.keys.within(connection, ANN, now=NOW)
    assert records.keys.of(ANN, now=NOW) == made
    with engine.begin() as connection:
        assert records.keys.within(connection, ANN, now=LATER) == made
