"""What the checks of the picture find in genuine recordings, as they are and treated as devices and people differ.

1. As it is.
2. Dark skin: the skin of the face, eyes and lips left out, at 40 % of its luma and warmer.
3. Encoded again at a very low bitrate, as networks make of a call.

`python -m tests.bench.people --devdata FOLDER` prints a line for each recording and treatment, with the reasons of what does
not pass; the figures behind `light_min`, `fair_light_min`, `relief_min` and `same_person_min`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_challenges.model import Challenge
from cameo_verifier import profiles
from cameo_verifier.checks import close_up, depth, light, presentation_attack, same_person, sharpness
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.picture import observe
from cameo_verifier.media.recording import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.settings import Settings
from cameo_verifier.types import Evidence, Frame, MediaInfo, SoundTrack
from tests.bench.grid_codecs import ENCODINGS, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.types import U8, CheckResult

KINDS = ("bonafide", "bonafide/talkers", "headturn")
CHECKS = (light, sharpness, depth, same_person, presentation_attack, close_up)
LARGEST_PX = 640
"""Larger pictures are made smaller: the treatments take long, and calls are no larger."""
MOST_S = 12.0
_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172,
    58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
_SPARED = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
"""Outlines of the eyes."""
_SKIN = np.array([0.46, 0.38, 0.33])
"""Share of red, green and blue that dark skin reflects of what light skin does, about."""

Treatment = Callable[[list[Frame], ModelKit], list[Frame]]


def as_it_is(frames: list[Frame], _kit: ModelKit) -> list[Frame]:
    """Return the frames."""
    return frames


def dark_skin(frames: list[Frame], kit: ModelKit) -> list[Frame]:
    """Return the frames with the skin of the largest face darkened; the edge fades out over a twelfth of the face."""
    made = []
    with kit.landmarker(max_faces=1, video=False) as landmarker:
        for frame in frames:
            found = landmarker.detect(frame)
            made.append(Frame(frame.t_s, _darkened(frame.rgb, found[0].landmarks)) if found else frame)
    return made


def at_quantiser(name: str) -> Treatment:
    """Return what encodes frames so and decodes them again."""

    def treat(frames: list[Frame], _kit: ModelKit) -> list[Frame]:
        pictures = encoded([frame.rgb for frame in frames], ENCODINGS[name])
        return [Frame(frame.t_s, picture) for frame, picture in zip(frames, pictures, strict=False)]

    return treat


TREATMENTS: dict[str, Treatment] = {
    "as it is": as_it_is,
    "dark skin": dark_skin,
    "H.264, CRF 36": at_quantiser("H.264, CRF 36"),
    "H.264, CRF 44": at_quantiser("H.264, CRF 44"),
}


def _darkened(rgb: U8, landmarks: np.ndarray) -> U8:
    mask = np.zeros(rgb.shape[:2], np.float32)
    cv2.fillPoly(mask, [np.round(landmarks[list(_OVAL), :2]).astype(np.int32)], 1.0)
    for eye in _SPARED:
        cv2.fillPoly(mask, [np.round(landmarks[list(eye), :2]).astype(np.int32)], 0.0)
    width = float(np.linalg.norm(landmarks[234, :2] - landmarks[454, :2]))
    soft = np.minimum(mask, cv2.GaussianBlur(mask, (0, 0), max(0.5, width / 50)))[..., None]
    return np.asarray(rgb * (1 - soft) + rgb * _SKIN * soft, np.uint8)


def frames_of(path: Path, settings: Settings) -> list[Frame]:
    """Return the analysed frames of a recording's first seconds, none larger than `LARGEST_PX`."""
    kept = []
    with open_recording(path, limits=settings.media) as source:
        for frame in source.frames(max_fps=settings.analysis_fps):
            if frame.t_s > MOST_S:
                break
            scale = min(1.0, LARGEST_PX / max(frame.rgb.shape))
            rgb = cv2.resize(frame.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else frame.rgb
            kept.append(Frame(frame.t_s, np.ascontiguousarray(rgb)))
    return kept


def judged(frames: Sequence[Frame], kit: ModelKit, profile: profiles.Profile) -> list[CheckResult]:
    """Return what each of `CHECKS` finds in frames."""
    face = observe(frames, kit, duration_s=frames[-1].t_s)
    silence = SoundTrack(0.0, 0.0, 0.0, 0.0, np.zeros((0, 2)), "", (), (), np.zeros((0, 2)), np.zeros((0, 0)), np.zeros(0))
    media = MediaInfo("frames", 0, "", frames[-1].t_s)
    evidence = Evidence(media, face, silence)
    return [module.check(Case(evidence, Challenge(())), profile) for module in CHECKS]


def cell(result: CheckResult) -> str:
    """Return a score, and the reason where the check did not pass."""
    shown = "-" if result.score is None else f"{result.score:.2f}"
    return f"{shown} {result.reason} {result.detail}" if result.reason else shown


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True, help="folder of the calibration recordings")
    parser.add_argument("--only", default="", help="recordings whose name holds this")
    given = parser.parse_args()
    settings, profile = Settings(), profiles.load()
    table = Table("recording", "treatment", *(module.NAME for module in CHECKS), box=None, pad_edge=False)
    with ModelKit.open(settings) as kit:
        for path in sorted(path for kind in KINDS for path in (given.devdata / kind).glob("*.m[po][v4g]")):
            if given.only not in path.name:
                continue
            frames = frames_of(path, settings)
            for name, treat in TREATMENTS.items():
                table.add_row(path.name, name, *map(cell, judged(treat(frames, kit), kit, profile)))
    Console(width=330, highlight=False).print(table)


if __name__ == "__main__":
    main()
