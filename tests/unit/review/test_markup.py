"""No text becomes markup: pages are templates that escape every value, and the code builds none from strings."""

from __future__ import annotations

import ast
import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2
import pytest

from cameo_challenges.model import Challenge
from cameo_verifier.profile import Profile
from cameo_verifier.review.error_rates import Rate
from cameo_verifier.review.fairness import GroupRates
from cameo_verifier.review.kept import Kept
from cameo_verifier.review.page import page
from cameo_verifier.review.rendering import templates
from cameo_verifier.types import Verdict
from tests.unit.review.test_report import MIXED, report

ROOT = Path(__file__).parents[3]
HOSTILE = "'\"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}\x00&"
_MARKUP = re.compile(r"<[a-z!/][^>]*>|<[a-z]+[ \x00]")


class _Elements(HTMLParser):
    """Collects elements with the names of their attributes, and all text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, tuple[str, ...]]] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def _hostile(value: Any) -> Any:
    """Return a value with every text in it that is free replaced by an attacker's; enums and numbers stay."""
    match value:
        case str() if type(value) is str:
            return HOSTILE if value else value
        case dict():
            return {_hostile(key): _hostile(each) for key, each in value.items()}
        case tuple() | list():
            return type(value)(_hostile(each) for each in value)
        case Profile():
            return replace(value, name=HOSTILE)
        case _ if is_dataclass(value) and not isinstance(value, Challenge | type):
            return replace(value, **{each.name: _hostile(getattr(value, each.name)) for each in fields(value) if each.init})
    return value


def test_every_free_text_of_a_report_stays_text() -> None:
    """Profiles, checks, species, groups, models, files, reasons, digests and units of an attacker's choice add nothing."""
    rate = Rate(1, 2, 0.1, 0.9)
    group = GroupRates("sex", "female", rate, rate, rate, {"depth": -0.5}, 1.5)
    made = replace(report(*MIXED), groups=(group,), kept=(Kept("screen", Verdict.ACCEPTED, 1, 2),))
    honest, evil = _Elements(), _Elements()
    honest.feed(page(made))
    written = page(_hostile(made))
    evil.feed(written)
    assert evil.found <= honest.found
    assert "<script" not in written
    assert "{{ 7 * 7 }}" in evil.text
    assert evil.text.count("<script>alert(1)</script>") > 15


def test_every_template_escapes_every_value() -> None:
    """No template takes escaping off, and none shows a value where escaping is not enough: in a script, a style or an event."""
    sources = list((ROOT / "verifier").rglob("templates/*.html"))
    assert {path.name for path in sources} >= {"report.html", "replay.html", "base.html", "macros.html"}
    environment = templates()
    for path in sources:
        source = path.read_text("utf-8")
        for node in environment.parse(source).find_all((jinja2.nodes.Filter, jinja2.nodes.ScopedEvalContextModifier)):
            assert getattr(node, "name", "autoescape") not in {"safe", "autoescape", "tojson", "xmlattr"}, path
        assert not re.search(r"\bon\w+=|<script[^>]*>[^<]*\{\{|<style[^>]*>[^<]*\{\{", source), path
        assert not re.search(r"(?<!;)\s[\w-]+=\{\{", source), f"{path}: an attribute without quotation marks"


@pytest.mark.parametrize("folder", ["verifier", "challenges", "fixtures", "tests/real"])
def test_no_markup_is_built_from_strings(folder: str) -> None:
    """No f-string, `%` or `+` puts a value between tags; `Markup(…).format` and templates escape what they put there."""
    found = []
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.JoinedStr(values=values):
                    text = "".join(str(each.value) if isinstance(each, ast.Constant) else "\x00" for each in values)
                case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod() | ast.Add()):
                    pass
                case _:
                    continue
            if _MARKUP.search(text):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []
