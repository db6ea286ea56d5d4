"""Generated documents say what the code says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.documents.pages import PAGES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_a_generated_page_is_up_to_date(page: Path) -> None:
    """The committed page is what `make documents` writes now."""
    assert page.read_text("utf-8") == PAGES[page](), f"{page.name} is out of date: run `make documents` and commit the result"
