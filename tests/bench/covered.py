"""Eyes and mouths of real people, as they are and with a cover painted over them.

`python -m tests.bench.covered --devdata FOLDER` prints, for each measure of `evidence.covered`, the real faces nearest
to the line of the default profile, and for each kind of cover how many are found. Covers are painted on the pictures while it
runs, and the landmarks are looked for anew.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_verifier import profiles
from cameo_verifier.evidence.covered import look
from cameo_verifier.evidence.picture import LIVE_DEG
from cameo_verifier.media.recording import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.models.landmarks import head_pose_deg
from cameo_verifier.settings import Settings
from cameo_verifier.types import Frame
from fixtures.studio.covers import Eyewear, Mouthwear, cover

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cameo_verifier.models.landmarks import FaceLandmarker
    from cameo_verifier.types import F32, U8

FOLDERS = ("bonafide", "bonafide/talkers", "headturn", "faces", "screens_still/genuine")
KINDS = (".mpg", ".mp4", ".mov", ".jpg")
FRAMES = 8
"""Of a recording, spread over it."""
QUALITY = 85
"""Of the JPEG that a painted picture is kept as, so that its edges are those of an encoder."""
NEAREST = 5
LINES = ("eye_contrast_min", "eye_light_min", "eye_tint_max", "mouth_contrast_min", "mouth_tint_max")


class Measures(NamedTuple):
    """What the lines are held to, by the names of `LINES` in their order."""

    eye_contrast: float
    eye_light: float
    eye_tint: float
    mouth_contrast: float
    mouth_tint: float


def measures(looks: Sequence[tuple[F32, F32]]) -> Measures:
    """Return what some frames of a face measure together."""
    eyes, mouth = (np.nanmedian(np.stack(each), axis=0) for each in zip(*looks, strict=True))
    contrast, light, tint = map(float, eyes)
    return Measures(contrast, light, tint, float(np.linalg.norm(mouth[:3]) + mouth[3] / 4), float(mouth[4]))


def faces(path: Path, landmarker: FaceLandmarker, settings: Settings) -> Iterator[tuple[U8, F32]]:
    """Yield some near-frontal pictures of a recording, or a still, with their landmarks."""
    with open_recording(path, limits=settings.media) as source:
        step_s, next_s = source.info.duration_s / FRAMES, 0.0
        for frame in source.frames(max_fps=10.0):
            found = landmarker.detect(frame) if frame.t_s >= next_s else ()
            if not found or (step_s and max(map(abs, head_pose_deg(found[0].transform)[:2])) > LIVE_DEG):
                continue
            next_s = frame.t_s + step_s
            yield frame.rgb, found[0].landmarks


def painted(rgb: U8, landmarks: F32, worn: Eyewear | Mouthwear, landmarker: FaceLandmarker) -> Measures | None:
    """Return what a covered face measures, None where no face is found."""
    _, file = cv2.imencode(".jpg", cover(rgb, landmarks, worn)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    picture = np.ascontiguousarray(np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR))[..., ::-1])
    found = landmarker.detect(Frame(0.0, picture))
    return measures([look(picture, found[0].landmarks)]) if found else None


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="paint covers on one of so many faces")
    asked = parser.parse_args()
    settings, profile = Settings(), profiles.load()
    lines = [profile[name] for name in LINES]
    bare: dict[str, Measures] = {}
    worn: dict[Eyewear | Mouthwear, list[Measures | None]] = defaultdict(list)
    paths = sorted(path for folder in FOLDERS for path in (asked.devdata / folder).iterdir() if path.suffix in KINDS)
    with ModelKit.open(settings) as kit, kit.landmarker(max_faces=1, video=False) as landmarker:
        for number, path in enumerate(paths):
            seen = list(faces(path, landmarker, settings))
            if not seen:
                continue
            bare[path.name] = measures([look(*each) for each in seen])
            for each in (*Eyewear, *Mouthwear) if number % asked.every == 0 else ():
                worn[each].append(painted(*seen[len(seen) // 2], each, landmarker))
    console = Console(width=200, highlight=False)
    table = Table("line", "value", "fail", "of", "real faces nearest to it", box=None, pad_edge=False)
    for at, (name, line) in enumerate(zip(LINES, lines, strict=True)):
        nearest = sorted(bare, key=lambda file: abs(bare[file][at] - line.value))[:NEAREST]
        fail = sum(not line.holds(each[at]) for each in bare.values())
        table.add_row(name, f"{line.value}", str(fail), str(len(bare)), ", ".join(f"{n} {bare[n][at]:.2f}" for n in nearest))
    console.print(table)
    table = Table("cover", "found", "of", "no face", *LINES, box=None, pad_edge=False)
    for kind, every in worn.items():
        told = [each for each in every if each is not None]
        share = slice(0, 3) if isinstance(kind, Eyewear) else slice(3, 5)
        broken = np.array([[not line.holds(x) for line, x in zip(lines, each, strict=True)] for each in told])
        found = int(broken[:, share].any(axis=1).sum())
        table.add_row(kind.value, str(found), str(len(told)), str(len(every) - len(told)), *map(str, broken.sum(axis=0)))
    console.print(table)


if __name__ == "__main__":
    main()
