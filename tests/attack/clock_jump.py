"""Clock jump.

The clock jumps ahead by more than a year while the server is down. The machine's own clock is left alone: what is changed is the
server's note of when it last looked at it, which says 400 days ago. A challenge lies there that by this clock expired long ago.

Must hold: nothing is deleted for its age and the log says why; honest clients notice nothing. When the owner says that the clock
is right, by removing the note and starting the server anew, the challenge goes.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from cameo_verifier.errors import ChallengeError
from cameo_verifier.server.app import utc_now
from cameo_verifier.settings import Settings
from cameo_verifier.store.attempts.challenges import ChallengeStore
from tests.attack.bounds import Seen
from tests.attack.honest import RECORDING, upload
from tests.grpc.test_full_path import FIXTURES
from tests.waiting import until

if TYPE_CHECKING:
    from tests.attack.site import Site

JUMP = timedelta(days=400)
OLD = timedelta(hours=3)
SAID = "the clock jumped"


async def attack(site: Site) -> Seen:
    """Attack, with an honest upload after it."""
    await asyncio.to_thread(site.kill)
    then, note = utc_now() - OLD, Settings(data=site.data).clock_file
    old = replace(FIXTURES[RECORDING].challenge, id=uuid4().hex, issued_at=then, expires_at=then + timedelta(minutes=3))
    with site.database() as engine:
        challenges = ChallengeStore(engine)
        challenges.add(old, subject="slow")

        def kept() -> bool:
            try:
                challenges.get(old.id)
            except ChallengeError:
                return False
            return True

        note.write_text(f"{(utc_now() - JUMP).isoformat()}\n", "ascii")
        await site.start()
        await until(lambda: site.log.count(SAID) > 0)
        honest = await upload(site)
        broken = () if kept() else ("what only seemed old was deleted",)
        await asyncio.to_thread(site.kill)
        note.unlink()
        await site.start()
        await until(lambda: not kept())
    did = "deleted what seemed old" if broken else "deleted nothing and said so; went on once told that the clock is right"
    return Seen(did, honest, broken)
