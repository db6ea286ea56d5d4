"""Picture analysis: runs the picture models over the frames in one pass, keeping no frame.

Landmarks, pose and light are measured in every analysed frame. The costlier networks run on a fixed number of near-frontal frames
spread over the recording, so that cost does not grow with its length: `LIVE_FRAMES` for presentation attack, some of them for the
closer crop and for occlusion of eyes and mouth as well, `GRID_FRAMES` for the grid of a display, `BEZEL_FRAMES` for its border,
`IDENTITY_FRAMES` for identity and `AGE_FRAMES` for age.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

import cv2
import numpy as np

from cameo_verifier.errors import AbandonedError
from cameo_verifier.evidence.bezel import border
from cameo_verifier.evidence.columns import Columns
from cameo_verifier.evidence.covered import look
from cameo_verifier.evidence.light import eye_white
from cameo_verifier.evidence.moire import GridSearch
from cameo_verifier.evidence.parallax import Parallax
from cameo_verifier.evidence.screen_light import colours_seen
from cameo_verifier.evidence.second_look import SecondLook, face_width_px, of_picture
from cameo_verifier.evidence.upscaling import Spectrum
from cameo_verifier.models.landmarks import MAX_FACES, head_pose_deg
from cameo_verifier.reasons import Reason
from cameo_verifier.types import F32, U8, FaceObservation, FaceTrack, Frame, Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from cameo_verifier.evidence.early import EarlyFaces
    from cameo_verifier.models.kit import ModelKit

LIVE_FRAMES = 24
"""Twice the least number the profile requires, twelve, so that half of them may be without a face."""
CLOSE_EVERY = 2
"""Of the frames scored for presentation attack, one in so many is scored in a closer crop as well."""
COVERED_EVERY = 2
"""One in so many is measured for occlusion of eyes and mouth."""
SPECTRUM_EVERY = 3
"""One in so many is measured for upscaling."""
GRID_FRAMES = 48
"""A faint grid is more prominent by a third than in 24."""
BEZEL_FRAMES = 12
IDENTITY_FRAMES = 16
AGE_FRAMES = 5
LIVE_DEG = 25.0
"""Beyond this yaw or pitch the presentation-attack network is blind: genuine faces that look up by 35 degrees score 0.01."""
IDENTITY_DEG = 20.0
"""Beyond this yaw or pitch a picture says less about identity: similarity to the frontal one falls to 0.75-0.84 at 25 degrees."""
_CROP_PX = 112


class Slots:
    """A sampler that picks at most one frame from each of `count` equal slots of a recording.

    The pick of a slot is its first eligible frame, so that the same frames give the same picks.
    """

    def __init__(self, count: int, duration_s: float) -> None:
        """Divide `duration_s` seconds into `count` slots."""
        self._width_s = max(duration_s / count, 1e-3)
        self._next = 0

    def take(self, t_s: float) -> bool:
        """Whether the frame at `t_s` is its slot's pick; a true answer uses the slot up."""
        slot = int(t_s / self._width_s)
        due = slot >= self._next
        if due:
            self._next = slot + 1
        return due


@dataclass(slots=True)
class _Seen:
    """The accumulators of one pass."""

    columns: Columns = field(default_factory=Columns)
    search: GridSearch = field(default_factory=GridSearch)
    spectrum: Spectrum = field(default_factory=Spectrum)


@dataclass(frozen=True, slots=True)
class _Picks:
    live: Slots
    grid: Slots
    bezel: Slots
    identity: Slots
    age: Slots


class Stopwatch(dict[str, float]):
    """A map of elapsed milliseconds by name."""

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
    lit: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
    timings_ms: Stopwatch | None = None,
    early: EarlyFaces | None = None,
) -> FaceTrack | Missing:
    """Run the picture models over a recording's frames, in order.

    Args:
        frames: upright frames with rising times; consumed once, none is kept.
        kit: where the models come from.
        duration_s: length in seconds, measured; only spreads the picks.
        still: the frames are unrelated stills, so no tracking from one to the next.
        lit: a display showed colours: measure them on skin and background.
        cancelled: called before each frame.
        timings_ms: milliseconds by model are added here.
        early: the faces that were found while the recording arrived, instead of detecting them.

    Returns:
        The face track, or `Missing(NO_FACE)` when no analysed frame shows a face, `Missing(FACE_TOO_SMALL)` when small-face
            detection finds one (`cameo_verifier.evidence.second_look`), or `Missing(NO_VIDEO)` without a frame.

    Raises:
        AbandonedError: `cancelled` returned true.
        OtherFramesError: these are not the frames of `early`.
    """
    watch = Stopwatch() if timings_ms is None else timings_ms
    seen = _Seen()
    columns = seen.columns
    picks = _Picks(*(Slots(count, duration_s) for count in (LIVE_FRAMES, GRID_FRAMES, BEZEL_FRAMES, IDENTITY_FRAMES, AGE_FRAMES)))
    parallax = Parallax(duration_s)
    iterator = iter(frames)
    detecting = kit.landmarker(max_faces=MAX_FACES, video=not still) if early is None else nullcontext(early.recall())
    with detecting as landmarker, SecondLook(kit, duration_s) as again:
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
            columns.add(t_s=frame.t_s, faces=len(found))
            if not found:
                columns.add_absent()
                if hardly_seen(columns["faces"]):
                    again.look(frame)
                    watch.add("second_look", mark)
                continue
            face = found[0]
            pose = head_pose_deg(face.transform)
            columns.add(**_measured(frame.rgb, face, pose))
            mark = watch.add("measure", mark)
            if lit:
                columns.add(lit_t_s=frame.t_s, lit=colours_seen(frame.rgb, face.landmarks))
                mark = watch.add("screen_light", mark)
            if not still:
                parallax.add(len(columns["t_s"]) - 1, frame.t_s, frame.rgb, face.landmarks, pose)
                watch.add("parallax", mark)
            _run_networks(seen, picks, frame, face, pose, kit, watch, frontal_only=not still)
    if not columns["t_s"]:
        return Missing(Reason.NO_VIDEO)
    small = again.shares()
    if not any(columns["faces"]):
        return Missing(Reason.FACE_TOO_SMALL if len(small) else Reason.NO_FACE)
    return FaceTrack(
        **columns.arrays(),
        turn_rows=parallax.rows(),
        turn_points=parallax.points(),
        bend_db=seen.spectrum.bend_db(),
        grid_spectrum=seen.search.spectrum,
        small_share=small,
    )


