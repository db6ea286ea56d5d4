"""Speaker conversion: turns the published speaker checkpoint into the kit's ONNX file, without PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.convert.asv_network import speaker_model
from cameo_verifier.models.convert.torch_checkpoint import load_state
from cameo_verifier.models.onnx_graph import save
from cameo_verifier.models.subnormals import flush

if TYPE_CHECKING:
    from pathlib import Path


def convert(pth_path: Path, onnx_path: Path) -> None:
    """Write the network of `ASV_model.pth` as ONNX; the same checkpoint always gives the same bytes.

    Raises:
        ModelKitError: the file is not that checkpoint, or holds anything but plain tensors.
    """
    state = load_state(pth_path, "model_state_dict")
    try:
        model = speaker_model(state)
    except (KeyError, ValueError, IndexError) as error:
        raise ModelKitError(f"{pth_path} does not hold the expected speaker network: {error}") from error
    flush(model)
    save(model, onnx_path)
