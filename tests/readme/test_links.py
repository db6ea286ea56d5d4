"""Every link of the documents leads somewhere, and the README stays short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "packaging").rglob("*.md")})
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```\n?", re.MULTILINE | re.DOTALL)
WORDS_A_MINUTE = 240


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings get on a forge: lower case, no punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link within the repository names a file that is there, and a heading that it has."""
    for link in LINK.findall(FENCED.sub("", page.read_text("utf-8"))):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name}: {link}"


def test_the_readme_is_read_in_two_minutes() -> None:
    """Prose without tables and blocks is two minutes' reading; the demo's output is cut to 25 lines."""
    text = (ROOT / "README.md").read_text("utf-8")
    [demo] = re.findall(r"```console\n\$ make demo[^\n]*\n(.*?)```", text, re.DOTALL)
    assert len(demo.splitlines()) <= 25
    prose = [line for line in FENCED.sub("", text).splitlines() if not line.startswith("|")]
    words = re.sub(r"\]\([^)]*\)", "]", " ".join(prose)).split()
    assert len(words) <= 2 * WORDS_A_MINUTE
