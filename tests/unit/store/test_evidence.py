"""The evidence vault: what it stores, which key decrypts it, and what is unreadable once a key is destroyed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, text, update

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.store.db import tables
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.evidence.errors import (
    AlteredEvidenceError,
    DataKeyLostError,
    EvidenceError,
    EvidenceMissingError,
    SubjectDeletedError,
    TruncatedEvidenceError,
    VaultKeyLostError,
)
from cameo_verifier.store.evidence.evidence import object_name
from cameo_verifier.store.evidence.sealed_object import Kind, key_id, seal, unseal
from cameo_verifier.store.evidence.subject_keys import DataKey
from cameo_verifier.types import Verdict
from tests.databases import only_sqlite
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import PIECES, READER, Site, open_site

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

KEY = DataKey("ab" * 16, bytes(range(32)))
SEALED = seal(b"a face", attempt_id="a1", kind=Kind.TRACKS, key=KEY, random_bytes=bytes)


@pytest.fixture
def site(engine: Engine, tmp_path: Path) -> Site:
    """A site with evidence of two people."""
    opened = open_site(engine, tmp_path)
    opened.kept("a1", "ann")
    opened.kept("b1", "ben")
    return opened


def test_every_piece_comes_back_and_none_is_in_the_clear(site: Site) -> None:
    """Recording, tracks and result are read as they were kept; no file holds a word of them, nor says whose they are."""
    assert {kind: site.read("a1", kind) for kind in PIECES} == PIECES
    files = [path for path in site.folder.rglob("*") if path.is_file()]
    assert len(files) == 2 * len(PIECES)
    for path in files:
        assert path.stat().st_mode & 0o077 == 0
        assert not any(word in path.read_bytes() for word in (b"moving", b"numbers", b"ann", b"ben"))
    assert [(held.kind, held.removed_at) for held in site.room.vault.held("a1")] == [(kind, None) for kind in sorted(PIECES)]


def test_every_read_is_logged_before_it_is_answered(site: Site) -> None:
    """Who, what and why are in the log, also of a read that failed; whoever does not say gets nothing."""
    site.read("a1")
    with pytest.raises(EvidenceMissingError):
        site.read("nobody")
    assert [(line.who, line.action, line.attempt_id, line.what, line.why) for line in site.room.audit.lines()] == [
        ("ana", "read", "a1", "recording", "case 7"),
        ("ana", "read", "nobody", "recording", "case 7"),
    ]
    for who, why in (("", "case 7"), ("ana", " "), ("a" * 129, "case 7"), ("ana", "w" * 1001)):
        with pytest.raises(InvalidRequestError, match="say w"):
            Reader(who, why)


def test_what_cannot_be_logged_is_not_read(site: Site) -> None:
    """Without its line in the log, no evidence is handed out."""
    with site.engine.begin() as connection:
        connection.execute(text("DROP TABLE audit_head"))
    with pytest.raises(Exception, match="database refused"):
        site.read("a1")


def test_a_deleted_subject_is_unreadable_in_every_copy(site: Site, tmp_path: Path) -> None:
    """A copy of the folder, taken before, put back or beside: nothing opens it; everybody else's evidence stays readable."""
    copy = tmp_path / "copy"
    shutil.copytree(site.folder, copy)
    assert site.room.vault.forget("ann", reader=READER, now=NOW) == 1
    with pytest.raises(SubjectDeletedError, match="the subject was deleted"):
        site.read("a1")
    shutil.rmtree(site.folder)
    shutil.copytree(copy, site.folder)
    with site.engine.begin() as connection:
        connection.execute(update(tables.evidence).values(removed_at=None))
    for kind in PIECES:
        with pytest.raises(SubjectDeletedError, match="the subject was deleted"):
            site.read("a1", kind)
        assert site.read("b1", kind) == PIECES[kind]
    assert [line.action for line in site.room.audit.lines(limit=4)] == ["forget", "remove", "remove", "remove"]


@only_sqlite
def test_no_page_of_the_database_holds_a_destroyed_key(site: Site, tmp_path: Path) -> None:
    """The wrapped key and the name are gone from the files of the database too, the log of SQLite's own among them."""
    with site.engine.connect() as connection:
        row = connection.execute(tables.subject_keys.select().where(tables.subject_keys.c.subject == "ann")).one()
    site.room.vault.forget("ann", reader=READER, now=NOW)
    for path in (tmp_path / "data").glob("cameo.sqlite3*"):
        assert row.wrapped_key not in path.read_bytes()


def test_whoever_comes_back_gets_another_key(site: Site) -> None:
    """New evidence of a deleted subject opens, the old never."""
    sealed = (site.folder / object_name("a1", Kind.TRACKS)).read_bytes()
    site.room.vault.forget("ann", reader=READER, now=NOW)
    site.kept("a2", "ann")
    assert site.read("a2", Kind.TRACKS) == PIECES[Kind.TRACKS]
    again = (site.folder / object_name("a2", Kind.TRACKS)).read_bytes()
    assert key_id(again) != key_id(sealed)


