"""Hints in the languages of the capture page: `hints` of the data files in `web/words`, which the page itself reads too."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cameo_verifier.reasons import Kind, Reason

WORDS = Path(__file__).with_name("web") / "words"
FALLBACK = "en"
"""Language of `Reason.hint`, and of each hint that has no text in the language asked for."""
TOLD = tuple(reason for reason in Reason if reason.kind not in (Kind.LIFECYCLE, Kind.UNREADABLE))
"""Reasons of a verdict, whose hints a person is told; the others are errors, which an app handles."""


class Hint(NamedTuple):
    """A hint, with the BCP 47 tag of its language."""

    text: str
    language: str


def hint_in(reason: Reason, language: str) -> Hint:
    """Return the hint of a reason in a language, in English where there is no text in it. language: a BCP 47 tag."""
    tag = language.lower().partition("-")[0]
    text = _hints().get(tag, {}).get(f"REASON_{reason}")
    return Hint(reason.hint, FALLBACK) if text is None else Hint(text, tag)


@cache
def _hints() -> dict[str, dict[str, str]]:
    return {path.stem: json.loads(path.read_text("utf-8"))["hints"] for path in WORDS.glob("*.json")}
