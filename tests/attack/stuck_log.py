"""Stuck log reader.

Whoever reads the server's standard error stops reading. The attacker makes 1,500 calls, each of which is logged, so that the pipe
is full.

Must hold: no call waits for the log. When it is read again, the log says how many lines were lost.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cameo.v1.credential_service_pb2 import GetKeysRequest
from tests.attack.bounds import Seen
from tests.attack.honest import answer, counted, upload

if TYPE_CHECKING:
    from tests.attack.site import Site

CALLS, AT_ONCE = 1500, 100
DROPPED = "log lines were dropped"


async def attack(site: Site) -> Seen:
    """Attack, with an honest upload once the log stands still."""

    async def ask() -> str:
        no = await answer(site.client.credentials.GetKeys(GetKeysRequest()))
        return no.reason if no else "answered"

    before = site.log.count(DROPPED)
    site.log.read.clear()
    try:
        answers = [each for _ in range(0, CALLS, AT_ONCE) for each in await asyncio.gather(*(ask() for _ in range(AT_ONCE)))]
        honest = await upload(site)
    finally:
        site.log.read.set()
    # What comes next says what was lost before it; each try is a line of its own.
    for _ in range(AT_ONCE):
        if site.log.count(DROPPED) > before:
            break
        await asyncio.sleep(0.1)
        answers.append(await ask())
    else:
        return Seen(counted(answers), honest, ("the log says of no line that it was lost: was the pipe full?",))
    broken = () if set(answers) == {"answered"} else ("a call was not answered while nobody read the log",)
    return Seen(f"{counted(answers)}, and said afterwards that lines were dropped", honest, broken)
