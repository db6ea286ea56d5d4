"""Tables and JSON of the report on lip synchronisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from cameo_verifier.checks.lips import judge
from cameo_verifier.review.lips import GENERATED, GENUINE, ClipFigures, LipsReport, area_under_roc
from cameo_verifier.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.evidence.lips import Agreement
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import CheckResult


def lips_document(report: LipsReport, profile: Profile) -> dict[str, Any]:
    """Return the report as plain values: figures by clip, and by kind of clip."""
    return {
        "clips": [_clip(clip, profile) for clip in report.clips],
        **{kind: _together(report.of(kind), profile) for kind in (GENUINE, GENERATED)},
    }


def lips_tables(report: LipsReport, profile: Profile) -> tuple[Table, Table, Table]:
    """Return three tables: the clips, the figures over all clips of a kind, and the results of every check on generated heads."""
    found = lips_document(report, profile)
    clips = Table(
        "clip", "agreement", "offset", "elsewhere", "worst parts", "speech", "AUC shifted", "AUC foreign", "outcome", box=None
    )
    for clip in found["clips"]:
        clips.add_row(
            clip["clip"],
            f"{clip['agreement']:.2f}",
            f"{clip['offset_ms']:+.0f} ms",
            f"{clip['elsewhere']:.2f}",
            f"{clip['worst_parts']:.2f}",
            f"{clip['seconds']:.1f} s",
            f"{clip['auc_shifted']:.2f}",
            f"{clip['auc_foreign']:.2f}",
            clip["outcome"],
        )
    sums = Table("clips", "of", "AUC shifted", "AUC foreign", "own refused", "shifted caught", "foreign caught", box=None)
    for kind in (GENUINE, GENERATED):
        for length, figures in found[kind].items():
            sums.add_row(
                f"{kind}, {length}",
                str(figures["own"]),
                f"{figures['auc_shifted']:.3f}",
                f"{figures['auc_foreign']:.3f}",
                f"{figures['own_refused']:.1%}",
                f"{figures['shifted_caught']:.1%} of {figures['shifted']}",
                f"{figures['foreign_caught']:.1%} of {figures['foreign']}",
            )
    generated = report.of(GENERATED)
    heads = Table("generated heads", *(clip.name for clip in generated), box=None)
    for answers in zip(*(clip.checks for clip in generated), strict=True):
        heads.add_row(answers[0].name, *map(_answer, answers))
    return clips, sums, heads


def _answer(result: CheckResult) -> str:
    score = "" if result.score is None else f" {result.score:.2f}"
    return f"{result.outcome.value}{score}"


def _clip(clip: ClipFigures, profile: Profile) -> dict[str, Any]:
    return {
        "clip": clip.name,
        "kind": clip.kind,
        "agreement": round(clip.own.score, 3),
        "offset_ms": round(clip.own.offset_s * 1e3),
        "elsewhere": round(clip.own.elsewhere, 3),
        "worst_parts": round(clip.own.part, 3),
        "seconds": round(clip.own.seconds, 2),
        "auc_shifted": area_under_roc([clip.own.distinct], _scores(clip.shifted)),
        "auc_foreign": area_under_roc([clip.own.distinct], _scores(clip.foreign)),
        "outcome": judge(clip.own, profile).outcome.value,
        "checks": {result.name: {"outcome": result.outcome.value, "score": result.score} for result in clip.checks},
    }


def _together(clips: Sequence[ClipFigures], profile: Profile) -> dict[str, dict[str, float]]:
    whole = ([clip.own for clip in clips], [a for c in clips for a in c.shifted], [a for c in clips for a in c.foreign])
    windows = (
        [a for c in clips for a in c.own_windows],
        [a for c in clips for a in c.shifted_windows],
        [a for c in clips for a in c.foreign_windows],
    )
    return {"whole": _figures(*whole, profile), "4 s windows": _figures(*windows, profile)}


def _figures(
    own: Sequence[Agreement], shifted: Sequence[Agreement], foreign: Sequence[Agreement], profile: Profile
) -> dict[str, float]:
    return {
        "own": len(own),
        "shifted": len(shifted),
        "foreign": len(foreign),
        "auc_shifted": area_under_roc(_scores(own), _scores(shifted)),
        "auc_foreign": area_under_roc(_scores(own), _scores(foreign)),
        "own_refused": _failed(own, profile),
        "shifted_caught": _failed(shifted, profile),
        "foreign_caught": _failed(foreign, profile),
    }


def _scores(found: Sequence[Agreement]) -> list[float]:
    return [agreement.distinct for agreement in found]


def _failed(found: Sequence[Agreement], profile: Profile) -> float:
    """Return the share the check refuses; clips it cannot judge count as not refused."""
    return float(np.mean([judge(agreement, profile).outcome is Outcome.FAIL for agreement in found])) if found else float("nan")
