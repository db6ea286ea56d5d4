"""Lost workers.

Every worker is killed while it judges a recording of the attacker's, as a decoder would be that a recording crashes; the honest
client comes when they are gone.

Must hold: the attacker is told that nothing came of it; health says that nothing is judged just now, and that the rest is
served; the honest client is told when to come back, and that is true.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

from grpc_health.v1 import health_pb2

from tests.attack.bounds import Seen
from tests.attack.honest import RECORDING, answer, counted, open_attempts, upload
from tests.faults.test_server_interruptions import serving
from tests.grpc.test_full_path import FIXTURES
from tests.waiting import until

if TYPE_CHECKING:
    from tests.attack.site import Site

JUDGING, OTHER = "cameo.v1.VerificationService", "cameo.v1.CameoService"


async def attack(site: Site) -> Seen:
    """Attack, with an honest upload right after it."""
    metadata, recording = site.metadata(), FIXTURES[RECORDING].file.read_bytes()
    challenges = [await site.client.challenge(f"crasher-{number}", metadata) for number in range(len(site.workers))]
    calls = [site.client.verify(each.id, recording, metadata=metadata, timeout=None) for each in challenges]
    await until(lambda: open_attempts(site) == len(calls) or all(call.done() for call in calls))
    for pid in (killed := site.workers):
        os.kill(pid, signal.SIGKILL)
    # Whoever comes while they are still dying waits for the next ones, which takes no longer.
    await until(lambda: not set(killed) & set(site.workers))
    uploading = asyncio.create_task(upload(site))
    answers = [no.reason if (no := await answer(call)) else "judged" for call in calls]
    said: set[tuple[int, int]] = set()
    while not uploading.done():
        said.add((await serving(site.client, JUDGING), await serving(site.client, OTHER)))
        await asyncio.sleep(0.25)
    honest = await uploading
    broken = [f"the killed judgings ended with {counted(answers)}"] if set(answers) != {"JUDGING_INTERRUPTED"} else []
    away, there = health_pb2.HealthCheckResponse.NOT_SERVING, health_pb2.HealthCheckResponse.SERVING
    told = (away, there) in said
    if not told:
        broken.append("health never said that nothing is judged")
    if any(other != there for _, other in said):
        broken.append("health said that what needs no worker is not served")
    return Seen(f"{counted(answers)}; health {'said so' if told else 'said nothing'}", honest, tuple(broken))
