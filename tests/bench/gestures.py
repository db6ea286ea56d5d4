"""Gestures that real people make by accident, and how many challenges they answer so.

`python -m tests.bench.gestures --devdata FOLDER` prints a line for each genuine recording, none of which was asked for a gesture,
with what the check sees in it; then, for random challenges of the path without words, how often

- the check passes, of all pairs of a challenge and a recording,
- the same where the turns are taken for granted and gestures beyond the asked ones are free,
- the first one, two, three … gestures of a challenge occur in a recording, in their order.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from rich.console import Console

from cameo_challenges.issue import recipe_in
from cameo_challenges.model import AnswerPath, Challenge
from cameo_verifier import profiles
from cameo_verifier.checks import gestures
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.gestures import Made
from cameo_verifier.evidence.picture import observe
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import Settings
from cameo_verifier.types import Evidence, FaceTrack, MediaInfo, Missing, Outcome
from tests.bench.people import frames_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_challenges.model import Gesture
    from cameo_verifier.profile import Profile

KINDS = ("bonafide", "bonafide/talkers", "headturn")
CHALLENGES = 1000
SEED = 19


def tracks(folder: Path, kit: ModelKit) -> dict[str, FaceTrack]:
    """Return the face track of each genuine recording, by its name."""
    found = {}
    for path in sorted(path for kind in KINDS for path in (folder / kind).glob("*.m[po][v4g]")):
        frames = frames_of(path, Settings())
        face = observe(frames, kit, duration_s=frames[-1].t_s)
        if isinstance(face, FaceTrack):
            found[path.name] = face
    return found


def challenges(count: int = CHALLENGES) -> list[Challenge]:
    """Return random challenges without words, the same each time."""
    recipe, rng = recipe_in("en", AnswerPath.TURNS_AND_GESTURES), Random(SEED)  # noqa: S311 - the same challenges each time
    return [Challenge(recipe.steps(rng.randrange(recipe.count))) for _ in range(count)]


def passes(face: FaceTrack, challenge: Challenge, profile: Profile) -> bool:
    """Whether the check takes a track for the answer to a challenge."""
    evidence = Evidence(MediaInfo("frames", 0, "", float(face.t_s[-1])), face, Missing(Reason.NO_AUDIO))
    return gestures.check(Case(evidence, challenge), profile).outcome is Outcome.PASS


def occur(asked: Sequence[Gesture], made: Sequence[Gesture | None]) -> bool:
    """Whether the asked gestures are a subsequence of those made."""
    rest = iter(made)
    return all(gesture in rest for gesture in asked)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True, help="folder of the calibration recordings")
    given = parser.parse_args()
    console, profile = Console(highlight=False, width=200), profiles.load()
    with ModelKit.open(Settings()) as kit:
        faces = tracks(given.devdata, kit)
    seen = {name: gestures.seen(face, profile) for name, face in faces.items()}
    made = {name: [each.gesture for each in found if isinstance(each, Made)] for name, found in seen.items()}
    for name, found in seen.items():
        turns = len(found) - len(made[name])
        shown = ", ".join(gesture or "other blinks" for gesture in made[name]) or "no gesture"
        console.print(f"{name:32} {faces[name].t_s[-1]:5.1f} s  {turns} turns, {shown}")
    asked = challenges()
    whole = sum(passes(face, challenge, profile) for face in faces.values() for challenge in asked)
    free = sum(occur(challenge.gestures, each) for each in made.values() for challenge in asked)
    pairs = len(asked) * len(faces)
    console.print(f"the check passes {whole} of {pairs} pairs of a challenge and a recording, with turns for granted {free}")
    for length in range(1, 4):
        count = sum(occur(challenge.gestures[:length], each) for each in made.values() for challenge in asked)
        console.print(f"the first {length} of the asked gestures occur in {count / pairs:.2%} of them")


if __name__ == "__main__":
    main()
