"""Aliased MOV.

The attacker, as four people at once, sends a MOV whose index names one JPEG of 4096x4096 as 7,200 pictures: some 300 kB that
take minutes to decode.

Must hold: it is refused by its index, as damaged, before a picture of it is decoded, and no worker is lost over it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.attack.bounds import Seen
from tests.attack.honest import answer, counted, upload
from tests.faults.test_media_costly import _one_jpeg, _shown_again

if TYPE_CHECKING:
    from tests.attack.site import Site

PEOPLE = 4


async def attack(site: Site) -> Seen:
    """Attack, with an honest upload meanwhile."""
    movie = _shown_again(_one_jpeg(4096), 7_200)
    metadata, workers = site.metadata(), site.workers
    challenges = [await site.client.challenge(f"attacker-{number}", metadata) for number in range(PEOPLE)]
    calls = [site.client.verify(challenge.id, movie, metadata=metadata, timeout=None) for challenge in challenges]
    uploading = asyncio.create_task(upload(site))
    answers = [no.reason if (no := await answer(call)) else "judged" for call in calls]
    honest = await uploading
    broken = [f"{counted(answers)}, where each is to be refused as damaged"] if set(answers) != {"CORRUPT_MEDIA"} else []
    if site.workers != workers:
        broken.append("a worker was lost")
    return Seen(f"{counted(answers)} for {len(movie) / 1000:.0f} kB", honest, tuple(broken))
