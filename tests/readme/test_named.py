"""What the documentation and the messages tell people to install."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXTS = (
    ROOT / "README.md",
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "packaging").rglob("*.md"),
    *(ROOT / "verifier").rglob("*.py"),
)


def test_what_pip_is_told_to_install_is_in_the_clone() -> None:
    """Our packages are on no index: whoever types `pip install` names all three in the clone, and an extra that is there."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = [
        (text.name, line, re.fullmatch(r"\./packaging/client \./packaging/credential '\.\[(\w+)\]'", line))
        for text in TEXTS
        # What is in braces is a package of the kit's, which has a name and a version of its own.
        for line in re.findall(r"pip install ((?:\./[^\s`]+ )*(?:'[^']*'|[^`\s{]+))", text.read_text("utf-8"))
        if not line.startswith("--")
    ]
    assert len(named) >= 5
    for name, line, found in named:
        if line in {"./packaging/client", "./packaging/credential", "./packaging/client ./packaging/credential ."}:
            continue
        assert found, f"{name}: pip install {line}"
        assert found[1] in extras, f"{name}: no extra {found[1]}"
