"""Single photographs: genuine portraits, and photographs of displays and prints that show a face.

`python -m tests.real.stills --devdata FOLDER` prints what the checks `presentation_attack`, `close_up` and `bezel` say of each,
as if every frame of a recording were that photograph. The service accepts no still.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cameo_challenges.model import Challenge
from cameo_verifier.checks import bezel, close_up, presentation_attack
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.collect import collect
from cameo_verifier.evidence.picture import BEZEL_FRAMES, LIVE_FRAMES
from cameo_verifier.reasons import Kind
from cameo_verifier.types import FaceTrack, Outcome
from tests.real.finding import Item, finding
from tests.real.table import run

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.types import CheckResult
    from tests.real.finding import Finding, Real

QUESTION = "Does one picture show a display or a print?"
CHECKS = (presentation_attack, close_up, bezel)


class Still(NamedTuple):
    """A photograph and what the checks say of it."""

    name: str
    results: tuple[CheckResult, ...]

    def refused(self, names: tuple[str, ...]) -> bool:
        """Whether one of the checks named calls it an attack."""
        return any(each.name in names and each.reason is not None and each.reason.kind is Kind.ATTACK for each in self.results)

    @property
    def asked_again(self) -> bool:
        """Whether no check calls it an attack, and one does not pass."""
        return not self.refused(tuple(check.NAME for check in CHECKS)) and any(
            each.outcome is not Outcome.PASS for each in self.results
        )


def measure(real: Real) -> list[Finding]:
    """Return how many genuine stills each check refuses, and how many displays."""
    groups = {
        "genuine portraits": ("screens_still/genuine", "faces"),
        "the genuine ones beside the displays": ("screens_still/genuine",),
        "displays": ("screens_still/screen",),
        "displays and prints": ("screens_still/screen", "replay"),
    }
    goals = {"genuine portraits": "0 %", "the genuine ones beside the displays": "0 %", "displays": ">= 12 of 13"}
    everything = tuple(check.NAME for check in CHECKS)
    found = []
    for group, folders in groups.items():
        stills = _stills(tuple(real.folder / folder for folder in folders), real)
        for what, names in (*((f"refused by {name}", (name,)) for name in everything), ("refused by any", everything)):
            items = [Item(still.name, still.refused(names)) for still in stills]
            found.append(finding(QUESTION, group, what, items, goal=goals.get(group, "") if names is everything else ""))
        found.append(finding(QUESTION, group, "asked again", [Item(still.name, still.asked_again) for still in stills]))
    return found


def _stills(folders: tuple[Path, ...], real: Real) -> list[Still]:
    found = []
    for path in sorted(path for folder in folders for path in folder.glob("*.jpg")):
        if path.name == "image_T1.jpg":
            continue  # a genuine face in the folder of replays
        evidence = collect(path, real.kit, settings=real.settings)
        if not isinstance(face := evidence.face, FaceTrack):
            continue
        frames = replace(
            evidence,
            face=replace(
                face,
                live=np.repeat(face.live, LIVE_FRAMES),
                live_close=np.repeat(face.live_close, LIVE_FRAMES // 2, axis=0),
                bezel=np.repeat(face.bezel, BEZEL_FRAMES),
            ),
        )
        found.append(Still(path.name, tuple(check.check(Case(frames, Challenge(())), real.profile) for check in CHECKS)))
    return found


if __name__ == "__main__":
    run(measure, __doc__)
