"""How deep faces are that turn, and photographs that are turned, waved and bent.

1. Real recordings: every video of the development folder that moves, and the committed fixtures.
2. Planes: photographs of the folder on a sheet before a camera of 60 degrees, filmed by ray tracing at 15 frames a second: turned
   each way and back, from farther and nearer, wrapped round upright and level cylinders, bent while they are turned.
3. Displays: a talking person's video on such a sheet, so that lips, eyes and brows move.
4. Each is followed as `cameo_verifier.evidence.picture` does, and its depth judged as `cameo_verifier.checks.depth` does.

Run it with `python -m tests.bench.depth --devdata FOLDER`; the figures behind `relief_min` of the default profile.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_verifier import profiles
from cameo_verifier.evidence.parallax import Parallax
from cameo_verifier.evidence.picture import MAX_FACES
from cameo_verifier.evidence.relief import relief
from cameo_verifier.media import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.models.landmarks import head_pose_deg
from cameo_verifier.settings import Settings
from cameo_verifier.types import FaceTrack, Frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cameo_verifier.evidence.relief import Relief
    from cameo_verifier.types import F32, F64, U8

WIDTH, HEIGHT, FOCAL_PX = 480, 360, 420.0
FRAMES, FPS = 24, 15.0
DISTANCE = 2.6
"""Camera to sheet in widths of the face, which then is 160 px wide."""
STILLS = ("headturn/p*_live_selfie.jpg", *(f"faces/img{i}.jpg" for i in (1, 5, 10, 17, 22, 40, 47)))
TALKERS = ("bonafide/numbers_phone_a.mov", "bonafide/bbaf2n.mpg", "bonafide/pwij3p.mpg")
KINDS = ("headturn", "bonafide", "replay", "deepfake")


@dataclass(frozen=True, slots=True)
class Hold:
    """How a sheet is held: degrees; widths of the face; `bend` in 1 / radius, above 0 with its middle nearest.

    `level` lays the axis of the bend level instead of upright.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    distance: float = DISTANCE
    aside: float = 0.0
    bend: float = 0.0
    level: bool = False


def holds() -> dict[str, list[Hold]]:
    """Return what is done with a sheet, frame by frame, by name."""
    wave = np.sin(2 * np.pi * np.arange(FRAMES) / FRAMES).tolist()
    bow = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAMES) / FRAMES)).tolist()
    done: dict[str, list[Hold]] = {}
    for deg in (30, 45, 60):
        done[f"turned {deg}°"] = [Hold(yaw=deg * s) for s in wave]
        done[f"tipped {deg}°"] = [Hold(pitch=deg * s) for s in wave]
    done["turned 45°, near"] = [Hold(yaw=45 * s, distance=1.9) for s in wave]
    done["tipped 45°, near"] = [Hold(pitch=45 * s, distance=1.9) for s in wave]
    done["turned, tipped, rolled"] = [Hold(yaw=40 * s, pitch=30 * s, roll=10 * s, aside=0.3 * s) for s in wave]
    for radius in (0.6, 0.8, 1.2, 2.0):
        for level in (False, True):
            axis = "level" if level else "upright"
            done[f"round {radius} {axis}, turned 40°"] = [Hold(yaw=40 * s, bend=1 / radius, level=level) for s in wave]
            done[f"round {radius} {axis}, tipped 40°"] = [Hold(pitch=40 * s, bend=1 / radius, level=level) for s in wave]
    for level in (False, True):
        axis = "level" if level else "upright"
        done[f"bent {axis} while turned"] = [Hold(yaw=35 * s, bend=s / 0.7, level=level) for s in bow]
        done[f"bent {axis} while tipped"] = [Hold(pitch=35 * s, bend=s / 0.7, level=level) for s in bow]
        done[f"hollow {axis}, turned 35°"] = [Hold(yaw=35 * s, bend=-1 / 1.2, level=level) for s in wave]
    done["zoomed and shifted"] = [Hold(distance=2.4 + 1.6 * b, aside=0.4 * s) for b, s in zip(bow, wave, strict=True)]
    return done


