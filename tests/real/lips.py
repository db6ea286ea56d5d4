"""Lips and sound of real talkers: their own sound, the same beside the picture, and the sound of others.

`python -m tests.real.lips --devdata FOLDER` prints the rates. "Accepted" is the answer of the check alone, without a challenge.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cameo_challenges.model import Challenge
from cameo_verifier.checks import lips
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.collect import collect
from cameo_verifier.evidence.lips import clearest
from cameo_verifier.types import FaceTrack, Outcome, SoundTrack
from tests.bench.out_of_step import SUFFIXES, late
from tests.real.finding import Item, finding
from tests.real.table import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.types import CheckResult, Evidence
    from tests.real.finding import Finding, Real

QUESTION = "Do the lips say what is heard?"
DEVICE_S = (0.25, -0.25, 0.5, -0.5, 1.0, -1.0)
"""Shifts of a recorder: asked again, or passed where a device may be that late."""
SHIFTED_S = (1.5, -1.5, 2.0, -2.0, 3.0, -3.0)
"""Shifts that no device has."""
SMALL_PX, FEW_FPS = 300, 12.0
ENGLISH = frozenset({".mpg"})
"""GRID's clips; of the others some are Russian, and of some the language is not said."""
GROUPS: dict[str, Callable[[str, Evidence], bool]] = {
    "genuine talkers": lambda _name, _clip: True,
    "of them at 12 pictures a second and more": lambda _name, clip: clip.media.fps >= FEW_FPS,
    "of them pictures under 300 px": lambda _name, clip: min(clip.media.width, clip.media.height) < SMALL_PX,
    "of them English, GRID": lambda name, _clip: Path(name).suffix in ENGLISH,
    "of them other languages": lambda name, _clip: Path(name).suffix not in ENGLISH,
    "of them never seen when lips were drawn": lambda name, _clip: Path(name).stem.isdigit(),
}
"""VoxCeleb's talkers are numbered, and no viseme or line of acceptance was drawn by them."""


def measure(real: Real) -> list[Finding]:
    """Return the rates of genuine talkers, of shifted and of foreign sound."""
    clips = dict(_talkers(real))

    def asked(clip: Evidence, sound: SoundTrack) -> CheckResult:
        return lips.check(Case(replace(clip, sound=sound), Challenge(())), real.profile)

    own, beside, shifted, foreign = [], [], [], []
    for name, clip in clips.items():
        assert isinstance(clip.sound, SoundTrack)
        own.append((name, asked(clip, clip.sound), clip))
        beside += [(f"{name} {s:+g} s", asked(clip, late(clip.sound, s)), clip) for s in DEVICE_S]
        shifted += [
            (f"{name} {s:+g} s", asked(clip, late(clip.sound, s)), clip) for s in SHIFTED_S if abs(s) <= clip.sound.duration_s - 1
        ]
        foreign += [
            (f"{name} with the sound of {other}", asked(clip, each.sound), replace(clip, sound=each.sound))
            for other, each in clips.items()
            if other != name and isinstance(each.sound, SoundTrack)
        ]

    def accused(name: str, result: CheckResult, clip: Evidence) -> Item:
        return Item(name, result.outcome is Outcome.FAIL, -_peak(clip))

    def passed(name: str, result: CheckResult, clip: Evidence) -> Item:
        return Item(name, result.outcome is Outcome.PASS, _peak(clip))

    def again(name: str, result: CheckResult, clip: Evidence) -> Item:
        return Item(name, result.outcome is Outcome.UNABLE, -_peak(clip))

    found = []
    for group, holds in GROUPS.items():
        members = [each for each in own if holds(each[0], each[2])]
        found += [
            finding(QUESTION, group, "accused", [accused(*each) for each in members], goal="0 %"),
            finding(QUESTION, group, "asked again", [again(*each) for each in members]),
            finding(QUESTION, group, "passed", [passed(*each) for each in members]),
        ]
    return [
        *found,
        finding(QUESTION, "their sound up to 1 s beside the picture", "accused", [accused(*each) for each in beside], goal="0 %"),
        finding(QUESTION, "their sound up to 1 s beside the picture", "accepted", [passed(*each) for each in beside]),
        finding(QUESTION, "their sound 1.5 to 3 s shifted", "accepted", [passed(*each) for each in shifted], goal="<= 2 %"),
        finding(QUESTION, "the sound of another talker", "accepted", [passed(*each) for each in foreign], goal="<= 5 %"),
    ]


def _talkers(real: Real) -> list[tuple[str, Evidence]]:
    paths = sorted(path for path in (real.folder / "bonafide").rglob("*") if path.suffix in SUFFIXES)
    clips = [(path.name, collect(path, real.kit, settings=real.settings)) for path in paths]
    return [
        (name, clip)
        for name, clip in clips
        if isinstance(clip.face, FaceTrack) and isinstance(clip.sound, SoundTrack) and len(clip.sound.speech)
    ]


def _peak(clip: Evidence) -> float:
    """Return how well lips and sound agree at the clearest offset."""
    assert isinstance(clip.face, FaceTrack)
    assert isinstance(clip.sound, SoundTrack)
    found = clearest(clip.face, clip.sound)
    return found.distinct + found.part


if __name__ == "__main__":
    run(measure, __doc__)
