"""Lanes of the face, per frame: liveness, number of faces, light, sharpness, size, occlusion, lids, identity, border, grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.console.scale import Lane, Moment, Scale, curve, dots, joined, level, nothing, span, spells
from cameo_verifier.evidence.picture import CLOSE_EVERY, COVERED_EVERY
from cameo_verifier.reasons import Reason
from cameo_verifier.types import FaceTrack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markupsafe import Markup

    from cameo_verifier.profile import Profile, Threshold
    from cameo_verifier.types import F32, F64, Evidence

_WORST = 3
_BLINKS = (9, 10)
"""Indices of eyeBlinkLeft and eyeBlinkRight in MediaPipe's 52 blendshapes."""


def live(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of the probability of a live face, per frame, in the wide crop and in the close one."""
    keys = (("dot", "a frame"), ("close", "its closer crop"), ("threshold", "least 20th percentile"))
    face = evidence.face
    if not isinstance(face, FaceTrack) or not len(face.live):
        return nothing("live", "P(live)", "no face that could be judged")
    height = 52.0
    line = profile["live_p20_min"]
    moments: list[Moment] = []
    bounds = {"low": 0.0, "high": 1.0, "height": height}
    drawn = [level("threshold", line.value, **bounds), dots(scale, "dot", face.live_t_s, face.live, **bounds)]
    close_t_s, close = close_frames(face)
    drawn.append(dots(scale, "close", close_t_s, close, **bounds))
    crops = (
        (face.live_t_s, face.live, line, "presentation_attack", ""),
        (close_t_s, close, profile["live_close_p20_min"], "close_up", ", close"),
    )
    for t_s, scores, least, check, what in crops:
        worst = [row for row in np.argsort(scores)[:_WORST] if not least.holds(float(scores[row]))]
        moments += [Moment(float(t_s[row]), "live", f"P(live) {scores[row]:.2g}{what}", (check,)) for row in worst]
    return Lane("live", "P(live)", keys, height, joined(drawn), tuple(moments))


def close_frames(face: FaceTrack) -> tuple[F64, F32]:
    """Return times of the close crops, (C,) seconds, and for each the lower of its scores, original and mirrored."""
    t_s = face.live_t_s[::CLOSE_EVERY][: len(face.live_close)]
    return t_s, face.live_close[: len(t_s)].min(axis=1, initial=1.0)


def faces(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of the number of faces: where there is none, and where there are several."""
    face = evidence.face
    if not isinstance(face, FaceTrack):
        return nothing("faces", "Faces", "no face")
    keys, height = (("gone", "no face"), ("several", "more than one face")), 16.0
    gone, several = spells(face.t_s, face.faces == 0, most=20), spells(face.t_s, face.faces > 1, most=20)
    drawn = [span(scale, "gone", *each, top=0.0, height=height, title=f"no face until {each[1]:.2f} s") for each in gone]
    drawn += [span(scale, "several", *each, top=0.0, height=height, title=f"until {each[1]:.2f} s") for each in several]
    left = ("presence", Reason.FACE_LEFT_FRAME, Reason.NO_FACE)
    long = [each for each in gone if not profile["face_gap_max"].holds(each[1] - each[0])]
    moments = [Moment(start, "face", f"no face until {end:.1f} s", left) for start, end in long]
    moments += [Moment(start, "face", f"more than one face until {end:.1f} s", ("alone",)) for start, end in several[:_WORST]]
    return Lane("faces", "Faces", keys, height, joined(drawn), tuple(moments))


def light(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of the light on the face, by its skin and by the white of its eyes."""
    name, face = "Light on the face, luma 0 to 255", evidence.face
    if not isinstance(face, FaceTrack):
        return nothing("light", name, "no face")
    keys = (("skin", "face"), ("white", "white of the eyes"), ("threshold", "limits"))
    bounds = {"low": 0.0, "high": 255.0, "height": 48.0}
    dark, bright = profile["light_min"], profile["face_luma_max"]
    drawn = [level("threshold", line.value, **bounds) for line in (dark, bright)]
    drawn += [curve(scale, "white", face.t_s, face.eye_white, **bounds), curve(scale, "skin", face.t_s, face.luma, **bounds)]
    lit = np.fmax(face.luma, face.eye_white)
    moments = [
        Moment(start, "light", f"dark until {end:.1f} s", ("light", Reason.TOO_DARK))
        for start, end in spells(face.t_s, lit < dark.value, most=2)
    ]
    moments += [
        Moment(start, "light", f"too bright until {end:.1f} s", ("light", Reason.TOO_BRIGHT))
        for start, end in spells(face.t_s, face.luma > bright.value, most=2)
    ]
    return Lane("light", name, keys, bounds["height"], joined(drawn), tuple(moments))


def sharpness(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of the sharpness of the face."""
    face = evidence.face
    if not isinstance(face, FaceTrack):
        return nothing("sharpness", "Sharpness of the face", "no face")
    tags = ("sharpness", Reason.BLURRED)
    return _measured(scale, "sharpness", "Sharpness of the face", face.t_s, face.sharpness, profile["sharpness_min"], tags)


def size(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of the width of the face, as a share of the longer side of the picture."""
    name, face = "Width of the face, share of the picture", evidence.face
    if not isinstance(face, FaceTrack) or len(face.face_share) != len(face.t_s):
        return nothing("size", name, "no face" if not isinstance(face, FaceTrack) else "not kept with these tracks")
    return _measured(
        scale, "size", name, face.t_s, face.face_share, profile["face_share_min"], ("face_size", Reason.FACE_TOO_SMALL)
    )


def covered(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of the contrast of eyes and lips with the skin around them, in the frames that were measured."""
    name, face = "Eyes and mouth against skin, nats", evidence.face
    if not isinstance(face, FaceTrack) or not len(face.eyes):
        return nothing("covered", name, "no face that could be looked at")
    keys, bounds = (("dot", "eyes"), ("close", "mouth")), {"low": 0.0, "high": 1.5, "height": 40.0}
    t_s, eyes, mouth = covered_frames(face)
    drawn: list[Markup] = []
    moments: list[Moment] = []
    for mark, values, part in (("dot", eyes, "eye"), ("close", mouth, "mouth")):
        line = profile[f"{part}_contrast_min"]
        drawn += [level("threshold", line.value, **bounds), dots(scale, mark, t_s, values, **bounds)]
        check = "eyes" if part == "eye" else "mouth"
        moments += _least(t_s, values, line, "covered", f"{check} stand out by", (check,))
    return Lane("covered", name, keys, bounds["height"], joined(drawn), tuple(moments))


def covered_frames(face: FaceTrack) -> tuple[F64, F32, F32]:
    """Return the times of the measurements, (V,) seconds, and the contrasts of eyes and mouth, in nats."""
    t_s = face.live_t_s[::COVERED_EVERY][: len(face.eyes)]
    lips = face.mouth[: len(t_s)]
    return t_s, face.eyes[: len(t_s), 0], np.linalg.norm(lips[:, :3], axis=1) + lips[:, 3] / 4


def lids(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of lid closure, of the lid that is closed less."""
    face = evidence.face
    if not isinstance(face, FaceTrack):
        return nothing("lids", "Lids closed", "no face")
    closed, height = profile["blink_closed_min"].value, 36.0
    both = face.blendshapes[:, _BLINKS].min(axis=1)
    drawn = [level("threshold", closed, low=0, high=1, height=height)]
    drawn.append(curve(scale, "yaw", face.t_s, both, low=0.0, high=1.0, height=height))
    found = spells(face.t_s, both >= closed, most=_WORST)
    moments = tuple(Moment(start, "face", f"lids closed until {end:.1f} s", ("blink",)) for start, end in found)
    return Lane("lids", "Lids closed", (("threshold", "closed"),), height, joined(drawn), moments)


def identity(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of the cosine of each embedded frame with all others."""
    name, face = "Face against all of it, cosine", evidence.face
    if not isinstance(face, FaceTrack) or len(face.embeddings) < 2:
        return nothing("identity", name, "no two frames to compare")
    bounds, line = {"low": 0.0, "high": 1.0, "height": 40.0}, profile["same_person_min"]
    alike = face.embeddings @ face.embeddings.T
    drawn = [level("threshold", line.value, **bounds), dots(scale, "dot", face.identity_t_s, like_the_rest(face), **bounds)]
    moments = []
    if not line.holds(float(alike.min())):
        for row in np.unravel_index(int(alike.argmin()), alike.shape):
            text = f"one of the two faces least alike, {alike.min():.2f}"
            moments.append(Moment(float(face.identity_t_s[row]), "face", text, ("same_person",)))
    return Lane("identity", name, (("dot", "a frame"),), bounds["height"], joined(drawn), tuple(moments))


def like_the_rest(face: FaceTrack) -> F32:
    """Return (K,) the mean cosine of each embedded frame with all others."""
    alike = face.embeddings @ face.embeddings.T
    return np.asarray((alike.sum(axis=1) - np.diagonal(alike)) / max(len(alike) - 1, 1), np.float32)


def border(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of the border score around the face, in the frames that were searched."""
    face = evidence.face
    values = face.bezel if isinstance(face, FaceTrack) else None
    t_s = face.bezel_t_s if isinstance(face, FaceTrack) else np.zeros(0)
    said = "a border stands around the face,"
    return _searched(scale, "border", "Border around the face", t_s, values, profile["bezel_max"], ("bezel", said), high=1.0)


def grid(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of a display's grid: its deviation, each frame accumulated with those before it."""
    face = evidence.face
    values = face.grid if isinstance(face, FaceTrack) else None
    t_s = face.grid_t_s if isinstance(face, FaceTrack) else np.zeros(0)
    said = "a grid stands out of face and surroundings,"
    return _searched(scale, "grid", "Display's grid, deviations", t_s, values, profile["grid_max"], ("moire", said), high=12.0)


def _searched(
    scale: Scale,
    lane: str,
    name: str,
    t_s: F64,
    values: F32 | None,
    line: Threshold,
    against: tuple[str, str],
    *,
    high: float,
) -> Lane:
    if values is None or not len(values):
        return nothing(lane, name, "no face" if values is None else "no frame could be searched")
    if len(t_s) != len(values):
        return nothing(lane, name, "when each frame was searched was not kept with these tracks")
    check, said = against
    bounds = {"low": 0.0, "high": max(high, float(np.nanmax(values, initial=0.0))), "height": 40.0}
    drawn = [level("threshold", line.value, **bounds), dots(scale, "dot", t_s, values, **bounds)]
    over = [row for row in np.argsort(-np.nan_to_num(values))[:_WORST] if values[row] > line.value]
    moments = tuple(Moment(float(t_s[row]), lane, f"{said} {values[row]:.2f}", (check,)) for row in over)
    return Lane(lane, name, (("dot", "a frame"), ("threshold", "most")), bounds["height"], joined(drawn), moments)


def _measured(scale: Scale, lane: str, name: str, t_s: F64, values: F32, line: Threshold, tags: tuple[str, ...]) -> Lane:
    known = values[np.isfinite(values)]
    high = 1.2 * max(float(np.max(known, initial=0.0)), 1.5 * line.value)
    bounds = {"low": 0.0, "high": high, "height": 40.0}
    drawn = [level("threshold", line.value, **bounds), curve(scale, "yaw", t_s, values, **bounds)]
    found = tuple(_least(t_s, values, line, lane, "only", tags))
    return Lane(lane, name, (("threshold", "least"),), bounds["height"], joined(drawn), found)


def _least(t_s: F64, values: F32, line: Threshold, kind: str, said: str, tags: tuple[str, ...]) -> Iterator[Moment]:
    """Yield the moment of the lowest value, if it misses the threshold."""
    if np.isfinite(values).any():
        row = int(np.nanargmin(values))
        if not line.holds(float(values[row])):
            yield Moment(float(t_s[row]), kind, f"{said} {values[row]:.2g}", tags)
