"""Whether the glints in the eyes tell a live face from a replay or a print: tried, and they do not at the sizes at hand.

`python -m tests.bench.eye_glints --devdata FOLDER` prints for each recording how large an iris is, how bright the brightest spot
in it is over the rest of it, how far that spot lies apart in the two eyes, and how much it wanders, in radii of the iris.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_verifier.media.recording import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cameo_verifier.types import F32, Frame

KINDS = ("bonafide", "headturn", "replay", "deepfake")
LOOKED_AT = 40
_IRISES = ((468, (469, 470, 471, 472)), (473, (474, 475, 476, 477)))
_LIDS = ((159, 145), (386, 374))
_SIDE = 33
_RIGHT, _DOWN = (axis.astype(np.float32) for axis in np.meshgrid(*[np.linspace(-1, 1, _SIDE)] * 2))
_INSIDE = np.hypot(_RIGHT, _DOWN) < 0.9
"""Without the edge of the white."""


def glint(grey: F32, landmarks: F32, eye: int) -> tuple[float, float, float, float] | None:
    """Return radius in px, levels of the spot over the iris, and its place, right and down in radii; nothing of a closed eye."""
    (middle, ring), (upper, lower) = _IRISES[eye], _LIDS[eye]
    x, y = landmarks[middle, :2]
    radius = float(np.linalg.norm(landmarks[list(ring), :2] - landmarks[middle, :2], axis=1).mean())
    if np.linalg.norm(landmarks[upper, :2] - landmarks[lower, :2]) < radius:
        return None
    iris = cv2.remap(grey, x + _RIGHT * radius, y + _DOWN * radius, cv2.INTER_LINEAR)
    spot = int(np.where(_INSIDE, cv2.GaussianBlur(iris, (0, 0), 1.5), -1.0).argmax())
    over = float(np.percentile(iris[_INSIDE], 99) - np.median(iris[_INSIDE]))
    return radius, over, float(_RIGHT.flat[spot]), float(_DOWN.flat[spot])


def both(frames: list[Frame], kit: ModelKit) -> Iterator[tuple[float, ...]]:
    """Yield what is measured of both eyes, of the frames in which both are open."""
    with kit.landmarker(max_faces=1, video=True) as landmarker:
        for frame in frames[:: max(1, len(frames) // LOOKED_AT)]:
            for face in landmarker.detect(frame):
                grey = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
                right, left = (glint(grey, face.landmarks, eye) for eye in (0, 1))
                if right and left:
                    yield (*right, *left)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True)
    folder, settings = parser.parse_args().devdata, Settings()
    table = Table("recording", "frames", "iris, px", "spot, levels", "eyes apart", "wanders", box=None)
    with ModelKit.open(settings) as kit:
        for path in sorted(path for kind in KINDS for path in (folder / kind).glob("*.m[po][v4g]")):
            with open_recording(path, limits=settings.media) as source:
                rows = np.array(list(both(list(source.frames(max_fps=settings.analysis_fps)), kit)))
            if not len(rows):
                table.add_row(f"{path.parent.name}/{path.name}", "0")
                continue
            apart = np.hypot(rows[:, 2] - rows[:, 6], rows[:, 3] - rows[:, 7])
            wanders = np.hypot(rows[:, 2].std(), rows[:, 3].std())
            figures = (np.median(rows[:, 0]), np.median(rows[:, [1, 5]]), np.median(apart), wanders)
            shown = [f"{value:.{digits}f}" for value, digits in zip(figures, (1, 0, 2, 2), strict=True)]
            table.add_row(f"{path.parent.name}/{path.name}", f"{len(rows)}", *shown)
    Console(width=120, highlight=False).print(table)


if __name__ == "__main__":
    main()
