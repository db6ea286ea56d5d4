"""What each question of the picture and the sound measures on real recordings, without a challenge.

Run it with `python -m tests.bench.recordings --devdata FOLDER`; the figures behind the thresholds of the default profile.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from cameo_challenges.model import Challenge
from cameo_verifier import profiles
from cameo_verifier.checks import gaze, loudness, noise, speaker
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.movements import movements
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.pipeline import verify
from cameo_verifier.settings import Settings
from cameo_verifier.types import FaceTrack

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import CheckResult, Judgement

KINDS = ("bonafide", "bonafide/talkers", "headturn", "replay", "deepfake")
SCORES = (
    "frame_rate",
    "light",
    "sharpness",
    "face_size",
    "presence",
    "alone",
    "same_person",
    "presentation_attack",
    "age",
    "blink",
)
ALONE = (gaze, loudness, noise, speaker)
"""Checks that a challenge would ask for, put to the recording without one."""


def cell(result: CheckResult) -> str:
    """Return a score, marked where the check did not pass."""
    shown = "-" if result.score is None else f"{result.score:.2f}"
    return shown if result.outcome.value == "pass" else f"{shown} {result.outcome.value}"


def row(name: str, judgement: Judgement, profile: Profile) -> list[str]:
    """Return one recording's line of the table."""
    by_name = {check.name: check for check in judgement.checks}
    alone = [module.check(Case(judgement.evidence, Challenge(())), profile) for module in ALONE]
    face = judgement.evidence.face
    turns = ""
    if isinstance(face, FaceTrack):
        limits = {"min_deg": profile["turn_deg_min"].value, "centre_deg": profile["turn_centre_deg_max"].value}
        turns = " ".join(f"{m.turn.value[0]}{m.peak_deg:.0f}" for m in movements(face.t_s, face.pose_deg, **limits))
    verdict = f"{judgement.decision.verdict} {' '.join(judgement.decision.reasons)}"
    return [name, *(cell(by_name[score]) for score in SCORES), *map(cell, alone), turns, verdict]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True)
    folder = parser.parse_args().devdata
    settings, profile = Settings(), profiles.load()
    table = Table("recording", *SCORES, *(module.NAME for module in ALONE), "turns", "verdict", box=None, pad_edge=False)
    with ModelKit.open(settings) as kit:
        for path in sorted(path for kind in KINDS for path in (folder / kind).glob("*.m[po][v4g]")):
            judgement = verify(path, Challenge(()), profile=profile, kit=kit, settings=settings)
            table.add_row(*row(f"{path.parent.name}/{path.name}", judgement, profile))
    Console(width=260, highlight=False).print(table)


if __name__ == "__main__":
    main()