def hardly_seen(faces: Sequence[int]) -> bool:
    """Whether most of the pictures so far, (N,) faces in each, show none."""
    return 2 * sum(count > 0 for count in faces) < len(faces)


def _run_networks(
    seen: _Seen,
    picks: _Picks,
    frame: Frame,
    face: FaceObservation,
    pose: tuple[float, float, float],
    kit: ModelKit,
    watch: Stopwatch,
    *,
    frontal_only: bool,
) -> None:
    columns = seen.columns
    turned_deg = max(abs(pose[0]), abs(pose[1])) if frontal_only else 0.0
    mark = perf_counter()
    if turned_deg <= LIVE_DEG and picks.live.take(frame.t_s):
        scored = len(columns["live"])
        columns.add(live_t_s=frame.t_s, live=kit.presentation_attack.score(frame.rgb, face.landmarks))
        mark = watch.add("presentation_attack", mark)
        if scored % CLOSE_EVERY == 0:
            columns.add(live_close=kit.presentation_attack.score_close(frame.rgb, face.landmarks))
            mark = watch.add("close_up", mark)
        if scored % SPECTRUM_EVERY == 0:
            seen.spectrum.add(frame.rgb)
            mark = watch.add("upscaled", mark)
        if scored % COVERED_EVERY == 0:
            eyes, mouth = look(frame.rgb, face.landmarks)
            columns.add(eyes=eyes, mouth=mouth)
            mark = watch.add("covered", mark)
    if turned_deg <= LIVE_DEG and picks.grid.take(frame.t_s):
        columns.add(grid_t_s=frame.t_s, grid=seen.search.add(frame.rgb, face.landmarks))
        mark = watch.add("moire", mark)
    if picks.bezel.take(frame.t_s):
        found = border(frame.rgb, face.landmarks)
        columns.add(bezel_t_s=frame.t_s, bezel=found.covered, bezel_px=found.corners)
        mark = watch.add("bezel", mark)
    if turned_deg > IDENTITY_DEG:
        return
    if picks.identity.take(frame.t_s):
        embedding = kit.face_embedder.embed(kit.face_embedder.align(frame.rgb, face.landmarks))
        columns.add(identity_t_s=frame.t_s, identity_yaw_deg=pose[0], embeddings=embedding)
        mark = watch.add("face_embedding", mark)
    if picks.age.take(frame.t_s):
        columns.add(ages=(kit.age.estimate(frame.rgb, face.landmarks), kit.dlib_age.estimate(frame.rgb, face.landmarks)))
        watch.add("age", mark)


def _measured(rgb: U8, face: FaceObservation, pose: tuple[float, float, float]) -> dict[str, npt.ArrayLike]:
    """Return a row of every column that has one for each frame with a face."""
    width_px = face_width_px(face)
    luma, sharpness, white = _light_and_sharpness(rgb, face.landmarks)
    return {
        "landmarks": face.landmarks,
        "blendshapes": face.blendshapes,
        "pose_deg": pose,
        "face_px": width_px,
        "face_share": of_picture(width_px, rgb),
        "luma": luma,
        "sharpness": sharpness,
        "eye_white": white,
    }


def _light_and_sharpness(rgb: U8, landmarks: F32) -> tuple[float, float, float]:
    """Return the mean luma 0..255 of the face's box, its sharpness, and the luma of the sclera.

    Sharpness is the standard deviation of the Laplacian over the mean luma, at a face width of 112 px, so that it depends neither
    on the picture's size nor on the light (Pech-Pacheco et al., 2000, with the variance made relative).
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
