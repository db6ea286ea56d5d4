"""ECAPA-TDNN folders: read SpeechBrain's published speaker network without running any code in them.

A folder holds what SpeechBrain's own recipe saves and publishes, and the digests of the site that put it there:

- `embedding_model.ckpt`, the state dict of `speechbrain.lobes.models.ECAPA_TDNN`;
- `hyperparams.yaml`, HyperPyYAML. That format can build any Python object, so only plain values are read from it and tags such as
  `!new:` are never executed: they are enough to see whether this is the recipe this project implements;
- `SHA256SUMS`, made with `sha256sum embedding_model.ckpt hyperparams.yaml > SHA256SUMS`, checked before anything is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.convert.torch_checkpoint import load_state

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.convert.torch_checkpoint import Tensor

WEIGHTS = "embedding_model.ckpt"
HYPERPARAMETERS = "hyperparams.yaml"
DIGESTS = "SHA256SUMS"

# Defaults of speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN; the weights do not contain them.
_DILATIONS = (1, 2, 3, 4, 1)
_MAX_YAML_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Ecapa:
    """An ECAPA-TDNN: its parameters by SpeechBrain's names, and the dilation of each of its layers."""

    state: Mapping[str, Tensor]
    dilations: tuple[int, ...]

    @property
    def n_mels(self) -> int:
        """The number of its mel filters."""
        return int(self.state["blocks.0.conv.conv.weight"].shape[1])

    @property
    def embedding_size(self) -> int:
        """Length of its embeddings."""
        return int(self.state["fc.conv.weight"].shape[0])

    @property
    def res2net_scale(self) -> int:
        """The number of channel groups in each SE-Res2Net block."""
        return 1 + sum(name.startswith("blocks.1.res2net_block.") and name.endswith(".conv.conv.bias") for name in self.state)


def read(folder: Path) -> Ecapa:
    """Check the digests of a folder and read it.

    Raises:
        ModelKitError: a file is missing, altered or damaged, or the recipe is another one.
    """
    for name in (WEIGHTS, HYPERPARAMETERS, DIGESTS):
        if not (folder / name).is_file():
            raise ModelKitError(f"{folder / name} is missing; the folder needs {WEIGHTS}, {HYPERPARAMETERS} and {DIGESTS}")
    digests = _digests(folder / DIGESTS)
    for name in (WEIGHTS, HYPERPARAMETERS):
        with (folder / name).open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != digests.get(name):
                raise ModelKitError(f"{folder / name} is not the file that {DIGESTS} lists")
    dilations = _recipe(folder / HYPERPARAMETERS)
    state = load_state(folder / WEIGHTS)
    missing = {"blocks.0.conv.conv.weight", "blocks.1.se_block.conv1.conv.weight", "asp_bn.norm.weight", "fc.conv.weight"} - set(
        state
    )
    if missing:
        raise ModelKitError(f"{folder / WEIGHTS} is no ECAPA-TDNN: {min(missing)} is missing")
    return Ecapa(state=state, dilations=dilations)


def _digests(path: Path) -> dict[str, str]:
    digests: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition(" ")
        digests[name.strip().removeprefix("*").removeprefix("./")] = digest.lower()
    return digests


class _PlainLoader(yaml.SafeLoader):  # type: ignore[misc]
    """A YAML loader that reads tagged values as the plain mapping, list or string below the tag."""


def _untagged(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_PlainLoader.add_multi_constructor("!", _untagged)


def _recipe(path: Path) -> tuple[int, ...]:
    """Return the dilations; refuse features other than those this project computes."""
    if path.stat().st_size > _MAX_YAML_BYTES:
        raise ModelKitError(f"{path} is implausibly large")
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=_PlainLoader)  # noqa: S506 - a SafeLoader that drops tags
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ModelKitError(f"{path} is not YAML: {error}") from error
    features, norm, model = (_section(values, name, path) for name in ("compute_features", "mean_var_norm", "embedding_model"))
    if set(features) - {"n_mels"}:
        raise ModelKitError(f"{path}: features other than SpeechBrain's default Fbank are not supported")
    if norm.get("norm_type") != "sentence" or norm.get("std_norm") is not False:
        raise ModelKitError(f"{path}: features must be normalised by sentence, mean only")
    if set(model.get("groups", (1,))) != {1} or "activation" in model:
        raise ModelKitError(f"{path}: grouped convolutions and other activations are not supported")
    dilations = model.get("dilations", _DILATIONS)
    if not isinstance(dilations, list | tuple) or not all(isinstance(step, int) and step > 0 for step in dilations):
        raise ModelKitError(f"{path}: 'dilations' is not a list of whole numbers")
    return tuple(dilations)


def _section(values: object, name: str, path: Path) -> Mapping[str, Any]:
    section = values.get(name) if isinstance(values, Mapping) else None
    if not isinstance(section, Mapping):
        raise ModelKitError(f"{path} has no section {name!r}")
    return section
