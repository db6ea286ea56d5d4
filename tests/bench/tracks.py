"""What tracks cost: their size, and how long an attempt takes from them and from its recording.

    python -m tests.bench.tracks

Milliseconds are of processor time, the median over the committed recordings, each judged from its tracks a few times.
"""

from __future__ import annotations

import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console

from cameo_verifier import profiles
from cameo_verifier.evidence.tracks import Tracks, from_bytes, to_bytes
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.pipeline import verify
from cameo_verifier.review.rejudge import rejudge
from cameo_verifier.settings import Settings
from fixtures.manifest import load

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMES = 5


def _spent_ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1e3


def main() -> None:
    """Print the figures."""
    settings, profile = Settings(overlap=False), profiles.load()
    sizes, writing, reading, judging, whole = [], [], [], [], []
    with ModelKit.open(settings) as kit:
        kit.preload()
        for fixture in load():
            recording, challenge = fixture.file.read_bytes(), fixture.challenge
            began = time.process_time()
            judgement = verify(recording, challenge, profile=profile, kit=kit, settings=settings)
            whole.append((time.process_time() - began) * 1e3)
            tracks = Tracks(judgement.evidence, judgement.circumstances)
            kept = to_bytes(tracks)
            sizes.append(len(kept) / judgement.evidence.media.duration_s)
            writing.append(median(_spent_ms(partial(to_bytes, tracks)) for _ in range(_TIMES)))
            reading.append(median(_spent_ms(partial(from_bytes, kept)) for _ in range(_TIMES)))
            judging.append(median(_spent_ms(partial(rejudge, tracks, challenge, profile)) for _ in range(_TIMES)))
    console = Console(highlight=False)
    again = median(reading) + median(judging)
    console.print(f"size       {median(sizes) / 1e3:6.1f} kB a second, {median(sizes) * 12 / 1e3:.0f} kB for 12 s")
    console.print(f"write      {median(writing):6.1f} ms")
    console.print(f"read       {median(reading):6.1f} ms")
    console.print(f"judge      {median(judging):6.1f} ms, with reading {6e4 / again:.0f} attempts a minute on one core")
    console.print(f"recording  {median(whole):6.1f} ms, {median(whole) / again:.0f} times as long")


if __name__ == "__main__":
    main()
