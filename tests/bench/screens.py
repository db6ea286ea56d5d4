"""What speaks for a display or a print: crops near and far, its border, the grid of a display, rolling bands.

`python -m tests.bench.screens --devdata FOLDER` prints it for real recordings and portraits, with `--suite FOLDER` for the clips
of `python -m fixtures.studio suite` too. Only the picture is looked at.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_verifier.evidence.continuity import Glances
from cameo_verifier.evidence.flicker import band_depth
from cameo_verifier.evidence.moire import GridSearch
from cameo_verifier.evidence.picture import Stopwatch, observe
from cameo_verifier.media.recording import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.settings import Settings
from cameo_verifier.types import FaceTrack, Frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KINDS = ("bonafide", "bonafide/talkers", "headturn", "replay", "deepfake")
SPECIES = ("bona_fide", "tablet", "phone", "screen", "print", "photo")
OF_NONE = float("nan")


@dataclass(frozen=True, slots=True)
class Screens:
    """One recording: 20th percentiles of p(live), wide and close, depth of bands, cost.

    bezel: the second most covered border; grid: of all frames together, in deviations; grid_max: the most that some first ones of
    them show.
    darkest: level of the darkest parts, the 0.5th percentile of the least of red, green and blue.
    """

    wide: float
    close: float
    bezel: float
    grid: float
    grid_max: float
    flicker: float
    cost_ms: float
    darkest: float


def measure(path: Path, kit: ModelKit, settings: Settings) -> Screens:
    """Return what a video file measures."""
    glances, watch = Glances(), Stopwatch()
    with open_recording(path, limits=settings.media) as source:
        dark: list[float] = []
        frames = _noting_dark(source.frames(max_fps=settings.analysis_fps, glance=glances.add), dark)
        face = observe(frames, kit, duration_s=source.info.duration_s, timings_ms=watch)
    bands = band_depth(glances.t_s, glances.thumbnails)
    if not isinstance(face, FaceTrack):
        return Screens(OF_NONE, OF_NONE, OF_NONE, OF_NONE, OF_NONE, bands, OF_NONE, OF_NONE)
    grid = face.grid[np.isfinite(face.grid)]
    wide, close = (float(np.quantile(live, 0.2)) if len(live) else OF_NONE for live in (face.live, face.live_close))
    typical, most = (float(grid[-1]), float(grid.max())) if len(grid) else (OF_NONE, OF_NONE)
    border = float(np.sort(face.bezel)[-2]) if len(face.bezel) > 1 else OF_NONE
    cost_ms = watch.get("close_up", 0.0) + watch.get("moire", 0.0) + watch.get("bezel", 0.0)
    return Screens(wide, close, border, typical, most, bands, cost_ms, float(np.median(dark)))


def _noting_dark(frames: Iterable[Frame], dark: list[float]) -> Iterator[Frame]:
    """Yield the same frames; of one in eight the level of the darkest parts is added to `dark`."""
    for number, frame in enumerate(frames):
        if number % 8 == 0:
            dark.append(float(np.percentile(frame.rgb.min(axis=2), 0.5)))
        yield frame


def portraits(folder: Path, kit: ModelKit, settings: Settings) -> tuple[list[float], list[float]]:
    """Return the grid of each portrait on which it can be measured, and p(live) of the closer crop of each."""
    grids, close = [], []
    for path in sorted(folder.glob("*.jpg")):
        with open_recording(path, limits=settings.media) as source, kit.landmarker(max_faces=1, video=False) as landmarker:
            for frame in source.frames(max_fps=None):
                for face in landmarker.detect(Frame(0.0, frame.rgb)):
                    grids.append(GridSearch().add(frame.rgb, face.landmarks))
                    close.extend(kit.presentation_attack.score_close(frame.rgb, face.landmarks))
    return [grid for grid in grids if np.isfinite(grid)], close


def suite(folder: Path, half: str) -> dict[str, list[Path]]:
    """Return the clips of one half by species, of the species in question."""
    clips: dict[str, list[Path]] = defaultdict(list)
    for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        name = Path(entry["file"]).stem.rsplit("-", 1)[0]
        if name.startswith(SPECIES) and half in {entry["half"], "both"}:
            clips[name].append(folder / entry["file"])
    return clips


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True, help="folder of the calibration recordings")
    parser.add_argument("--suite", type=Path, help="folder of the attack suite")
    parser.add_argument("--half", choices=("calibrate", "report", "both"), default="both", help="of the suite")
    given = parser.parse_args()
    settings, console = Settings(), Console(width=150, highlight=False)
    table = Table("recording", "p(live) wide", "close", "border", "grid", "most", "bands", "ms", "darkest", box=None)
    with ModelKit.open(settings) as kit:
        paths = [path for kind in KINDS for path in sorted((given.devdata / kind).glob("*.m[po][v4g]"))]
        for path in paths:
            found = measure(path, kit, settings)
            shown = [f"{value:.2f}" for value in (found.wide, found.close, found.bezel, found.grid, found.grid_max)]
            table.add_row(
                f"{path.parent.name}/{path.name}", *shown, f"{found.flicker:.4f}", f"{found.cost_ms:.0f}", f"{found.darkest:.0f}"
            )
        console.print(table)
        grids, close = portraits(given.devdata / "faces", kit, settings)
        console.print(f"{len(grids)} portraits: grid at most {max(grids):.2f}, closer crop at least {min(close):.2f}")
        if given.suite is None:
            return
        table = Table("species", "clips", "p(live) wide", "close", "border", "grid", "bands", "darkest", box=None)
        for name, clips in sorted(suite(given.suite, given.half).items()):
            all_found = [measure(path, kit, settings) for path in clips]
            ranges = [
                f"{np.nanmin(values):.{digits}f} to {np.nanmax(values):.{digits}f}"
                for values, digits in (
                    ([each.wide for each in all_found], 2),
                    ([each.close for each in all_found], 2),
                    ([each.bezel for each in all_found], 2),
                    ([each.grid for each in all_found], 2),
                    ([each.flicker for each in all_found], 4),
                    ([each.darkest for each in all_found], 0),
                )
            ]
            table.add_row(name, f"{len(clips)}", *ranges)
        console.print(table)


if __name__ == "__main__":
    main()
