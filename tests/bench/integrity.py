"""What the checks of temporal integrity and of recordings seen before measure on genuine recordings and on edits of them.

Run it with `python -m tests.bench.integrity --devdata FOLDER`; the figures behind the thresholds of the default profile. Each
genuine recording is judged as it is, then edited, encoded again (H.264, AAC) and judged again; every copy is held against every
original.
`--every N` takes each N-th recording only. `--stored N` puts the originals among N recordings pasted together from pieces of them
all, and says for every copy whether its original is on the shortlist of those, and how long that takes.
"""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from cameo_challenges.model import Challenge
from cameo_verifier import profiles
from cameo_verifier.checks import frozen, sound_repeat, splice
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.collect import collect
from cameo_verifier.evidence.fingerprint import MIRRORED, Matcher
from cameo_verifier.media.recording import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.screening.shortlist import shortlist, sketch
from cameo_verifier.settings import Settings
from cameo_verifier.types import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cameo_verifier.types import Evidence

RATE_HZ = 48_000
KINDS = ("bonafide", "headturn")
CHECKS = (frozen, splice, sound_repeat)


@dataclass(frozen=True, slots=True)
class Take:
    """Pictures of one size at a steady rate, and sound (n,) float32 at 48 kHz."""

    pictures: list[np.ndarray]
    fps: float
    sound: np.ndarray


def read(path: Path) -> Take:
    """Decode a recording."""
    with open_recording(path, limits=Settings().media) as reader:
        pictures = [frame.rgb for frame in reader.frames()]
        fps = reader.finished_info().fps
    with av.open(str(path)) as reader:
        resampler = av.AudioResampler("flt", "mono", RATE_HZ)
        blocks = [r.to_ndarray()[0] for f in reader.decode(audio=0) for r in resampler.resample(f)]
    return Take(pictures, fps, np.concatenate(blocks))


