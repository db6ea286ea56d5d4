"""Restoring a backup: what ended after the copy was made is done again by the deletion log, before anybody is served."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.status_list import read_list
from cameo_credential.token_status import Status
from cameo_verifier.cameo.consent_record import RecordKind
from cameo_verifier.errors import NotFoundError, StoreError
from cameo_verifier.review import ends_again
from cameo_verifier.review.deletion_log import DeletionLog
from cameo_verifier.server.services.data_subject_service import policy
from cameo_verifier.settings import Settings
from cameo_verifier.status.index_allocator import IndexAllocator
from cameo_verifier.status.publisher import StatusPublisher
from cameo_verifier.store.cameos import cameos
from cameo_verifier.store.cameos.consent_records import ConsentRecords
from cameo_verifier.store.cameos.likenesses import LikenessStore
from cameo_verifier.store.credentials.issuance import IssuanceStore
from cameo_verifier.store.credentials.statuses import StatusStore
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database, writing
from cameo_verifier.store.evidence import ends
from cameo_verifier.store.evidence.ends import End
from tests.databases import only_sqlite
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import READER, open_site
from tests.unit.store.test_consent_records import ANN, KINDS, enrolled
from tests.unit.store.test_erasure import SUBJECT, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from cameo_challenges.model import Challenge
    from cameo_credential.claims import StatusReference

BASE = "https://issuer.example"

pytestmark = only_sqlite


@pytest.fixture
def site(engine: Engine, issued: Callable[[str], Challenge]) -> Site:
    """A site with four accepted attempts; the last one's cameo is not made yet."""
    made = Site(engine, issued)
    for number in range(1, 5):
        made.accept(number, subject="dan" if number == 4 else SUBJECT, cameo=number < 4)
    return made


@pytest.fixture
def log(tmp_path: Path) -> DeletionLog:
    """A log without lines."""
    return DeletionLog(tmp_path / "elsewhere" / "deletions.log", bytes(32))


@pytest.fixture
def copy(site: Site, tmp_path: Path, issued: Callable[[str], Challenge]) -> Iterator[Site]:
    """A copy of the database from before anything ended, opened when it is first asked for."""
    path = tmp_path / "copy.sqlite3"
    with sqlite3.connect(str(site.engine.url.database)) as connection:
        connection.execute("VACUUM INTO ?", [str(path)])
    engine = open_database(f"sqlite:///{path}")
    yield Site(engine, issued)
    engine.dispose()


def _end_four(site: Site) -> None:
    """Delete the first cameo and that of the person whose cameo is made now, revoke the second, and the third's credential."""
    consent = {"text_version": "1", "locale": "en", "agreed_at": NOW, "now": NOW}
    site.do(lambda connection: cameos.create(connection, "a4", subject="dan", request_id="r", **consent))
    site.do(lambda connection: cameos.delete(connection, "cameo-4", subject="dan", now=NOW))
    site.end("delete", 1)
    site.end("revoke", 2)
    IssuanceStore(site.engine).revoke("jti-3", subject=SUBJECT, reason="lost", request_id="q", now=NOW)


def _state(site: Site) -> dict[str, object]:
    """Return what of each of the four can be used."""
    tokens = (*(f"jti-{number}" for number in range(1, 4)), *(f"receipt-{number}" for number in range(1, 5)))
    found: dict[str, object] = {token: site.status(token) for token in tokens}
    for number in range(1, 5):
        try:
            LikenessStore(site.engine).of(f"cameo-{number}")
        except NotFoundError:
            found[f"likeness {number}"] = None
    with site.engine.connect() as connection:
        states = connection.execute(select(tables.cameos.c.id, tables.cameos.c.state).where(tables.cameos.c.id != "cameo-4"))
        return found | {row.id: row.state for row in states}


def test_what_ended_after_the_copy_ends_in_it_again(site: Site, copy: Site, log: DeletionLog) -> None:
    """Likenesses, cameos and credentials of the restored copy are as those of the database of before; twice is as once."""
    assert Status.INVALID not in _state(copy).values()
    _end_four(site)
    assert ends_again.write(site.engine, log) == 4
    assert ends_again.write(site.engine, log) == 0
    assert ends_again.do_again(copy.engine, log, now=NOW) == 4
    assert _state(copy) == _state(site)
    assert {row for row in _state(copy).values() if row is None} == {None}
    assert ends_again.do_again(copy.engine, log, now=NOW) is None
    assert ends_again.do_again(site.engine, log, now=NOW) is None
    assert ends_again.write(copy.engine, log) == 0
    assert ends_again.missing_lines(copy.engine, log) == 0
    with copy.engine.connect() as connection:
        subjects = (
            connection.execute(select(tables.attempts.c.subject).where(tables.attempts.c.id.in_(["a1", "a4"]))).scalars().all()
        )
    assert "dan" not in subjects


