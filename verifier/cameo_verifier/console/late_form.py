"""A late form: the page that preserves a form sent after its session ended, and lets it be sent again.

It shows what was written, to be read and changed, keeps all other fields unchanged, and carries a CSRF token of the browser's
current cookie. Signing in, in another tab, makes that token obsolete. `static/session.js` fetches the new one; without it the
form arrives here once more, and the page has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from cameo_verifier.console.rendering import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

_WRITTEN = frozenset({"name", "note", "reason", "species", "why"})
"""Fields that people write; the rest they chose, or the page added."""
_OF_THE_PAGE = frozenset({"csrf", "request"})
_SHOWN = 12
"""Number of choices that are listed; further ones, as of a whole profile, are counted."""


def late_form(request: Request, form: Sequence[tuple[str, str]]) -> Response:
    """Return the page, for a request whose `state` has the CSRF token of the cookie that the answer sets.

    Args:
        request: the late request.
        form: its fields in order.
    """
    sent = [(name, value) for name, value in form if name != "csrf"]
    chosen = [(name, value) for name, value in sent if name not in _WRITTEN | _OF_THE_PAGE and value]
    return page(
        request,
        "late_form.html",
        status=401,
        action=_here(request.url.path),
        written=[(name, value) for name, value in sent if name in _WRITTEN],
        hidden=[(name, value) for name, value in sent if name not in _WRITTEN],
        chosen=chosen[:_SHOWN],
        further=len(chosen[_SHOWN:]),
        back=quote(_here(urlsplit(request.headers.get("referer", "")).path)),
    )


def _here(path: str) -> str:
    """Return a path that no browser takes for another host's."""
    return "/" + path.lstrip("/\\")
