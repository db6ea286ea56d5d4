"""Write every generated document: `python -m tests.documents`, or `make documents`."""

from __future__ import annotations

from tests.documents.pages import PAGES

for path, render in PAGES.items():
    path.write_text(render(), "utf-8")
