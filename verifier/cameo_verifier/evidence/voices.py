"""Word groups: form the shortest speech segments that support a speaker embedding, a few words each, bounded by word times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.match import tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_challenges.languages import Language
    from cameo_verifier.types import F32, F64, ScoredWord

GROUP_S = 0.8
"""A group is closed once it is this long; the kit's speaker network separates speakers half as well below it."""
LEAST_S = 0.5
"""A shorter group supports no embedding."""
MARGIN_S = 0.05
"""Added on both sides: the recogniser's times cut into the first and the last sound of a word."""


def word_groups(spoken: Sequence[str], forced: Sequence[ScoredWord], of: Language) -> F64:
    """Return (G, 2) seconds of the groups of words, in order; none crosses the end of a text.

    Words are added until the group is `GROUP_S` long; the remainder at the end of a text joins the group before.

    Args:
        spoken: texts that were asked, in order.
        forced: their words force-aligned to the sound, one for each token.
        of: the language of the texts.
    """
    spans: list[tuple[float, float]] = []
    words = iter(forced)
    for text in spoken:
        own: list[tuple[float, float]] = []
        start: float | None = None
        end = 0.0
        for _, word in zip(tokens(text, of), words, strict=False):
            start, end = word.start_s if start is None else start, word.end_s
            if end - start >= GROUP_S:
                own.append((start, end))
                start = None
        if start is not None:
            own.append((own.pop()[0] if own else start, end))
        spans += own
    kept = [(max(0.0, start - MARGIN_S), end + MARGIN_S) for start, end in spans if end - start >= LEAST_S]
    return np.array(kept, np.float64).reshape(-1, 2)


def strangeness(group_s: F64, embeddings: F32) -> tuple[float, int]:
    """Return the lowest cosine of a group to the mean of all others, and the index of that group.

    The mean is weighted by length. Meant for two groups and more.
    """
    seconds = group_s[:, 1] - group_s[:, 0]
    weighted = embeddings.astype(np.float64) * seconds[:, None]
    others = weighted.sum(axis=0) - weighted
    likeness = (embeddings * others).sum(axis=1) / np.maximum(np.linalg.norm(others, axis=1), 1e-12)
    least = int(np.argmin(likeness))
    return float(likeness[least]), least
