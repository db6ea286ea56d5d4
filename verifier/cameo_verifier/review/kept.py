"""What a site's own error rates are of: labelled attempts by the verdict they were given, and how many have evidence still.

An attempt whose evidence is gone cannot be judged again and is in no rate. Where that happens to accepted attempts more than to
others, as under a policy that keeps nothing of them, BPCER is too high and APCER too low; the other way round they err the other
way. Every rate is shown with what it is of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cameo_verifier.store.attempts.labels import Truth
from cameo_verifier.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from cameo_verifier.store.attempts.labels import Label, Standing

BONA_FIDE = "bona_fide"


@dataclass(frozen=True, slots=True)
class Kept:
    """Attempts of one label that were given one verdict: how many are in the rates, of how many with that label.

    name: the species, or `bona_fide`.
    """

    name: str
    verdict: Verdict
    kept: int
    labelled: int


def named(label: Label | None) -> str:
    """Return the species of a label or `bona_fide`; empty without one."""
    if label is None:
        return ""
    return label.species if label.truth is Truth.ATTACK else BONA_FIDE


def settled(standing: Mapping[str, Standing]) -> dict[str, str]:
    """Return what each attempt is by its settled label, see `named`; attempts without one are left out."""
    return {attempt_id: name for attempt_id, each in standing.items() if (name := named(each.settled))}


def kept_of(labels: Mapping[str, str], verdicts: Mapping[str, Verdict], in_rates: Collection[str]) -> tuple[Kept, ...]:
    """Count.

    Args:
        labels: what each labelled attempt is.
        verdicts: what each was given when it was judged.
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
    """Return what the rate of a species, or of bona fide attempts, is of, and what is wrong with it, in words."""
    own = [each for each in kept if each.name == name]
    text = _listed((each.kept, each) for each in own) or "none"
    if gone := _listed((each.labelled - each.kept, each) for each in own):
        text += f"; no evidence of {gone}"
    return f"{text}: {wrong}" if (wrong := _wrong(own, name)) else text


def document(kept: Iterable[Kept]) -> list[dict[str, Any]]:
    """Return the same as JSON."""
    return [{"name": k.name, "verdict": k.verdict.value, "kept": k.kept, "labelled": k.labelled} for k in kept]


def _listed(counted: Iterable[tuple[int, Kept]]) -> str:
    return ", ".join(f"{count} {each.verdict.value.lower()}" for count, each in counted if count)


def _wrong(own: Iterable[Kept], name: str) -> str:
    accepted = [each for each in own if each.verdict is Verdict.ACCEPTED]
    others = [each for each in own if each.verdict is not Verdict.ACCEPTED]
    if not accepted or not others:
        # Of one kind alone: what is gone of it moves the rate only where nothing is left.
        return ""
    share, rest = _share(accepted), _share(others)
    if share == rest:
        return ""
    high = (share < rest) == (name == BONA_FIDE)
    return f"the rate is too {'high' if high else 'low'}"


def _share(some: list[Kept]) -> float:
    return sum(each.kept for each in some) / sum(each.labelled for each in some)
