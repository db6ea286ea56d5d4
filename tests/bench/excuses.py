"""What a defect of an honest recording makes other checks find: the entries of `Reason.excuses`, one by one.

1. Genuine recordings as they are.
2. The person stands back: the picture made smaller, with its mirror images around it.
3. The phone is turned half way: the picture rolls, then has the other shape.
4. A mask or dark glasses are worn from start to end, or put on half way.
5. The room is dark, the lamp too strong, the lens smeared, the pictures few or small.

Of each recording the first seconds are taken.

`python -m tests.bench.excuses --devdata FOLDER` prints, for each treatment, how many of the recordings show the defect's reason,
and for each other reason of a check that decides, in how many of those it stands beside it, in how many as they are.
"""

from __future__ import annotations

import argparse
import io
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import av
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_challenges.model import Challenge
from cameo_verifier import profiles
from cameo_verifier.checks import lips
from cameo_verifier.checks.question import Case
from cameo_verifier.decision import counts_against
from cameo_verifier.media.recording import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.pipeline import verify
from cameo_verifier.reasons import Kind, Reason
from cameo_verifier.settings import Settings
from cameo_verifier.types import Frame
from fixtures.studio.covers import Eyewear, Mouthwear, cover
from tests.bench.people import KINDS, frames_of
from tests.situations.take import far

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cameo_verifier.types import F32, U8

    Treatment = Callable[[list[Frame], ModelKit], list[Frame]]

SOUND_HZ = 16_000
MOST_S = 6.0
"""Of each recording: longer ones take long, and show the same."""
TICKS = 90_000
ROLL_S = 0.5


class Defect(NamedTuple):
    """A treatment and the reason that it is to show."""

    reason: Reason
    treat: Treatment


def farther(share: float) -> Treatment:
    """Return what makes the picture that much smaller, in a picture of the same size."""

    def treat(frames: list[Frame], _kit: ModelKit) -> list[Frame]:
        return [Frame(frame.t_s, far(frame.rgb, share)) for frame in frames]

    return treat


