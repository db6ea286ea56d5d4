"""The guard before every page: checks host, session and CSRF token, and sets the headers of every answer.

1. A request for another host than the console's own is refused: protection against DNS rebinding.
2. Of a body, at most `MAX_BODY` is read. A POST needs the CSRF token of its cookie, in the field `csrf` or the header
   `X-CSRF-Token`; what a browser marks as cross-site is refused before that.
3. A session that began with a named local person's token ends at the next request after the token is revoked.
4. Without a session only the sign-in pages and static files are served; a form sent after its session ended is returned with
   its content, to be sent again.
5. Every answer limits the browser: load only from here, run only our scripts, no framing, no caching except of styles and
   scripts.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse

from cameo_verifier.console.late_form import late_form
from cameo_verifier.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from cameo_verifier.console.sessions import Sessions

MAX_BODY = 64 * 1024
MAX_FIELDS = 400
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_STATIC_KEPT = "private, max-age=300"
_OPEN_TO_ALL = ("/sign-in", "/static/", "/favicon.ico")
_SAFE = frozenset({"GET", "HEAD"})


class Guard:
    """Middleware around the whole application.

    secure: True if it is reached by https. stands: whether the sign-in token of an id is still valid.
    """

    def __init__(
        self, app: ASGIApp, *, sessions: Sessions, hosts: Collection[str], secure: bool, stands: Callable[[str], bool]
    ) -> None:
        self._app, self._sessions, self._hosts, self._secure = app, sessions, hosts, secure
        self._stands = stands

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or forward it with `state.person`, `state.cookie`, `state.csrf` and `state.form`."""
        if scope["type"] != "http":
            raise RuntimeError(f"the console speaks HTTP, not {scope['type']}")

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                if self._secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
                headers["Cache-Control"] = _STATIC_KEPT if scope["path"].startswith("/static/") else "no-store"
            await send(message)

        refusal = await self._refusal(scope, receive)
        await (self._app if refusal is None else refusal)(scope, receive, answer)

    async def _refusal(self, scope: Scope, receive: Receive) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if headers.get("host", "") not in self._hosts:
            return PlainTextResponse("This is not the console's address.", 421)
        cookie = Request(scope).cookies.get(cookie_name(secure=self._secure), "")
        if (token_id := self._sessions.token_id(cookie)) and not scope["path"].startswith("/static/"):
            try:
                if not await asyncio.to_thread(self._stands, token_id):
                    self._sessions.sign_out(cookie)
            except StoreError:
                return PlainTextResponse("The database does not answer. Try again.", 503)
        state = scope.setdefault("state", {})
        state.update(cookie=cookie, person=self._sessions.person(cookie), csrf=self._sessions.csrf_token(cookie), form=())
        if scope["method"] not in _SAFE and (refused := await self._form(scope, receive, headers)) is not None:
            return refused
        if state["person"] is None and not scope["path"].startswith(_OPEN_TO_ALL):
            if scope["method"] in _SAFE and "text/html" in headers.get("accept", ""):
                where = quote(scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""))
                return RedirectResponse(f"/sign-in?next={where}", 303)
            return JSONResponse({"error": "sign in first"}, 401)
        return None

    async def _form(self, scope: Scope, receive: Receive, headers: Headers) -> ASGIApp | None:
        """Read the body into `state`, and return the refusal; None if it is accepted."""
        state = scope["state"]
        body = await _body(receive)
        if body is None:
            return PlainTextResponse("That is too much for one form.", 413)
        state["body"] = body
        if headers.get("content-type", "").partition(";")[0].strip() == "application/x-www-form-urlencoded":
            state["form"] = _fields(body)
        ours = self._from_our_page(headers, state["cookie"], state["form"])
        too_late = state["person"] is None and not scope["path"].startswith(_OPEN_TO_ALL)
        if ours and not too_late:
            return None
        # The session ended, or another began, while somebody wrote: what they wrote is returned to our own page, never to another
        # site's.
        if "text/html" in headers.get("accept", "") and (ours or headers.get("sec-fetch-site") == "same-origin"):
            return self._late(scope)
        if ours:
            return None
        return PlainTextResponse("This form did not come from a page of the console, or is too old. Go back, reload.", 403)

    def _late(self, scope: Scope) -> ASGIApp:
        """Return the page from which a late form is sent again; a late sign-out needs none."""
        if scope["path"] == "/sign-out":
            return RedirectResponse("/sign-in", 303)
        state = scope["state"]
        cookie = state["cookie"] or self._sessions.new_cookie()
        state["csrf"] = self._sessions.csrf_token(cookie)
        answer = late_form(Request(scope), state["form"])
        if not state["cookie"]:
            set_cookie(answer, cookie, secure=self._secure, strict=True)
        return answer

    def _from_our_page(self, headers: Headers, cookie: str, form: tuple[tuple[str, str], ...]) -> bool:
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return False
        token = headers.get("x-csrf-token") or dict(form).get("csrf", "")
        return self._sessions.csrf_holds(cookie, token)


def set_cookie(answer: Response, cookie: str, *, secure: bool, strict: bool) -> None:
    """Set the session cookie; without `strict` (SameSite=Lax) it is sent when another site links here."""
    answer.set_cookie(cookie_name(secure=secure), cookie, httponly=True, secure=secure, samesite="strict" if strict else "lax")


def cookie_name(*, secure: bool) -> str:
    """Return the name of the session cookie: over https, one that no other host can set."""
    return "__Host-cameo-console" if secure else "cameo-console"


def _fields(body: bytes) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        return ()


async def _body(receive: Receive) -> bytes | None:
    """Return the body, or None if it is too large."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body"):
            return body