class Sheet:
    """A picture on paper before a wall, as a camera sees it."""

    def __init__(self, centre: F64, unit_px: float) -> None:
        """Hold the picture by the middle of the face in it, `unit_px` of the picture to the width of the face."""
        self._centre, self._unit_px = centre, unit_px
        x, y = np.meshgrid(np.arange(WIDTH) - WIDTH / 2, np.arange(HEIGHT) - HEIGHT / 2)
        self._rays = np.stack([x / FOCAL_PX, y / FOCAL_PX, np.ones_like(x)], axis=-1).astype(np.float32)
        self._random = np.random.default_rng(3)
        rough = cv2.GaussianBlur(self._random.uniform(0, 255, (HEIGHT, WIDTH, 3)).astype(np.float32), (0, 0), 25)
        self._wall = (rough - 127) * 8 + 127
        self._grain = self._random.normal(0, 2, (HEIGHT + 32, WIDTH + 32, 1)).astype(np.float32)

    def film(self, picture: U8, hold: Hold) -> U8:
        """Return (HEIGHT, WIDTH, 3) uint8 RGB."""
        turn = _rotation(hold)
        origin = -turn.T @ np.array([hold.aside, 0.0, hold.distance], np.float32)
        rays = self._rays @ turn
        if hold.level:
            origin, rays = origin[[1, 0, 2]], rays[..., [1, 0, 2]]
        u, v, hit = _unrolled(origin, rays, hold.bend)
        if hold.level:
            u, v = v, u
        x, y = (self._centre[0] + u * self._unit_px).astype(np.float32), (self._centre[1] + v * self._unit_px).astype(np.float32)
        hit &= (x >= 0) & (y >= 0) & (x < picture.shape[1] - 1) & (y < picture.shape[0] - 1)
        seen = np.where(hit[..., None], cv2.remap(picture, x, y, cv2.INTER_LINEAR), self._wall)
        row, column = self._random.integers(0, 32, 2)
        return np.clip(seen + self._grain[row : row + HEIGHT, column : column + WIDTH], 0, 255).astype(np.uint8)


def _rotation(hold: Hold) -> F32:
    yaw, pitch, roll = np.radians([hold.yaw, hold.pitch, hold.roll])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return (about_x @ about_y @ about_z).astype(np.float32)


def _unrolled(origin: F32, rays: F32, bend: float) -> tuple[F32, F32, np.ndarray]:
    """Return where rays meet the sheet, along the bend and across it, and whether they do."""
    if abs(bend) < 1e-3:
        far = -origin[2] / rays[..., 2]
        return origin[0] + far * rays[..., 0], origin[1] + far * rays[..., 1], far > 0
    radius = 1 / bend
    x0, z0 = origin[0], origin[2] - radius
    square = rays[..., 0] ** 2 + rays[..., 2] ** 2
    half = x0 * rays[..., 0] + z0 * rays[..., 2]
    inside = half**2 - square * (x0**2 + z0**2 - radius**2)
    far = (-half - np.sign(radius) * np.sqrt(np.maximum(inside, 0))) / square
    x, z = x0 + far * rays[..., 0], z0 + far * rays[..., 2]
    angle = np.arctan2(x, -z * np.sign(radius))
    return angle * abs(radius), origin[1] + far * rays[..., 1], (inside > 0) & (far > 0) & (np.abs(angle) < 1.5)


def follow(frames: Iterable[Frame], duration_s: float, kit: ModelKit) -> tuple[Relief, float]:
    """Return the relief of a recording, and the degrees of yaw or pitch the landmark model reports between its extremes."""
    parallax, landmarks, poses = Parallax(duration_s), [], []
    with kit.landmarker(max_faces=MAX_FACES, video=True) as landmarker:
        for frame in frames:
            found = landmarker.detect(frame)
            if not found:
                continue
            pose = head_pose_deg(found[0].transform)
            parallax.add(len(poses), frame.t_s, frame.rgb, found[0].landmarks, pose)
            landmarks.append(found[0].landmarks)
            poses.append(pose)
    none = np.zeros(0, np.float32)
    track = FaceTrack(
        t_s=np.zeros(len(poses)), faces=np.ones(len(poses), np.int32), landmarks=np.array(landmarks, np.float32),
        pose_deg=np.array(poses, np.float32).reshape(-1, 3), blendshapes=none, face_px=none, luma=none, sharpness=none,
        eye_white=none,
        identity_t_s=np.zeros(0), identity_yaw_deg=none, embeddings=none, live_t_s=np.zeros(0), live=none, ages=none,
        turn_rows=parallax.rows(), turn_points=parallax.points(),
    )  # fmt: skip
    return relief(track), float(np.ptp(track.pose_deg[:, :2], axis=0).max()) if poses else 0.0


