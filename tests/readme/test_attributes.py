"""Classes with many fields list them in one block."""

from __future__ import annotations

import ast
import inspect
import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    {*(ROOT / "verifier").rglob("*.py"), *(ROOT / "challenges").rglob("*.py"), *(ROOT / "protos" / "cameo_client").glob("*.py")}
)
ROOMS = sorted({str(source.parent.relative_to(ROOT)) for source in SOURCES})
FEW = 6
"""Up to so many fields a sentence names as well as a list."""
SETTINGS = "Variables"
"""The base of settings, whose page is made of the strings under their fields (`tests.documents.configuration`)."""


@pytest.mark.parametrize("room", ROOMS)
def test_a_class_of_many_fields_lists_them(room: str) -> None:
    """Each public class of more than six fields names all of them, and nothing else, in the `Attributes:` of its docstring."""
    for source in (each for each in SOURCES if each.parent == ROOT / room):
        for kind in _classes(source):
            fields = _fields(kind)
            if len(fields) > FEW:
                assert _listed(kind) == fields, f"{source.relative_to(ROOT)}: {kind.name}"
                assert not _explained(kind), f"{source.relative_to(ROOT)}: {kind.name} has strings under its fields too"


def test_what_is_looked_for_is_found() -> None:
    """Fields and lists are read as they are written, in a class that is known."""
    [track] = [kind for source in SOURCES for kind in _classes(source) if kind.name == "FaceTrack"]
    assert {"t_s", "landmarks", "bezel_px"} <= _fields(track) & _listed(track)


def _classes(source: Path) -> list[ast.ClassDef]:
    return [
        node
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
        and not node.name.startswith("_")
        and not any(isinstance(base, ast.Name) and base.id == SETTINGS for base in node.bases)
    ]


def _fields(kind: ast.ClassDef) -> set[str]:
    return {
        node.target.id
        for node in kind.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not node.target.id.startswith("_")
    }


def _listed(kind: ast.ClassDef) -> set[str]:
    """Return the names in the block: lines of four spaces, the name, or several with commas between, and a colon."""
    block = inspect.cleandoc(ast.get_docstring(kind) or "").partition("Attributes:\n")[2].partition("\n\n")[0]
    lines = re.findall(r"^ {4}(\w+(?:, \w+)*): ", block, re.MULTILINE)
    return {name for line in lines for name in line.split(", ")}


def _explained(kind: ast.ClassDef) -> bool:
    """Whether a string stands under a field."""
    return any(
        isinstance(field, ast.AnnAssign) and isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant)
        for field, said in pairwise(kind.body)
    )
