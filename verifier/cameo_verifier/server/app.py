"""The composition root: all parts of a running server, opened in order and closed in reverse."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from random import SystemRandom
from typing import TYPE_CHECKING

import grpc
import structlog
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from cameo.v1 import (
    cameo_service_pb2,
    challenge_service_pb2,
    challenge_service_pb2_grpc,
    credential_service_pb2,
    credential_service_pb2_grpc,
    data_subject_service_pb2,
    guardian_service_pb2,
    relationship_service_pb2,
    removal_service_pb2,
    review_service_pb2,
    review_service_pb2_grpc,
    session_service_pb2,
    verification_service_pb2,
    verification_service_pb2_grpc,
)
from cameo_credential import decoys
from cameo_credential.errors import InvalidRequestError
from cameo_verifier import pipeline, profiles
from cameo_verifier.checks.question import Phase
from cameo_verifier.ids import new_id
from cameo_verifier.models.index import judged_languages
from cameo_verifier.review.evidence_room import EvidenceRoom
from cameo_verifier.review.vault_file import open_vault
from cameo_verifier.screening.screening import Screening
from cameo_verifier.server import ends, epochs, http_resources, live_sessions, maintenance
from cameo_verifier.server.address import host_and_port, require_protected
from cameo_verifier.server.auth.access import Admission
from cameo_verifier.server.auth.aliases import Aliases
from cameo_verifier.server.auth.caller import CallerTokens, is_loopback
from cameo_verifier.server.auth.capture_tokens import CaptureTokens
from cameo_verifier.server.auth.requester import RequesterTokens
from cameo_verifier.server.clock_watch import ClockWatch
from cameo_verifier.server.concluding import Conclusions
from cameo_verifier.server.deciding import Deciding
from cameo_verifier.server.delays import Delays
from cameo_verifier.server.evidence_keeping import EvidenceKeeper
from cameo_verifier.server.health import followed
from cameo_verifier.server.interceptors import Around, call_log, error_status
from cameo_verifier.server.issuance import Issuance
from cameo_verifier.server.issuing import Issuer
from cameo_verifier.server.lease import Lease
from cameo_verifier.server.services import cameo_services
from cameo_verifier.server.services.challenge_service import ChallengeService
from cameo_verifier.server.services.credential_service import CredentialService
from cameo_verifier.server.services.data_subject_service import policy
from cameo_verifier.server.services.review_service import ReviewService, Site
from cameo_verifier.server.services.verification_service import VerificationService
from cameo_verifier.server.taking_over import TakingOver
from cameo_verifier.server.tls import CertificateCallers, ServerTls
from cameo_verifier.server.wire import messages
from cameo_verifier.server.wire.upload import UploadLimits, Uploads
from cameo_verifier.status.index_allocator import IndexAllocator
from cameo_verifier.status.publisher import StatusPublisher
from cameo_verifier.store.attempts.attempts import AttemptStore
from cameo_verifier.store.attempts.challenges import ChallengeStore
from cameo_verifier.store.attempts.fingerprints import FingerprintStore
from cameo_verifier.store.attempts.rate_limits import RateLimits
from cameo_verifier.store.attempts.servers import ServerStore
from cameo_verifier.store.attempts.sessions import SessionStore
from cameo_verifier.store.attempts.spool import Spool
from cameo_verifier.store.cameos import consent_records, overdue_uses
from cameo_verifier.store.cameos.consent_records import ConsentRecords
from cameo_verifier.store.cameos.likenesses import LikenessStore
from cameo_verifier.store.credentials.credentials import CredentialStore
from cameo_verifier.store.credentials.earned import EarnedStore
from cameo_verifier.store.credentials.issuance import IssuanceStore
from cameo_verifier.store.credentials.statuses import StatusStore
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.workers.judge import OpenJudge, Response
from cameo_verifier.workers.pool import PoolLimits, WorkerPool
from cameo_verifier.workers.sandbox import OpenSandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from sqlalchemy import Engine

    from cameo_credential.issuer_keys import VerificationKeys
    from cameo_verifier.profile import Profile
    from cameo_verifier.settings import Settings
    from cameo_verifier.types import Judgement

log = structlog.get_logger(__name__)

SERVICES = tuple(
    file.DESCRIPTOR.services_by_name[name].full_name
    for file, name in (
        (challenge_service_pb2, "ChallengeService"),
        (verification_service_pb2, "VerificationService"),
        (session_service_pb2, "SessionService"),
        (credential_service_pb2, "CredentialService"),
        (cameo_service_pb2, "CameoService"),
        (guardian_service_pb2, "GuardianService"),
        (data_subject_service_pb2, "DataSubjectService"),
        (review_service_pb2, "ReviewService"),
        (relationship_service_pb2, "RelationshipService"),
        (removal_service_pb2, "RemovalService"),
    )
)

_JUDGING = verification_service_pb2.DESCRIPTOR.services_by_name["VerificationService"].full_name
_PING_STRIKES = 2
"""Number of pings that come too soon before a client is disconnected; grpc's own default."""


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


