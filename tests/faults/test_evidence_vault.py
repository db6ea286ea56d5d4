"""The whole vault, with its database and its audit log, through full disks, kills at random moments and damage at random places.

Single objects are in `test_evidence_faults.py`; lost keys in `tests/unit/store/test_evidence.py` and, as analysts see them, in
`tests/grpc/test_review_evidence.py`.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.errors import StoreError
from cameo_verifier.settings import Retention
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence.errors import AlteredEvidenceError, EvidenceError, StorageFullError, TruncatedEvidenceError
from cameo_verifier.store.evidence.evidence import object_name
from cameo_verifier.store.evidence.retention import UNFINISHED_AFTER
from cameo_verifier.store.evidence.sealed_object import Kind
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import PIECES, READER, open_site
from tests.waiting import ended, heard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

    from tests.unit.store.evidence_site import Site

MEBIBYTE = 1 << 20
SEEDS = (1, 2, 3, 4)


def opened(data: Path) -> Site:
    """Open the site in a folder; other processes open the same."""
    return open_site(open_database(f"sqlite:///{data / 'cameo.sqlite3'}"), data, retention=Retention(rejected_days=3650))


def pieces(attempt_id: str, size: int = 50_000) -> dict[Kind, bytes]:
    """Return evidence that says whose it is, byte by byte."""
    return {kind: hashlib.shake_256(f"{attempt_id}/{kind}".encode()).digest(size) for kind in PIECES}


def whole(site: Site, attempt_id: str, size: int = 50_000) -> bool:
    """Whether an attempt's evidence is all there; half of it is an error."""
    held = {each.kind for each in site.room.vault.held(attempt_id)}
    assert held in (set(), set(PIECES))
    if held:
        assert {kind: site.read(attempt_id, kind) for kind in PIECES} == pieces(attempt_id, size)
    return bool(held)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four mebibytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root; the limit on file sizes is tested in any case")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607 - the same


def test_a_disk_that_fills_up_keeps_what_it_has(tmp_path: Path, small_disk: Path) -> None:
    """Evidence until the disk is full: the last attempt has its own error and leaves nothing; a removal makes room."""
    site = opened(tmp_path / "data")
    site.folder.symlink_to(small_disk)
    size, kept = MEBIBYTE // 4, []
    with pytest.raises(StorageFullError, match="free some space"):
        _fill(site, size, kept)
    assert len(kept) >= 2
    assert not whole(site, f"a{len(kept)}", size)
    assert {path.parent.name for path in small_disk.rglob("*") if path.is_file()} == set(kept)
    assert all(whole(site, attempt_id, size) for attempt_id in kept)
    site.room.vault.forget("subject-0", reader=READER, now=NOW)
    site.room.vault.keep(f"a{len(kept)}", f"subject-{len(kept)}", pieces(f"a{len(kept)}", size), now=NOW)
    assert all(whole(site, attempt_id, size) for attempt_id in (*kept[1:], f"a{len(kept)}"))
    site.engine.dispose()


def _fill(site: Site, size: int, kept: list[str]) -> None:
    for number in range(20):
        site.judged(f"a{number}", f"subject-{number}")
        site.room.vault.keep(f"a{number}", f"subject-{number}", pieces(f"a{number}", size), now=NOW)
        kept.append(f"a{number}")


def test_a_full_disk_under_the_database_hands_out_nothing(small_disk: Path) -> None:
    """Where not even the audit log has room, nothing is kept and nothing is read; with room again, everything is as it was."""
    site = opened(small_disk)
    site.judged("a1")
    site.room.vault.keep("a1", "ann", pieces("a1"), now=NOW)
    site.judged("a2")
    with (small_disk / "filler").open("wb", buffering=0) as filler:
        while _write(filler.fileno(), 4096) or _write(filler.fileno(), 1):
            pass
    with pytest.raises((StorageFullError, StoreError)):
        site.room.vault.keep("a2", "ann", pieces("a2"), now=NOW)
    # The log of the database may have room for a few more lines.
    with pytest.raises(StoreError):
        _read_until_refused(site)
    (small_disk / "filler").unlink()
    lines, problems = site.room.audit.verify()
    assert problems == ()
    assert not whole(site, "a2")
    assert whole(site, "a1")
    assert site.room.audit.verify() == (lines + len(PIECES), ())
    site.engine.dispose()


def _write(descriptor: int, count: int) -> bool:
    try:
        return os.write(descriptor, bytes(count)) > 0
    except OSError:
        return False


def _read_until_refused(site: Site) -> None:
    for _ in range(2000):
        assert site.read("a1") == pieces("a1")[Kind.RECORDING]


