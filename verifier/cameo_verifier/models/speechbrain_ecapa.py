"""SpeechBrain's ECAPA-TDNN: embeds voices in process; the `[speechbrain]` extra's alternative speaker embedder.

Computes what `speechbrain.inference.EncoderClassifier.encode_batch` does (filter banks, mean normalisation over the sentence,
network), from a local folder that `ecapa_folder` has checked; no hub is contacted, and no code in the folder is run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models import ecapa_folder

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.ecapa_folder import Ecapa
    from cameo_verifier.types import F32

MISSING_EXTRA = (
    "the ECAPA-TDNN backend needs SpeechBrain and PyTorch; in the clone run: "
    "pip install ./packaging/client ./packaging/credential '.[speechbrain]'"
)


def load(folder: Path, *, threads: int = 1) -> SpeechBrainEcapa:
    """Open the network of a folder.

    Args:
        folder: embedding_model.ckpt, hyperparams.yaml and SHA256SUMS; see `ecapa_folder`.
        threads: threads of PyTorch, for the whole process.

    Raises:
        ModelKitError: the extra is not installed, or the folder is not as `ecapa_folder` requires.
    """
    return SpeechBrainEcapa(ecapa_folder.read(folder), threads=threads)


class SpeechBrainEcapa:
    """SpeechBrain's own ECAPA-TDNN with the interface of `cameo_verifier.models.speaker.SpeakerEmbedder`."""

    def __init__(self, ecapa: Ecapa, *, threads: int) -> None:
        """Build the network.

        Raises:
            ModelKitError: the extra is not installed, or the parameters do not fit.
        """
        try:
            import torch  # noqa: PLC0415 - an extra
            from speechbrain.lobes.features import Fbank  # noqa: PLC0415 - the same
            from speechbrain.processing.features import InputNormalization  # noqa: PLC0415 - the same
        except ImportError as error:
            raise ModelKitError(MISSING_EXTRA) from error
        torch.set_num_threads(threads)
        self._torch = torch
        self._features = Fbank(n_mels=ecapa.n_mels)
        self._norm = InputNormalization(norm_type="sentence", std_norm=False)
        self._network = _network(ecapa)

    def embed(self, sound: F32) -> F32:
        """Return the voice embedding, float32 of unit length; its size is the network's (192 in SpeechBrain's own).

        Args:
            sound: (n,) float32, mono, 16 kHz, in [-1, 1]; best speech only, at least 1.5 s of it.
        """
        torch = self._torch
        with torch.inference_mode():
            whole = torch.ones(1)
            features = self._norm(self._features(torch.from_numpy(np.array(sound, np.float32))[None]), whole)
            embedding = torch.nn.functional.normalize(self._network(features, whole).reshape(-1), dim=0)
        return np.asarray(embedding.numpy(), np.float32)

    def close(self) -> None:
        """Release the network."""
        self._network = None

    def __enter__(self) -> Self:
        """Return the embedder itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def _network(ecapa: Ecapa) -> Any:  # noqa: ANN401 - an extra's type
    """Return the network in SpeechBrain's class, with every size read from its parameters."""
    import torch  # noqa: PLC0415 - an extra
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN  # noqa: PLC0415 - the same

    state = ecapa.state
    first, mfa = state["blocks.0.conv.conv.weight"], state["mfa.conv.conv.weight"]
    inner = [f"blocks.{index}" for index in range(1, len(ecapa.dilations) - 1)]
    try:
        network = ECAPA_TDNN(
            ecapa.n_mels,
            lin_neurons=ecapa.embedding_size,
            channels=[first.shape[0], *(state[f"{block}.tdnn2.conv.conv.weight"].shape[0] for block in inner), mfa.shape[0]],
            kernel_sizes=[
                first.shape[2],
                *(state[f"{block}.res2net_block.blocks.0.conv.conv.weight"].shape[2] for block in inner),
                mfa.shape[2],
            ],
            dilations=list(ecapa.dilations),
            groups=[1] * len(ecapa.dilations),
            attention_channels=state["asp.conv.conv.weight"].shape[1],
            res2net_scale=ecapa.res2net_scale,
            se_channels=state["blocks.1.se_block.conv1.conv.weight"].shape[0],
            global_context=state["asp.tdnn.conv.conv.weight"].shape[1] == 3 * mfa.shape[0],
        )
        network.load_state_dict({name: torch.from_numpy(values) for name, values in state.items()})
    except (KeyError, RuntimeError, AssertionError) as error:
        raise ModelKitError(f"the parameters are not those of an ECAPA-TDNN: {error}") from error
    return network.eval()
