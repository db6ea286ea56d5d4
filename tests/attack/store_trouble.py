"""What busy database and full disk have in common: a verdict that is ready and cannot be kept for a while."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from cameo.v1.credential_service_pb2 import GetKeysRequest
from tests.attack.bounds import Seen
from tests.attack.honest import answer, counted, under_way
from tests.waiting import until

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tests.attack.site import Site

IN_VAIN = "could not be kept yet"


async def tried_in_vain(site: Site, trouble: AbstractContextManager[None]) -> Seen:
    """Have the trouble last from the middle of an honest judging until its verdict could not be kept; others call meanwhile."""
    before, due = site.log.count(IN_VAIN), time.monotonic() + site.usual_s
    uploading = await under_way(site)
    with trouble:
        keys = asyncio.create_task(answer(site.client.credentials.GetKeys(GetKeysRequest())))
        asked = asyncio.create_task(answer(site.client.challenge("bystander", site.metadata())))
        await until(lambda: site.log.count(IN_VAIN) > before or uploading.done())
        early = uploading.done()
        # Until then there would have been no verdict in any case.
        site.down_s += max(0.0, time.monotonic() - due)
    honest, no = await uploading, await asked
    broken = [f"the honest upload had ended before its verdict could not be kept: {honest}"] if early else []
    if no is not None and no.retry_s is None:
        broken.append(f"a bystander was refused with {no.reason} and no delay")
    if await keys is not None:
        broken.append("the keys, which are no secret and in memory, were not given")
    said = counted([no.reason if no else "answered late"])
    return Seen(f"{said} to a bystander; kept the verdict at try {site.log.count(IN_VAIN) - before + 1}", honest, tuple(broken))