def test_each_kind_of_damage_has_its_own_error(site: Site) -> None:
    """Cut short, altered, swapped with another's, gone: each is told apart, and other attempts stay readable."""
    path = site.folder / object_name("a1", Kind.RECORDING)
    whole = path.read_bytes()
    other = (site.folder / object_name("b1", Kind.RECORDING)).read_bytes()
    tracks = (site.folder / object_name("a1", Kind.TRACKS)).read_bytes()
    for data, error, message in (
        (whole[:-1], TruncatedEvidenceError, "of attempt a1: .* bytes are left"),
        (whole[:20], TruncatedEvidenceError, "not even the front"),
        (b"", TruncatedEvidenceError, "not even the front"),
        (whole[:60] + bytes([whole[60] ^ 1]) + whole[61:], AlteredEvidenceError, "was altered"),
        (whole + b"x", AlteredEvidenceError, "was altered"),
        (other, AlteredEvidenceError, "another attempt"),
        (tracks, AlteredEvidenceError, "another attempt or kind"),
        (b"\x00\x00\x00 ftypisom", AlteredEvidenceError, "no sealed evidence"),
        (None, EvidenceMissingError, "though nobody removed it"),
    ):
        path.unlink(missing_ok=True)
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(error, match=message):
            site.read("a1")
        assert site.read("b1") == PIECES[Kind.RECORDING]
        assert site.read("a1", Kind.RESULT) == PIECES[Kind.RESULT]


def test_lost_keys_are_told_apart(site: Site, tmp_path: Path) -> None:
    """Another vault key, a data key the database lost and one altered in it each say so."""
    (tmp_path / "keys" / "vault.jwk").unlink()
    elsewhere = open_site(site.engine, tmp_path)
    assert elsewhere.room.keys.unreadable() == 2
    with pytest.raises(VaultKeyLostError, match="put the key file back"):
        elsewhere.read("a1")
    with pytest.raises(VaultKeyLostError):
        elsewhere.room.vault.keep("a1", "ann", PIECES, now=NOW)
    assert site.read("a1") == PIECES[Kind.RECORDING]
    keys = tables.subject_keys
    with site.engine.begin() as connection:
        connection.execute(update(keys).where(keys.c.subject == "ann").values(wrapped_key=b"\0" * 60))
        connection.execute(delete(keys).where(keys.c.subject == "ben"))
    with pytest.raises(DataKeyLostError, match="altered in the database"):
        site.read("a1")
    with pytest.raises(DataKeyLostError, match="not in this database"):
        site.read("b1")


@given(st.integers(0, 8 * len(SEALED) - 1))
def test_any_flipped_bit_of_an_object_is_noticed(place: int) -> None:
    """One bit, wherever: never other evidence."""
    altered = bytearray(SEALED)
    altered[place // 8] ^= 1 << place % 8
    with pytest.raises((AlteredEvidenceError, TruncatedEvidenceError)):
        unseal(bytes(altered), attempt_id="a1", kind=Kind.TRACKS, key=KEY)


@given(st.integers(0, len(SEALED) - 1))
def test_any_missing_end_of_an_object_is_called_so(length: int) -> None:
    """Cut anywhere, it is truncated."""
    with pytest.raises(TruncatedEvidenceError):
        unseal(SEALED[:length], attempt_id="a1", kind=Kind.TRACKS, key=KEY)


def test_many_are_read_and_one_that_is_damaged_stops_none(site: Site) -> None:
    """Reading in bulk says of each what it holds or why it cannot be read."""
    (site.folder / object_name("a1", Kind.TRACKS)).write_bytes(b"CAMEOEV1")
    found = dict(site.room.vault.read_each(["a1", "b1", "zz"], Kind.TRACKS, reader=READER, now=NOW))
    assert isinstance(found["a1"], TruncatedEvidenceError)
    assert found["b1"] == PIECES[Kind.TRACKS]
    assert isinstance(found["zz"], EvidenceMissingError)
    assert len(site.room.audit.lines()) == 3


def test_of_an_accepted_attempt_only_the_digest_may_stay(site: Site) -> None:
    """The digest of its credential tells a token that turns up; it is no secret and is not removed."""
    site.judged("a9", "ann", Verdict.ACCEPTED)
    site.room.vault.keep_digest("a9", "token", now=NOW)
    (held,) = site.room.vault.held("a9")
    assert (held.kind, held.sha256[:8], held.size_bytes) == (Kind.RECEIPT, "3c469e9d", 0)
    assert not any("a9" in path.as_posix() for path in site.folder.rglob("*"))


def test_an_id_that_is_not_ours_never_becomes_a_path(site: Site) -> None:
    """Ids from elsewhere cannot lead out of the folder."""
    for attempt_id in ("../a1", "a/b", "", "a" * 65):
        with pytest.raises((RuntimeError, EvidenceError, InvalidRequestError)):
            site.read(attempt_id)
        with pytest.raises(RuntimeError):
            object_name(attempt_id, Kind.TRACKS)
