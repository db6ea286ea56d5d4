"""The console's composition root: builds the application and serves it."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import httpx2
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from cameo_credential.errors import InvalidRequestError
from cameo_verifier import profiles
from cameo_verifier.console.attempt import AttemptPages
from cameo_verifier.console.case_file import CaseFile
from cameo_verifier.console.cases import Cases
from cameo_verifier.console.compare import Compare
from cameo_verifier.console.decision import DecisionForm
from cameo_verifier.console.errors import handlers
from cameo_verifier.console.guard import Guard
from cameo_verifier.console.links import Links
from cameo_verifier.console.local_token import LocalToken
from cameo_verifier.console.openid import OpenId
from cameo_verifier.console.people import ConsoleRole
from cameo_verifier.console.previews import Previews
from cameo_verifier.console.queue import Queue
from cameo_verifier.console.runs import RunPages, Runs
from cameo_verifier.console.sessions import Sessions
from cameo_verifier.console.sign_in import SignIn
from cameo_verifier.console.subject import SubjectPage
from cameo_verifier.console.suspension import SuspensionForm
from cameo_verifier.console.what_if import WhatIf
from cameo_verifier.ids import new_id
from cameo_verifier.review.evidence_room import EvidenceRoom
from cameo_verifier.screening.duplicates import DuplicateSearch
from cameo_verifier.server.address import require_protected
from cameo_verifier.server.auth.caller import is_loopback
from cameo_verifier.server.deciding import Deciding, issuer_of
from cameo_verifier.server.http_resources import serve
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.sign_in_tokens import SignInTokenStore

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.types import ASGIApp

    from cameo_verifier.settings import Settings

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class SignInMethods:
    """Sign-in methods: by token (the printed one, or a named local person's), or by an identity provider; never both."""

    token: LocalToken | None
    openid: OpenId | None
    local_role: ConsoleRole = ConsoleRole.LEAD


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def application(  # what it is made of
    settings: Settings,
    cases: Cases,
    runs: Runs,
    methods: SignInMethods,
    *,
    hosts: Collection[str],
    previews: Previews | None = None,
    clock: Callable[[], datetime] = utc_now,
    new_id: Callable[[], str] = new_id,
) -> ASGIApp:
    """Return the ASGI application.

    Args:
        settings: the site's settings.
        cases: attempts and their evidence.
        runs: runs of what-if profiles over all labelled attempts.
        methods: the ways to sign in.
        hosts: the host names, with ports, that requests may carry.
        previews: previews of recordings that browsers do not play; a new cache by default.
        clock: the time in UTC.
        new_id: generates unguessable ids.

    Raises:
        ProfileError: the site's profile is unknown or malformed.
    """
    secure = settings.console.origin.startswith("https://")
    sessions = Sessions(lasts=timedelta(hours=settings.console.session_h), clock=clock)
    profile = profiles.load(settings.profile)
    previews = previews or Previews(settings.media, clock=clock)
    what_if = WhatIf(cases, base=settings.profile, clock=clock)
    recall = DuplicateSearch(cases.fingerprints, profile, timedelta(days=settings.fingerprint_days))
    links = Links(cases, settings, recall, profile=profile, clock=clock)
    deciding = Deciding(settings, cases.engine, cases.room, clock, issuer_of(settings, cases.engine, clock, new_id))
    decision = DecisionForm(cases, deciding, new_id=new_id)
    suspension = SuspensionForm(cases, clock=clock, new_id=new_id)
    named = SignInTokenStore(cases.engine, cases.room.audit)
    sign_in = SignIn(
        sessions,
        token=methods.token,
        local_role=methods.local_role,
        named=named,
        openid=methods.openid,
        secure=secure,
        clock=clock,
    )
    pages = (
        sign_in,
        Queue(cases, profile=profile),
        AttemptPages(cases, sessions, decision, suspension, previews, profile=profile, clock=clock, new_id=new_id),
        decision,
        what_if,
        RunPages(runs, what_if),
        links,
        suspension,
        CaseFile(cases, links, deciding, profile=profile, clock=clock),
        SubjectPage(cases, settings, suspension, clock=clock),
        Compare(cases, sessions, recall, links, profile=profile, clock=clock),
    )
    static = Mount("/static", StaticFiles(packages=[("cameo_verifier.console", "static")]))
    routes = [route for page in pages for route in page.routes()]
    # Browsers request it for a page that names no icon.
    no_icon = Route("/favicon.ico", lambda _: Response(status_code=204))
    pages_of_ours = Starlette(routes=[*routes, static, no_icon], exception_handlers=handlers())
    return Guard(pages_of_ours, sessions=sessions, hosts=hosts, secure=secure, stands=named.stands)


async def run(
    settings: Settings, *, local_role: ConsoleRole, announce: Callable[[str], None], clock: Callable[[], datetime] = utc_now
) -> None:
    """Serve until SIGTERM or SIGINT; `announce` is called with the address to open, including the token if there is one.

    Raises:
        InvalidRequestError: the address cannot be listened on, or is not loopback and lacks https, or is in the clear without the
            site's consent.
        KeyFileError: a key file is malformed, open to others, or cannot be written.
        ProfileError: the site's profile is unknown or malformed.
        StorageError: the URL of the evidence is malformed.
        StoreError: the database cannot be used.
    """
    console, provider = settings.console, settings.openid
    origin = urlsplit(console.origin)
    if not is_loopback(console.listen) and not (origin.scheme == "https" and provider.issuer):
        raise InvalidRequestError(
            f"{console.listen} is not loopback: put https before it, and set CAMEO_CONSOLE_ORIGIN and CAMEO_OPENID_ISSUER"
        )
    require_protected(console.listen, settings)
    async with AsyncExitStack() as opened:
        engine = await asyncio.to_thread(open_database, settings.database)
        opened.callback(engine.dispose)
        room = await asyncio.to_thread(EvidenceRoom.open, settings, engine)
        hosts: set[str] = {origin.netloc} if origin.netloc else set()
        openid = None
        if provider.issuer:
            client = await opened.enter_async_context(httpx2.AsyncClient(trust_env=False))
            base = console.origin.rstrip("/") or f"http://{console.listen}"
            openid = OpenId(provider, redirect_uri=f"{base}/sign-in/callback", client=client, clock=clock)
        token = None if openid else LocalToken()
        methods = SignInMethods(token, openid, local_role)
        cases = Cases(engine, room, clock=clock)
        runs = Runs(cases, settings, max(1, (os.cpu_count() or 2) - 1), clock, new_id)
        opened.callback(runs.close)
        previews = Previews(settings.media, clock=clock)
        app = application(settings, cases, runs, methods, hosts=hosts, previews=previews, clock=clock)
        address = await opened.enter_async_context(serve(app, console.listen, setting="CAMEO_CONSOLE_LISTEN"))
        # Closed first when the server stops: otherwise requests in progress would wait for it.
        opened.callback(previews.close)
        if not origin.netloc:
            hosts.update(_names(address))
        where = console.origin.rstrip("/") or f"http://{address}"
        told = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, told.set)
        announce(f"{where}/sign-in?token={quote(token.value)}" if token else f"{where}/")
        await told.wait()


def _names(address: str) -> set[str]:
    port = address.rpartition(":")[2]
    return {address, f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"}