def write(take: Take, *, crf: int = 23) -> bytes:
    """Encode a take as an MP4."""
    out = io.BytesIO()
    height, width = (side // 2 * 2 for side in take.pictures[0].shape[:2])
    with av.open(out, "w", format="mp4") as writer:
        video = writer.add_stream(
            "libx264", rate=Fraction(take.fps).limit_denominator(1000), options={"preset": "veryfast", "crf": str(crf)}
        )
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio = writer.add_stream("aac", rate=RATE_HZ, layout="mono")
        for picture in take.pictures:
            plane = np.ascontiguousarray(picture[:height, :width])
            writer.mux(video.encode(av.VideoFrame.from_ndarray(plane, format="rgb24")))
        writer.mux(video.encode(None))
        for start in range(0, len(take.sound), 1024):
            block = np.ascontiguousarray(take.sound[None, start : start + 1024], np.float32)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, start
            writer.mux(audio.encode(frame))
        writer.mux(audio.encode(None))
    return out.getvalue()


def _at(take: Take, share: float, length_s: float) -> tuple[slice, slice]:
    """Return the pictures and the samples of a stretch that begins at a share of the take."""
    seconds = len(take.pictures) / take.fps
    start_s = share * seconds
    end_s = min(start_s + length_s, seconds)
    return slice(int(start_s * take.fps), int(end_s * take.fps)), slice(int(start_s * RATE_HZ), int(end_s * RATE_HZ))


def _frozen(take: Take) -> Take:
    span, _ = _at(take, 0.4, 1.0)
    pictures = list(take.pictures)
    pictures[span] = [pictures[span.start]] * (span.stop - span.start)
    return Take(pictures, take.fps, take.sound)


def _looped(take: Take) -> Take:
    span, samples = _at(take, 0.4, 1.0)
    pictures = [*take.pictures[: span.stop], *take.pictures[span], *take.pictures[span.stop :]]
    sound = np.concatenate([take.sound[: samples.stop], take.sound[samples], take.sound[samples.stop :]])
    return Take(pictures, take.fps, sound)


def _there_and_back(take: Take) -> Take:
    span, samples = _at(take, 0.4, 1.0)
    pictures = [*take.pictures[: span.stop], *take.pictures[span][::-1], *take.pictures[span.start :]]
    double = np.concatenate([take.sound[samples], take.sound[samples]])
    sound = np.concatenate([take.sound[: samples.stop], double, take.sound[samples.stop :]])
    return Take(pictures, take.fps, sound)


def _backwards(take: Take) -> Take:
    return Take(take.pictures[::-1], take.fps, take.sound)


def _cut(take: Take) -> Take:
    span, samples = _at(take, 0.4, min(2.0, len(take.pictures) / take.fps / 3))
    pictures = [*take.pictures[: span.start], *take.pictures[span.stop :]]
    return Take(pictures, take.fps, np.concatenate([take.sound[: samples.start], take.sound[samples.stop :]]))


def _cut_at_rest(take: Take) -> Take:
    """Cut where the picture changes least on both sides of the cut."""
    small = np.stack([cv2.resize(p, (32, 32), interpolation=cv2.INTER_AREA) for p in take.pictures]).astype(np.float32)
    change = np.convolve(np.abs(np.diff(small, axis=0)).mean(axis=(1, 2, 3)), np.ones(5), "same")
    count = len(take.pictures)
    gap = int(min(2.0 * take.fps, count / 3))
    first = int(0.2 * count)
    start = first + int(np.argmin((change[:-gap] + change[gap:])[first : int(0.8 * count) - gap]))
    sound = np.delete(take.sound, slice(*(int(k / take.fps * RATE_HZ) for k in (start, start + gap))))
    return Take([*take.pictures[:start], *take.pictures[start + gap :]], take.fps, sound)


def _longer_sound(take: Take) -> Take:
    return Take(take.pictures, take.fps, np.concatenate([take.sound, take.sound[: int(1.5 * RATE_HZ)]]))


def _cropped(take: Take) -> Take:
    height, width = take.pictures[0].shape[:2]
    top, left = round(height * 0.05), round(width * 0.08)
    return Take([picture[top:, left : width - left // 2] for picture in take.pictures], take.fps, take.sound)


def _smaller(take: Take) -> Take:
    height, width = take.pictures[0].shape[:2]
    size = (round(width * 0.7), round(height * 0.7))
    return Take([cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in take.pictures], take.fps, take.sound)


def _at_speed(speed: float) -> Callable[[Take], Take]:
    def edit(take: Take) -> Take:
        at = np.arange(0, len(take.sound) - 1, speed)
        sound = np.interp(at, np.arange(len(take.sound)), take.sound)
        return Take(take.pictures, take.fps * speed, sound.astype(np.float32))

    return edit


def _in_a_room(take: Take) -> Take:
    """Played into a room of 0.4 s and recorded with noise at 15 dB, filmed a little askew by another camera."""
    rng = np.random.default_rng(7)
    tail = rng.normal(size=int(0.4 * RATE_HZ)) * 10 ** (-3 * np.arange(int(0.4 * RATE_HZ)) / (0.4 * RATE_HZ))
    tail[0] = 8.0
    size = 1 << (len(take.sound) + len(tail)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(take.sound, size) * np.fft.rfft(tail / np.linalg.norm(tail), size), size)[: len(take.sound)]
    noise = rng.normal(size=len(wet)) * wet.std() * 10 ** (-15 / 20)
    height, width = take.pictures[0].shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    shift = (np.array([[0.06, 0.03], [-0.02, 0.06], [-0.07, -0.04], [0.03, -0.02]]) * (width, height)).astype(np.float32)
    warp = cv2.getPerspectiveTransform(corners, corners + shift)
    pictures = []
    for picture in take.pictures:
        seen = cv2.warpPerspective(picture, warp, (width, height)).astype(np.float32)
        grain = cv2.randn(np.empty(picture.shape, np.float32), 0, 4)
        pictures.append(np.clip(seen * 0.85 + 12 + grain, 0, 255).astype(np.uint8))
    return Take(pictures, take.fps, np.clip(wet + noise, -1, 1).astype(np.float32))


EDITS: dict[str, tuple[Callable[[Take], Take], int]] = {
    "encoded again": (lambda take: take, 23),
    "encoded again, poor": (lambda take: take, 34),
    "frozen 1 s": (_frozen, 23),
    "looped 1 s": (_looped, 23),
    "there and back 1 s": (_there_and_back, 23),
    "backwards": (_backwards, 23),
    "2 s cut out": (_cut, 23),
    "2 s cut out at rest": (_cut_at_rest, 23),
    "sound 1.5 s longer": (_longer_sound, 23),
    "smaller": (_smaller, 28),
    "cropped": (_cropped, 23),
    "mirrored": (lambda take: Take([p[:, ::-1] for p in take.pictures], take.fps, take.sound), 23),
    "1.05 times as fast": (_at_speed(1.05), 23),
    "0.93 times as fast": (_at_speed(0.93), 23),
    "filmed off a screen": (_in_a_room, 26),
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--stored", type=int, default=0, help="recordings kept besides the originals")
    given = parser.parse_args()
    settings, profile = Settings(), profiles.load()
    paths = sorted(path for kind in KINDS for path in (given.devdata / kind).glob("*.m[po][v4g]"))[:: given.every]
    table = Table("recording", "edit", *(c.NAME for c in CHECKS), "own motion", "own sound", "others' motion", "others' sound")
    table.add_column("listed")
    times_ms = []
    with ModelKit.open(settings) as kit:
        originals = {path: collect(path, kit, settings=settings) for path in track(paths, "originals")}
        kept = [sketch(original.fingerprint) for original in originals.values()]
        kept += [sketch(each) for each in strangers([each.fingerprint for each in originals.values()], given.stored)]
        for path in track(paths, "edits"):
            take = read(path)
            versions = {"": originals[path]}
            for name, (edit, crf) in EDITS.items():
                versions[name] = collect(write(edit(take), crf=crf), kit, settings=settings)
            for name, evidence in versions.items():
                results = [c.check(Case(evidence, Challenge(())), profile) for c in CHECKS]
                cells = ["-" if r.score is None else f"{r.score:.2f}{r.unit[:1]} {r.reason or ''}" for r in results]
                began = perf_counter()
                listed = paths.index(path) in shortlist(evidence.fingerprint, kept)
                times_ms.append((perf_counter() - began) * 1e3)
                table.add_row(path.name, name, *cells, *_likeness(evidence, path, originals), "yes" if listed else "NO")
    console = Console(width=210, highlight=False)
    console.print(table)
    console.print(f"shortlist of {len(kept)}: median {np.median(times_ms):.0f} ms, most {max(times_ms):.0f} ms")


def strangers(known: list[Fingerprint], count: int) -> Iterator[Fingerprint]:
    """Yield recordings of 7 to 14 s pasted together from pieces of 1.5 to 3 s of the known ones, every other one mirrored."""
    rng = np.random.default_rng(11)

    def pasted(pool: list[np.ndarray], rows: int) -> np.ndarray:
        pieces: list[np.ndarray] = []
        while sum(map(len, pieces)) < rows:
            source, length = pool[rng.integers(len(pool))], int(rng.integers(24, 48))
            start = int(rng.integers(0, max(1, len(source) - length)))
            pieces.append(source[start : start + length])
        return np.concatenate(pieces)[:rows]

    motions, sounds = ([half for half in halves if len(half)] for halves in ([k.motion for k in known], [k.sound for k in known]))
    for index in range(count):
        rows = int(rng.integers(110, 225))
        motion = pasted(motions, rows)
        yield Fingerprint((motion * MIRRORED).astype(np.int8) if index % 2 else motion, pasted(sounds, rows))


def _likeness(evidence: Evidence, path: Path, originals: dict[Path, Evidence]) -> list[str]:
    matcher = Matcher(evidence.fingerprint)
    found = {other: matcher.compare(original.fingerprint) for other, original in originals.items()}
    own = found.pop(path)
    others = [max((getattr(likeness, half) for likeness in found.values()), default=0.0) for half in ("motion", "sound")]
    return [f"{own.motion:.2f}", f"{own.sound:.2f}", *(f"{score:.2f}" for score in others)]


if __name__ == "__main__":
    main()
