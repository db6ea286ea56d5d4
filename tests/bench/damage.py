"""How much of damage is told: random flipped bits in the pictures of a recording, by codec, and what its judge says of the rest.

`python -m tests.bench.damage [--flips N] [--verdicts]` prints it for the committed recording in each codec: how many flips change
some picture's thumbnail by 5 levels (RMS) and more, how many of those the check of damage tells, how many it tells of the others.
With `--verdicts` each recording that is shown and not told is judged, and its verdict and reasons are counted.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_challenges.model import Challenge
from cameo_verifier import profiles
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.pipeline import verify
from cameo_verifier.settings import Settings
from tests.faults.test_media_damage import _CODECS, _measured, _payload, _told, _whole

SHOWN = 5.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flips", type=int, default=40)
    parser.add_argument("--verdicts", action="store_true")
    asked = parser.parse_args()
    kit = ModelKit.open(Settings()) if asked.verdicts else None
    table = Table("codec", "bits", "shown", "of them told", "others told", "shown, not told: verdicts", box=None)
    for codec in _CODECS:
        data, clean = _whole(codec), list[np.ndarray]()
        _measured(data, clean)
        places = _payload(data)
        for bits in (1, 8):
            rng, count, verdicts = np.random.default_rng(100 + bits), Counter[str](), Counter[str]()
            for _ in range(asked.flips):
                changed, glances = bytearray(data), list[np.ndarray]()
                for at in rng.choice(places, bits, replace=False):
                    changed[at] ^= 1 << int(rng.integers(8))
                told = _told(_measured(bytes(changed), glances))
                apart = [float(np.sqrt(np.mean((one - other) ** 2))) for one, other in zip(clean, glances, strict=False)]
                shown = len(glances) < len(clean) or max(apart) >= SHOWN
                count[f"{'shown' if shown else 'other'}{' told' if told else ''}"] += 1
                if kit is not None and shown and not told:
                    found = verify(bytes(changed), Challenge(()), profile=profiles.load(), kit=kit, settings=Settings()).decision
                    verdicts[" ".join((found.verdict.value, *(reason.value for reason in found.reasons)))] += 1
            shown_count, other = count["shown"] + count["shown told"], count["other"] + count["other told"]
            said = "; ".join(f"{number} {verdict}" for verdict, number in verdicts.most_common())
            table.add_row(codec, f"{bits}", f"{shown_count}", f"{count['shown told']}", f"{count['other told']} of {other}", said)
    Console(width=200, highlight=False).print(table)


if __name__ == "__main__":
    main()
