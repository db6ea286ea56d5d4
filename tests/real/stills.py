"""Single photographs: genuine portraits, and photographs of displays and prints that show a face.

`python -m tests.real.stills --devdata FOLDER` prints the rates of the network alone, on the crop that `presentation_attack`
looks at and on the closer ones of `close_up`. A still is never accepted by the service; it is what one frame of a recording
shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.real.finding import Item, finding
from tests.real.table import run
from verifier.media.recording import open_recording

if TYPE_CHECKING:
    from pathlib import Path

    from tests.real.finding import Finding, Real

QUESTION = "Does one picture show a display or a print?"


class Scores(NamedTuple):
    """Probabilities of a live face: of the wide crop, and the least of the closer ones."""

    wide: float
    close: float


def measure(real: Real) -> list[Finding]:
    """Return how many genuine stills either crop refuses, and how many displays."""
    genuine = _scores((real.folder / "screens_still/genuine", real.folder / "faces"), real)
    displays = _scores((real.folder / "screens_still/screen", real.folder / "replay"), real)
    wide, close = (real.profile[name].value for name in ("live_p20_min", "live_close_p20_min"))

    def items(scores: dict[str, Scores], which: tuple[str, ...]) -> list[Item]:
        lines = {"wide": wide, "close": close}
        return [
            Item(name, any(getattr(each, crop) < lines[crop] for crop in which), 1 - min(getattr(each, crop) for crop in which))
            for name, each in scores.items()
        ]

    found = []
    for group, scores, goal in (("genuine portraits", genuine, "0 %"), ("displays and prints", displays, ">= 92 %")):
        for what, which in (("the wide crop", ("wide",)), ("the closer crops", ("close",)), ("either", ("wide", "close"))):
            found.append(finding(QUESTION, group, f"refused by {what}", items(scores, which), goal=goal * (what == "either")))
    return found


def _scores(folders: tuple[Path, ...], real: Real) -> dict[str, Scores]:
    found = {}
    with real.kit.landmarker(max_faces=1, video=False) as landmarker:
        for path in sorted(path for folder in folders for path in folder.glob("*.jpg")):
            if path.name == "image_T1.jpg":
                continue  # a genuine face in the folder of replays
            with open_recording(path, limits=real.settings.media) as source:
                for frame in source.frames(max_fps=None):
                    for face in landmarker.detect(frame):
                        network = real.kit.presentation_attack
                        close = min(map(float, network.score_close(frame.rgb, face.landmarks)))
                        found[path.name] = Scores(float(network.score(frame.rgb, face.landmarks)), close)
    return found


if __name__ == "__main__":
    run(measure, __doc__)
