"""Second opinion: scores presentation attacks with networks that a site brings itself.

They are the ones of minivision's Silent-Face-Anti-Spoofing (Apache-2.0), MiniFASNetV2 and MiniFASNetV1SE, which no package ships.
Their folder holds each as an ONNX file with its weights inside, and `manifest.toml`, which names them:

    [[network]]
    file = "MiniFASNetV2.onnx"
    sha256 = "…"
    scale = 2.7

`scale` is the size of the network's crop relative to the face's box. All of it is checked when the folder is opened.
"""

from __future__ import annotations

import hashlib
import tomllib
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Self

import cv2
import numpy as np

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models import index
from cameo_verifier.models.crop import crop_scaled, face_box
from cameo_verifier.models.onnx_session import OnnxModel
from cameo_verifier.models.presentation_attack import PresentationAttackScorer

if TYPE_CHECKING:
    from cameo_verifier.models.crop import Box
    from cameo_verifier.types import F32, F64, U8

MANIFEST = "manifest.toml"
_SIDE_PX = 80
_CLASSES = 3
_LIVE = 1
_MOST_SCALE = 8.0
"""Twice the authors' widest crop: beyond, the face is a few px wide."""
_EXPORT = "export it anew as docs/calibration.md says, or unset CAMEO_PAD_SECOND"


