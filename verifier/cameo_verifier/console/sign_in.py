"""Sign-in and sign-out: by the token printed at start, by a named local person's token, or by the site's identity provider."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from cameo_verifier.console.guard import cookie_name, set_cookie
from cameo_verifier.console.openid import SignInError
from cameo_verifier.console.people import ConsoleRole, Person
from cameo_verifier.console.rendering import page

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.requests import Request

    from cameo_verifier.console.local_token import LocalToken
    from cameo_verifier.console.openid import OpenId
    from cameo_verifier.console.sessions import Sessions
    from cameo_verifier.store.sign_in_tokens import SignInTokenStore

LOCAL_NAME = "local"
"""Name in the audit log of whoever signed in by the printed token."""


class SignIn:
    """Handlers of the sign-in pages.

    local_role: role of the printed token. token, named: used only without an identity provider.
    """

    def __init__(
        self,
        sessions: Sessions,
        *,
        token: LocalToken | None,
        local_role: ConsoleRole,
        named: SignInTokenStore,
        openid: OpenId | None,
        secure: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._sessions, self._token, self._local_role = sessions, token, local_role
        self._named, self._openid, self._secure, self._clock = named, openid, secure, clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        found = [
            Route("/sign-in", self._show),
            Route("/sign-in/state", self._state),
            Route("/sign-out", self._sign_out, methods=["POST"]),
        ]
        if self._token is not None:
            found.append(Route("/sign-in/token", self._by_token, methods=["POST"]))
        if self._openid is not None:
            found += [Route("/sign-in/openid", self._to_provider), Route("/sign-in/callback", self._from_provider)]
        return found

    async def _show(self, request: Request) -> Response:
        return self._page(request)

    async def _state(self, request: Request) -> Response:
        """Return the person of the browser's current cookie, and its CSRF token."""
        person: Person | None = request.state.person
        return JSONResponse({"csrf": request.state.csrf, "name": "" if person is None else person.name})

    def _page(self, request: Request, message: str = "", status: int = 200) -> Response:
        """Return the page, and set a cookie if there is none, so that its form carries a token."""
        cookie = request.state.cookie or self._sessions.new_cookie()
        request.state.csrf = self._sessions.csrf_token(cookie)
        shown = page(
            request,
            "sign_in.html",
            status=status,
            message=message,
            token=request.query_params.get("token", ""),
            next=_within(request.query_params.get("next", "/")),
            by_token=self._token is not None,
        )
        # A provider redirects the browser back from another site, and then a strict cookie is not sent.
        self._set(shown, cookie, strict=self._openid is None)
        return shown

    async def _by_token(self, request: Request) -> Response:
        form = dict(request.state.form)
        given, where = form.get("token", "").strip(), _within(form.get("next", "/"))
        if self._token is not None and self._token.spend(given):
            return self._welcome(request, Person(LOCAL_NAME, self._local_role), where)
        token = await asyncio.to_thread(self._named.spend, given, now=self._clock())
        if token is None:
            return self._page(
                request,
                "This token is not known here, or it was used, has expired or was taken back. "
                "`cameo console token` makes another one.",
                403,
            )
        return self._welcome(request, Person(token.name, ConsoleRole(token.role)), where, token_id=token.id)

    async def _to_provider(self, request: Request) -> Response:
        if self._openid is None or not request.state.cookie:
            return RedirectResponse("/sign-in", 303)
        try:
            return RedirectResponse(await self._openid.begin(request.state.cookie), 303)
        except SignInError as error:
            return self._page(request, str(error), 503)

    async def _from_provider(self, request: Request) -> Response:
        given = request.query_params
        if self._openid is None:
            return RedirectResponse("/sign-in", 303)
        if "error" in given:
            return self._page(request, "The identity provider refused.", 403)
        try:
            person = await self._openid.finish(
                cookie=request.state.cookie, state=given.get("state", ""), code=given.get("code", "")
            )
        except SignInError as error:
            return self._page(request, str(error), 403)
        return self._welcome(request, person, "/")

    def _welcome(self, request: Request, person: Person, where: str, *, token_id: str = "") -> Response:
        """Return a page that redirects by itself: a strict cookie is not sent with a redirect that began at another site."""
        self._sessions.sign_out(request.state.cookie)
        cookie = self._sessions.sign_in(person, token_id=token_id)
        welcome = page(request, "signed_in.html", next=where, signed_in=person)
        self._set(welcome, cookie, strict=True)
        return welcome

    async def _sign_out(self, request: Request) -> Response:
        self._sessions.sign_out(request.state.cookie)
        gone = RedirectResponse("/sign-in", 303)
        gone.delete_cookie(cookie_name(secure=self._secure), secure=self._secure, httponly=True, samesite="strict")
        return gone

    def _set(self, answer: Response, cookie: str, *, strict: bool) -> None:
        set_cookie(answer, cookie, secure=self._secure, strict=strict)


def _within(where: str) -> str:
    """Return a path of this site unchanged, and the queue for anything else."""
    return where if where.startswith("/") and not where.startswith("//") and "\\" not in where and where.isprintable() else "/"
