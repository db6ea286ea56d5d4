"""Injection suite: rates of injection attacks by method and instrument, the terms of CEN/TS 18099.

An injection attack method brings an injection attack instrument to the server in place of a camera's pictures. APCER is the share
of attacks of one method and instrument that is accepted, as ISO/IEC 30107-3 has it of presentation attacks: never averaged over
cells. BPCER is the share of bona fide sessions that is neither accepted nor asked again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from cameo_verifier.review.error_rates import rate
from cameo_verifier.review.rendering import interval, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cameo_verifier.review.error_rates import Rate

WHAT = (
    "A simulation over the live session's protocol, in virtual time: nobody was filmed, and no driver or browser takes part. "
    "A method is what reaches the server of it; an instrument is rendered. The bona fide person is rendered as well, and stands "
    "in for a real one: the instruments render and relit are as good, and no recording shows the difference. "
    "Settings, container and times that the client states decide nothing."
)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Methods and instruments, each with what is simulated of it."""

    methods: Mapping[str, str]
    instruments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Played:
    """One session.

    Attributes:
        method: how it was injected; empty for the bona fide stand-in.
        instrument: what was injected; empty for the bona fide stand-in.
        verdict: name of the verdict; REFUSED where the session ended without one.
        reasons: names of its reasons, worst first.
    """

    method: str
    instrument: str
    verdict: str
    reasons: tuple[str, ...]


def injection_document(matrix: Matrix, played: Sequence[Played]) -> dict[str, Any]:
    """Return every cell with its rates and reasons, the bona fide stand-in's, and what is simulated, as plain values."""
    stand_ins = _of(played, "", "")
    return {
        "what": WHAT,
        "methods": dict(matrix.methods),
        "instruments": dict(matrix.instruments),
        "cells": [
            {
                "method": method,
                "instrument": instrument,
                "accepted": _rate(_share(found, "ACCEPTED")),
                "asked_again": _rate(_share(found, "RETRY")),
                "reasons": dict(_reasons(found)),
            }
            for method in matrix.methods
            for instrument in matrix.instruments
            if (found := _of(played, method, instrument))
        ],
        "bona_fide": {
            "bpcer": _rate(_share(stand_ins, "REJECTED", "REVIEW", "REFUSED", "UNSPECIFIED")),
            "asked_again": _rate(_share(stand_ins, "RETRY")),
            "reasons": dict(_reasons(stand_ins)),
        },
    }


def injection_tables(matrix: Matrix, played: Sequence[Played]) -> tuple[Table, ...]:
    """Return the matrix, what stopped each instrument, the bona fide stand-in, and what is simulated."""
    cells = Table("accepted of presented", *matrix.instruments, box=None, pad_edge=False)
    for method in matrix.methods:
        cells.add_row(method, *(_cell(_share(_of(played, method, each), "ACCEPTED")) for each in matrix.instruments))
    stopped = Table("instrument", "presented", "asked again", "95 % interval", "reasons", box=None, pad_edge=False)
    for instrument in matrix.instruments:
        found = [each for each in played if each.instrument == instrument]
        retries = _share(found, "RETRY")
        stopped.add_row(instrument, str(len(found)), percent(retries.share), interval(retries), _told(_reasons(found)))
    stand_ins = _of(played, "", "")
    wrong, retries = _share(stand_ins, "REJECTED", "REVIEW", "REFUSED", "UNSPECIFIED"), _share(stand_ins, "RETRY")
    bona_fide = Table(
        "bona fide stand-in", "BPCER", "95 % interval", "asked again", "95 % interval", "reasons", box=None, pad_edge=False
    )
    bona_fide.add_row(
        f"{len(stand_ins)} presented",
        *(text for each in (wrong, retries) for text in (percent(each.share), interval(each))),
        _told(_reasons(stand_ins)),
    )
    simulated = Table("method or instrument", "simulated as", box=None, pad_edge=False)
    for name, how in (*matrix.methods.items(), *matrix.instruments.items()):
        simulated.add_row(name, how)
    return cells, stopped, bona_fide, simulated


def _of(played: Sequence[Played], method: str, instrument: str) -> list[Played]:
    return [each for each in played if (each.method, each.instrument) == (method, instrument)]


def _share(played: Sequence[Played], *verdicts: str) -> Rate:
    return rate(sum(each.verdict in verdicts for each in played), len(played))


def _reasons(played: Sequence[Played]) -> list[tuple[str, int]]:
    return Counter(reason for each in played for reason in each.reasons).most_common()


def _cell(accepted: Rate) -> str:
    return f"{accepted.count} of {accepted.trials} ({interval(accepted)})"


def _told(reasons: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count}" for name, count in reasons)


def _rate(found: Rate) -> dict[str, float | int | None]:
    return {"count": found.count, "of": found.trials, "share": found.share, "low": found.low, "high": found.high}
