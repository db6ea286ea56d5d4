"""Full disks and killed writers: evidence is stored completely or not at all, and no other piece is affected."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence.errors import StorageError, StorageFullError
from cameo_verifier.store.evidence.objects import LocalFolder
from cameo_verifier.store.evidence.sealed_object import Kind
from tests.killed_writer import killed_while_writing
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import PIECES, open_site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.store.evidence_site import Site

BIG = os.urandom(1 << 22)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with one attempt's evidence, and one that was judged."""
    opened = open_site(open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}"), tmp_path)
    opened.kept("a1")
    opened.judged("a2")
    return opened


@pytest.mark.parametrize("at", ["fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_has_its_own_error(site: Site, monkeypatch: pytest.MonkeyPatch, at: str, code: int) -> None:
    """Wherever the disk is found to be full: nothing of the attempt stays, no half is there, earlier evidence is readable."""

    def full(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(*((os, "fsync") if at == "fsync" else (type(site.folder), "replace")), full)
    with pytest.raises(StorageFullError, match="is full: free some space"):
        site.room.vault.keep("a2", "ann", PIECES, now=NOW)
    monkeypatch.undo()
    assert site.room.vault.held("a2") == ()
    assert {path.parent.name for path in site.folder.rglob("*") if path.is_file()} == {"a1"}
    assert site.read("a1") == PIECES[Kind.RECORDING]
    site.room.vault.keep("a2", "ann", PIECES, now=NOW)
    assert site.read("a2") == PIECES[Kind.RECORDING]


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="this system has no /dev/full")
def test_the_kernel_s_own_full_disk_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the kernel says on a full device, not only what a test says for it, is the same error."""
    folder = LocalFolder(tmp_path)

    def on_full_device(prefix: str, dir: Path) -> tuple[int, str]:  # noqa: A002 - tempfile's name for it
        return os.open("/dev/full", os.O_WRONLY), str(dir / prefix)

    monkeypatch.setattr("cameo_verifier.store.evidence.objects.tempfile.mkstemp", on_full_device)
    with pytest.raises(StorageFullError):
        folder.put("aa/b/tracks", b"x" * 100_000)


def test_a_folder_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    """A file where the folder should be is no full disk."""
    (tmp_path / "evidence").write_text("")
    with pytest.raises(StorageError, match="cannot be used"):
        LocalFolder(tmp_path / "evidence").put("aa/b/tracks", b"x")


@pytest.mark.parametrize("delay_s", [0.003, 0.02, 0.05])
def test_a_killed_writer_leaves_no_half_object(tmp_path: Path, delay_s: float) -> None:
    """After kill -9 in mid-write every object is whole, and all that was reported kept is there."""
    reported = killed_while_writing(str(tmp_path), BIG, delay_s=delay_s)
    objects = LocalFolder(tmp_path)
    names = set(objects.names(written_before=NOW.replace(year=2100)))
    assert names >= reported
    assert all(objects.get(name) == BIG for name in names)
    objects.clear_unfinished(written_before=NOW.replace(year=2100))
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == len(names)
