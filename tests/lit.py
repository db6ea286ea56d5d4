"""Faces that a display lights, for tests: computed colours of places of skin and background."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.colours import linear
from cameo_verifier.evidence.screen_light import PLACES, SKIN
from cameo_verifier.live_record import Arrival, LiveRecord, Reveal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.types import F32, F64

FPS = 15.0
T_S: F64 = np.arange(round(8.0 * FPS)) / FPS
SENT_S = (0.7, 1.4, 2.2, 2.8, 3.6, 4.3, 5.1)
DELAY_S = 0.2


def record(*, arrives_s: float = 0.1) -> LiveRecord:
    """Return a session whose pictures each arrive so long after they were taken, in slices of their own."""
    return LiveRecord(
        colours=tuple(Reveal(sent) for sent in SENT_S), arrivals=tuple(Arrival(float(t), float(t) + arrives_s) for t in T_S)
    )


def lit(
    colours: Sequence[int],
    *,
    share: float = 0.1,
    background: float = 0.0,
    delay_s: float = DELAY_S,
    gain: F64 | float = 1.0,
    noise: float = 0.003,
    seed: int = 1,
) -> F32:
    """Return (N, PLACES, 3) linear colours of a face in front of a display.

    Args:
        colours: what the display shows from `SENT_S` on.
        share: its light on the face, as a share of the room's.
        background: the same of the background, as a share of that on the face.
        delay_s: from when a colour is sent to when the camera sees it.
        gain: (N, 3) of exposure and white balance.
        noise: of each place and picture, in nats.
        seed: of surfaces and noise.
    """
    rng = np.random.default_rng(seed)
    shown = np.searchsorted(np.array(SENT_S) + delay_s, T_S, side="right") - 1
    light = np.where(shown[:, None] >= 0, np.array([linear(colour) for colour in colours])[shown], 0.0)
    reach = np.where(np.arange(PLACES) < len(SKIN), 1.0, background)
    seen = rng.uniform(0.1, 0.5, (PLACES, 3)) * (1 + share * reach[:, None] * light[:, None, :])
    seen = seen * np.exp(rng.normal(0, noise, seen.shape)) * np.reshape(gain, (-1, 1, 3) if np.ndim(gain) else ())
    return np.asarray(seen, np.float32)


def landmarks() -> F32:
    """Return (N, 478, 3) landmarks of a head at rest."""
    rng = np.random.default_rng(2)
    return np.repeat(rng.uniform(100, 200, (1, 478, 3)), len(T_S), axis=0).astype(np.float32)