def video(path: Path, kit: ModelKit, settings: Settings) -> tuple[Relief, float]:
    """Return the relief and turn of a video file."""
    with open_recording(path, limits=settings.media) as source:
        return follow(source.frames(max_fps=settings.analysis_fps), source.info.duration_s, kit)


def sheet_of(picture: U8, kit: ModelKit) -> Sheet | None:
    """Return a sheet held by the face in the picture, if there is one."""
    with kit.landmarker(max_faces=1, video=False) as landmarker:
        found = landmarker.detect(Frame(0.0, picture))
    if not found:
        return None
    right, left = found[0].landmarks[[234, 454], :2]
    return Sheet(found[0].landmarks[1, :2].astype(np.float64), float(np.linalg.norm(left - right)))


def filmed(sheet: Sheet, pictures: Sequence[U8], done: Sequence[Hold]) -> Iterator[Frame]:
    """Yield what the camera sees; pictures come round again when there are fewer than frames."""
    for index, hold in enumerate(done):
        yield Frame(index / FPS, sheet.film(pictures[index % len(pictures)], hold))


def shown(folder: Path, stills: int) -> Iterator[tuple[str, list[U8]]]:
    """Yield what is put on sheets: photographs one by one, and the beginnings of talking videos."""
    for path in [path for pattern in STILLS for path in sorted(folder.glob(pattern))][:stills]:
        picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        scale = min(1.0, 1000 / max(picture.shape))
        yield "photograph", [cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)]
    for name in TALKERS[: max(0, stills)]:
        with open_recording(folder / name, limits=Settings().media) as source:
            yield "display", [frame.rgb for frame in islice(source.frames(max_fps=FPS), FRAMES)]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True, help="folder of the calibration recordings")
    parser.add_argument("--stills", type=int, default=11, help="photographs to put on sheets")
    given = parser.parse_args()
    settings, profile, console = Settings(), profiles.load(), Console(width=150, highlight=False)
    least, pairs_min = profile["relief_min"].value, profile["relief_pairs_min"].value
    with ModelKit.open(settings) as kit:
        table = Table("recording", "turn reported", "pairs", "depth", box=None)
        fixtures = sorted((Path(__file__).parents[2] / "fixtures").glob("*.mp4"))
        for path in [*sorted(p for kind in KINDS for p in (given.devdata / kind).glob("*.m[po][v4g]")), *fixtures]:
            found, turn = video(path, kit, settings)
            table.add_row(f"{path.parent.name}/{path.name}", f"{turn:.0f}°", f"{found.pairs}", f"{found.depth:.2f}")
        console.print(table)
        depths: dict[tuple[str, str], list[tuple[Relief, float]]] = {}
        for what, pictures in shown(given.devdata, given.stills):
            sheet = sheet_of(pictures[0], kit)
            for name, done in holds().items() if sheet else ():
                depths.setdefault((what, name), []).append(follow(filmed(sheet, pictures, done), FRAMES / FPS, kit))
    table = Table("sheet", "held", "sheets", "turn reported", "judged", "depth: median", "most", f"at least {least}", box=None)
    for (what, name), found in depths.items():
        judged = [each.depth for each, _ in found if each.pairs >= pairs_min]
        most = [f"{np.median(judged):.2f}", f"{max(judged):.2f}"] if judged else ["", ""]
        turns = f"{np.median([turn for _, turn in found]):.0f}°"
        table.add_row(what, name, f"{len(found)}", turns, f"{len(judged)}", *most, f"{sum(depth >= least for depth in judged)}")
    console.print(table)


if __name__ == "__main__":
    main()
