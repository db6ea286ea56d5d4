"""The picture's half of the evidence: one pass over the frames, no frame kept.

Landmarks, pose and light are taken from every analysed frame. The costlier networks run on a fixed number of near-frontal
frames spread over the recording, so that cost does not grow with its length: `LIVE_FRAMES` for presentation attack, some of them
for the closer crop and for what covers eyes and mouth as well, `GRID_FRAMES` for the grid of a display, `BEZEL_FRAMES` for its
border, `IDENTITY_FRAMES` for identity and `AGE_FRAMES` for age.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

import cv2
import numpy as np

from verifier.errors import AbandonedError
from verifier.evidence.bezel import border
from verifier.evidence.covered import EYES, MOUTH, look
from verifier.evidence.enlarging import Spectrum
from verifier.evidence.light import eye_white
from verifier.evidence.moire import GridSearch
from verifier.evidence.parallax import Parallax
from verifier.evidence.second_look import SecondLook, face_width_px, of_picture
from verifier.models.landmarks import MAX_FACES, head_pose_deg
from verifier.reasons import Reason
from verifier.types import F32, U8, FaceObservation, FaceTrack, Frame, Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from verifier.models.kit import ModelKit

LIVE_FRAMES = 24
"""Twice the twelve the profile asks for at least, so that half of them may be without a face."""
CLOSE_EVERY = 2
"""Of the frames scored for presentation attack, one in so many is scored in a closer crop as well."""
COVERED_EVERY = 2
"""One in so many tells whether eyes and mouth are covered."""
SPECTRUM_EVERY = 3
"""One in so many tells whether the picture was enlarged."""
GRID_FRAMES = 48
"""A faint grid stands out by a third more than in 24."""
BEZEL_FRAMES = 12
IDENTITY_FRAMES = 16
AGE_FRAMES = 5
LIVE_DEG = 25.0
"""Beyond this yaw or pitch the presentation-attack network is blind: genuine faces that look up by 35 degrees score 0.01."""
IDENTITY_DEG = 20.0
"""Beyond this yaw or pitch a picture says less about identity: similarity to the frontal one falls to 0.75-0.84 at 25 degrees."""
_CROP_PX = 112


class Slots:
    """Spreads at most one pick over each of `count` equal slots of a recording.

    The pick of a slot is its first eligible frame, so that the same frames give the same picks.
    """

    def __init__(self, count: int, duration_s: float) -> None:
        """Divide `duration_s` seconds into `count` slots."""
        self._width_s = max(duration_s / count, 1e-3)
        self._next = 0

    def take(self, t_s: float) -> bool:
        """Whether the frame at `t_s` is its slot's pick; asking takes it."""
        slot = int(t_s / self._width_s)
        due = slot >= self._next
        if due:
            self._next = slot + 1
        return due


@dataclass(slots=True)
class _Rows:
    t_s: list[float] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)
    landmarks: list[F32] = field(default_factory=list)
    pose_deg: list[tuple[float, float, float]] = field(default_factory=list)
    blendshapes: list[F32] = field(default_factory=list)
    face_px: list[float] = field(default_factory=list)
    face_share: list[float] = field(default_factory=list)
    luma: list[float] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    eye_white: list[float] = field(default_factory=list)
    identity_t_s: list[float] = field(default_factory=list)
    identity_yaw_deg: list[float] = field(default_factory=list)
    embeddings: list[F32] = field(default_factory=list)
    live_t_s: list[float] = field(default_factory=list)
    live: list[float] = field(default_factory=list)
    live_close: list[tuple[float, float]] = field(default_factory=list)
    grid: list[float] = field(default_factory=list)
    grid_t_s: list[float] = field(default_factory=list)
    search: GridSearch = field(default_factory=GridSearch)
    spectrum: Spectrum = field(default_factory=Spectrum)
    ages: list[tuple[float, float]] = field(default_factory=list)
    eyes: list[F32] = field(default_factory=list)
    mouth: list[F32] = field(default_factory=list)
    bezel: list[float] = field(default_factory=list)
    bezel_t_s: list[float] = field(default_factory=list)
    bezel_px: list[F32] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Picks:
    live: Slots
    grid: Slots
    bezel: Slots
    identity: Slots
    age: Slots


class Stopwatch(dict[str, float]):
    """Milliseconds spent by name."""

    def add(self, name: str, since_s: float) -> float:
        """Add the time since `since_s` (of `perf_counter`) and return the present reading."""
        now_s = perf_counter()
        self[name] = self.get(name, 0.0) + (now_s - since_s) * 1e3
        return now_s