def _keep_with_little_room(data: Path, report: Connection) -> None:
    site = opened(data)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MEBIBYTE, 2 * MEBIBYTE))
    try:
        site.room.vault.keep("big", "ann", pieces("big", 3 * MEBIBYTE), now=NOW)
    except StorageFullError as error:
        report.send(str(error))
    site.room.vault.keep("small", "ann", pieces("small"), now=NOW)
    report.send("kept")


def test_the_kernel_s_limit_on_files_is_a_full_disk(tmp_path: Path) -> None:
    """A process that may write no more of a file has the error of a full disk, and goes on keeping what fits."""
    site = opened(tmp_path)
    for name in ("big", "small"):
        site.judged(name)
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    writer = context.Process(target=_keep_with_little_room, args=(tmp_path, send), daemon=True)
    writer.start()
    send.close()
    assert "free some space" in heard(receive)
    assert heard(receive) == "kept"
    ended(writer)
    assert (whole(site, "big"), whole(site, "small")) == (False, True)
    assert {path.parent.name for path in site.folder.rglob("*") if path.is_file()} == {"small"}
    site.engine.dispose()


def _keep_and_read(data: Path, attempt_ids: list[str], report: Connection) -> None:
    site = opened(data)
    for attempt_id in attempt_ids:
        site.room.vault.keep(attempt_id, f"subject-{attempt_id[-1]}", pieces(attempt_id), now=NOW)
        report.send(attempt_id)
        site.read(attempt_id)
    report.send("")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_process_that_is_killed_anywhere_leaves_every_attempt_whole_or_not_kept(tmp_path: Path, seed: int) -> None:
    """After kill -9 at a random moment: what was reported is there, nothing is half there, the log is unbroken, left-overs go."""
    site, chance = opened(tmp_path), random.Random(seed)  # noqa: S311 - a moment, not a secret
    names = [f"a{number:03}" for number in range(80)]
    for name in names:
        site.judged(name, f"subject-{name[-1]}")
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    worker = context.Process(target=_keep_and_read, args=(tmp_path, names, send), daemon=True)
    worker.start()
    send.close()
    reported = [heard(receive)]
    time.sleep(chance.uniform(0, 0.25))
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    ended(worker)
    while receive.poll():
        try:
            reported.append(receive.recv())
        except EOFError:
            break
    assert "" not in reported
    kept = [name for name in names if whole(site, name)]
    assert set(kept) - set(reported) <= {names[len(reported)]}
    assert set(reported) <= set(kept)
    assert site.room.audit.verify()[1] == ()
    _age(site.folder)
    site.room.sweeper.sweep(now=NOW)
    assert {path.parent.name for path in site.folder.rglob("*") if path.is_file()} == set(kept)
    assert all(whole(site, name) for name in kept)
    following = names[len(kept)]
    site.room.vault.keep(following, "ann", pieces(following), now=NOW)
    assert whole(site, following)
    site.engine.dispose()


def _age(folder: Path) -> None:
    """Make every file older than any writer that is alive."""
    moment = (NOW - UNFINISHED_AFTER - timedelta(seconds=1)).timestamp()
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (moment, moment))


@pytest.mark.parametrize("seed", SEEDS)
def test_damage_anywhere_is_named_and_spreads_nowhere(tmp_path: Path, seed: int) -> None:
    """Of thirty attempts some are cut short and some have a bit flipped: each says so, every other one is read as it was kept."""
    site, chance = opened(tmp_path), random.Random(seed)  # noqa: S311 - a place, not a secret
    names = [f"a{number:02}" for number in range(30)]
    expected: dict[str, type[EvidenceError] | None] = {}
    for name in names:
        site.judged(name, f"subject-{name[-1]}")
        site.room.vault.keep(name, f"subject-{name[-1]}", pieces(name, 2000), now=NOW)
        expected[name] = chance.choice([None, None, TruncatedEvidenceError, AlteredEvidenceError])
        path = site.folder / object_name(name, Kind.TRACKS)
        sealed = bytearray(path.read_bytes())
        if expected[name] is TruncatedEvidenceError:
            del sealed[chance.randrange(len(sealed)) :]
        elif expected[name] is AlteredEvidenceError:
            sealed[chance.randrange(len(sealed))] ^= 1 << chance.randrange(8)
        path.write_bytes(sealed)
    found = dict(site.room.vault.read_each(names, Kind.TRACKS, reader=READER, now=NOW))
    assert {name: None if isinstance(piece, bytes) else type(piece) for name, piece in found.items()} == expected
    assert all(piece == pieces(name, 2000)[Kind.TRACKS] for name, piece in found.items() if expected[name] is None)
    assert all(site.read(name) == pieces(name, 2000)[Kind.RECORDING] for name in names)
    site.engine.dispose()
