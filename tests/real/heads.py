"""Generated heads, cropped to the face: which checks stop each of them, and which would if turns had been asked.

`python -m tests.real.heads --devdata FOLDER` prints them. No head here was driven by our steps, so that "with turns" says only
that a head which does not turn is stopped; one that is driven live turns as asked, and then `depth` and the checks of the
picture remain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.model import Challenge, Turn, TurnHead
from cameo_verifier.checks import lips
from cameo_verifier.checks.question import Case
from cameo_verifier.decision import counts_against
from cameo_verifier.evidence.collect import collect
from cameo_verifier.media.recording import open_recording
from cameo_verifier.pipeline import askable
from cameo_verifier.types import Frame, SoundTrack
from tests.bench.excuses import SOUND_HZ, written
from tests.bench.people import frames_of
from tests.real.finding import Item, finding
from tests.real.table import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.types import Evidence
    from tests.real.finding import Finding, Real

QUESTION = "What stops a generated head?"
TURNS = Challenge((TurnHead(Turn.LEFT), TurnHead(Turn.UP)))
AROUND = 0.6
"""How much of the face's width is left on every side of it."""


def measure(real: Real) -> list[Finding]:
    """Return how many heads are stopped with and without turns, then one line for each head."""
    heads = {}
    for path in sorted((real.folder / "deepfake").glob("*.mp4")):
        frames = cropped(frames_of(path, real.settings), real)
        with open_recording(path, limits=real.settings.media) as source:
            sound = source.sound()[: round(frames[-1].t_s * SOUND_HZ)]
        evidence = collect(written(frames, sound), real.kit, settings=real.settings)
        heads[path.stem] = [_stopping(evidence, challenge, real) for challenge in (Challenge(()), TURNS)]
    found = [
        finding(QUESTION, group, "stopped", [Item(name, bool(checks[at])) for name, checks in heads.items()])
        for at, group in enumerate(("generated heads, nothing asked", "generated heads, two turns asked"))
    ]
    for name, (bare, turning) in heads.items():
        items = [Item(", ".join(turning), check in bare) for check in turning]
        found.append(finding(QUESTION, name, "of those checks without turns", items))
    return found


def cropped(frames: Sequence[Frame], real: Real) -> list[Frame]:
    """Return the part of the pictures that holds the head, the same in all of them."""
    with real.kit.landmarker(max_faces=1, video=False) as landmarker:
        seen = [faces[0].landmarks[:, :2] for frame in frames[:: max(1, len(frames) // 8)] if (faces := landmarker.detect(frame))]
    low, high = np.min([each.min(0) for each in seen], axis=0), np.max([each.max(0) for each in seen], axis=0)
    around = AROUND * float(high[0] - low[0])
    height, width = frames[0].rgb.shape[:2]
    left, top = (max(0, int(at - around)) for at in low)
    right, bottom = (min(side, int(at + around)) for at, side in zip(high, (width, height), strict=True))
    rows, columns = slice(top, top + (bottom - top) // 2 * 2), slice(left, left + (right - left) // 2 * 2)
    return [Frame(frame.t_s, np.ascontiguousarray(frame.rgb[rows, columns])) for frame in frames]


def _stopping(evidence: Evidence, challenge: Challenge, real: Real) -> list[str]:
    results = [each.check(Case(evidence, challenge), real.profile) for each in askable(real.settings) if each.applies(challenge)]
    if isinstance(evidence.sound, SoundTrack) and len(evidence.sound.speech):
        results.append(lips.check(Case(evidence, challenge), real.profile))
    return [each.name for each in results if counts_against(each, real.profile.role(each.name))]


if __name__ == "__main__":
    run(measure, __doc__)
