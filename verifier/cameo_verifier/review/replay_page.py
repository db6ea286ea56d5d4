"""A replay as one HTML page: each number opens on the attempts behind it, and each attempt on the checks that moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.review.kept import told
from cameo_verifier.review.rendering import percent, render
from cameo_verifier.review.replay_diff import moved

if TYPE_CHECKING:
    from cameo_verifier.review.replay_diff import Difference


def replay_page(found: Difference) -> str:
    """Return the page."""
    rates = (*found.species, found.bpcer, found.retries)
    return render(
        "replay.html",
        title=f"Replay: {found.profile.name}",
        found=found,
        boxes=_boxes(found),
        said={change.name: told(found.kept, change.name) for change in rates},
        replayed=[(each, moved(each)) for each in found.replayed],
    )


def _boxes(found: Difference) -> list[tuple[str, str]]:
    flipped = sum(len(flip.attempt_ids) for flip in found.flips)
    worst = found.species[0] if found.species else None
    return [
        (str(flipped), f"of {len(found.replayed)} verdicts flip"),
        (f"{len(found.reproduced)}", "reproduced bit for bit"),
        (
            percent(worst.after.share) if worst else "–",
            f"APCER of the worst species, {percent(worst.before.share)} before" if worst else "no labelled attack",
        ),
        (percent(found.bpcer.after.share), f"BPCER, {percent(found.bpcer.before.share)} before"),
    ]
