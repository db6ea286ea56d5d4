"""Run a command with a PostgreSQL server that is made for it and thrown away: `python -m tests.postgresql.server pytest …`.

The command finds the server's URL in `CAMEO_TEST_DATABASE`, and PostgreSQL's programs in its path. The server listens on a Unix
socket only. It refuses to run as root; where this is root it runs as the user that Debian's package made.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEBIAN = Path("/usr/lib/postgresql")
# A test's databases are thrown away: nothing is waited for on the disk, and little is written to it.
_OPTIONS = (
    "-c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300"
    " -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=128MB"
)
_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made in it is the user's own
_ROOM_BYTES = 4 * 2**30
"""Room that makes a file system in memory large enough for all databases that tests have at once."""


@contextmanager
def server() -> Iterator[str]:
    """Yield the URL of a server of our own."""
    tools = _tools()
    # Each test makes and drops a database of 8 MB; a disk that is slow to take them holds up whoever else waits for it.
    roomy = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES
    folder = Path(tempfile.mkdtemp(prefix="cameo-pg-", dir=_MEMORY if roomy else None))
    as_user: list[str] = []
    if os.geteuid() == 0:
        as_user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    data, log = folder / "data", folder / "log"
    try:
        made = [tools / "initdb", "-D", data, "-U", "cameo", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        _run([*as_user, *made], folder)
        start = [tools / "pg_ctl", "-D", data, "-l", log, "-w", "-o", f"-k {folder} {_OPTIONS}"]
        _run([*as_user, *start, "start"], folder)
        try:
            yield f"postgresql+psycopg://cameo@/postgres?host={folder}"
        finally:
            _run([*as_user, tools / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tools() -> Path:
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not versions:
        sys.exit("PostgreSQL is not installed: apt-get install postgresql")
    return versions[-1].parent


def _run(command: list[str | Path], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command}: {done.stdout}")


if __name__ == "__main__":
    with server() as url:
        path = f"{_tools()}{os.pathsep}{os.environ['PATH']}"
        ended = subprocess.run(sys.argv[1:], env={**os.environ, "CAMEO_TEST_DATABASE": url, "PATH": path}, check=False).returncode
    sys.exit(ended)
