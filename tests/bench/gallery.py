"""How often the gallery takes one person for another, and how long it takes to answer among a million.

With `--devdata FOLDER`, real faces: portraits with their pairs, and videos of people, each embedded as an enrolment is.

1. Same and different people, by cosine: the labelled pairs of portraits, and those that follow from them (who is the same as the
   same person is the same; two groups of portraits are different people where any pair says so).
2. Portraits against videos and videos against one another: all different people; selfies against the same people's videos.
3. At each threshold: how many of the same are found, how many different ones match, the upper 95 % bound on that rate where none
   does (3 / pairs), and what a normal distribution of the different pairs predicts. A gallery of N faces is asked N times, so
   false alarms are N times as frequent; the last columns say so. The prediction holds for people drawn at random, not for kin.

Without, synthetic faces: unit vectors with the spread that real faces of different people have (cosines of deviation 0.10, as in
step 1): independent normal values whose variances fall as the power -0.75 of their rank, in a random basis. Every other one is a
second face of the one before, at a cosine drawn from those of the same people in step 1. A question is another face of somebody
in the gallery, or of nobody. Brute force over the unquantised vectors says what there is to find.

Run it with `python -m tests.bench.gallery [--devdata FOLDER] [--faces 1000000]`. Everything is drawn from a seed.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_verifier.evidence.collect import collect
from cameo_verifier.evidence.identity import face_embedding
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.profiles import load
from cameo_verifier.screening.gallery import Gallery
from cameo_verifier.screening.transform import Transform, encode
from cameo_verifier.settings import Settings
from cameo_verifier.types import FaceTrack

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cameo_verifier.types import F32

THRESHOLDS = (0.35, 0.40, 0.45, 0.50, 0.55, 0.60, 0.65)
VIDEOS = ("bonafide/*.mpg", "bonafide/*.mp4", "bonafide/*.mov", "headturn/p*_live_video.*")
SELFIES = "headturn/p*_live_selfie.*"
SAME_MEAN, SAME_DEVIATION = 0.76, 0.09
DIMENSIONS, FALL = 512, -0.375
_AT_ONCE = 50_000
_ASKED = 1000


def real(folder: Path) -> None:
    """Print rates over the recordings of a folder."""
    rows = list(csv.DictReader((folder / "faces" / "pairs.csv").open()))
    pairs = [((row["file_x"], row["file_y"]), row["Decision"] == "Yes") for row in rows]
    portraits = sorted({name for pair, _ in pairs for name in pair})
    settings = Settings()
    with ModelKit.open(settings) as kit:

        def embedded(paths: Iterable[Path]) -> dict[str, F32]:
            found = {}
            for path in paths:
                track = collect(path, kit, settings=settings).face
                if isinstance(track, FaceTrack) and (face := face_embedding(track)) is not None:
                    found[path.name] = face
            return found

        faces = embedded(folder / "faces" / name for name in portraits)
        videos = embedded(path for pattern in VIDEOS for path in sorted(folder.glob(pattern)))
        selfies = embedded(sorted(folder.glob(SELFIES)))
    same, different = _portraits(faces, pairs)
    crossed = [float(one @ two) for one in faces.values() for two in videos.values()]
    crossed += [float(one @ two) for one, two in itertools.combinations(videos.values(), 2)]
    own = [
        float(selfies[selfie] @ videos[video]) for selfie, video in itertools.product(selfies, videos) if selfie[:3] == video[:3]
    ]
    console = Console(width=140)
    console.print(f"{len(faces)} portraits, {len(videos)} videos, {len(selfies)} selfies of people in them")
    for title, cosines in (
        ("portraits of the same person", same),
        ("selfie and video of the same person", own),
        ("portraits of different people", different),
        ("portrait or video and video, different people", crossed),
    ):
        console.print(_summary(title, cosines))
    console.print(_rates(same + own, different + crossed))


def _portraits(faces: dict[str, F32], pairs: Sequence[tuple[tuple[str, str], bool]]) -> tuple[list[float], list[float]]:
    """Return the cosines of pairs of portraits of the same person and of different people."""
    group = {name: name for name in faces}
    for (one, two), is_same in pairs:
        if is_same and one in group and two in group:
            old, new = group[two], group[one]
            group = {name: new if of == old else of for name, of in group.items()}
    apart = {frozenset((group[one], group[two])) for (one, two), is_same in pairs if not is_same and {one, two} <= faces.keys()}
    same, different = [], []
    for one, two in itertools.combinations(faces, 2):
        cosine = float(faces[one] @ faces[two])
        if group[one] == group[two]:
            same.append(cosine)
        elif frozenset((group[one], group[two])) in apart:
            different.append(cosine)
    return same, different


def _summary(title: str, cosines: Sequence[float]) -> str:
    values = np.array(cosines)
    return (
        f"{title}: {len(values)} pairs, mean {values.mean():.3f}, deviation {values.std():.3f}, "
        f"least {values.min():.3f}, most {values.max():.3f}"
    )


def _rates(same: Sequence[float], different: Sequence[float]) -> Table:
    table = Table(
        "cosine above", "same found", "different match", "rate, or 95 % bound", "normal", "alarms in 10⁴", "in 10⁶", box=None
    )
    mean, deviation = float(np.mean(different)), float(np.std(different))
    for threshold in THRESHOLDS:
        found, matched = int((np.array(same) > threshold).sum()), int((np.array(different) > threshold).sum())
        normal = math.erfc((threshold - mean) / deviation / math.sqrt(2)) / 2
        table.add_row(
            f"{threshold:.2f}",
            f"{found} of {len(same)}",
            f"{matched} of {len(different)}",
            f"{matched / len(different):.1e}" if matched else f"< {3 / len(different):.1e}",
            f"{normal:.1e}",
            f"{normal * 1e4:.2g}",
            f"{normal * 1e6:.2g}",
        )
    return table


class People:
    """Draws faces with the spread of real ones."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._spread = (np.arange(1, DIMENSIONS + 1.0) ** FALL).astype(np.float32)
        self._basis = np.linalg.qr(random.standard_normal((DIMENSIONS, DIMENSIONS)))[0].astype(np.float32)

    def strangers(self, count: int) -> F32:
        """Return faces of so many people."""
        return _unit((self._random.standard_normal((count, DIMENSIONS), np.float32) * self._spread) @ self._basis)

    def again(self, faces: F32, cosines: F32) -> F32:
        """Return another face of each of the same people, at the cosines given."""
        away = self.strangers(len(faces))
        away = _unit(away - (away * faces).sum(1, keepdims=True) * faces)
        return cosines[:, None] * faces + np.sqrt(1 - cosines[:, None] ** 2) * away

    def likeness(self, count: int, least: float) -> F32:
        """Return cosines of faces of the same people, from `least` up."""
        drawn = self._random.normal(SAME_MEAN, SAME_DEVIATION, 8 * count)
        return np.asarray(drawn[(drawn > least) & (drawn < 0.99)][:count], np.float32)