def test_a_forgotten_person_s_key_is_destroyed_again_and_a_later_one_is_not(
    engine: Engine, tmp_path: Path, log: DeletionLog
) -> None:
    """The line names the key, so evidence that came afterwards stays."""
    site = open_site(engine, tmp_path)
    site.kept("r0", "ann")
    with engine.connect() as connection:
        before = connection.execute(select(tables.subject_keys).where(tables.subject_keys.c.subject == "ann")).one()
    site.room.vault.forget("ann", reader=READER, now=NOW)
    ends_again.write(engine, log)
    with writing(engine).begin() as connection:  # as in a copy of before
        connection.execute(tables.subject_keys.delete())
        connection.execute(insert(tables.subject_keys).values(before._asdict()))
        connection.execute(tables.end_log.update().values(number=0))
    assert ends_again.do_again(engine, log, now=NOW) == 1
    site.kept("r1", "ann")
    with writing(engine).begin() as connection:
        connection.execute(tables.end_log.update().values(number=0))
    assert ends_again.do_again(engine, log, now=NOW) == 0
    assert site.read("r1")


def test_consents_stay_readable_where_a_data_key_ends_again(engine: Engine, tmp_path: Path, log: DeletionLog) -> None:
    """The cameo's are deleted but for the withdrawal; those of another cameo of the person are kept under the next data key."""
    site = open_site(engine, tmp_path)
    records = ConsentRecords(site.room.keys, policy(Settings()))
    with engine.begin() as connection:
        enrolled(connection, records, 1, 2)
    log.make()
    log.append([(End.CAMEO_DELETED, "cameo-1")], after=0)
    assert ends_again.do_again(engine, log, now=NOW, records=records) == 1
    with engine.connect() as connection:
        left = {(record.cameo_id, record.kind) for record in records.of_subject(connection, ANN)}
    assert left == {("cameo-1", RecordKind.CONSENT_WITHDRAWN), *(("cameo-2", kind) for kind in KINDS)}


def test_the_log_names_nobody(site: Site, log: DeletionLog) -> None:
    """No id is in it, nothing but digests under a key, and a deleted person has one line, whatever they had."""
    _end_four(site)
    ends_again.write(site.engine, log)
    text = log.path.read_text()
    assert not any(word in text for word in ("cameo-", "jti-", SUBJECT, "dan", "2026"))
    lines = [json.loads(line) for line in text.splitlines()]
    assert {name for line in lines for name in line} == {"number", "kind", "of", "mac"}
    assert sorted(line["kind"] for line in lines) == ["cameo_deleted", "cameo_deleted", "cameo_revoked", "credential"]
    assert DeletionLog(log.path, bytes(range(32))).digest(End.CREDENTIAL, "jti-3") not in text
    assert log.path.stat().st_mode & 0o777 == 0o600
    with site.engine.connect() as connection:
        assert ends.noted(connection) == []


@pytest.mark.parametrize("harm", ["altered", "removed", "swapped", "of another key", "no log"])
def test_an_altered_log_is_refused(site: Site, copy: Site, log: DeletionLog, harm: str) -> None:
    """Whoever has the file but not the key neither ends nor brings back anything."""
    _end_four(site)
    ends_again.write(site.engine, log)
    lines = log.path.read_text().splitlines(keepends=True)
    harmed = {
        "altered": [lines[0].replace('"of": "', '"of": "0'), *lines[1:]],
        "removed": lines[1:],
        "swapped": [lines[1], lines[0], *lines[2:]],
        "of another key": lines,
        "no log": ["hello\n"],
    }
    log.path.write_text("".join(harmed[harm]))
    read = DeletionLog(log.path, b"k" * 32) if harm == "of another key" else log
    with pytest.raises(StoreError, match="deletion"):
        ends_again.do_again(copy.engine, read, now=NOW)
    assert Status.INVALID not in _state(copy).values()


def test_a_crash_at_any_byte_of_a_line_loses_nothing(site: Site, copy: Site, log: DeletionLog) -> None:
    """A line that is not whole does not count, its end is noted still, and the next writing has all."""
    site.end("delete", 1)
    ends_again.write(site.engine, log)
    whole = log.path.read_text()
    site.end("delete", 2)
    with site.engine.connect() as connection:
        noted = ends.noted(connection)
    log.append(noted, after=1)
    longer = log.path.read_text()
    for cut in (len(whole), len(whole) + 1, len(longer) - 1, len(longer)):
        log.path.write_text(longer[:cut])
        assert len(log.lines()) == (2 if cut == len(longer) else 1)
        with log.locked():
            assert log.append(noted, after=1) == (3 if cut == len(longer) else 2)
        log.path.write_text(longer[:cut])
    ends_again.write(site.engine, log)  # after a kill between the file and the database
    assert ends_again.do_again(copy.engine, log, now=NOW) == 2
    assert _state(copy)["cameo-2"] == "deleted"


