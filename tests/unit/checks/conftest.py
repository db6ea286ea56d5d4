"""Evidence made by hand, good in every respect unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cameo_verifier.profiles import load
from cameo_verifier.types import Evidence, FaceTrack, MediaInfo, SoundTrack

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile

FRAMES = 90
MakeEvidence = Callable[..., Evidence]


def _unit(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return `count` nearly equal unit vectors of 512 numbers."""
    rows = rng.normal(size=512) + 0.1 * rng.normal(size=(count, 512))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _good() -> Evidence:
    rng = np.random.default_rng(1)
    media = MediaInfo(
        container="mp4", size_bytes=1000, sha256="00", duration_s=6.0, video_codec="h264", audio_codec="aac",
        width=640, height=480, frames=180, fps=30.0, video_s=6.0, audio_s=6.0, sample_rate_hz=48000,
    )  # fmt: skip
    blendshapes = np.zeros((FRAMES, 52), np.float32)
    blendshapes[40:43, 9:11] = 0.9
    face = FaceTrack(
        t_s=np.arange(FRAMES) / 15.0,
        faces=np.ones(FRAMES, np.int32),
        landmarks=np.zeros((FRAMES, 478, 3), np.float32),
        pose_deg=np.zeros((FRAMES, 3), np.float32),
        blendshapes=blendshapes,
        face_px=np.full(FRAMES, 150, np.float32),
        luma=np.full(FRAMES, 120, np.float32),
        sharpness=np.full(FRAMES, 0.1, np.float32),
        eye_white=np.full(FRAMES, 140, np.float32),
        identity_t_s=np.arange(16) / 3.0,
        identity_yaw_deg=np.zeros(16, np.float32),
        embeddings=_unit(rng, 16),
        live_t_s=np.arange(24) / 4.0,
        live=np.full(24, 0.95, np.float32),
        ages=np.full((5, 2), 35, np.float32),
        live_close=np.full((12, 2), 0.95, np.float32),
        bezel=np.full(12, 0.2, np.float32),
        grid=np.full(48, 4.0, np.float32),
        bend_db=1.5,
        eyes=np.tile(np.float32([0.8, -0.2, 0.05]), (12, 1)),
        mouth=np.tile(np.float32([-0.2, 0.2, 0.1, 0.4, 0.05]), (12, 1)),
    )
    sound = SoundTrack(
        duration_s=6.0, level_dbfs=-20.0, noise_dbfs=-55.0, peak_dbfs=-6.0, speech=np.array([[0.5, 5.5]]), text="", words=(),
        forced=(), window_s=np.array([[0.5, 2.5], [1.5, 3.5], [3.5, 5.5]]), window_embeddings=_unit(rng, 3),
        embedding=_unit(rng, 1)[0], mark=0.01,
    )  # fmt: skip
    return Evidence(media, face, sound)


@pytest.fixture(scope="session")
def make_evidence() -> MakeEvidence:
    """Return a function that makes good evidence with some parts replaced: `media`, `face` and `sound` take dicts of fields."""

    def make(
        media: dict[str, Any] | None = None, face: dict[str, Any] | object = None, sound: dict[str, Any] | object = None
    ) -> Evidence:
        good = _good()
        return Evidence(
            media=replace(good.media, **(media or {})),
            face=replace(good.face, **(face or {})) if face is None or isinstance(face, dict) else face,  # type: ignore[type-var,arg-type]
            sound=replace(good.sound, **(sound or {})) if sound is None or isinstance(sound, dict) else sound,  # type: ignore[type-var,arg-type]
        )

    return make


@pytest.fixture(scope="session")
def profile() -> Profile:
    """Return the default profile."""
    return load()
