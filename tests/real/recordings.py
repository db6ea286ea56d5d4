"""Whole recordings without a challenge: genuine people, replays on a display, and generated heads.

`python -m tests.real.recordings --devdata FOLDER` prints the rates. A recording counts as accepted where every check that needs
no challenge passes, lips among them where something is said. Generated heads answer no challenge here; a recording of one that
was driven by our steps is not at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cameo_challenges.model import Challenge
from cameo_verifier.checks import lips
from cameo_verifier.checks.question import Case
from cameo_verifier.decision import decide
from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.pipeline import askable, verify
from cameo_verifier.reasons import Kind
from cameo_verifier.types import SoundTrack, Verdict
from tests.real.finding import Item, finding
from tests.real.table import run

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.types import Decision
    from tests.real.finding import Finding, Real

QUESTION = "Is it a live person before the camera?"
GROUPS = {
    "genuine, talking": ("bonafide", "bonafide/talkers"),
    "genuine, turning the head": ("headturn",),
    "replays on a display": ("replay",),
    "generated heads": ("deepfake",),
}
GOALS = {
    ("genuine, talking", "accused"): "0 %",
    ("genuine, turning the head", "accused"): "0 %",
    ("replays on a display", "accepted"): "0 %",
}
KINDS = frozenset({".mpg", ".mp4", ".mov"})


class Told(NamedTuple):
    """A recording and what came of it; none of what is too long or too large to be judged."""

    name: str
    decision: Decision | None


def measure(real: Real) -> list[Finding]:
    """Return how many of each group are accepted, asked again and accused."""
    found = []
    for group, folders in GROUPS.items():
        paths = sorted(path for folder in folders for path in (real.folder / folder).iterdir() if path.suffix in KINDS)
        told = [_told(path, real) for path in paths]
        judged = [each for each in told if each.decision is not None]
        for what, holds in (("accepted", _accepted), ("asked again", _asked_again), ("accused", _accused)):
            items = [Item(_name(each), holds(each)) for each in judged]
            found.append(finding(QUESTION, group, what, items, goal=GOALS.get((group, what), "")))
    return found


def _told(path: Path, real: Real) -> Told:
    try:
        judgement = verify(path, Challenge(()), profile=real.profile, kit=real.kit, settings=real.settings)
    except UnjudgeableError:
        return Told(path.name, None)
    profile = real.profile.judging(minor=judgement.minor_safeguards)
    results = list(judgement.checks)
    if isinstance(judgement.evidence.sound, SoundTrack) and len(judgement.evidence.sound.speech):
        results.append(lips.check(Case(judgement.evidence, Challenge(())), profile))
    foreign = {each.name for each in askable(real.settings) if not each.applies(Challenge(()))} | {"elapsed"}
    return Told(path.name, decide(results, profile, exempt=foreign - {result.name for result in results}))


def _name(each: Told) -> str:
    return " ".join((each.name, *(each.decision.reasons if each.decision else ())))


def _accepted(each: Told) -> bool:
    return each.decision is not None and each.decision.verdict is Verdict.ACCEPTED


def _asked_again(each: Told) -> bool:
    return each.decision is not None and each.decision.verdict is Verdict.RETRY


def _accused(each: Told) -> bool:
    return each.decision is not None and any(reason.kind is Kind.ATTACK for reason in each.decision.reasons)


if __name__ == "__main__":
    run(measure, __doc__)