def observe(
    frames: Iterable[Frame],
    kit: ModelKit,
    *,
    duration_s: float,
    still: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
    timings_ms: Stopwatch | None = None,
) -> FaceTrack | Missing:
    """Run the picture models over a recording's frames, in order.

    Args:
        frames: upright frames with rising times; consumed once, none is kept.
        kit: where the models come from.
        duration_s: length in seconds, measured; only spreads the picks.
        still: the frames are unrelated stills, so no tracking from one to the next.
        cancelled: asked before each frame.
        timings_ms: milliseconds by model are added here.

    Returns:
        The face track, or `Missing(NO_FACE)` when no analysed frame shows a face, `Missing(FACE_TOO_SMALL)` when a second
        look finds one (`verifier.evidence.second_look`), or `Missing(NO_VIDEO)` without a frame.

    Raises:
        AbandonedError: `cancelled` said so.
    """
    watch = Stopwatch() if timings_ms is None else timings_ms
    rows = _Rows()
    picks = _Picks(*(Slots(count, duration_s) for count in (LIVE_FRAMES, GRID_FRAMES, BEZEL_FRAMES, IDENTITY_FRAMES, AGE_FRAMES)))
    parallax = Parallax(duration_s)
    iterator = iter(frames)
    with kit.landmarker(max_faces=MAX_FACES, video=not still) as landmarker, SecondLook(kit, duration_s) as again:
        while True:
            mark = perf_counter()
            frame = next(iterator, None)
            mark = watch.add("decode_picture", mark)
            if frame is None:
                break
            if cancelled():
                raise AbandonedError("the verification was abandoned")
            found = landmarker.detect(frame)
            mark = watch.add("landmarks", mark)
            rows.t_s.append(frame.t_s)
            rows.faces.append(len(found))
            if not found:
                _append_absent(rows)
                if hardly_seen(rows.faces):
                    again.look(frame)
                    watch.add("second_look", mark)
                continue
            face = found[0]
            pose = head_pose_deg(face.transform)
            _append_face(rows, frame.rgb, face, pose)
            mark = watch.add("measure", mark)
            if not still:
                parallax.add(len(rows.t_s) - 1, frame.t_s, frame.rgb, face.landmarks, pose)
                watch.add("parallax", mark)
            _run_networks(rows, picks, frame, face, pose, kit, watch, frontal_only=not still)
    if not rows.t_s:
        return Missing(Reason.NO_VIDEO)
    small = again.shares()
    if not any(rows.faces):
        return Missing(Reason.FACE_TOO_SMALL if len(small) else Reason.NO_FACE)
    return _track(rows, parallax, small)


def hardly_seen(faces: Sequence[int]) -> bool:
    """Whether most of the pictures so far, (N,) faces in each, show none."""
    return 2 * sum(count > 0 for count in faces) < len(faces)


def _run_networks(
    rows: _Rows,
    picks: _Picks,
    frame: Frame,
    face: FaceObservation,
    pose: tuple[float, float, float],
    kit: ModelKit,
    watch: Stopwatch,
    *,
    frontal_only: bool,
) -> None:
    turned_deg = max(abs(pose[0]), abs(pose[1])) if frontal_only else 0.0
    mark = perf_counter()
    if turned_deg <= LIVE_DEG and picks.live.take(frame.t_s):
        scored = len(rows.live)
        rows.live_t_s.append(frame.t_s)
        rows.live.append(kit.presentation_attack.score(frame.rgb, face.landmarks))
        mark = watch.add("presentation_attack", mark)
        if scored % CLOSE_EVERY == 0:
            rows.live_close.append(kit.presentation_attack.score_close(frame.rgb, face.landmarks))
            mark = watch.add("close_up", mark)
        if scored % SPECTRUM_EVERY == 0:
            rows.spectrum.add(frame.rgb)
            mark = watch.add("enlarged", mark)
        if scored % COVERED_EVERY == 0:
            eyes, mouth = look(frame.rgb, face.landmarks)
            rows.eyes.append(eyes)
            rows.mouth.append(mouth)
            mark = watch.add("covered", mark)
    if turned_deg <= LIVE_DEG and picks.grid.take(frame.t_s):
        rows.grid_t_s.append(frame.t_s)
        rows.grid.append(rows.search.add(frame.rgb, face.landmarks))
        mark = watch.add("moire", mark)
    if picks.bezel.take(frame.t_s):
        found = border(frame.rgb, face.landmarks)
        rows.bezel_t_s.append(frame.t_s)
        rows.bezel.append(found.covered)
        rows.bezel_px.append(found.corners.astype(np.float32))
        mark = watch.add("bezel", mark)
    if turned_deg > IDENTITY_DEG:
        return
    if picks.identity.take(frame.t_s):
        rows.identity_t_s.append(frame.t_s)
        rows.identity_yaw_deg.append(pose[0])
        rows.embeddings.append(kit.face_embedder.embed(kit.face_embedder.align(frame.rgb, face.landmarks)))
        mark = watch.add("face_embedding", mark)
    if picks.age.take(frame.t_s):
        rows.ages.append((kit.age.estimate(frame.rgb, face.landmarks), kit.dlib_age.estimate(frame.rgb, face.landmarks)))
        watch.add("age", mark)


