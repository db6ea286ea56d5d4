"""How alike unrelated answers are by chance, and how much more the best of many is: the lines of `seen_before`.

Run it with `python -m tests.bench.unrelated --takes N --seed S`. Answers to issued challenges are planned by the studio and not
drawn: the points of the face are those it would draw, with the landmarker's jitter; the sound is what it records. Every two are
compared. A generalised Pareto distribution is fitted to the upper 5 % of all pairs, and again with recordings drawn with
replacement; from it comes what one pair in so many reaches, beside the profile's line among as many.
Some 0.3 s a take and 2 ms a pair.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from math import log10
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy import stats
from scipy.signal import resample_poly

from cameo_challenges.issue import issue
from cameo_verifier import profiles
from cameo_verifier.evidence.fingerprint import Matcher, fingerprint
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.settings import Settings
from cameo_verifier.types import FaceTrack, Fingerprint
from fixtures.studio import portrait, soundtrack, timeline
from fixtures.studio.expression import Expression
from fixtures.studio.head import Head
from fixtures.studio.motion import blinks, poses
from fixtures.studio.portrait import Persona
from fixtures.studio.visemes import lips_at
from fixtures.studio.voices import Voice

if TYPE_CHECKING:
    from fixtures.studio.timeline import Timeline

FPS = 15
JITTER_PX, JITTER_DEG = 0.15, 0.25
FALSE_ALARM = 1e-4
"""Of one attempt, whatever number of recordings it is held against."""
MANY = tuple(10**power for power in range(6))
TAIL = 0.05
DRAWS = 40
_ISSUED = datetime(2026, 1, 1, tzinfo=UTC)
_PEOPLE = tuple(product((Voice.REED, Voice.STEPH, Voice.HEART, Voice.BARITONE), (Persona.ASTRONAUT, Persona.ADMIRAL)))


@dataclass(frozen=True, slots=True)
class Planned:
    """An answer's fingerprint, and who says it."""

    print_: Fingerprint
    voice: Voice


def planned(seed: int, heads: dict[Persona, Head]) -> Planned:
    """Return an answer to a challenge of its own; person and voice go by the seed."""
    challenge = issue(rng=Random(seed), now=_ISSUED, ttl=timedelta(minutes=3))  # noqa: S311 - a reproducible draw
    voice, persona = _PEOPLE[seed % len(_PEOPLE)]
    pauses, room, _, body, jitter = np.random.default_rng(seed).spawn(5)
    plan = timeline.lay(challenge.steps, [voice] * len(challenge.steps), pauses)
    sound = resample_poly(soundtrack.record(plan, room, noise_dbfs=-55.0), 1, 3).astype(np.float32)
    face = _face(plan, heads[persona], body, jitter)
    return Planned(fingerprint(face, sound, challenge.spoken), voice)


def _face(plan: Timeline, head: Head, body: np.random.Generator, jitter: np.random.Generator) -> FaceTrack:
    times_s = np.arange(int(plan.duration_s * FPS)) / FPS
    turned, closed = poses(plan, times_s, body), blinks(plan, times_s, body)
    lips = lips_at(list(plan.phonemes), times_s, smiles=head.smiles)
    everything = np.ones(478)
    points = np.stack(
        [head._place(head._face.deform(Expression(moved)), pose, everything)[0] for moved, pose in zip(lips, turned, strict=True)]
    )
    for upper, lower in ((159, 145), (386, 374)):
        # The studio draws lids over the eye; the landmarker sees the gap close.
        middle = (points[:, upper] + points[:, lower]) / 2
        for lid in (upper, lower):
            points[:, lid] = middle + (points[:, lid] - middle) * (1 - 0.8 * closed)[:, None]
    size = np.linalg.norm(points[:, 234] - points[:, 454], axis=1)
    points += jitter.normal(0, JITTER_PX, points.shape)
    pose_deg = np.array([(pose.yaw, pose.pitch, pose.roll) for pose in turned])
    pose_deg += jitter.normal(0, JITTER_DEG, pose_deg.shape)
    none, count = np.zeros(0, np.float32), len(times_s)
    return FaceTrack(
        t_s=times_s, faces=np.ones(count, np.int32),
        landmarks=np.concatenate([points, np.zeros((count, 478, 1))], axis=2).astype(np.float32),
        pose_deg=pose_deg.astype(np.float32), blendshapes=np.zeros((count, 52), np.float32), face_px=size.astype(np.float32),
        luma=none, sharpness=none, identity_t_s=np.zeros(0), identity_yaw_deg=none, embeddings=np.zeros((0, 512), np.float32),
        live_t_s=np.zeros(0), live=none, ages=none,
    )  # fmt: skip