class SecondOpinion:
    """The open networks of a folder; thread-safe.

    Raises:
        ModelKitError: the folder, its manifest or a file is missing or malformed, a file has another digest, or it is no ONNX
            network of 1x3x80x80 to three logits with its weights inside. The message names the file and what to do.
    """

    def __init__(self, folder: Path, *, threads: int) -> None:
        if not folder.is_dir():
            raise ModelKitError(
                f"pad_second {folder}: there is no such folder; give that of the networks, or unset CAMEO_PAD_SECOND"
            )
        manifest = folder / MANIFEST
        try:
            content = manifest.read_bytes()
            entries = _entries(tomllib.loads(content.decode("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ModelKitError(
                f"{manifest} (pad_second) cannot be used: {error}; write a [[network]] for each file, with file, sha256 and scale"
            ) from None
        self.digest = hashlib.sha256(content).hexdigest()
        """The SHA-256 of the manifest, which holds those of the files and their crops."""
        for entry in entries:
            _require_named(folder / entry.file, entry.sha256)
        with ExitStack() as stack:
            self._networks = [
                stack.enter_context(_Network(folder / entry.file, scale=entry.scale, threads=threads)) for entry in entries
            ]
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        """Return the networks themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Release the sessions."""
        self._stack.close()

    def score(self, rgb: U8, landmarks: F32) -> float:
        """Return the probability 0..1 that the face with these 478 `landmarks` in `rgb` (H, W, 3) is live: the networks' mean."""
        box = face_box(landmarks)
        return float(np.mean([network.score(rgb, box) for network in self._networks]))


class SecondedScorer(PresentationAttackScorer):
    """The kit's scorer, averaged with a second opinion on the wide crop; the closer one has none.

    Raises:
        ModelKitError: the kit's file is missing or no model.
    """

    def __init__(self, path: Path, *, second: SecondOpinion, threads: int) -> None:
        super().__init__(path, threads=threads)
        self._second = second

    def score(self, rgb: U8, landmarks: F32) -> float:
        """Return the mean of the kit's network and the second opinion, 0..1."""
        return (super().score(rgb, landmarks) + self._second.score(rgb, landmarks)) / 2


@dataclass(frozen=True, slots=True)
class _Entry:
    file: str
    sha256: str
    scale: float


def _entries(document: dict[str, Any]) -> list[_Entry]:
    tables = document.get("network")
    if set(document) != {"network"} or not isinstance(tables, list) or not tables:
        raise ValueError("it holds something else than tables [[network]], or none")
    entries = [_entry(table) for table in tables]
    if len({entry.file for entry in entries}) != len(entries):
        raise ValueError("it names one file twice")
    return entries


def _entry(table: object) -> _Entry:
    if not isinstance(table, dict) or set(table) != {field.name for field in fields(_Entry)}:
        raise ValueError("a [[network]] has other keys than file, sha256 and scale")
    file, sha256, scale = table["file"], table["sha256"], table["scale"]
    if not isinstance(file, str) or PurePath(file).name != file or "\0" in file:
        raise ValueError(f"file {file!r} is not the name of a file in this folder")
    if not isinstance(sha256, str):
        raise ValueError(f"sha256 of {file} is not text")  # noqa: TRY004 - the file's fault, not a caller's wrong type
    if not isinstance(scale, int | float) or isinstance(scale, bool) or not 1.0 <= scale <= _MOST_SCALE:
        raise ValueError(f"scale of {file} is {scale!r}, not a number from 1 to {_MOST_SCALE:.0f}; the authors' are 2.7 and 4.0")
    return _Entry(file, sha256.lower(), float(scale))


def _require_named(path: Path, sha256: str) -> None:
    """Refuse a file that is missing, has another digest, or keeps weights in a file of their own, which no digest would cover."""
    import onnx  # noqa: PLC0415 - takes a while, and only such a site needs it
    from onnx.external_data_helper import uses_external_data  # noqa: PLC0415 - the same

    if not path.is_file():
        raise ModelKitError(f"{path} (pad_second) is missing: put it there, or take it out of {MANIFEST}")
    if (found := index.sha256(path)) != sha256:
        raise ModelKitError(
            f"{path} (pad_second) is not the file of {MANIFEST}, its SHA-256 is {found}: put the right file there, or write this"
            " digest if you know the file to be right"
        )
    try:
        graph = onnx.load_model(str(path), load_external_data=False).graph
    except Exception as error:  # protobuf's and onnx's exceptions have no common base below this
        raise ModelKitError(f"{path} (pad_second) is no ONNX file: {_EXPORT}") from error
    if any(map(uses_external_data, graph.initializer)):
        raise ModelKitError(f"{path} (pad_second) keeps its weights in another file, which nothing checks: {_EXPORT}")


class _Network(OnnxModel):
    def __init__(self, path: Path, *, scale: float, threads: int) -> None:
        try:
            super().__init__(path, threads=threads)
        except ModelKitError as error:
            raise ModelKitError(f"{path} (pad_second) is no network that can be loaded: {_EXPORT}") from error
        self._scale = scale
        shape = self._session.get_inputs()[0].shape
        if list(shape[1:]) != [3, _SIDE_PX, _SIDE_PX]:
            raise ModelKitError(
                f"{path} (pad_second) takes {shape}: one of these networks takes (1, 3, {_SIDE_PX}, {_SIDE_PX}); {_EXPORT}"
            )
        try:
            logits = self._logits(np.full((_SIDE_PX, _SIDE_PX, 3), 127, np.uint8))
        except Exception as error:  # the runtime's exceptions have no common base below this
            raise ModelKitError(f"{path} (pad_second) cannot be run on one float32 picture: {_EXPORT}") from error
        if logits.shape != (1, _CLASSES) or not np.isfinite(logits).all():
            raise ModelKitError(f"{path} (pad_second) gives {logits.shape}, not (1, {_CLASSES}) finite logits: {_EXPORT}")
        if (logits >= 0).all() and np.isclose(logits.sum(), 1.0, atol=1e-4):
            raise ModelKitError(f"{path} (pad_second) gives probabilities, not logits; leave its softmax out: {_EXPORT}")

    def score(self, rgb: U8, box: Box) -> float:
        """Return the probability 0..1 of a live face.

        The crop is sampled as in the authors' own code, not averaged as for the kit's network: these were trained on that.
        """
        logits = self._logits(crop_scaled(rgb, box, scale=self._scale, side_px=_SIDE_PX, interpolation=cv2.INTER_LINEAR))[0]
        odds = np.exp(logits - logits.max())
        return float(odds[_LIVE] / odds.sum())

    def _logits(self, crop: U8) -> F64:
        image = np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1)[None], np.float32)
        return np.asarray(self._session.run(None, {self._input: image})[0], np.float64)
