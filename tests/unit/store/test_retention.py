"""Retention: evidence is removed when its time is over, and not before."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.settings import Retention
from cameo_verifier.store.attempts.labels import LabelStore, Truth
from cameo_verifier.store.cameos.faces import Code, FaceStore, enrol
from cameo_verifier.store.evidence.errors import EvidenceRemovedError, StorageFullError
from cameo_verifier.store.evidence.objects import LocalFolder
from cameo_verifier.store.evidence.retention import UNFINISHED_AFTER
from cameo_verifier.store.evidence.sealed_object import FRONT_BYTES, Kind
from cameo_verifier.types import Verdict
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import PIECES, READER, Site, open_site

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

DAY = timedelta(days=1)


@pytest.fixture
def site(engine: Engine, tmp_path: Path) -> Site:
    """A site with one attempt of each verdict."""
    opened = open_site(engine, tmp_path)
    for verdict in Verdict:
        opened.kept(verdict.value.lower(), "ann", verdict)
    return opened


def test_the_policy_is_what_the_site_is_told_it_is() -> None:
    """Thirty days of whatever was not accepted; of what was, no recording, and tracks for as long, or longer for the gallery."""
    assert {verdict: Retention().days(verdict) for verdict in Verdict} == {
        Verdict.REJECTED: 30, Verdict.REVIEW: 30, Verdict.RETRY: 30, Verdict.ACCEPTED: 0,
    }  # fmt: skip


def test_what_is_accepted_is_kept_by_kind() -> None:
    """No recording, tracks of the share that is drawn, tracks and pictures of the face for as long as the gallery needs them."""
    policy = Retention(accepted_tracks_days=7, accepted_share=0.25, enrolled_days=90, review_days=5)
    drawn = [f"a{number}" for number in range(1000) if policy.tracks_days(Verdict.ACCEPTED, f"a{number}", enrolled=False)]
    assert 200 < len(drawn) < 300
    assert {policy.tracks_days(Verdict.ACCEPTED, each, enrolled=False) for each in drawn} == {7}
    assert {policy.tracks_days(Verdict.ACCEPTED, f"a{number}", enrolled=True) for number in range(1000)} == {90}
    assert policy.days(Verdict.ACCEPTED) == 0
    assert [policy.crops_days(verdict, enrolled=False) for verdict in Verdict] == [0, 0, 0, 5]
    assert [policy.crops_days(verdict, enrolled=True) for verdict in Verdict] == [90] * 4


def test_a_face_that_leaves_the_gallery_takes_its_evidence_along(engine: Engine, tmp_path: Path) -> None:
    """While the gallery keeps the face, tracks and pictures stay for their own time; without it they go with the rest."""
    policy = Retention(accepted_tracks_days=7, enrolled_days=90)
    opened, faces = open_site(engine, tmp_path, retention=policy), FaceStore(engine)
    for name in ("ann", "ben"):
        opened.judged(name, name, Verdict.ACCEPTED)
        opened.room.vault.keep(name, name, {Kind.TRACKS: b"numbers", Kind.CROPS: b"jpeg"}, now=NOW)
        with engine.begin() as connection:
            enrol(connection, name, Code(b"\1" * 512, "k" * 16, "m" * 64), attempt_id=name, now=NOW)
    assert opened.room.sweeper.sweep(now=NOW + 8 * DAY).removed == ()
    faces.forget("ann")
    removed = opened.room.sweeper.sweep(now=NOW + 8 * DAY).removed
    assert {(piece.attempt_id, piece.kind) for piece in removed} == {("ann", Kind.TRACKS), ("ann", Kind.CROPS)}
    assert len(opened.room.sweeper.sweep(now=NOW + 90 * DAY).removed) == 2


def test_what_is_over_goes_and_the_sweep_says_what(site: Site) -> None:
    """Accepted recordings at once, the rest after thirty days to the microsecond; each removal is returned and in the log."""
    first = site.room.sweeper.sweep(now=NOW)
    assert {(piece.attempt_id, piece.kind) for piece in first.removed} == {("accepted", Kind.RECORDING)}
    assert site.room.sweeper.sweep(now=NOW + 30 * DAY - timedelta(microseconds=1)).removed == ()
    assert site.read("rejected") == PIECES[Kind.RECORDING]
    last = site.room.sweeper.sweep(now=NOW + 30 * DAY)
    assert {piece.verdict for piece in last.removed} == set(Verdict)
    assert (last.failed, len(last.removed)) == ((), 11)
    assert not [path for path in site.folder.rglob("*") if path.is_file()]
    with pytest.raises(EvidenceRemovedError, match="removed on 2026-03-31"):
        site.read("rejected")
    removals = [line for line in site.room.audit.lines() if line.action == "remove"]
    assert {(line.who, line.why) for line in removals} == {("retention", "its time is over")}
    assert len(removals) == 12


def test_a_shorter_policy_takes_what_is_there(site: Site, engine: Engine, tmp_path: Path) -> None:
    """A site that keeps reviews for a day only loses those it has kept longer; `due` says so before."""
    shorter = open_site(engine, tmp_path, retention=Retention(review_days=1, accepted_days=7))
    due = shorter.room.sweeper.due(now=NOW + DAY)
    assert {piece.attempt_id for piece in due} == {"review"}
    assert shorter.room.sweeper.sweep(now=NOW + DAY).removed == due
    assert site.read("accepted") == PIECES[Kind.RECORDING]


def test_left_overs_of_killed_writers_go(site: Site) -> None:
    """Half-written pieces and objects without a row are cleared after an hour, not sooner: a writer may be at work."""
    LocalFolder(site.folder).put("zz/zz9/tracks", b"x")
    half = site.folder / "zz" / "zz9" / ".unfinished-1"
    half.write_bytes(b"ha")
    soon, later = NOW, NOW + UNFINISHED_AFTER + timedelta(seconds=1)
    for path in (half, site.folder / "zz" / "zz9" / "tracks"):
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    assert site.room.sweeper.sweep(now=soon).left_overs == 0
    assert site.room.sweeper.sweep(now=later).left_overs == 2
    assert not (site.folder / "zz" / "zz9").exists() or not list((site.folder / "zz" / "zz9").iterdir())
    assert site.read("rejected") == PIECES[Kind.RECORDING]


def test_what_cannot_be_removed_is_said_and_the_rest_goes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """One object that resists is named; it is tried again at the next sweep."""
    unlink = type(site.folder).unlink

    def resists(path: Path, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - pathlib's signature
        if "review" in path.parts and path.name == "tracks":
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(type(site.folder), "unlink", resists)
    swept = site.room.sweeper.sweep(now=NOW + 40 * DAY)
    assert (len(swept.removed), len(swept.failed)) == (11, 1)
    assert "Permission denied" in swept.failed[0]
    monkeypatch.undo()
    assert len(site.room.sweeper.sweep(now=NOW + 40 * DAY).removed) == 1


def test_a_forgotten_subject_is_not_swept_again(site: Site) -> None:
    """What went with its subject is not due any more."""
    site.room.vault.forget("ann", reader=READER, now=NOW)
    assert site.room.sweeper.sweep(now=NOW + 99 * DAY).removed == ()


SIZE = 3 * (FRONT_BYTES + 16) + sum(map(len, PIECES.values()))
"""Of the evidence of one attempt, sealed."""


def bounded(engine: Engine, tmp_path: Path, attempts: float) -> Site:
    """Open a site that has room for the evidence of so many attempts."""
    return open_site(engine, tmp_path, retention=Retention(max_bytes=int(attempts * SIZE)))


def there(site: Site, *attempt_ids: str) -> list[str]:
    """Return those of some attempts whose recording is kept."""
    kept = {each: {piece.kind for piece in site.room.vault.held(each) if not piece.removed_at} for each in attempt_ids}
    return [each for each in attempt_ids if Kind.RECORDING in kept[each]]


def test_new_evidence_makes_the_least_useful_go_first(engine: Engine, tmp_path: Path) -> None:
    """The oldest RETRY, then accepted, then rejected; review and what is labelled stay. Each removal is in the audit log."""
    site = bounded(engine, tmp_path, 5)
    kinds = (Verdict.REJECTED, Verdict.REJECTED, Verdict.RETRY, Verdict.ACCEPTED, Verdict.REVIEW)
    verdicts = dict(zip(("old", "new", "bad", "ok", "look"), kinds, strict=True))
    for number, (name, verdict) in enumerate(verdicts.items()):
        site.kept(name, "ann", verdict, at=NOW + number * DAY)
    went = []
    for _ in range(3):
        gone = site.room.sweeper.make_room(SIZE, Verdict.REVIEW, now=NOW + 9 * DAY)
        went.append({piece.attempt_id for piece in gone})
        site.kept(f"r{len(went)}", "ann", Verdict.REVIEW, at=NOW + 9 * DAY)
    assert went == [{"bad"}, {"ok"}, {"old"}]
    assert there(site, *verdicts) == ["new", "look"]
    lines = [line for line in site.room.audit.lines() if line.action == "remove"]
    assert {(line.who, line.why) for line in lines} == {("retention", "room for newer evidence")}
    assert len(lines) == 9


def test_nothing_goes_for_evidence_of_a_lesser_kind(engine: Engine, tmp_path: Path) -> None:
    """Bad pictures wash out no rejection, and where there is not enough that may go nothing goes."""
    site = bounded(engine, tmp_path, 2)
    site.kept("rejected", "ann", Verdict.REJECTED)
    site.kept("retry", "ann", Verdict.RETRY)
    with pytest.raises(StorageFullError, match="CAMEO_RETENTION_MAX_BYTES"):
        site.room.sweeper.make_room(2 * SIZE, Verdict.RETRY, now=NOW)
    assert there(site, "rejected", "retry") == ["rejected", "retry"]
    assert {piece.attempt_id for piece in site.room.sweeper.make_room(SIZE, Verdict.RETRY, now=NOW)} == {"retry"}
    assert site.room.sweeper.make_room(SIZE, Verdict.RETRY, now=NOW) == ()


def test_what_is_labelled_goes_for_nobody(engine: Engine, tmp_path: Path) -> None:
    """It is what the site's own rates are measured on."""
    site = bounded(engine, tmp_path, 1)
    site.kept("known", "ann", Verdict.RETRY)
    LabelStore(engine).add("l1", attempt_id="known", truth=Truth.BONA_FIDE, analyst="ana", now=NOW)
    with pytest.raises(StorageFullError):
        site.room.sweeper.make_room(SIZE, Verdict.REJECTED, now=NOW)
    assert there(site, "known") == ["known"]
