"""Column buffers: collect the rows of a face track frame by frame, as `cameo_verifier.types.FaceTrack` declares them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from cameo_verifier.types import FaceTrack

if TYPE_CHECKING:
    import numpy.typing as npt

_DECLARED = {field.name: field.metadata for field in fields(FaceTrack) if "shape" in field.metadata}


class Columns:
    """Row buffers by column name."""

    def __init__(self) -> None:
        """Create an empty buffer for each declared column."""
        self._rows: dict[str, list[Any]] = {name: [] for name in _DECLARED}

    def add(self, **row: npt.ArrayLike) -> None:
        """Append a row to each of the named columns."""
        for name, value in row.items():
            self._rows[name].append(value)

    def add_absent(self) -> None:
        """Append a row of NaN to each column that has a row for every frame: no face is detected."""
        for name, declared in _DECLARED.items():
            if declared["absent"]:
                self._rows[name].append(np.full(declared["shape"], np.nan, declared["dtype"]))

    def __getitem__(self, name: str) -> list[Any]:
        """Return the rows of one column so far."""
        return self._rows[name]

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return every column as an array, (rows, …) as declared."""
        return {
            name: np.array(rows, _DECLARED[name]["dtype"])
            if rows
            else np.zeros((0, *_DECLARED[name]["shape"]), _DECLARED[name]["dtype"])
            for name, rows in self._rows.items()
        }
