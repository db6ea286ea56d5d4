"""Likeness items: typed parts of a likeness, each with the embedding space, preprocessing and public model it belongs to.

An item says which network made it by the digest of a public file, so that whoever has that file can tell which one it is, and
make vectors of their own that compare with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_credential.claims import EMBEDDING_DTYPE, EMBEDDING_NORMALISATION, MAX_DIMENSION, NORM_TOLERANCE
from cameo_credential.encoding import from_base64url, to_base64url
from cameo_credential.item_kind import VECTOR_KINDS, ItemKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cameo_credential.arrays import F32

NEAR_ZERO = 1e-4
"""Values of a vector nearer to zero count as `zeros`: some networks have values that are so for everyone, and say nothing."""


@dataclass(frozen=True, slots=True)
class ItemModel:
    """The network that made an item.

    Attributes:
        name: id of the model in the issuer's kit.
        source: where the public file is from, such as ``npm:NAME@VERSION/FILE``; empty for a file of the site's own.
        sha256: digest of the public file, 64 hex digits.
        preprocessing: input of the network: layout, channel order and scaling; empty where it is not known.
        licence: SPDX id of the network; empty where it is not known.
    """

    name: str
    source: str
    sha256: str
    preprocessing: str = ""
    licence: str = ""

    @property
    def space(self) -> str:
        """The name of the embedding space: vectors compare within one space only."""
        return f"sha256:{self.sha256}"


@dataclass(frozen=True, slots=True, eq=False)
class VectorItem:
    """An embedding as an item: `vector` is (D,) float32 of unit length."""

    kind: ItemKind
    model: ItemModel
    vector: F32 = field(repr=False)


def compose_item(item: VectorItem) -> dict[str, Any]:
    """Return the claim of an item.

    Raises:
        RuntimeError: a bug of ours: the vector is not (D,) finite of unit length.
    """
    if item.vector.ndim != 1 or not 1 <= item.vector.size <= MAX_DIMENSION or not _is_unit(item.vector):
        raise RuntimeError(f"an item of kind {item.kind} holds no vector of unit length")
    return {
        "kind": item.kind.value,
        "space": item.model.space,
        "dimension": item.vector.size,
        "dtype": EMBEDDING_DTYPE,
        "normalisation": EMBEDDING_NORMALISATION,
        "zeros": int(np.count_nonzero(np.abs(item.vector) < NEAR_ZERO)),
        "preprocessing": item.model.preprocessing,
        "model": {"name": item.model.name, "source": item.model.source, "sha256": item.model.sha256},
        "licence": item.model.licence,
        "data": to_base64url(item.vector.astype("<f2").tobytes()),
    }


def read_item(claim: object) -> VectorItem | None:
    """Return the item of a claim, its vector brought back to unit length; None for a kind that is no vector.

    Raises:
        ValueError: the claim is malformed.
    """
    if not isinstance(claim, dict):
        raise ValueError("an item is not an object")  # noqa: TRY004 - the token's fault, not a caller's type
    if claim.get("kind") not in VECTOR_KINDS:
        return None
    model = claim.get("model")
    if not isinstance(model, dict):
        raise ValueError("'model' of an item is missing or not an object")  # noqa: TRY004 - the same
    made_by = ItemModel(
        name=_text(model, "name"),
        source=_text(model, "source"),
        sha256=_text(model, "sha256"),
        preprocessing=_text(claim, "preprocessing"),
        licence=_text(claim, "licence"),
    )
    dimension = claim.get("dimension")
    if (claim.get("dtype"), claim.get("normalisation")) != (EMBEDDING_DTYPE, EMBEDDING_NORMALISATION):
        raise ValueError("the layout of an item is unknown")
    if type(dimension) is not int or not 1 <= dimension <= MAX_DIMENSION:  # bool is an int to Python, not to us
        raise ValueError(f"'dimension' of an item is not a number from 1 to {MAX_DIMENSION}")
    data = from_base64url(_text(claim, "data"))
    if len(data) != 2 * dimension:
        raise ValueError(f"an item has {len(data)} bytes, not {2 * dimension}")
    vector = np.frombuffer(data, dtype="<f2").astype(np.float32)
    if not _is_unit(vector) or claim.get("space") != made_by.space:
        raise ValueError("an item's vector is not of unit length, or its space is not its model's")
    return VectorItem(ItemKind(claim["kind"]), made_by, vector / np.float32(_length(vector)))


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name!r} of an item is missing or not a string")  # noqa: TRY004 - the same
    return value


def _is_unit(vector: F32) -> bool:
    # Written so that NaN fails too.
    return abs(_length(vector) - 1.0) <= NORM_TOLERANCE


def _length(vector: F32) -> float:
    wide = vector.astype(np.float64)
    return math.sqrt(float(wide @ wide))