def test_no_place_of_a_status_list_is_given_out_twice(site: Site, copy: Site, log: DeletionLog) -> None:
    """What was allotted after the copy, in its last list and in one that it does not know, is never allotted by the copy."""
    draw = Random(7)  # noqa: S311 - a test's own
    original, restored = (
        IndexAllocator(StatusStore(each.engine), "https://c.example", 2048, draw.randrange, lambda: draw.randbytes(32))
        for each in (site, copy)
    )
    copied = StatusStore(copy.engine).numbers()
    since = {original.allot(f"since-{number}", now=NOW) for number in range(300)}
    assert len(StatusStore(site.engine).numbers()) > len(copied)
    site.end("delete", 1)
    ends_again.write(site.engine, log)

    assert ends_again.do_again(copy.engine, log, now=NOW, capacity=2048) == 1

    allotted = {restored.allot(f"restored-{number}", now=NOW) for number in range(300)}
    assert {each.uri for each in since}.isdisjoint({each.uri for each in allotted})
    assert len(allotted) == 300


def test_a_credential_that_a_copy_does_not_know_is_invalid(site: Site, log: DeletionLog, tmp_path: Path) -> None:
    """Nobody can revoke it any more: its holder's status list says so. What the copy knows stays as it was, in every version."""
    draw = Random(8)  # noqa: S311 - a test's own
    original, path = _allotting(site.engine, draw), tmp_path / "copy.sqlite3"
    known = [original.allot(f"known-{number}", now=NOW) for number in range(20)]
    StatusStore(site.engine).change("known-0", Status.SUSPENDED)
    with sqlite3.connect(str(site.engine.url.database)) as connection:
        connection.execute("VACUUM INTO ?", [str(path)])
    since = [original.allot(f"since-{number}", now=NOW) for number in range(20)]
    assert {each.uri for each in since} == {known[0].uri}
    assert {_shown(site.engine, each) for each in since} == {Status.VALID}
    site.end("delete", 1)
    ends_again.write(site.engine, log)

    copy = open_database(f"sqlite:///{path}")
    assert ends_again.do_again(copy, log, now=NOW) == 1

    assert {_shown(copy, each) for each in since} == {Status.INVALID}
    assert [_shown(copy, each) for each in known] == [Status.SUSPENDED, *[Status.VALID] * 19]
    StatusStore(copy).change("known-1", Status.INVALID)
    assert _shown(copy, known[1]) is Status.INVALID
    assert _shown(copy, _allotting(copy, draw).allot("restored", now=NOW)) is Status.VALID
    copy.dispose()


def _allotting(engine: Engine, draw: Random) -> IndexAllocator:
    return IndexAllocator(StatusStore(engine), BASE, 1024, draw.randrange, lambda: draw.randbytes(32))


def _shown(engine: Engine, entry: StatusReference) -> Status:
    """Return what whoever reads the published list is told."""
    keys = IssuerKeys(SigningKey.generate(now=NOW))
    publisher = StatusPublisher(
        StatusStore(engine), keys=lambda: keys, base=BASE, interval=timedelta(minutes=1), clock=lambda: NOW
    )
    read = read_list(publisher.get(entry.uri).token, issuer_keys=keys.public(), expected_uri=entry.uri, now=NOW)
    return Status(read.statuses[entry.index])


def test_a_copy_that_is_restored_twice_goes_on_elsewhere(site: Site, copy: Site, log: DeletionLog, tmp_path: Path) -> None:
    """What it allotted in its first life is not allotted in the second, though nothing in it tells of that."""
    path = tmp_path / "again.sqlite3"
    with sqlite3.connect(str(copy.engine.url.database)) as connection:
        connection.execute("VACUUM INTO ?", [str(path)])
    site.end("delete", 1)
    ends_again.write(site.engine, log)
    again = open_database(f"sqlite:///{path}")
    for engine in (copy.engine, again):
        assert ends_again.do_again(engine, log, now=NOW) == 1
    first, second = (StatusStore(engine).numbers()[-1] for engine in (copy.engine, again))
    again.dispose()
    assert first != second
    assert min(first, second) >= 1000
    assert ends_again.do_again(copy.engine, log, now=NOW) is None
    assert StatusStore(copy.engine).numbers()[-1] == first


def test_a_log_that_lost_its_end_is_noticed(site: Site, log: DeletionLog) -> None:
    """The database knows how far it was written; numbers go on above that."""
    site.end("delete", 1)
    site.end("revoke", 2)
    ends_again.write(site.engine, log)
    log.path.write_text(log.path.read_text().splitlines(keepends=True)[0])
    assert ends_again.missing_lines(site.engine, log) == 1
    IssuanceStore(site.engine).revoke("jti-3", subject=SUBJECT, reason="lost", request_id="q", now=NOW)
    ends_again.write(site.engine, log)
    assert [line.number for line in log.lines()] == [1, 3]
