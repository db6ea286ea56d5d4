"""Phoneme conversion: turns the published phoneme recogniser into the kit's ONNX file.

Its weights are a flat archive: `HAMAPK`, two bytes of version, the number of arrays as a little-endian uint32; for each array its
name (uint16 length, UTF-8), type (0 float32, 1 float16), number of axes, axes (uint32 each), offset and size (uint64 each); then,
from the next multiple of 16 on, the arrays. The tokens are in a vocabulary file beside it.
"""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.convert.phoneme_network import phoneme_model
from cameo_verifier.models.onnx_graph import save

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.onnx_graph import Array

_MAGIC = b"HAMAPK"
_ALIGNMENT = 16
_TYPES = (np.dtype("<f4"), np.dtype("<f2"))
# Tokens of the network beside the phonemes of the vocabulary.
_MARKS = ("<wb>", "<blank>")
TOKENS_KEY = "tokens"


def convert(archive: Path, vocabulary: Path, output: Path) -> None:
    """Write the network as ONNX with its tokens in the metadata; the same files always give the same bytes.

    Raises:
        ModelKitError: the files are not those of that network.
    """
    from onnx import helper  # noqa: PLC0415 - a conversion only

    try:
        weights = read_archive(archive.read_bytes())
        tokens = [*json.loads(vocabulary.read_bytes())["decoder"], *_MARKS]
        model = phoneme_model(weights)
    except (KeyError, ValueError, TypeError, IndexError, struct.error) as error:
        raise ModelKitError(f"{archive} does not hold the expected phoneme network: {error}") from error
    if len(weights["acoustic_model.model.proj.bias"]) != len(tokens):
        raise ModelKitError(f"{vocabulary} is not the vocabulary of {archive}")
    helper.set_model_props(model, {TOKENS_KEY: json.dumps(tokens)})
    save(model, output)


def read_archive(data: bytes) -> dict[str, Array]:
    """Return the arrays of an archive by name, as float32.

    Raises:
        ValueError: it is no archive, or has inconsistent sizes.
        struct.error: it ends too early.
    """
    if not data.startswith(_MAGIC):
        raise ValueError("no archive of weights")
    at = len(_MAGIC) + 2
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    entries = []
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length
        kind, axes = struct.unpack_from("<BB", data, at)
        shape = struct.unpack_from(f"<{axes}I", data, at + 2)
        offset, size = struct.unpack_from("<QQ", data, at + 2 + 4 * axes)
        at += 2 + 4 * axes + 16
        entries.append((name, _TYPES[kind], shape, offset, size))
    base = -(-at // _ALIGNMENT) * _ALIGNMENT
    arrays = {}
    for name, dtype, shape, offset, size in entries:
        if math.prod(shape) * dtype.itemsize != size or base + offset + size > len(data):
            raise ValueError(f"{name} does not fit")
        arrays[name] = np.frombuffer(data, dtype, math.prod(shape), base + offset).reshape(shape).astype(np.float32)
    return arrays
