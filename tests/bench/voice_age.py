"""Whether a voice tells how old its speaker is: children and teenagers against adults, of `speech/accented`.

1. The speech of each clip is cut out by voice activity.
2. Pitch: the median over voiced frames of the lag at which the sound is most like itself, 60 to 500 Hz; of a speaker, the median
   over the clips.
3. Voice embedding: the mean over a speaker's clips, told apart by a linear least-squares model with a penalty (`_PENALTY`) that
   is fitted on all other speakers.
4. Each is judged by the area under its curve, by speaker, with a 95 % interval over draws of the speakers.

Run it with `python -m tests.bench.voice_age --devdata FOLDER`. Everything is drawn from a seed.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_verifier.media import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.settings import MediaLimits, Settings

if TYPE_CHECKING:
    from cameo_verifier.types import F32, F64

RATE_HZ = 16_000
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 500.0
_FRAME_S, _HOP_S = 0.04, 0.02
_VOICED = 0.5  # of the sound's energy, at the best lag
_PENALTY = 1.0  # of the weights' length; embeddings have unit length
_DRAWS = 2000
_CHILD, _ADULT = 13, 18


class Speaker(NamedTuple):
    """One voice: age in years, gender as the index has it, median pitch in Hz, mean embedding (512,)."""

    age: int
    gender: str
    pitch_hz: float
    embedding: F64


def pitch_hz(speech: F32) -> float:
    """Return the median pitch of (n,) speech over its voiced frames; not a number where there is none."""
    size, hop = round(_FRAME_S * RATE_HZ), round(_HOP_S * RATE_HZ)
    least, most = round(RATE_HZ / _HIGHEST_HZ), round(RATE_HZ / _LOWEST_HZ)
    found = []
    for start in range(0, len(speech) - size - most, hop):
        frame, later = speech[start : start + size], speech[start : start + size + most]
        power = np.convolve(later.astype(np.float64) ** 2, np.ones(size), "valid")
        alike = np.correlate(later, frame, "valid") / np.sqrt(np.maximum(power * power[0], 1e-12))
        # The shortest of nearly best lags: twice the period is as good as the period itself.
        window = alike[least : most + 1]
        lag = least + int(np.flatnonzero(window >= 0.9 * window.max())[0])
        while lag < most and alike[lag + 1] > alike[lag]:
            lag += 1
        if alike[lag] >= _VOICED:
            found.append(RATE_HZ / lag)
    return float(np.median(found)) if found else float("nan")


def speakers(folder: Path, kit: ModelKit) -> list[Speaker]:
    """Measure every speaker of the folder's index."""
    clips = defaultdict(list)
    about = {}
    with (folder / "index.tsv").open() as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            about[row["speaker"]] = int(row["age"]), row["gender"]
            with open_recording(folder / row["file"], limits=MediaLimits(max_bytes=1 << 26)) as source:
                sound = source.sound()
            bounds = np.round(kit.voice_activity.segments(sound) * RATE_HZ).astype(int)
            speech = np.concatenate([np.zeros(0, np.float32), *(sound[start:end] for start, end in bounds)])
            if len(speech) >= RATE_HZ:
                clips[row["speaker"]].append((pitch_hz(speech), kit.speaker.embed(speech)))
    measured = []
    for name, of_clips in clips.items():
        pitches, embeddings = zip(*of_clips, strict=True)
        measured.append(Speaker(*about[name], float(np.nanmedian(pitches)), np.mean(embeddings, axis=0, dtype=np.float64)))
    return measured


def by_voice(group: list[Speaker], adults: list[Speaker]) -> tuple[F64, F64]:
    """Return how much of the group each voice is, by a model of all others: (N,) for the group and (M,) for the adults."""
    embeddings = np.stack([speaker.embedding for speaker in (*group, *adults)])
    labels = np.repeat((1.0, -1.0), (len(group), len(adults)))
    weights = np.where(labels > 0, 1 / len(group), 1 / len(adults))
    scores = np.zeros(len(labels))
    for left_out in range(len(labels)):
        kept = np.arange(len(labels)) != left_out
        middle = weights[kept] @ embeddings[kept] / weights[kept].sum()
        rest = embeddings[kept] - middle
        alike = rest @ rest.T + np.diag(_PENALTY / (weights[kept] * len(labels)))
        scores[left_out] = (embeddings[left_out] - middle) @ rest.T @ np.linalg.solve(alike, labels[kept])
    return scores[: len(group)], scores[len(group) :]


def area(group: F64, adults: F64) -> float:
    """Return the share of pairs in which the one of the group scores higher; half a pair where they are equal."""
    above = np.sign(group[:, None] - adults[None])
    return float((above.mean() + 1) / 2)


def interval(group: F64, adults: F64) -> tuple[float, float]:
    """Return the middle 95 % of the area over draws of the speakers, with replacement."""
    random = np.random.default_rng(1)
    areas = [area(random.choice(group, len(group)), random.choice(adults, len(adults))) for _ in range(_DRAWS)]
    low, high = np.quantile(areas, (0.025, 0.975))
    return float(low), float(high)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True)
    folder = parser.parse_args().devdata / "speech" / "accented"
    with ModelKit.open(Settings()) as kit:
        every = speakers(folder, kit)
    adults = [speaker for speaker in every if speaker.age >= _ADULT]
    groups = {
        "under 13": [speaker for speaker in every if speaker.age < _CHILD],
        "13 to 17": [speaker for speaker in every if _CHILD <= speaker.age < _ADULT],
    }
    table = Table("group", "n", "adults", "by", "AUC", "95 %", "median pitch, Hz", "adults'", box=None, pad_edge=False)
    for name, group in groups.items():
        for gender in ("", "f", "m"):
            some = [speaker for speaker in group if gender in speaker.gender]
            others = [speaker for speaker in adults if gender in speaker.gender]
            if not some:
                continue
            pitches, of_adults = (np.array([speaker.pitch_hz for speaker in each]) for each in (some, others))
            for cue, (one, other) in {"pitch": (pitches, of_adults), "embedding": by_voice(some, others)}.items():
                low, high = interval(one, other)
                medians = f"{np.median(pitches):.0f}", f"{np.median(of_adults):.0f}"
                shown = f"{name} {gender}".strip()
                table.add_row(
                    shown, f"{len(some)}", f"{len(others)}", cue, f"{area(one, other):.2f}", f"{low:.2f}..{high:.2f}", *medians
                )
    Console(width=140, highlight=False).print(table)


if __name__ == "__main__":
    main()
