"""Templates, and how values are written for people.

Every value is escaped, and what would change how the text around it is read is shown instead of obeyed: ids, notes and words come
from people who may mean harm.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - whatever it shows
    """Return a page; every template knows `person`, `csrf` and `path`."""
    state = request.state
    known = {"person": state.person, "csrf": state.csrf, "path": request.url.path}
    return HTMLResponse(_templates().get_template(template).render(**known, **values), status)


def refusal(request: Request, status: int, title: str, message: str) -> HTMLResponse:
    """Return a page that says why there is none."""
    return page(request, "refusal.html", status=status, title=title, message=message)


def plain(text: object) -> str:
    """Return text with each control character, and each that turns the direction or hides, as its code point."""
    return "".join(f"‹U+{ord(each):04X}›" if unicodedata.category(each) in _INVISIBLE else each for each in str(text))


def moment(time: datetime | None) -> str:
    """Return a time to the second, in UTC."""
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def number(value: float | None) -> str:
    """Return a score to three digits, or to the last whole one."""
    return "" if value is None else f"{value:{',.0f' if abs(value) >= 1000 else '.3g'}}".replace("-", "−")


def words(code: str) -> str:
    """Return a code such as FLAT_FACE or flat_face in words."""
    return code.replace("_", " ").lower()


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("verifier.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(plain=plain, moment=moment, number=number, words=words)
    return environment
