"""The capture page: static files, and the headers that limit what a browser does with them."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

WEB = Path(__file__).with_name("web")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of the page and each of its files: load only from here, run only files of ours, no framing, camera for this page alone."""

_SERVED = frozenset({".css", ".js", ".json", ".svg"})


def routes() -> list[Route]:
    """Return `GET /capture` and `GET /capture/FILE` for each file of the page."""
    files = {path.relative_to(WEB).as_posix(): path.read_bytes() for path in WEB.rglob("*") if path.suffix in _SERVED}
    page = (WEB / "index.html").read_bytes()

    async def index(_: Request) -> Response:
        return Response(page, media_type="text/html", headers=HEADERS)

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in files:
            return Response("there is no such file", 404, media_type="text/plain", headers=HEADERS)
        return Response(files[name], media_type=_type(name), headers=HEADERS)

    return [Route("/capture", index), Route("/capture/{name:path}", file)]


def _type(name: str) -> str:
    # The system's own table is not asked: a browser refuses a script of another type.
    return {".js": "text/javascript"}.get(Path(name).suffix) or mimetypes.types_map[Path(name).suffix]
