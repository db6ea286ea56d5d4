"""Folders of networks for a second opinion on presentation attacks, small enough to be computed by hand.

Each is a matrix over the mean blue, green and red of what it sees, 0..1: three logits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.models import index
from cameo_verifier.models.onnx_graph import OnnxGraph, save
from cameo_verifier.models.second_opinion import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cameo_verifier.types import F32

SIDE_PX = 80
# The rows are blue, green and red, the columns what the authors' networks call a print, live and a display.
BY_COLOUR = np.array([[4.0, -1.0, 0.5], [0.0, 2.0, -3.0], [-2.0, 3.0, 1.0]], np.float32)
AGAINST_ALL = np.array([[9.0, -90.0, 0.0]] * 3, np.float32)
"""Calls whatever is not black an attack, with certainty."""


def save_network(path: Path, matrix: F32, *, side_px: int = SIDE_PX, softmax: bool = False) -> None:
    """Write a network as ONNX."""
    graph = OnnxGraph("colours")
    means = graph.op("Flatten", graph.op("GlobalAveragePool", graph.op("Div", "picture", graph.weight(255.0))))
    logits = graph.op("MatMul", means, graph.weight(matrix))
    output = graph.op("Softmax", logits) if softmax else logits
    save(graph.model({"picture": (1, 3, side_px, side_px)}, output, "out", (1, matrix.shape[1])), path)


def write_manifest(folder: Path, entries: Sequence[tuple[str, float]]) -> None:
    """Write the manifest of the folder's files, with their digests and these scales."""
    tables = (
        f'[[network]]\nfile = "{name}"\nsha256 = "{index.sha256(folder / name)}"\nscale = {scale}\n' for name, scale in entries
    )
    (folder / MANIFEST).write_text("\n".join(tables), "utf-8")


def write_folder(folder: Path, **networks: tuple[F32, float]) -> Path:
    """Create a folder of networks by name, each a matrix and a scale."""
    folder.mkdir()
    for name, (matrix, _) in networks.items():
        save_network(folder / f"{name}.onnx", matrix)
    write_manifest(folder, [(f"{name}.onnx", scale) for name, (_, scale) in networks.items()])
    return folder
