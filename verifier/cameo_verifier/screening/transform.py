"""Face transform: rotates embeddings by a secret matrix, so that they are comparable only with one another.

An embedding is multiplied by an orthogonal matrix that only the key's holder can compute, so every cosine between two stored
faces is preserved, and the coordinates mean nothing without the key.

Protection: a copy of the database without the key file. Its faces cannot be compared with a photograph or with another site's
database, and a network that draws faces from embeddings draws nobody. Limits:

- With the key it can be inverted: the key is as sensitive as the faces.
- It is no encryption. Similarities among the stored faces stay visible.
- Whoever reads the database and knows the embeddings of some 512 of its faces can solve for the matrix.

The matrix is drawn uniformly (Haar) from all orthogonal ones: the Q of the QR decomposition of independent normal values, its
columns signed so that R has a positive diagonal (Mezzadri, How to generate random matrices from the classical compact groups,
Notices of the AMS 54, 2007). The normal values come from SHAKE-256 of the key by the method of Box and Muller, not from a
library's generator: every later version must reproduce the matrix of stored faces.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cameo_verifier.types import F32, F64, I8

DIMENSIONS = 512
CODE_SCALE = 512.0
"""Quantisation steps of a code to one. A coordinate of a rotated unit vector deviates by 1/sqrt(512): hardly one in a million
is clipped. The rounding changes a cosine by 0.0008 (standard deviation)."""
_LABEL = b"cameo gallery transform 1\0"


class Transform:
    """The orthogonal matrix of a key and a face model: faces of two models have none in common.

    Args:
        secret: the gallery's key.
        model: digest of the face model.
    """

    def __init__(self, secret: bytes, model: str) -> None:
        drawn, triangle = np.linalg.qr(_normal(hashlib.shake_256(_LABEL + secret + model.encode()), DIMENSIONS))
        self._matrix = drawn * np.sign(np.diag(triangle))

    def turn(self, faces: F32) -> F32:
        """Return faces (..., 512) rotated: the same cosines to float32's precision."""
        return np.asarray(faces.astype(np.float64) @ self._matrix, np.float32)

    def code(self, face: F32) -> bytes:
        """Return the stored form of a face (512,) of unit length: rotated, 512 signed bytes in steps of 1/512."""
        return encode(self.turn(face)).tobytes()


def encode(turned: F32) -> I8:
    """Return rotated faces (..., 512) as int8 in steps of `1 / CODE_SCALE`."""
    steps: I8 = np.clip(np.rint(turned * CODE_SCALE), -127, 127).astype(np.int8)
    return steps


def _normal(stream: hashlib._Hash, size: int) -> F64:
    """Return (size, size) independent standard normal values, two from each two uniform ones."""
    half = size * size // 2
    words = np.frombuffer(stream.digest(16 * half), "<u8").reshape(2, half)  # type: ignore[call-arg]
    uniform = ((words >> 11) + 0.5) / 2.0**53
    radius, angle = np.sqrt(-2 * np.log(uniform[0])), 2 * np.pi * uniform[1]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)]).reshape(size, size)