class Server:
    """A running server. `address` has the port it got; `http_address` is that of HTTP, empty if that is off."""

    def __init__(
        self,
        address: str,
        *,
        http_address: str,
        pool: WorkerPool[Response, Judgement],
        standing: health.aio.HealthServicer,
        opened: AsyncExitStack,
        drain_s: float,
    ) -> None:
        """Keep the parts; use `open_server`."""
        self.address = address
        self.http_address = http_address
        self.pool = pool
        self._standing = standing
        self._opened = opened
        self._drain_s = drain_s

    async def stop(self, *, lame_duck_s: float = 0.0) -> None:
        """Report NOT_SERVING, after `lame_duck_s` refuse new calls, drain those in progress, and end workers and store.

        Args:
            lame_duck_s: time for which calls are still accepted, so that load balancers can redirect them first.
        """
        log.info("stopping", lame_duck_s=lame_duck_s, drain_s=self._drain_s)
        await self._standing.enter_graceful_shutdown()
        await asyncio.sleep(lame_duck_s)
        await self._opened.aclose()


async def open_server(
    settings: Settings,
    *,
    open_judge: Callable[[], Callable[[Response, Callable[[], bool]], Judgement]] | None = None,
    clock: Callable[[], datetime] = utc_now,
    monotonic: Callable[[], float] = time.monotonic,
    random: Random | None = None,
) -> Server:
    """Open a server on `settings.listen` and return once every worker has loaded its models.

    Args:
        settings: the site's settings.
        open_judge: called once by each worker process to get its judge; picklable. The real pipeline by default.
        clock: the time in UTC.
        monotonic: the time of live sessions, in seconds.
        random: draws the challenges and pauses of live sessions; `SystemRandom` by default.

    Raises:
        InvalidRequestError: the address cannot be listened on, or is open to others without an issuer of callers' tokens, or
            in the clear without the site's consent.
        ProfileError: the profile is unknown or malformed, or confirms by a check that this site cannot run.
        KeyFileError: a key file is malformed, open to others, cannot be written, or is not the one of the gallery's faces.
        StorageError: the URL of the evidence is malformed.
        StoreError: the database cannot be used.
        ModelKitError: a model file is missing, altered or not licensed for this site.
    """
    profile, (tls, tokens, certificates) = _askable_profile(settings), await asyncio.to_thread(_open_door, settings, clock)
    async with AsyncExitStack() as opening:
        engine = await asyncio.to_thread(open_database, settings.database)
        opening.callback(engine.dispose)
        evidence = await asyncio.to_thread(_open_evidence, settings, engine)
        records, now, rate_limits = ConsentRecords(evidence.keys, policy(settings)), clock(), RateLimits.of(settings)
        await opening.enter_async_context(ends.logged(engine, settings, records=records, now=now))
        lease = await asyncio.to_thread(
            Lease.take,
            ServerStore(engine),
            settings.leases,
            server_id=new_id(),
            lasts=timedelta(seconds=settings.lease_s),
            clock=clock,
        )
        opening.push_async_callback(asyncio.to_thread, lease.give_back)
        attempts, credentials = (
            AttemptStore(engine, server_id=lease.id, rate_limits=rate_limits, records=records),
            CredentialStore(engine),
        )
        fingerprints, delays = FingerprintStore(engine), Delays(drain_s=settings.drain_s, start_s=lambda: pool.start_s)
        challenges, sessions = (
            ChallengeStore(engine, rate_limits=rate_limits),
            SessionStore(engine, server_id=lease.id, rate_limits=rate_limits),
        )
        statuses, standing, watch = StatusStore(engine), health.aio.HealthServicer(), ClockWatch(settings.clock_file, clock)
        allocator = IndexAllocator(statuses, settings.status_base, settings.status_capacity, secrets.randbelow, _new_key)
        issuer = await asyncio.to_thread(Issuer.open, settings, statuses=allocator, clock=clock, new_id=new_id)
        wrapping = await asyncio.to_thread(open_vault, settings.vault_key, now=clock())

        def public_keys() -> VerificationKeys:
            return issuer.keys.current().public(issuer.name)

        publisher = StatusPublisher(
            statuses,
            keys=issuer.keys.current,
            base=settings.status_base,
            interval=timedelta(seconds=settings.status_interval_s),
            clock=clock,
        )
        captures = CaptureTokens(issuer=issuer.name, keys=issuer.keys.current, clock=clock)
        screening = await asyncio.to_thread(Screening.open, settings, engine, profile)

        pool = WorkerPool(
            open_judge or (OpenSandbox(profile) if settings.sandbox else OpenJudge(_in_worker(settings), profile)),
            PoolLimits(
                workers=settings.workers,
                queue=settings.queue,
                threads=settings.threads,
                judge_s=settings.judging_s,
                memory_bytes=settings.worker_mb * 2**20,
            ),
        )
        conclusions = Conclusions(
            attempts=attempts,
            issuer=issuer,
            vault=wrapping,
            screening=screening,
            evidence=EvidenceKeeper(evidence.vault, evidence.sweeper, settings.retention),
            clock=clock,
        )
        deciding, spool = Deciding(settings, engine, evidence, clock, lambda: issuer), Spool(engine, evidence.keys)
        server = _grpc_server(settings, Admission(tokens, captures, certificates), delays, Aliases(issuer.pairwise))
        address = _listen(server, settings.listen, tls)
        challenge_service_pb2_grpc.add_ChallengeServiceServicer_to_server(
            ChallengeService(
                store=challenges,
                ttl=timedelta(seconds=settings.challenge_ttl_s),
                clock=clock,
                languages=judged_languages(settings.models),
                sandbox=settings.sandbox,
            ),
            server,
        )
        stopping = await opening.enter_async_context(
            cameo_services.opened(
                server, engine, issuer, wrapping, evidence, settings, clock, RequesterTokens(tokens.issuer) if tokens else None
            )
        )
        verification_service_pb2_grpc.add_VerificationServiceServicer_to_server(
            VerificationService(
                challenges=challenges,
                attempts=attempts,
                earned=EarnedStore(engine),
                issuer=issuer,
                uploads=Uploads(_upload_limits(settings), refusal=pool.refusal),
                pool=pool,
                conclusions=conclusions,
                spool=spool if settings.spool else None,
                stopping=stopping,
                clock=clock,
                expose_scores=settings.expose_scores,
                sandbox=settings.sandbox,
            ),
            server,
        )
        credential_service_pb2_grpc.add_CredentialServiceServicer_to_server(
            CredentialService(
                issuer=issuer.name,
                keys=public_keys,
                publisher=publisher,
                issuance=Issuance(IssuanceStore(engine), wrapping, issuer, clock),
            ),
            server,
        )
        review_service_pb2_grpc.add_ReviewServiceServicer_to_server(
            ReviewService(Site(engine, evidence, settings, deciding), clock=clock, stopping=stopping), server
        )
        health_pb2_grpc.add_HealthServicer_to_server(standing, server)
        reflection.enable_server_reflection((*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)

        await pool.start()
        opening.push_async_callback(pool.stop, drain_s=0)
        opening.push_async_callback(conclusions.close, settings.drain_s)
        capture = await opening.enter_async_context(
            live_sessions.opened(
                server,
                settings,
                profile,
                sessions=sessions,
                challenges=challenges,
                attempts=attempts,
                earned=EarnedStore(engine),
                issuer=issuer,
                pool=pool,
                conclusions=conclusions,
                tokens=captures,
                stopping=stopping,
                clock=clock,
                monotonic=monotonic,
                random=random or SystemRandom(),
            )
        )
        taking_over = TakingOver(
            lease,
            attempts=attempts,
            challenges=challenges,
            spool=spool,
            issuer=issuer,
            pool=pool,
            conclusions=conclusions,
            clock=clock,
        )
        # Before the first call: retries for what a dead server judged are answered at once.
        await taking_over.look()
        kept = maintenance.Kept(
            challenges,
            sessions,
            credentials,
            fingerprints,
            LikenessStore(engine),
            screening.identification,
            deciding,
            partial(consent_records.drop_withdrawn, engine),
            partial(overdue_uses.flag, engine),
        )
        for task in (
            maintenance.live(taking_over, settings.lease_s / 3),
            maintenance.forget(kept, settings, watch),
            maintenance.publish(publisher, settings.status_interval_s),
            maintenance.rewrite(engine),
            epochs.turn(engine, settings, watch),
            maintenance.sweep(evidence.sweeper, settings.evidence_sweep_s, watch),
        ):
            opening.callback(asyncio.create_task(task).cancel)
        http_address = ""
        if settings.http_listen:
            resources = http_resources.application(
                publisher=publisher, base=settings.status_base, keys=public_keys, clock=clock, delay=delays.of, capture=capture
            )
            http_address = await opening.enter_async_context(
                http_resources.serve(resources, settings.http_listen, tls=tls.http_context() if tls else None)
            )
        await server.start()
        opening.push_async_callback(server.stop, settings.drain_s)
        await opening.enter_async_context(
            followed(standing, ("", *SERVICES), ("", _JUDGING), engine=engine, lives=lambda: pool.lives)
        )
        opening.callback(stopping.set)
        opening.callback(delays.stop)
        return Server(
            address,
            http_address=http_address,
            pool=pool,
            standing=standing,
            opened=opening.pop_all(),
            drain_s=settings.drain_s,
        )


def _open_door(
    settings: Settings, clock: Callable[[], datetime]
) -> tuple[ServerTls | None, CallerTokens | None, CertificateCallers | None]:
    """Return TLS, and the verifiers of callers, after checking the addresses; surprising configurations are logged."""
    addresses = {"CAMEO_LISTEN": settings.listen, "CAMEO_HTTP_LISTEN": settings.http_listen}
    open_to = {name: address for name, address in addresses.items() if address and not address.startswith("unix:")}
    for name, address in open_to.items():
        host_and_port(address, name)
    tokens, certificates = CallerTokens.open(settings, clock=clock), CertificateCallers.open(settings)
    tls = ServerTls.open(settings, now=clock())
    if not settings.controller.name:
        log.warning("CAMEO_CONTROLLER_NAME is not set: consent records name the issuer as the controller", issuer=settings.issuer)
    if settings.sandbox:
        log.warning(
            "a SANDBOX: subjects decide the outcome, and nobody is verified", issuer=settings.issuer, data=str(settings.data)
        )
    if tokens is None and certificates is None:
        log.warning("no issuer of callers' tokens: EVERYONE who reaches this server counts as the app", listen=settings.listen)
    for address in open_to.values():
        require_protected(address, settings, tls=tls is not None)
        if tls is None and not is_loopback(address):
            log.warning("others reach this address, and what they send and get is NOT encrypted", listen=address)
    return tls, tokens, certificates


def _askable_profile(settings: Settings) -> Profile:
    profile = profiles.load(settings.profile)
    later = pipeline.AFTERWARDS if settings.gallery else (Phase.HISTORY,)
    pipeline.require_askable(profile, settings, received=True, later=later)
    return profile


def _upload_limits(settings: Settings) -> UploadLimits:
    return UploadLimits(
        at_once=settings.uploads,
        a_subject=settings.uploads_a_subject,
        a_challenge=settings.uploads_a_challenge,
        max_bytes=settings.media.max_bytes,
        limit_s=settings.upload_s,
        min_bytes_s=settings.upload_min_bytes_s,
        stall_s=settings.upload_stall_s,
    )


def _open_evidence(settings: Settings, engine: Engine) -> EvidenceRoom:
    room = EvidenceRoom.open(settings, engine)
    if lost := room.keys.unreadable():
        log.error("the vault key is not the one of earlier evidence: put its file back", keys=lost)
    return room


def _new_key() -> bytes:
    return secrets.token_bytes(decoys.KEY_BYTES)


def _in_worker(settings: Settings) -> Settings:
    """If the workers alone use all cores, parallelism within one of them would only compete with the others."""
    cores = len(os.sched_getaffinity(0))
    return settings.model_copy(update={"overlap": settings.overlap and settings.workers * settings.threads < cores})


def _grpc_server(settings: Settings, admission: Admission, delays: Delays, aliases: Aliases) -> grpc.aio.Server:
    server = grpc.aio.server(
        interceptors=(Around(call_log, error_status(delays.of), admission, within=aliases),),
        options=(
            *messages.CHANNEL,
            # Without this two servers can share a port unnoticed.
            ("grpc.so_reuseport", 0),
            *_keepalive(settings),
        ),
    )
    # The generated code registers each method beside its service's handler. gRPC then waits for a call of each of them, and goes
    # through all of these waits at every call.
    server.add_registered_method_handlers = lambda *_: None  # type: ignore[method-assign]
    return server


def _keepalive(settings: Settings) -> tuple[tuple[str, int], ...]:
    """Return the keepalive options of idle connections; the names are those of gRPC's `doc/keepalive.md`."""
    timeout_ms = round(settings.keepalive_timeout_s * 1000)
    return (
        ("grpc.keepalive_time_ms", round(settings.keepalive_s * 1000)),
        ("grpc.keepalive_timeout_ms", timeout_ms),
        # The longer of the two timeouts ends a connection, and this one is a minute by default.
        ("grpc.http2.ping_timeout_ms", timeout_ms),
        # Both sides may ping without a call: an app keeps its channel between two people.
        ("grpc.keepalive_permit_without_calls", 1),
        # Nothing is sent during a judgement, so pings without data are not limited.
        ("grpc.http2.max_pings_without_data", 0),
        # By default a client that pings more often than every five minutes is disconnected.
        ("grpc.http2.min_ping_interval_without_data_ms", round(settings.client_ping_s * 1000)),
        ("grpc.http2.max_ping_strikes", _PING_STRIKES),
    )


def _listen(server: grpc.aio.Server, address: str, tls: ServerTls | None) -> str:
    try:
        # A Unix socket stays on this machine, and the mode of its folder says who may connect.
        secure = tls is not None and not address.startswith("unix:")
        port = server.add_secure_port(address, tls.grpc_credentials()) if tls and secure else server.add_insecure_port(address)
    except RuntimeError:
        port = 0
    if not port:
        raise InvalidRequestError(f"cannot listen on {address}: it is taken or not an address of this machine; set CAMEO_LISTEN")
    return f"{address.rpartition(':')[0]}:{port}"