def likenesses(takes: list[Planned]) -> tuple[np.ndarray, np.ndarray]:
    """Return (N, N) likeness by movement and by sound of every two, the diagonal NaN."""
    motion, sound = np.full((2, len(takes), len(takes)), np.nan)
    for row, one in enumerate(track(takes, "pairs")):
        matcher = Matcher(one.print_)
        for column in range(row + 1, len(takes)):
            motion[row, column] = motion[column, row] = matcher.motion(takes[column].print_)
            sound[row, column] = sound[column, row] = matcher.sound(takes[column].print_)
    return motion, sound


def reached(values: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return what one value in 1 / share reaches, by a generalised Pareto distribution of the upper `TAIL`."""
    start = float(np.quantile(values, 1 - TAIL))
    shape, _, scale = stats.genpareto.fit(values[values > start] - start, floc=0)
    return np.asarray(start + stats.genpareto.isf(shares / TAIL, shape, scale=scale))


def _table(name: str, alike: np.ndarray, line: float, rise: float, own: np.ndarray | None = None) -> Table:
    """Return the tail of all pairs, or of those marked in `own`, and how far it scatters when recordings are drawn again."""
    pairs = np.triu(np.ones(alike.shape, bool), 1) & (True if own is None else own)
    values = alike[pairs]
    shares = FALSE_ALARM / np.array(MANY)
    rng = np.random.default_rng(0)
    scatter = []
    for _ in range(DRAWS):
        drawn = rng.integers(0, len(alike), len(alike))
        again = np.ix_(drawn, drawn)
        # A recording that is drawn twice is no pair of two.
        kept = np.triu(pairs[again] | pairs.T[again], 1) & (drawn[:, None] != drawn[None, :])
        scatter.append(reached(alike[again][kept], shares))
    low, high = np.quantile(scatter, [0.025, 0.975], axis=0)
    middle, most = np.median(values), values.max()
    table = Table("kept", "reached by one attempt in 10,000", "95 % of draws", "line", title=f"{name}, {len(values)} pairs")
    table.caption = f"median {middle:.2f}, 99 % {np.quantile(values, 0.99):.2f}, most {most:.2f}"
    for many, found, lowest, highest in zip(MANY, reached(values, shares), low, high, strict=True):
        table.add_row(f"{many:,}", f"{found:.2f}", f"{lowest:.2f} to {highest:.2f}", f"{line + rise * log10(many):.2f}")
    return table


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--takes", type=int, default=220)
    parser.add_argument("--seed", type=int, default=910_000, help="of the first; the others follow")
    given = parser.parse_args()
    with ModelKit.open(Settings()) as kit, closing(kit.landmarker(max_faces=1, video=False)) as landmarker:
        heads = {persona: Head(portrait.load(persona, landmarker)) for persona in (Persona.ASTRONAUT, Persona.ADMIRAL)}
    takes = [planned(seed, heads) for seed in track(range(given.seed, given.seed + given.takes), "takes")]
    motion, sound = likenesses(takes)
    voices = np.array([take.voice for take in takes])
    same = voices[:, None] == voices[None, :]
    profile, console = profiles.load(), Console(highlight=False)
    lines = {half: (profile[f"seen_{half}_max"].value, profile[f"seen_{half}_rise_max"].value) for half in ("motion", "sound")}
    console.print(_table("movement", motion, *lines["motion"]))
    console.print(_table("sound, other voices", sound, *lines["sound"], ~same))
    console.print(_table("sound, one synthetic voice, other words", sound, *lines["sound"], same))


if __name__ == "__main__":
    main()
