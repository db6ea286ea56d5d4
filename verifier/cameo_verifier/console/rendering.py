"""Template rendering, and the format of values for people.

Every value is escaped, and characters that would change how the surrounding text is displayed are shown as code points: ids,
notes and words come from people who may mean harm.
"""

from __future__ import annotations

import math
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from cameo_verifier.cameo.model import ANALYSTS
from cameo_verifier.console.keys import KEYS

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

_DIGITS, _MOST_DIGITS = 3, 18
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - whatever it shows
    """Render a page; every template has `person`, `csrf` and `path`."""
    state = request.state
    known = {"person": state.person, "csrf": state.csrf, "path": request.url.path}
    return HTMLResponse(_templates().get_template(template).render(**known, **values), status)


def refusal(request: Request, status: int, title: str, message: str) -> HTMLResponse:
    """Render an error page."""
    return page(request, "refusal.html", status=status, title=title, message=message)


def plain(text: object) -> str:
    """Return text with each control, bidirectional or invisible character replaced by its code point."""
    return "".join(f"‹U+{ord(each):04X}›" if unicodedata.category(each) in _INVISIBLE else each for each in str(text))


def moment(time: datetime | None) -> str:
    """Return a time to the second, in UTC."""
    return "" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def number(value: float | None, digits: int = 3) -> str:
    """Return a score to this many significant digits, at least to whole numbers."""
    if value is None:
        return ""
    whole = digits == _DIGITS and abs(value) >= 1000
    return f"{value:{',.0f' if whole else f'.{digits}g'}}".replace("-", "−")


def compared(score: float, threshold: float, *, at_least: bool) -> tuple[str, str]:
    """Return a score, and its comparison with a threshold, such as `> 6.4`, with as many digits as make it true."""
    if math.isnan(score):
        return "no number", f"not {'≥' if at_least else '≤'} {number(threshold)}"
    relation = ("≥" if score >= threshold else "<") if at_least else ("≤" if score <= threshold else ">")
    for digits in range(_DIGITS, _MOST_DIGITS):
        one, other = number(score, digits), number(threshold, digits)
        if one != other or score == threshold:
            return one, f"{relation} {other}"
    return repr(score), f"{relation} {threshold!r}"


def words(code: str) -> str:
    """Return a code such as FLAT_FACE or flat_face in words."""
    return code.replace("_", " ").lower()


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("cameo_verifier.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(keys=KEYS)
    environment.globals["analysts"] = ANALYSTS
    environment.filters.update(plain=plain, moment=moment, number=number, words=words)
    return environment
