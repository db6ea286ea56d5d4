"""Full disk.

In the middle of an honest judging the disk takes nothing more: the kernel refuses the front process every byte beyond the first
4 KiB of a file, which is less than the database's write-ahead log has. It takes no right to do so, and no other process suffers.

Must hold: the verdict is not lost, nothing is half written, and once there is room the honest client has its verdict.
"""

from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.attack.store_trouble import tried_in_vain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.attack.bounds import Seen
    from tests.attack.site import Site

ROOM_BYTES = 4096


@contextmanager
def full(pid: int) -> Iterator[None]:
    """Let no file grow that the process writes to."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (ROOM_BYTES, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


async def attack(site: Site) -> Seen:
    """Attack in the middle of an honest upload."""
    return await tried_in_vain(site, full(site.process.pid))
