"""How often sound stops at once: as recorded, and with pieces of it pasted into silence.

`python -m tests.bench.sound_cuts --devdata FOLDER` prints it for every recording of the folder that has sound.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_verifier import profiles
from cameo_verifier.evidence.sound_cuts import stops
from cameo_verifier.media.recording import open_recording
from cameo_verifier.settings import Settings

RATE_HZ = 16_000
SUFFIXES = frozenset({".mpg", ".mp4", ".mov", ".wav", ".flac"})
PIECE_S, EVERY_S = 0.4, 0.6
LONG_S = 5.0
"""Shorter sounds hold too few pieces to be an answer."""


def pasted(sound: np.ndarray) -> np.ndarray:
    """Return the pieces of a sound that are 0.4 s long, with 0.2 s of silence in place of what is between them."""
    within_s = np.arange(len(sound)) / RATE_HZ % EVERY_S
    return np.where(within_s < PIECE_S, sound, np.float32(0)).astype(np.float32)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True)
    folder = parser.parse_args().devdata
    limit = profiles.load()["sound_stops_max"]
    found: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
    for path in sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES):
        with open_recording(path, limits=Settings().media) as recording:
            sound = recording.sound() if recording.info.audio_codec else np.zeros(0, np.float32)
        if len(sound):
            edited = len(stops(pasted(sound))) if len(sound) >= LONG_S * RATE_HZ else None
            found[str(path.parent.relative_to(folder))].append((len(stops(sound)), edited))
    table = Table("kind", "sounds", "stops: how many", "fail", "of 5 s and more, pasted", "least tenth", "pass", box=None)
    for kind, counts in found.items():
        whole = Counter(count for count, _ in counts)
        edited = [each for _, each in counts if each is not None]
        table.add_row(
            kind,
            f"{len(counts)}",
            ", ".join(f"{stop}: {count}" for stop, count in sorted(whole.items())),
            f"{sum(not limit.holds(count) for count, _ in counts)}",
            f"{len(edited)}",
            f"{np.quantile(edited, 0.1):.0f}" if edited else "",
            f"{sum(limit.holds(count) for count in edited)}",
        )
    Console(width=150, highlight=False).print(table)


if __name__ == "__main__":
    main()
