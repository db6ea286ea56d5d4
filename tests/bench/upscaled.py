"""What upscaling a recording does to its spectrum, and what poor encoders and dark rooms do.

`python -m tests.bench.upscaled --devdata FOLDER` prints by how many dB more the spectrum of a recording falls from 0.16 to 0.28
cycles a pixel than from 0.36 to 0.48: as it is, encoded again, and upscaled from two thirds and half of its size.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_verifier.evidence.upscaling import Spectrum
from cameo_verifier.media.recording import open_recording
from cameo_verifier.settings import Settings
from tests.bench.integrity import Take, write

KINDS = ("bonafide", "headturn", "replay", "deepfake")
PICTURES = 8


def pictures(source: Path | bytes) -> list[np.ndarray]:
    """Return some pictures of a recording."""
    with open_recording(source, limits=Settings().media) as recording:
        found = [frame.rgb for frame in recording.frames(max_fps=6)]
    return found[:: max(1, len(found) // PICTURES)][:PICTURES]


def bend_db(shown: list[np.ndarray]) -> float:
    """Return how the spectrum of the pictures bends."""
    spectrum = Spectrum()
    for rgb in shown:
        spectrum.add(rgb)
    return spectrum.bend_db()


def upscaled(shown: list[np.ndarray], share: float) -> list[np.ndarray]:
    """Return pictures made smaller and upscaled again."""
    height, width = shown[0].shape[:2]
    small = (cv2.resize(p, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA) for p in shown)
    return [cv2.resize(p, (width, height), interpolation=cv2.INTER_CUBIC) for p in small]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True)
    folder = parser.parse_args().devdata
    table = Table("recording", "as it is", "CRF 30", "from 2/3", "from 1/2", box=None)
    silence = np.zeros(48_000, np.float32)
    for path in sorted(path for kind in KINDS for path in (folder / kind).glob("*.m[po][v4g]")):
        shown = pictures(path)
        versions = [(shown, 30), (upscaled(shown, 2 / 3), 23), (upscaled(shown, 0.5), 23)]
        again = [pictures(write(Take(version, 6, silence), crf=crf)) for version, crf in versions]
        table.add_row(f"{path.parent.name}/{path.name}", *(f"{bend_db(each):.1f}" for each in (shown, *again)))
    Console(width=120, highlight=False).print(table)


if __name__ == "__main__":
    main()