def synthetic(count: int, seed: int) -> None:
    """Print recall, time and memory among so many synthetic faces."""
    random = np.random.default_rng(seed)
    people, transform, gallery, console = People(random), Transform(b"\1" * 32, "benchmark"), Gallery(), Console(width=140)
    kept = np.empty((count, DIMENSIONS), np.float16)
    making = 0.0
    for start in range(0, count, _AT_ONCE):
        half = min(_AT_ONCE, count - start) // 2
        faces = people.strangers(half)
        faces = np.concatenate([faces, people.again(faces, people.likeness(half, 0.0))])
        kept[start : start + len(faces)] = faces
        began = time.perf_counter()
        gallery.add(np.arange(start, start + len(faces)), encode(transform.turn(faces)))
        making += time.perf_counter() - began
    spread = np.triu(kept[:1000].astype(np.float32) @ kept[:1000].astype(np.float32).T, 1)
    console.print(
        f"{len(gallery)} faces, cosines of different ones deviate by {spread[spread != 0].std():.3f}; "
        f"transformed and added in {making:.1f} s; {gallery.nbytes / 1e6:.0f} MB, "
        f"process at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB"
    )
    profile = load()
    table = Table("questions", "to find", "found", "recall", "others found", "p50", "p99", box=None)
    limits = {name: profile[name].value for name in ("enrolled_cosine_max", "protected_cosine_max")}
    for title, threshold, width in (
        ("another face of the same, as faces are alike", limits["enrolled_cosine_max"], None),
        ("just above the threshold of enrolled faces", limits["enrolled_cosine_max"], 0.05),
        ("just above the threshold of protected people", limits["protected_cosine_max"], 0.05),
        ("of nobody in the gallery", limits["enrolled_cosine_max"], 0.0),
    ):
        chosen = kept[random.integers(0, count, _ASKED)].astype(np.float32)
        if width == 0.0:
            asked = people.strangers(_ASKED)
        elif width is None:
            asked = people.again(chosen, people.likeness(_ASKED, threshold))
        else:
            asked = people.again(chosen, random.uniform(threshold, threshold + width, _ASKED).astype(np.float32))
        table.add_row(title, *_ask(gallery, transform, kept, asked, threshold))
    console.print(table)


def _ask(gallery: Gallery, transform: Transform, kept: np.ndarray, asked: F32, threshold: float) -> list[str]:
    """Return how many of the most alike above the threshold are found, and the milliseconds that takes."""
    best, cosines = _brute(kept, asked)
    taken, found, wanted, others = [], 0, 0, 0
    for face, number, cosine in zip(asked, best, cosines, strict=True):
        began = time.perf_counter()
        matches = gallery.nearest(transform.turn(face), floor=threshold)
        taken.append((time.perf_counter() - began) * 1e3)
        if cosine > threshold:
            wanted += 1
            found += any(match.number == number for match in matches)
        else:
            others += matches[0].cosine > threshold
    recall = f"{100 * found / wanted:.2f} %" if wanted else ""
    p50, p99 = np.percentile(taken, [50, 99])
    return [str(wanted), str(found), recall, str(others), f"{p50:.1f} ms", f"{p99:.1f} ms"]


def _brute(kept: np.ndarray, asked: F32) -> tuple[np.ndarray, F32]:
    best, cosines = np.zeros(len(asked), np.int64), np.full(len(asked), -1.0, np.float32)
    for start in range(0, len(kept), _AT_ONCE):
        product = asked @ kept[start : start + _AT_ONCE].astype(np.float32).T
        place = product.argmax(1)
        value = product[np.arange(len(asked)), place]
        best = np.where(value > cosines, place + start, best)
        cosines = np.maximum(value, cosines)
    return best, cosines


def _unit(faces: F32) -> F32:
    return np.asarray(faces / np.linalg.norm(faces, axis=1, keepdims=True), np.float32)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, help="folder of the development recordings")
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.devdata is not None:
        real(given.devdata)
    else:
        synthetic(given.faces, given.seed)


if __name__ == "__main__":
    main()
