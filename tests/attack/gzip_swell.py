"""Gzip swell.

The attacker sends 20 MB of empty words as 20 kB of gzip, 16 times at once without a token and 16 times with one, to a method that
takes a message and to one that takes a stream.

Must hold: nothing is inflated, with or without a token, and the front process's memory does not grow by what one message swells
to.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc

from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from tests.attack.bounds import Seen
from tests.attack.honest import answer, counted, upload

if TYPE_CHECKING:
    from tests.attack.site import Site

AT_ONCE = 16
_METHODS = ("ChallengeService/IssueChallenge", "VerificationService/VerifyResponse")


async def attack(site: Site) -> Seen:
    """Attack, with an honest upload meanwhile."""
    swollen = b"".join(IssueChallengeRequest(subject="x" * 100).SerializeToString() for _ in range(200_000))
    before_mb = site.peak_mb
    uploading = asyncio.create_task(upload(site))
    channel = site.client.channel
    calls = [
        channel.stream_unary(f"/cameo.v1.{method}")(iter([swollen]), compression=grpc.Compression.Gzip, metadata=metadata)
        for _ in range(AT_ONCE // 2)
        for method in _METHODS
        for metadata in (None, site.metadata())
    ]
    answers = [no.reason if (no := await answer(call)) else "taken" for call in calls]
    grown_mb = site.peak_mb - before_mb
    honest = await uploading
    broken = [f"{counted(answers)}, where each is to be refused"] if set(answers) != {grpc.StatusCode.UNIMPLEMENTED.name} else []
    # The honest recording, too, is in that memory: less than 1 MB.
    if grown_mb >= len(swollen) / 1e6:
        broken.append(f"the front process grew by {grown_mb:.0f} MB")
    return Seen(f"{counted(answers)}; grew by {grown_mb:.0f} MB", honest, tuple(broken))
