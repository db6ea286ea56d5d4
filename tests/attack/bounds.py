"""What must hold whatever the attack is, and the table that says whether it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table

from tests.attack.honest import VERDICT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.attack.honest import Honest

FRONT_MB = 600.0
"""Memory of the front process, in MB."""
TIMES = 2.0
"""How much longer than usual an honest upload may take, or longer than it was told."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an attack saw. server: what the server answered and did. broken: what had to hold for this attack and did not."""

    server: str
    honest: Honest
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One attack.

    usual_s: of a verdict without one. down_s: how long no server could have given one that was due. peak_mb: the most memory
    of the front process.
    """

    attack: str
    seen: Seen
    usual_s: float
    down_s: float
    peak_mb: float

    @property
    def times(self) -> float:
        """The time to the verdict, without that in which there could be none, over the usual one."""
        return (self.seen.honest.took_s - self.down_s) / self.usual_s

    @property
    def broken(self) -> tuple[str, ...]:
        """What did not hold, in words.

        A delay is truthful if the verdict comes within twice the first one that was told and the usual time together: that is
        what a client plans by.
        """
        honest, found = self.seen.honest, list(self.seen.broken)
        if self.peak_mb >= FRONT_MB:
            found.append(f"the front process had {self.peak_mb:.0f} MB, and may have {FRONT_MB:.0f}")
        if honest.verdict != VERDICT:
            found.append(f"the honest upload ended with {honest.verdict}, not {VERDICT}")
        told_s = honest.told_s[0] if honest.told_s else 0.0
        if honest.took_s - self.down_s > TIMES * (self.usual_s + told_s):
            found.append(
                f"the honest upload took {honest.took_s:.1f} s, {self.down_s:.1f} s of it while no verdict was possible; "
                f"{self.usual_s:.1f} s are usual, and it was told {told_s:.1f} s"
            )
        return tuple(found)


def table(rows: Iterable[Row]) -> Table:
    """Return the rows as a table."""
    made = Table("attack", "the server", "front process", "honest client", "usual", "over usual", "held")
    for row in rows:
        held = "no" if row.broken else "yes"
        made.add_row(
            row.attack,
            row.seen.server,
            f"{row.peak_mb:.0f} MB",
            str(row.seen.honest),
            f"{row.usual_s:.1f} s",
            f"{row.times:.1f}",
            held,
        )
    return made
