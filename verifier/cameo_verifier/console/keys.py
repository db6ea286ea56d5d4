"""Keyboard shortcuts of the console's pages, as its help lists them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """The shortcuts of one page; `pressed`: (keys, action), keys separated by a space have one action each."""

    page: str
    pressed: tuple[tuple[str, str], ...]


KEYS = (
    Keys(
        "Queue",
        (
            ("j k", "next, previous attempt"),
            ("Enter", "open it"),
            ("b", "label it bona fide"),
            ("a", "label it an attack: opens it, and asks for the species"),
            ("u", "label it unsure"),
            ("z", "take the last label back"),
        ),
    ),
    Keys(
        "Attempt, and two side by side",
        (
            ("Space", "play, pause"),
            (". ,", "next, previous analysed frame"),
            ("ArrowRight ArrowLeft", "the same"),
            ("> <", "faster, slower"),
            ("+ -", "zoom in on the face, out"),
            ("0", "the whole picture"),
            ("o", "outlines of the face"),
            ("[ ]", "newer, older attempt of the queue"),
            ("w", "what if"),
            ("c", "compare"),
            ("b a u", "choose a label: bona fide, attack, unsure"),
        ),
    ),
    Keys("Everywhere", (("?", "this help"), ("Escape", "close it"))),
)
