"""Folders and files for their owner alone, whatever the umask says."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER, _FILE = 0o700, 0o600


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, mode 0700; one that is there is left as it is.

    Raises:
        OSError: it cannot be made, or something else lies there.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(mode=_FOLDER)
    except FileExistsError:
        if not folder.is_dir():
            raise
    else:
        folder.chmod(_FOLDER)


def make_file(path: Path) -> int | None:
    """Make an empty file of mode 0600 and return its descriptor; None where there is one, which is closed to others.

    That one is never opened here: closing it would end this process's locks of it (POSIX has them so), SQLite's for one.

    Raises:
        OSError: it cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE)
    except FileExistsError:
        close_to_others(path)
        return None
    os.fchmod(descriptor, _FILE)
    return descriptor


def close_to_others(path: Path) -> None:
    """Take from group and others what they may do with a file; one of another owner, who alone could, is left as it is.

    Raises:
        OSError: there is none.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & ~_FOLDER:
        with suppress(PermissionError):
            path.chmod(mode & _FOLDER)
