"""Crash in verdict.

The front process is killed while it judges an honest recording, as the kernel does when memory runs out, and started again.

Must hold: the recording, which was spooled, is judged by the next server, and the same request gets its verdict; nothing is asked
of the person again.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.attack.bounds import Seen
from tests.attack.honest import under_way

if TYPE_CHECKING:
    from tests.attack.site import Site


async def attack(site: Site) -> Seen:
    """Attack in the middle of an honest upload."""
    uploading = await under_way(site)
    began = time.monotonic()
    await asyncio.to_thread(site.kill)
    await site.start()
    site.down_s += time.monotonic() - began
    return Seen(f"killed, ready again {site.down_s:.1f} s later", await uploading)
