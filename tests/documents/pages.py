"""The list of generated documents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.documents import configuration, retention, thresholds

if TYPE_CHECKING:
    from collections.abc import Callable

_DOCS = Path(__file__).parents[2] / "docs"

PAGES: dict[Path, Callable[[], str]] = {
    _DOCS / "configuration.md": configuration.render,
    _DOCS / "retention.md": retention.render,
    _DOCS / "thresholds.md": thresholds.render,
}
"""Each page's path and the function that returns its text."""
