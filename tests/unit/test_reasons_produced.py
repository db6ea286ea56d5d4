"""Every reason that is documented is one that something says: by the syntax of the source, not by the words in it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from cameo.v1.error_reason_pb2 import ErrorReason
from cameo_verifier.cameo.refusal import Refusal
from cameo_verifier.reasons import Reason
from cameo_verifier.server.wire.enums import short_names
from tests.conftest import ROOT
from tests.sources import VERIFIER

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHERE_THEY_ARE_MADE = {"verifier/cameo_verifier/reasons.py", "verifier/cameo_verifier/cameo/refusal.py"}
_ENUMERATIONS = {"Reason", "Refusal", "error_reason_pb2", "ErrorReason", "reasons"}


def _said(node: ast.AST) -> Iterator[str]:
    """Yield the members that an expression gives to something; not those that it compares with, matches or looks up by."""
    match node:
        case ast.Attribute(value=ast.Name(id=enumeration), attr=name) if enumeration in _ENUMERATIONS:
            yield f"{enumeration}.{name}"
            return
        case ast.Compare() | ast.MatchValue():
            return
        case ast.Dict(values=values):
            inner: list[ast.AST] = list(values)
        case _:
            inner = list(ast.iter_child_nodes(node))
    for each in inner:
        yield from _said(each)


def said() -> set[str]:
    """Return every member that the verifier gives to something."""
    found: set[str] = set()
    for path in sorted((VERIFIER.parent).rglob("*.py")):
        if path.relative_to(ROOT).as_posix() not in _WHERE_THEY_ARE_MADE:
            found.update(_said(ast.parse(path.read_text("utf-8"))))
    return found


def test_every_reason_of_a_verdict_is_given_by_something() -> None:
    """A code that nothing gives is one that apps handle in vain."""
    given = {each.partition(".")[2] for each in said() if each.startswith("Reason.")}
    assert {reason.name for reason in Reason} - given == set()


def test_every_reason_of_an_error_is_sent_by_something() -> None:
    """By its own name, or as a refusal of the same name."""
    sent = {each.partition(".")[2].removeprefix("ERROR_REASON_") for each in said() if not each.startswith("Reason.")}
    assert set(short_names(ErrorReason)) - sent == set()
    assert {refusal.name for refusal in Refusal} <= set(short_names(ErrorReason))


def test_what_is_only_looked_up_or_compared_is_not_given() -> None:
    """A table of codes, a comparison and a pattern are no evidence that anything says so."""
    tree = ast.parse("x = {Reason.A: Reason.B}\nif y is Reason.C: z = [Reason.D]\nmatch y:\n    case Reason.E: f(Reason.F)")
    assert set(_said(tree)) == {"Reason.B", "Reason.D", "Reason.F"}