def turned(frames: list[Frame], _kit: ModelKit) -> list[Frame]:
    """Return upright frames, 3 to 4, that roll by a quarter turn before the middle and lie flat, 4 to 3, after it."""
    middle_s, made = frames[-1].t_s / 2, []
    for frame in frames:
        side = min(frame.rgb.shape[:2]) // 4 * 4
        if frame.t_s >= middle_s:
            made.append(Frame(frame.t_s, _middle(frame.rgb, side * 3 // 4, side)))
            continue
        upright = _middle(frame.rgb, side, side * 3 // 4)
        roll_deg = 90 * max(0.0, 1 - (middle_s - frame.t_s) / ROLL_S)
        matrix = cv2.getRotationMatrix2D((side * 3 / 8, side / 2), roll_deg, 1.0)
        made.append(Frame(frame.t_s, np.asarray(cv2.warpAffine(upright, matrix, (side * 3 // 4, side)))))
    return made


def _middle(rgb: U8, height: int, width: int) -> U8:
    top, left = (rgb.shape[0] - height) // 2, (rgb.shape[1] - width) // 2
    return np.ascontiguousarray(rgb[top : top + height, left : left + width])


def lit(factor: float) -> Treatment:
    """Return what lights the picture so many times as strongly, with the noise of a sensor."""

    def treat(frames: list[Frame], _kit: ModelKit) -> list[Frame]:
        rng = np.random.default_rng(1)
        return [
            Frame(frame.t_s, np.asarray(np.clip(frame.rgb * factor + rng.normal(0, 2, frame.rgb.shape), 0, 255), np.uint8))
            for frame in frames
        ]

    return treat


def blurred(share: float) -> Treatment:
    """Return what blurs the picture by a share of its height."""

    def treat(frames: list[Frame], _kit: ModelKit) -> list[Frame]:
        return [Frame(f.t_s, np.asarray(cv2.GaussianBlur(f.rgb, (0, 0), share * len(f.rgb)))) for f in frames]

    return treat


def fewer(rate: float) -> Treatment:
    """Return what keeps so many frames a second."""

    def treat(frames: list[Frame], _kit: ModelKit) -> list[Frame]:
        wanted = np.arange(0.0, frames[-1].t_s, 1 / rate)
        kept = np.unique(np.abs(np.array([f.t_s for f in frames])[None] - wanted[:, None]).argmin(axis=1))
        return [frames[at] for at in kept]

    return treat


def smaller(side_px: int) -> Treatment:
    """Return what makes the shorter side of the picture so long."""

    def treat(frames: list[Frame], _kit: ModelKit) -> list[Frame]:
        scale = side_px / min(frames[0].rgb.shape[:2])
        return [Frame(f.t_s, cv2.resize(f.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)) for f in frames]

    return treat


def wearing(worn: Eyewear | Mouthwear, *, since: float) -> Treatment:
    """Return what covers the face from a share of the recording on."""

    def treat(frames: list[Frame], kit: ModelKit) -> list[Frame]:
        made = []
        with kit.landmarker(max_faces=1, video=False) as landmarker:
            for frame in frames:
                found = landmarker.detect(frame) if frame.t_s >= since * frames[-1].t_s else ()
                made.append(Frame(frame.t_s, cover(frame.rgb, found[0].landmarks, worn)) if found else frame)
        return made

    return treat


DEFECTS = {
    "stands back, 1/2": Defect(Reason.FACE_TOO_SMALL, farther(0.5)),
    "stands back, 1/3": Defect(Reason.FACE_TOO_SMALL, farther(0.33)),
    "stands back, 1/5": Defect(Reason.FACE_TOO_SMALL, farther(0.2)),
    "phone turned": Defect(Reason.CAMERA_TURNED, turned),
    "blue mask": Defect(Reason.MOUTH_NOT_VISIBLE, wearing(Mouthwear.SURGICAL_BLUE, since=0.0)),
    "black mask": Defect(Reason.MOUTH_NOT_VISIBLE, wearing(Mouthwear.BLACK, since=0.0)),
    "blue mask, half way": Defect(Reason.MOUTH_NOT_VISIBLE, wearing(Mouthwear.SURGICAL_BLUE, since=0.4)),
    "dark glasses": Defect(Reason.EYES_NOT_VISIBLE, wearing(Eyewear.BLACK, since=0.0)),
    "dark room, 0.12": Defect(Reason.TOO_DARK, lit(0.12)),
    "dark room, 0.2": Defect(Reason.TOO_DARK, lit(0.2)),
    "strong lamp": Defect(Reason.TOO_BRIGHT, lit(3.5)),
    "smeared lens": Defect(Reason.BLURRED, blurred(0.02)),
    "8 pictures a second": Defect(Reason.FRAME_RATE_TOO_LOW, fewer(8.0)),
    "120 lines": Defect(Reason.PICTURE_TOO_SMALL, smaller(120)),
    "dark glasses, half way": Defect(Reason.EYES_NOT_VISIBLE, wearing(Eyewear.BLACK, since=0.4)),
}


def written(frames: Sequence[Frame], sound: F32) -> bytes:
    """Encode pictures (H, W, 3), of one or more shapes, and mono sound at `SOUND_HZ`, in motion JPEG and FLAC."""
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = *frames[0].rgb.shape[:2], "yuvj420p"
        heard = container.add_stream("flac", rate=SOUND_HZ, layout="mono")
        for frame in frames:
            _, file = cv2.imencode(".jpg", frame.rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
            packet = av.Packet(file.tobytes())
            packet.stream, packet.time_base = stream, Fraction(1, TICKS)
            packet.pts = packet.dts = round(frame.t_s * TICKS)
            packet.is_keyframe = True
            container.mux(packet)
        samples = np.ascontiguousarray((np.clip(sound, -1, 1) * 32767).astype(np.int16)[None])
        block = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        block.sample_rate, block.pts, block.time_base = SOUND_HZ, 0, Fraction(1, SOUND_HZ)
        container.mux(heard.encode(block))
        container.mux(heard.encode(None))
    return out.getvalue()


def found(recording: bytes, kit: ModelKit, profile: profiles.Profile, settings: Settings) -> set[Reason]:
    """Return the reasons of every check that counts against a recording, before any explains another."""
    judgement = verify(recording, Challenge(()), profile=profile, kit=kit, settings=settings)
    results = [*judgement.checks, lips.check(Case(judgement.evidence, Challenge(())), profile)]
    return {each.reason for each in results if each.reason and counts_against(each, profile.role(each.name))}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True, help="folder of the calibration recordings")
    parser.add_argument("--only", default="", help="recordings whose name holds this")
    given = parser.parse_args()
    settings, profile, console = Settings(), profiles.load(), Console(width=200, highlight=False)
    beside: dict[str, Counter[Reason]] = defaultdict(Counter)
    instead: dict[str, Counter[str]] = defaultdict(Counter)
    shown: Counter[str] = Counter()
    count = 0
    with ModelKit.open(settings) as kit:
        for path in sorted(path for kind in KINDS for path in (given.devdata / kind).glob("*.m[po][v4g]")):
            if given.only not in path.name:
                continue
            count += 1
            frames = [frame for frame in frames_of(path, settings) if frame.t_s <= MOST_S]
            with open_recording(path, limits=settings.media) as source:
                sound = source.sound()[: round(frames[-1].t_s * SOUND_HZ)]
            bare = found(written(frames, sound), kit, profile, settings)
            beside["as they are"].update(bare)
            for name, defect in DEFECTS.items():
                reasons = found(written(defect.treat(frames, kit), sound), kit, profile, settings)
                if defect.reason in reasons:
                    shown[name] += 1
                    beside[name].update(reasons - bare - {defect.reason})
                else:
                    instead[name].update(["+".join(sorted(reasons - bare)) or "nothing"])
    table = Table(
        "treatment", "shows", "of", "what stands beside it and not without it", "where it does not show", box=None, pad_edge=False
    )
    for name in ("as they are", *DEFECTS):
        reason = DEFECTS[name].reason if name in DEFECTS else None
        told = ", ".join(
            f"{each} {number}{' excused' if reason and each in reason.excuses else ''}"
            for each, number in beside[name].most_common()
            if each.kind is not Kind.QUALITY
        )
        table.add_row(
            name,
            f"{reason} {shown[name]}" if reason else "",
            str(count),
            told,
            ", ".join(f"{each} {number}" for each, number in instead[name].most_common()),
        )
    console.print(table)


if __name__ == "__main__":
    main()
