"""The fenced blocks of the documents, and what each needs where it says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md")))
_FENCED = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NEEDS = re.compile(r"\*Needs ([^*]+)\.\*")
_NAMED = re.compile(r"`([\w/-]+\.\w+)`:$")
_NEED_ROW = re.compile(r"^\| needs ([^|]+) \|", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block.

    Attributes:
        page: the document's path in the repository.
        line: the line of its fence, from 1.
        section: the heading of the second level it stands under.
        language: what its fence says.
        text: what it holds.
        needs: what the line above it says that it needs, such as `*Needs ten minutes and PostgreSQL.*`.
        name: the file that the line above it says it is, such as ``In `deep.toml`:``.
    """

    page: str
    line: int
    section: str
    language: str
    text: str
    needs: tuple[str, ...]
    name: str

    @property
    def commands(self) -> list[tuple[str, str]]:
        """What is typed in a console block, and what it shows below each, `…` for what is left out."""
        typed: list[tuple[str, str]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                typed.append((line[2:], ""))
            else:
                command, shown = typed.pop()
                typed.append((command, f"{shown}{line}\n"))
        return typed


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page, in order."""
    text, found = page.read_text("utf-8"), []
    for fenced in _FENCED.finditer(text):
        before = text[: fenced.start()]
        above = before.rstrip().rpartition("\n")[2]
        needs, named = _NEEDS.fullmatch(above), _NAMED.search(above)
        found.append(
            Block(
                page=str(page.relative_to(ROOT)),
                line=before.count("\n") + 1,
                section=(re.findall(r"^## (.*)$", before, re.MULTILINE) or [""])[-1],
                language=fenced[1],
                text=fenced[2],
                needs=tuple(needs[1].split(" and ")) if needs else (),
                name=named[1] if named and fenced[1] != "console" else "",
            )
        )
    return found


EVERY = [block for page in PAGES for block in blocks(page)]
NEEDS = set(_NEED_ROW.findall((ROOT / "CONTRIBUTING.md").read_text("utf-8")))
"""What a block may need: the closed list in CONTRIBUTING.md."""
