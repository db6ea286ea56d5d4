"""Jinja2 templates of the pages that commands write, and how rates are written for people.

A page opens from disk, holds its own styles and pictures, and runs no script. Ids, species, names of files and models come from
manifests and stores that anybody may have filled: the environment escapes every value, and no template takes that off.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from cameo_verifier.review.error_rates import Rate
    from cameo_verifier.review.fairness import GroupRates


def render(template: str, **values: Any) -> str:  # noqa: ANN401 - whatever the page shows
    """Return a page."""
    return templates().get_template(template).render(**values)


def percent(share: float | None) -> str:
    """Return a rate for people."""
    return "–" if share is None else f"{100 * share:.1f} %"


def interval(rate: Rate) -> str:
    """Return the interval of a rate for people."""
    return f"{100 * rate.low:.1f} to {100 * rate.high:.1f} %"


def shifts(rates: GroupRates) -> str:
    """Return the three confirming checks in which a group does worst against everybody else, for people."""
    worst = sorted(rates.score_shifts.items(), key=lambda item: item[1])[:3]
    return ", ".join(f"{check} {shift:+.2f}" for check, shift in worst)


@cache
def templates() -> Environment:
    """Return the environment; it escapes every value."""
    environment = Environment(
        loader=PackageLoader("cameo_verifier.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(percent=percent, interval=interval, shifts=shifts)
    return environment
