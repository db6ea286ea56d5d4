"""How far the sharpest change of the picture stands out in real recordings, as they are and with fewer pictures a second.

A slower camera is stood in for by the first picture of each of its slots. Run it with
`python -m tests.bench.cuts --devdata FOLDER`, with `--suite FOLDER` for cuts between two takes beside it; the figures behind
`cut_step_max` of the default profile.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_verifier.evidence.continuity import Glances
from cameo_verifier.evidence.cuts import sharpest_cut
from cameo_verifier.media import open_recording
from cameo_verifier.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cameo_verifier.evidence.cuts import Cut

KINDS = ("headturn", "bonafide", "bonafide/talkers")
RATES = (15.0, 12.5, 10.0)
PHASES = (0.0, 0.25, 0.5, 0.75)


def glances(path: Path) -> Glances:
    """Return the thumbnails of a recording."""
    seen, settings = Glances(), Settings()
    with open_recording(path, limits=settings.media) as source:
        for _ in source.frames(max_fps=1, glance=seen.add):
            pass
    return seen


def thinned(seen: Glances, fps: float, phase: float = 0.0) -> Cut:
    """Return the sharpest cut of what a camera of `fps` pictures a second would have taken."""
    t_s, pictures = np.array(seen.t_s), np.stack(seen.thumbnails).astype(np.float32)
    slot = np.floor((t_s - t_s[0]) * fps + phase + 1e-6)
    kept = np.concatenate([[True], np.diff(slot) > 0])
    return sharpest_cut(t_s[kept], pictures[kept])


def show(paths: Iterable[Path], console: Console) -> None:
    """Print a line for each recording: the score as it is and the highest of the phases at each rate."""
    table = Table("recording", "as it is", *(f"{fps:g} a second" for fps in RATES), box=None)
    for path in paths:
        seen = glances(path)
        most = [max(thinned(seen, fps, phase).score for phase in PHASES) for fps in RATES]
        whole = sharpest_cut(np.array(seen.t_s), np.stack(seen.thumbnails).astype(np.float32)).score
        table.add_row(f"{path.parent.name}/{path.name}", *(f"{score:.2f}" for score in (whole, *most)))
    console.print(table)


def main() -> None:
    """Print the table of real recordings, then that of a suite's cuts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True, help="folder of the calibration recordings")
    parser.add_argument("--suite", type=Path, help="folder of a suite, for its cuts between two takes")
    given = parser.parse_args()
    console = Console(width=120, highlight=False)
    show(sorted(path for kind in KINDS for path in (given.devdata / kind).glob("*.m[po][v4g]")), console)
    if given.suite:
        show(sorted(given.suite.glob("spliced-*.mp4")), console)


if __name__ == "__main__":
    main()
