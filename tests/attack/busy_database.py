"""Busy database.

Another process takes the database's one write lock while an honest recording is judged, and holds it until the server has
tried in vain to keep the verdict.

Must hold: the verdict is not lost and nothing is judged twice; who asks for something else meanwhile is told to come back; once
the lock is free the honest client has its verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.attack.store_trouble import tried_in_vain
from tests.faults.test_server_store_faults import Disk, locked

if TYPE_CHECKING:
    from tests.attack.bounds import Seen
    from tests.attack.site import Site


async def attack(site: Site) -> Seen:
    """Attack in the middle of an honest upload."""
    return await tried_in_vain(site, locked(site.data, Disk()))
