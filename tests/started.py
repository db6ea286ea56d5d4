"""The worker processes that this process has started."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def judging() -> set[int]:
    """Return the ids of the worker processes, whichever thread started them."""
    children: list[str] = []
    for thread in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            children += (thread / "children").read_text().split()
    found = set()
    for child in children:
        with suppress(FileNotFoundError, ProcessLookupError):
            if b"cameo_verifier.workers.main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(int(child))
    return found
