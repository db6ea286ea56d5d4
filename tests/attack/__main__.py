"""Attack a server, and print what it did and what an honest client saw meanwhile: `make attack`.

`python -m tests.attack [ATTACK …]` starts `cameo serve` on a free loopback port, takes the time that a verdict usually takes, and
tries the attacks one after the other, each with an honest upload meanwhile. It ends with 1 where a bound is broken, or an attack
was not tried because the time was over.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from tests.attack import (
    aliased_mov,
    busy_database,
    clock_jump,
    crash_in_verdict,
    full_disk,
    gzip_swell,
    idle_streams,
    lost_workers,
    stuck_log,
    trickles,
)
from tests.attack.bounds import Row, Seen, table
from tests.attack.honest import VERDICT, Honest, upload
from tests.attack.site import Site

ATTACKS = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        gzip_swell,
        aliased_mov,
        trickles,
        idle_streams,
        stuck_log,
        lost_workers,
        busy_database,
        full_disk,
        crash_in_verdict,
        clock_jump,
    )
}
LONGEST_S = 400.0
"""Of one attack, after which it counts as not held."""

console = Console(width=160)
progress = Console(stderr=True)


async def tried(site: Site, name: str, within_s: float) -> Row:
    """Try one attack, and see that the next honest upload, which nobody disturbs, gets its verdict as well."""
    site.count_anew()
    began, usual_s = time.monotonic(), site.usual_s
    try:
        async with asyncio.timeout(within_s):
            seen = await ATTACKS[name].attack(site)
            down_s, peak_mb = site.down_s, site.peak_mb
            if (after := await undisturbed(site)).verdict != VERDICT:
                seen = replace(seen, broken=(*seen.broken, f"after it an honest upload ended with {after.verdict}"))
    except Exception as error:  # noqa: BLE001 - the next attack is tried, and the table is printed, whatever went wrong here
        took_s = time.monotonic() - began
        why = "it was not over in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
        seen = Seen(f"unknown after {took_s:.0f} s", Honest("unknown", took_s), (why,))
        down_s, peak_mb = site.down_s, site.peak_mb
    return Row(name, seen, usual_s, down_s, peak_mb)


async def undisturbed(site: Site) -> Honest:
    """Upload while nobody attacks; the slower of the last two such verdicts is the usual time."""
    honest = await upload(site)
    site.undisturbed_s.append(honest.took_s)
    return honest


async def run(names: list[str], until: float) -> list[Row]:
    """Try the attacks until a moment of the monotonic clock."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder))
        try:
            await site.start()
            if {(await undisturbed(site)).verdict, (await undisturbed(site)).verdict} != {VERDICT}:
                sys.exit(f"without an attack an honest upload is not {VERDICT}")
            progress.print(f"a verdict takes {site.usual_s:.1f} s")
            for name in names:
                left_s = until - time.monotonic()
                if left_s <= 0:
                    break
                progress.print(f"{name} …")
                rows.append(await tried(site, name, min(LONGEST_S, left_s)))
                progress.print(f"  {rows[-1].seen.server}; {rows[-1].seen.honest}")
        finally:
            await asyncio.to_thread(site.kill)
    return rows


def main() -> int:
    """Attack, print, and return what the process ends with."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"all of them by default: {', '.join(ATTACKS)}")
    parser.add_argument("--minutes", type=float, default=5.0, help="after which no further attack begins")
    given = parser.parse_args()
    names = given.attacks or list(ATTACKS)
    if unknown := sorted(set(names) - set(ATTACKS)):
        parser.error(f"no such attack: {', '.join(unknown)}")
    rows = asyncio.run(run(names, time.monotonic() + 60 * given.minutes))
    console.print(table(rows))
    broken = [f"{row.attack}: {each}" for row in rows for each in row.broken]
    broken += [f"{name}: not tried, the {given.minutes:g} minutes were over" for name in names[len(rows) :]]
    for each in broken:
        console.print(each)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
