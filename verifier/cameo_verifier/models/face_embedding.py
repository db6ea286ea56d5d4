"""Face embeddings: align and embed a face with insightface's ArcFace runner, on the kit's file or one of your own."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.onnx_session import open_session
from cameo_verifier.models.quiet import quiet_import

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.types import F32, U8

SIDE_PX = 112
DIMENSIONS = 512

# Points of the 478-point mesh, from left to right in the picture: the two corners of each eye, the tip of the nose, the
# corners of the mouth. The mesh has iris centres too, but on a small face they slide up to the hair while the corners stay.
_EYES = ((33, 133), (362, 263))
_NOSE, _MOUTH = 1, (61, 291)


class FaceEmbedder:
    """An embedder that aligns a face by five points; it takes any ArcFace-like ONNX of 112x112.

    Raises:
        ModelKitError: the file is missing, no model, takes another input than (1, 3, 112, 112) or gives other than 512
            values, which tracks and gallery are made for.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        with quiet_import():
            from insightface.model_zoo.arcface_onnx import ArcFaceONNX  # noqa: PLC0415 - over a second, only for a process with models

        session = open_session(path, threads=threads)
        shape = session.get_inputs()[0].shape
        if list(shape[1:]) != [3, SIDE_PX, SIDE_PX] or len(session.get_outputs()) != 1:
            raise ModelKitError(
                f"{path} takes {shape}: a face recognition file takes (1, 3, {SIDE_PX}, {SIDE_PX}) and has one output"
            )
        given = session.get_outputs()[0].shape
        if given[-1] != DIMENSIONS:
            raise ModelKitError(f"{path} gives {given}: a face recognition file gives {DIMENSIONS} values")
        self._recognizer: Any = ArcFaceONNX(str(path), session)

    def __enter__(self) -> Self:
        """Return the embedder itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Release the session."""
        self._recognizer = None

    def align(self, rgb: U8, landmarks: F32) -> U8:
        """Return the face of `rgb` (H, W, 3) as (112, 112, 3) uint8 RGB in ArcFace's frame, by its 478 `landmarks` in px."""
        from insightface.utils import face_align  # noqa: PLC0415 - loaded by the constructor

        with warnings.catch_warnings():
            # norm_crop still calls SimilarityTransform.estimate, which scikit-image 0.26 deprecates
            warnings.simplefilter("ignore", FutureWarning)
            aligned: U8 = face_align.norm_crop(rgb, five_points(landmarks), image_size=SIDE_PX)
        return aligned

    def embed(self, aligned: U8) -> F32:
        """Return the (512,) float32 unit-length embedding of an aligned face.

        insightface expects BGR, swaps it itself and scales to (x - 127.5) / 127.5.
        """
        feature = self._recognizer.get_feat(np.ascontiguousarray(aligned[..., ::-1]))[0].astype(np.float64)
        return np.asarray(feature / np.linalg.norm(feature), np.float32)


def five_points(landmarks: F32) -> F32:
    """Return the (5, 2) px points ArcFace aligns by: eyes, nose tip, mouth corners, pairs from left to right in the picture."""
    eyes = [landmarks[list(corners), :2].mean(axis=0) for corners in _EYES]
    return np.array([*eyes, landmarks[_NOSE, :2], *(landmarks[corner, :2] for corner in _MOUTH)], np.float32)
