"""Owner-only folders and files, whatever the umask is."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER, _FILE = 0o700, 0o600


def make_folder(folder: Path) -> None:
    """Create a folder, and missing ones above it, mode 0700; an existing one is left unchanged.

    Raises:
        OSError: it cannot be created, or something else has its name.
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
    """Create an empty file of mode 0600 and return its descriptor; None if there is one, which is then closed to others.

    An existing file is never opened here: closing it would release this process's locks of it (POSIX), such as SQLite's.

    Raises:
        OSError: it cannot be created.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE)
    except FileExistsError:
        close_to_others(path)
        return None
    os.fchmod(descriptor, _FILE)
    return descriptor


def is_open_to_others(path: Path) -> bool:
    """Return whether group or others have any permission.

    Raises:
        OSError: there is no such file.
    """
    return bool(stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO))


def close_to_others(path: Path) -> bool:
    """Remove the permissions of group and others; a file of another owner, who alone could change them, is left unchanged.

    Returns:
        whether they had any.

    Raises:
        OSError: there is no such file.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & ~_FOLDER:
        return False
    with suppress(PermissionError):
        path.chmod(mode & _FOLDER)
    return True
