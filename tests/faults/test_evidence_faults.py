"""Full disks and killed writers: evidence is kept whole or not at all, and nobody else's suffers."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import PIECES, open_site
from verifier.store.engine import open_database
from verifier.store.evidence_errors import StorageError, StorageFullError
from verifier.store.objects import LocalFolder
from verifier.store.sealed_object import Kind

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
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

    monkeypatch.setattr("verifier.store.objects.tempfile.mkstemp", on_full_device)
    with pytest.raises(StorageFullError):
        folder.put("aa/b/tracks", b"x" * 100_000)


def test_a_folder_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    """A file where the folder should be is no full disk."""
    (tmp_path / "evidence").write_text("")
    with pytest.raises(StorageError, match="cannot be used"):
        LocalFolder(tmp_path / "evidence").put("aa/b/tracks", b"x")


def _keep_for_ever(folder: Path, report: Connection) -> None:
    objects = LocalFolder(folder)
    number = 0
    while True:
        objects.put(f"aa/a{number}/recording", BIG)
        report.send(number)
        number += 1


@pytest.mark.parametrize("delay_s", [0.003, 0.02, 0.05])
def test_a_killed_writer_leaves_no_half_object(tmp_path: Path, delay_s: float) -> None:
    """After kill -9 in mid-write every object is whole, and all that was reported kept is there."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    writer = context.Process(target=_keep_for_ever, args=(tmp_path, send))
    writer.start()
    send.close()
    reported = receive.recv()
    time.sleep(delay_s)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    while receive.poll():
        try:
            reported = receive.recv()
        except EOFError:
            break
    objects = LocalFolder(tmp_path)
    names = set(objects.names(written_before=NOW.replace(year=2100)))
    assert names >= {f"aa/a{number}/recording" for number in range(reported + 1)}
    # The writer made these bytes itself, so only their number is known here.
    assert {len(objects.get(name)) for name in names} == {len(BIG)}
    objects.clear_unfinished(written_before=NOW.replace(year=2100))
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == len(names)
