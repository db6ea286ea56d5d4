"""Live sessions of a server: their service, with limits and pacing from the site's settings and profile."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from cameo.v1 import session_service_pb2_grpc
from cameo_verifier.live.conductor import Pacing
from cameo_verifier.live.guidance import GuidanceLimits
from cameo_verifier.server.attestation import Attestations
from cameo_verifier.server.auth.access import verified
from cameo_verifier.server.capturing import CaptureParts, Capturing
from cameo_verifier.server.services.session_service import SessionService

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from datetime import datetime
    from random import Random

    import grpc

    from cameo.v1.session_service_pb2 import CaptureRequest, CaptureResponse
    from cameo_verifier.live_settings import Live
    from cameo_verifier.profile import Profile
    from cameo_verifier.server.auth.capture_tokens import CaptureTokens
    from cameo_verifier.server.capture_page.stream import Capture
    from cameo_verifier.server.concluding import Conclusions
    from cameo_verifier.server.issuing import Issuer
    from cameo_verifier.settings import Settings
    from cameo_verifier.store.attempts.attempts import AttemptStore
    from cameo_verifier.store.attempts.challenges import ChallengeStore
    from cameo_verifier.store.attempts.sessions import SessionStore
    from cameo_verifier.store.credentials.earned import EarnedStore
    from cameo_verifier.types import Judgement
    from cameo_verifier.workers.judge import Response
    from cameo_verifier.workers.pool import WorkerPool


@asynccontextmanager
async def opened(  # noqa: PLR0913 - the parts, by keyword
    server: grpc.aio.Server,
    settings: Settings,
    profile: Profile,
    *,
    sessions: SessionStore,
    challenges: ChallengeStore,
    attempts: AttemptStore,
    earned: EarnedStore,
    issuer: Issuer,
    pool: WorkerPool[Response, Judgement],
    conclusions: Conclusions,
    tokens: CaptureTokens,
    stopping: asyncio.Event,
    clock: Callable[[], datetime],
    monotonic: Callable[[], float],
    random: Random,
) -> AsyncIterator[Capture]:
    """Add the service of live sessions to a server, and yield what captures for browsers; arguments as of `CaptureParts`."""
    parts = CaptureParts(
        sessions=sessions,
        challenges=challenges,
        attempts=attempts,
        issuer=issuer,
        pool=pool,
        conclusions=conclusions,
        attestations=Attestations.of(settings.app_attest, settings.play_integrity),
        live=settings.live,
        limits=_guidance(settings, profile),
        pacing=_pacing(settings.live, profile),
        max_bytes=settings.media.max_bytes,
        challenge_ttl=timedelta(seconds=settings.challenge_ttl_s),
        stopping=stopping,
        clock=clock,
        monotonic=monotonic,
        random=random,
        sandbox=settings.sandbox,
    )
    capturing = Capturing(parts)
    page = f"{settings.status_base}/capture" if settings.http_listen else ""
    service = SessionService(parts, capturing=capturing, tokens=tokens, earned=earned, page=page)
    session_service_pb2_grpc.add_SessionServiceServicer_to_server(service, server)

    def capture(token: str, messages: AsyncIterator[CaptureRequest]) -> AsyncGenerator[CaptureResponse]:
        return capturing.run(verified(tokens, token), messages)

    try:
        yield capture
    finally:
        await capturing.close(settings.drain_s)


def _guidance(settings: Settings, profile: Profile) -> GuidanceLimits:
    live = settings.live
    return GuidanceLimits(
        face_min=live.face_min,
        face_max=live.face_max,
        off_centre_max=live.off_centre_max,
        straight_deg=live.straight_deg,
        luma_min=profile["light_min"].value,
        luma_max=profile["face_luma_max"].value,
        fps_min=settings.media.min_fps,
        silent_db=live.silent_db,
        loud_db=live.loud_db,
    )


def _pacing(live: Live, profile: Profile) -> Pacing:
    return Pacing(
        answer_s=live.answer_s,
        wordless_s=live.wordless_s,
        pause_min_s=live.pause_min_s,
        pause_max_s=live.pause_max_s,
        quiet_s=live.quiet_s,
        word_s=live.word_s,
        say_s=live.say_s,
        say_word_s=live.say_word_s,
        turn_s=live.turn_s,
        gesture_s=live.gesture_s,
        blink_s=live.blink_s,
        turn_deg=profile["turn_deg_min"].value,
        centre_deg=profile["turn_centre_deg_max"].value,
        colour_min_s=live.colour_min_s,
        colour_max_s=live.colour_max_s,
    )
