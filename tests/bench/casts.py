"""What a cast of colour does to the presentation-attack network, and what is left of it in the score.

`python -m tests.bench.casts --devdata FOLDER` prints, for people and displays under five casts, the least, the median and the
most of the wide crop and of the closer one, by the network alone and as it is scored; and the median colour of the portraits'
faces, which is `cameo_verifier.models.presentation_attack.SKIN`.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_verifier.media.recording import open_recording
from cameo_verifier.models.crop import crop_scaled, face_box
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from cameo_verifier.models.presentation_attack import PresentationAttackScorer
    from cameo_verifier.types import F32, F64, U8

CASTS = {
    "as it is": (1, 1, 1),
    "warm": (1.15, 1, 0.85),
    "a little warm": (1.06, 1, 0.93),
    "cool": (0.85, 1, 1.15),
    "green": (1, 1.1, 1),
}
GROUPS = {
    "portraits": ("faces", "screens_still/genuine"),
    "displays, single pictures": ("screens_still/screen",),
    "genuine videos": ("bonafide", "bonafide/talkers", "headturn"),
    "replay videos": ("replay",),
}
FRAMES = 6


class Picture(NamedTuple):
    """A face: of which recording, the picture and its landmarks."""

    name: str
    rgb: U8
    landmarks: F32


def pictures(folder: Path, kit: ModelKit, settings: Settings) -> list[Picture]:
    """Return the faces of a folder's photographs, and of a few frames of each of its videos."""
    paths = sorted(folder.glob("*.jpg") if "screens" in str(folder) or folder.name == "faces" else folder.glob("*.m[po][4vg]"))
    found = []
    with kit.landmarker(max_faces=1, video=False) as landmarker:
        for path in paths:
            with open_recording(path, limits=settings.media) as source:
                frames = list(source.frames(max_fps=None if source.still else 1.0))
            for frame in frames[:: max(1, len(frames) // FRAMES)][:FRAMES]:
                found += [Picture(path.name, frame.rgb, face.landmarks) for face in landmarker.detect(frame)]
    return found


def alone(network: PresentationAttackScorer, scale: float, rgb: U8, landmarks: F32) -> float:
    """Return what the network says of a crop as it is."""
    return network._probability(crop_scaled(rgb, face_box(landmarks), scale=scale, side_px=128))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True, help="folder of the real recordings")
    folder, settings, console = parser.parse_args().devdata, Settings(), Console(width=150, highlight=False)
    table = Table("whose", "cast", "wide, network alone", "wide, scored", "closer, network alone", "closer, scored", box=None)
    with ModelKit.open(settings) as kit:
        network = kit.presentation_attack
        groups = {
            group: [each for name in names for each in pictures(folder / name, kit, settings)] for group, names in GROUPS.items()
        }
        colours = [_colour(each) for each in groups["portraits"]]
        for (group, faces), (cast, gains) in product(groups.items(), CASTS.items()):
            rows: dict[str, list[tuple[float, ...]]] = {}
            for name, rgb, landmarks in faces:
                shown = np.clip(rgb * np.array(gains), 0, 255).astype(np.uint8)
                scores = (
                    alone(network, 2.7, shown, landmarks),
                    network.score(shown, landmarks),
                    alone(network, 1.8, shown, landmarks),
                    float(np.mean(network.score_close(shown, landmarks))),
                )
                rows.setdefault(name, []).append(scores)
            low = np.array([np.quantile(each, 0.2, axis=0) for each in rows.values()])
            spread = np.quantile(low, (0.0, 0.5, 1.0), axis=0)
            table.add_row(group, cast, *(" ".join(f"{value:.2f}" for value in column) for column in spread.T))
    console.print(table)
    console.print(
        "portraits, red, green and blue of the face over their mean, medians: "
        + " ".join(f"{c:.2f}" for c in np.median(colours, 0))
    )


def _colour(face: Picture) -> F64:
    inner = crop_scaled(face.rgb, face_box(face.landmarks), scale=0.6, side_px=32).reshape(-1, 3).mean(axis=0)
    return np.asarray(inner / inner.mean())


if __name__ == "__main__":
    main()
