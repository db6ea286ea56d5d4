"""Compares what a command prints with what a document shows: words and order are the same, numbers and ids are not compared."""

from __future__ import annotations

import re

# An id has 22 characters, an audience's name for it 24, a key's thumbprint 43: one in forty and one in a thousand has no digit.
_ID = re.compile(
    r"(?<![\w-])(?:[\w-]{22}|p_[\w-]{22}|[\w-]{43})(?![\w-])"
    r"|(?=[\w-]*\d)(?=[\w-]*[a-zA-Z])[\w-]{20,}|\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b"
)
_NUMBER = re.compile(r"-?\d+(?:[.,:]\d+)*")
_RULE = re.compile(r"[─━]{2,}")


def alike(shown: str, printed: str) -> bool:
    """Whether the output has the shape of the one shown.

    Blank lines, runs of spaces and rules do not count. In what is shown, `…` stands for anything within a line, on a line of its
    own for any number of lines.
    """
    pattern = ""
    for line in lines(shown):
        if line == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*".join(re.escape(part) for part in line.replace(" …", "…").split("…")) + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines(printed))) is not None


def lines(text: str) -> list[str]:
    """Return the lines that count, without numbers and ids, runs of spaces and rules."""
    text = _NUMBER.sub("#", _ID.sub("#", _RULE.sub("", text)))
    return [" ".join(line.split()) for line in text.splitlines() if line.split()]
