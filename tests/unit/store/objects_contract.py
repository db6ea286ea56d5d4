"""The contract of object storage; a test module of one inherits these tests and provides the fixture `place`."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.settings import Retention
from cameo_verifier.store.evidence.errors import (
    AlteredEvidenceError,
    EvidenceMissingError,
    EvidenceRemovedError,
    SubjectDeletedError,
    TruncatedEvidenceError,
)
from cameo_verifier.store.evidence.evidence import object_name
from cameo_verifier.store.evidence.sealed_object import Kind
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import PIECES, READER, open_site

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from cameo_verifier.store.evidence.objects import Objects
    from tests.unit.store.evidence_site import Site

LONG = hashlib.shake_256(b"a recording").digest(12 << 20)
"""More than a store takes in one part."""
FOR_EVER = Retention(rejected_days=3650)


@pytest.fixture
def site(place: str, engine: Engine, tmp_path: Path) -> Site:
    """A site whose evidence lies there, with that of two people."""
    opened = open_site(engine, tmp_path, evidence=place, retention=FOR_EVER)
    opened.kept("a1", "ann")
    opened.kept("b1", "ben")
    return opened


@pytest.fixture
def objects(site: Site) -> Objects:
    """The place itself."""
    return site.room.vault._objects


def names(objects: Objects) -> set[str]:
    """Return all there are."""
    return set(objects.names(written_before=datetime.now(UTC) + timedelta(hours=1)))


class AnyPlace:
    """Tests of one place."""

    def test_what_is_put_comes_back(self, objects: Objects) -> None:
        """Nothing, a few bytes and twelve mebibytes come back as they were; a second put replaces the first."""
        for data in (b"", b"x", LONG):
            objects.put("zz/z1/tracks", data)
            assert objects.get("zz/z1/tracks") == data

    def test_what_is_not_there_is_missing(self, objects: Objects) -> None:
        """Reading it says so; removing it is no error, twice neither."""
        with pytest.raises(EvidenceMissingError, match="though nobody removed it"):
            objects.get("zz/z1/tracks")
        objects.put("zz/z1/tracks", b"x")
        objects.delete("zz/z1/tracks")
        objects.delete("zz/z1/tracks")
        objects.delete("zz/z2/none")
        with pytest.raises(EvidenceMissingError):
            objects.get("zz/z1/tracks")

    def test_names_are_those_given(self, objects: Objects) -> None:
        """Every object is listed under the name it was put by; what was written just now is not old."""
        kept = {object_name(attempt_id, kind) for attempt_id in ("a1", "b1") for kind in PIECES}
        assert names(objects) == kept
        assert not set(objects.names(written_before=datetime.now(UTC) - timedelta(hours=1)))
        assert objects.clear_unfinished(written_before=datetime.now(UTC)) == 0

    def test_a_site_keeps_reads_and_removes(self, site: Site, objects: Objects) -> None:
        """Every piece is read as it was kept, and lies there sealed; what was removed says when."""
        for kind, piece in PIECES.items():
            assert site.read("a1", kind) == piece
            assert piece not in objects.get(object_name("a1", kind))
        site.room.vault.remove("a1", [Kind.RECORDING], reader=READER, now=NOW)
        with pytest.raises(EvidenceRemovedError, match="removed on 2026-03-01"):
            site.read("a1")
        assert object_name("a1", Kind.RECORDING) not in names(objects)

    def test_each_kind_of_damage_has_its_own_error(self, site: Site, objects: Objects) -> None:
        """Cut short, a bit flipped, another's, gone: each is told apart, and other attempts stay readable."""
        name = object_name("a1", Kind.RECORDING)
        whole, other = objects.get(name), objects.get(object_name("b1", Kind.RECORDING))
        for data, error in (
            (whole[:-1], TruncatedEvidenceError),
            (b"", TruncatedEvidenceError),
            (whole[:60] + bytes([whole[60] ^ 1]) + whole[61:], AlteredEvidenceError),
            (other, AlteredEvidenceError),
            (None, EvidenceMissingError),
        ):
            if data is None:
                objects.delete(name)
            else:
                objects.put(name, data)
            with pytest.raises(error, match="of attempt a1"):
                site.read("a1")
            assert site.read("b1") == PIECES[Kind.RECORDING]

    def test_a_deleted_subject_is_unreadable_in_every_copy(self, site: Site, objects: Objects) -> None:
        """Objects that somebody copied before and puts back are opened by nothing."""
        copied = {object_name("a1", kind): objects.get(object_name("a1", kind)) for kind in PIECES}
        assert site.room.vault.forget("ann", reader=READER, now=NOW) == 1
        assert not set(copied) & names(objects)
        # An attempt of somebody else's, so that the database still names the object.
        site.judged("a2", "ben")
        site.room.vault.keep("a2", "ben", PIECES, now=NOW)
        for kind in PIECES:
            objects.put(object_name("a2", kind), copied[object_name("a1", kind)])
            with pytest.raises(SubjectDeletedError, match="the subject was deleted"):
                site.read("a2", kind)

    def test_a_sweep_takes_what_is_over_and_what_has_no_row(self, site: Site, objects: Objects) -> None:
        """Left-overs of writers that died go after an hour, evidence when its time is over; what is not ours stays."""
        objects.put(object_name("zz9", Kind.TRACKS), b"x")
        objects.put("somebody/else/s", b"x")
        now = datetime.now(UTC)
        assert site.room.sweeper.sweep(now=now).left_overs == 0
        swept = site.room.sweeper.sweep(now=now + timedelta(hours=2))
        assert (swept.left_overs, swept.removed, swept.failed) == (1, (), ())
        assert site.read("a1") == PIECES[Kind.RECORDING]
        swept = site.room.sweeper.sweep(now=NOW + timedelta(days=FOR_EVER.rejected_days))
        assert {(piece.attempt_id, piece.kind) for piece in swept.removed} == {(a, kind) for a in ("a1", "b1") for kind in PIECES}
        assert names(objects) == {"somebody/else/s"}
