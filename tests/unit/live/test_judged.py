"""A live session with the real models: what is judged after it was watched is judged as an uploaded recording is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cameo_verifier import profiles
from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.evidence import tracks
from cameo_verifier.live.observation import Seen
from cameo_verifier.live_record import Arrival, LiveRecord, Reveal
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import Settings
from cameo_verifier.types import Judgement, Verdict
from cameo_verifier.workers.judge import OpenJudge, Response
from cameo_verifier.workers.pool import PoolLimits, WorkerPool
from tests.conftest import COMMITTED
from tests.unit.media.test_early import BROWSERS, COMMITTED_FILE, cut, remuxed

FIXTURE = COMMITTED["astronaut_bona_fide"]
LIVE = LiveRecord(prompts=(Reveal(0.5, 0.6),), arrivals=(Arrival(0.2, 0.4), Arrival(0.4, 0.9)))


@pytest.mark.asyncio
@pytest.mark.usefixtures("kit")
async def test_the_answer_of_a_session_is_judged_as_an_upload() -> None:
    """After a damaged recording and one of preparation: the same evidence, with the session's times, which count."""
    answer = remuxed(COMMITTED_FILE, "matroska", {})
    pool: WorkerPool[Response, Judgement] = WorkerPool(OpenJudge(Settings(), profiles.load()), PoolLimits(workers=1, queue=1))
    await pool.start()
    try:
        async with pool.live() as worker:
            await worker.begin()
            await worker.feed(b"no recording at all" * 40)
            with pytest.raises(UnjudgeableError):
                await anext(worker.observations())
            for data in (BROWSERS["chromium_vp8.webm"], answer):
                await worker.begin(answer=data is answer)
                for chunk in cut(data, range(0, len(data), 20_000)):
                    await worker.feed(chunk)
                async for each in worker.observations():
                    if isinstance(each, Seen) and each.media_s > 3:
                        assert each.faces == 1
                        break
            judged = await worker.judge(Response(answer, FIXTURE.challenge, live=LIVE))
        async with pool.turn() as turn:
            uploaded = await turn.judge(Response(answer, FIXTURE.challenge))
    finally:
        await pool.stop(drain_s=0)
    assert uploaded.decision.verdict is Verdict.ACCEPTED
    # By this record one prompt of five was revealed, and half a second of pictures arrived.
    assert judged.decision.reasons == (Reason.ANSWER_TOO_LATE,)
    assert judged.circumstances == replace(uploaded.circumstances, live=LIVE)
    assert tracks.to_bytes(tracks.Tracks(judged.evidence, judged.circumstances)) == tracks.to_bytes(
        tracks.Tracks(uploaded.evidence, judged.circumstances)
    )
