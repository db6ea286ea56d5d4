"""Watermark conversion: turns the published checkpoint of Perth's audio mark into the kit's ONNX file, decoder only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.convert.torch_checkpoint import load_state
from cameo_verifier.models.mark_network import mark_model
from cameo_verifier.models.onnx_graph import save
from cameo_verifier.models.subnormals import flush

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = "model"
"""The key of the parameters in the checkpoint."""


def convert(pth_path: Path, onnx_path: Path) -> None:
    """Write the decoder of `perth_net_250000.pth.tar` as ONNX; the same checkpoint always gives the same bytes.

    Raises:
        ModelKitError: the file is not that checkpoint, or holds anything but plain tensors.
    """
    state = load_state(pth_path, ENTRY)
    try:
        model = mark_model(state)
    except (KeyError, ValueError, IndexError) as error:
        raise ModelKitError(f"{pth_path} does not hold the expected network of the audio mark: {error}") from error
    flush(model)
    save(model, onnx_path)