def _append_absent(rows: _Rows) -> None:
    nan = float("nan")
    rows.landmarks.append(np.full((478, 3), nan, np.float32))
    rows.blendshapes.append(np.full(52, nan, np.float32))
    rows.pose_deg.append((nan, nan, nan))
    for column in (rows.face_px, rows.face_share, rows.luma, rows.sharpness, rows.eye_white):
        column.append(nan)


def _append_face(rows: _Rows, rgb: U8, face: FaceObservation, pose: tuple[float, float, float]) -> None:
    rows.landmarks.append(face.landmarks)
    rows.blendshapes.append(face.blendshapes)
    rows.pose_deg.append(pose)
    width_px = face_width_px(face)
    rows.face_px.append(width_px)
    rows.face_share.append(of_picture(width_px, rgb))
    luma, sharpness, white = _light_and_sharpness(rgb, face.landmarks)
    rows.luma.append(luma)
    rows.sharpness.append(sharpness)
    rows.eye_white.append(white)


def _light_and_sharpness(rgb: U8, landmarks: F32) -> tuple[float, float, float]:
    """Return the mean luma 0..255 of the face's box, its sharpness, and the luma of the white of its eyes.

    Sharpness is the standard deviation of the Laplacian over the mean luma, at a face width of 112 px, so that it depends
    neither on the picture's size nor on the light (Pech-Pacheco et al., 2000, with the variance made relative).
    """
    height, width = rgb.shape[:2]
    x0, y0 = np.clip(landmarks[:, :2].min(axis=0).astype(int), 0, (width - 1, height - 1))
    x1, y1 = np.clip(landmarks[:, :2].max(axis=0).astype(int) + 1, (x0 + 1, y0 + 1), (width, height))
    crop = cv2.cvtColor(rgb[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY)
    scale = _CROP_PX / crop.shape[1]
    resized = cv2.resize(crop, (_CROP_PX, max(1, round(crop.shape[0] * scale))), interpolation=cv2.INTER_AREA)
    luma = float(resized.mean())
    white = eye_white(np.asarray(crop, np.uint8), landmarks - np.array([x0, y0, 0], np.float32))
    return luma, float(cv2.Laplacian(resized, cv2.CV_32F).std() / max(luma, 1.0)), white


def _track(rows: _Rows, parallax: Parallax, small: F32) -> FaceTrack:
    def stack(column: list[F32], width: int) -> F32:
        return np.stack(column) if column else np.zeros((0, width), np.float32)

    return FaceTrack(
        t_s=np.array(rows.t_s, np.float64),
        faces=np.array(rows.faces, np.int32),
        landmarks=np.stack(rows.landmarks),
        pose_deg=np.array(rows.pose_deg, np.float32),
        blendshapes=stack(rows.blendshapes, 52),
        face_px=np.array(rows.face_px, np.float32),
        luma=np.array(rows.luma, np.float32),
        sharpness=np.array(rows.sharpness, np.float32),
        identity_t_s=np.array(rows.identity_t_s, np.float64),
        identity_yaw_deg=np.array(rows.identity_yaw_deg, np.float32),
        embeddings=stack(rows.embeddings, 512),
        live_t_s=np.array(rows.live_t_s, np.float64),
        live=np.array(rows.live, np.float32),
        ages=np.array(rows.ages, np.float32).reshape(-1, 2),
        turn_rows=parallax.rows(),
        turn_points=parallax.points(),
        live_close=np.array(rows.live_close, np.float32).reshape(-1, 2),
        grid=np.array(rows.grid, np.float32),
        bend_db=rows.spectrum.bend_db(),
        eye_white=np.array(rows.eye_white, np.float32),
        eyes=stack(rows.eyes, EYES),
        mouth=stack(rows.mouth, MOUTH),
        bezel=np.array(rows.bezel, np.float32),
        grid_t_s=np.array(rows.grid_t_s, np.float64),
        grid_spectrum=rows.search.spectrum,
        bezel_t_s=np.array(rows.bezel_t_s, np.float64),
        bezel_px=np.array(rows.bezel_px, np.float32).reshape(-1, 4, 2),
        face_share=np.array(rows.face_share, np.float32),
        small_share=small,
    )
