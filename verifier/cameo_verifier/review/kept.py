"""Coverage of a site's own error rates: labelled attempts by verdict, and how many still have evidence.

An attempt whose evidence was removed cannot be judged again and is in no rate. If that happens to accepted attempts more than to
others, as under a policy that keeps nothing of them, BPCER is too high and APCER too low; in the opposite case they err the other
way. Every rate is shown with its coverage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cameo_verifier.store.attempts.labels import Truth
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from cameo_verifier.store.attempts.labels import Consensus, Label

BONA_FIDE = "bona_fide"


@dataclass(frozen=True, slots=True)
class Kept:
    """The coverage of one label and verdict: attempts in the rates, of all with that label.

    name: the species, or `bona_fide`.
    """

    name: str
    verdict: Verdict
    kept: int
    labelled: int


def named(label: Label | None) -> str:
    """Return the species of a label, or `bona_fide`; empty without a label."""
    if label is None:
        return ""
    return label.species if label.truth is Truth.ATTACK else BONA_FIDE


def settled(consensus: Mapping[str, Consensus]) -> dict[str, str]:
    """Return the settled label of each attempt, see `named`; attempts without one are left out."""
    return {attempt_id: name for attempt_id, each in consensus.items() if (name := named(each.settled))}


def kept_of(labels: Mapping[str, str], verdicts: Mapping[str, Verdict], in_rates: Collection[str]) -> tuple[Kept, ...]:
    """Count the coverage by label and verdict.

    Args:
        labels: the label of each labelled attempt.
        verdicts: the stored verdict of each.
        in_rates: the ids of those that could be judged again.
    """
    counted: dict[tuple[str, Verdict], list[bool]] = {}
    for attempt_id, name in labels.items():
        if (verdict := verdicts.get(attempt_id)) is not None:
            counted.setdefault((name, verdict), []).append(attempt_id in in_rates)
    order = list(Verdict)
    return tuple(
        Kept(name, verdict, sum(there), len(there))
        for (name, verdict), there in sorted(counted.items(), key=lambda item: (item[0][0], order.index(item[0][1])))
    )


def told(kept: Iterable[Kept], name: str) -> str:
    """Return the coverage of the rate of a species, or of bona fide attempts, and its bias, in words."""
    own = [each for each in kept if each.name == name]
    text = _listed((each.kept, each) for each in own) or "none"
    if gone := _listed((each.labelled - each.kept, each) for each in own):
        text += f"; no evidence of {gone}"
    return f"{text}: {wrong}" if (wrong := _wrong(own, name)) else text


def document(kept: Iterable[Kept]) -> list[dict[str, Any]]:
    """Return the coverage as JSON."""
    return [{"name": k.name, "verdict": k.verdict.value, "kept": k.kept, "labelled": k.labelled} for k in kept]


def _listed(counted: Iterable[tuple[int, Kept]]) -> str:
    return ", ".join(f"{count} {each.verdict.value.lower()}" for count, each in counted if count)


def _wrong(own: Iterable[Kept], name: str) -> str:
    accepted = [each for each in own if each.verdict is Verdict.ACCEPTED]
    others = [each for each in own if each.verdict is not Verdict.ACCEPTED]
    if not accepted or not others:
        # With one kind alone, missing evidence changes the rate only if nothing is left.
        return ""
    share, rest = _share(accepted), _share(others)
    if share == rest:
        return ""
    high = (share < rest) == (name == BONA_FIDE)
    return f"the rate is too {'high' if high else 'low'}"


def _share(some: list[Kept]) -> float:
    return sum(each.kept for each in some) / sum(each.labelled for each in some)
