"""Block artefacts: detects broken blocks in a picture whose data were damaged without an error of its decoder.

VP8, VP9 and HEVC decode a flipped bit into other blocks without an error. Such blocks end in steep straight steps on two sides
that meet, along the grid of 16 px that all codecs in use share. A scene has such steps along a frame or a screen's edge, on one
side; a corner that lies on the grid both ways is rare, and coarse encoding leaves lower steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    from av.video.frame import VideoFrame
    from typing_extensions import Buffer

_GRID_PX = 16
_STEP = 16
"""Levels of luma, 0..255, by which a step exceeds its neighbours, on average over a block's side: low bitrates leave 5 to 12,
damage some of 50 and more."""


def broken_blocks(picture: VideoFrame) -> int:
    """Return how many blocks of 16 px have two broken sides that meet; 0 for formats without a plane of luma."""
    luma = _luma(picture)
    if luma is None:
        return 0
    beside, above = _steep_sides(luma), _steep_sides(luma.T).T
    rows, columns = min(len(beside), len(above)), min(beside.shape[1], above.shape[1])
    return int((beside[:rows, :columns] & above[:rows, :columns]).sum())


def _steep_sides(luma: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Return for each whole block (rows, columns) whether its left or right side is a steep step."""
    rows, columns = (size // _GRID_PX for size in luma.shape)
    sides = np.zeros((rows, columns), np.bool_)
    if columns < 2:
        return sides
    at = np.arange(1, columns) * _GRID_PX
    strips = (luma[: rows * _GRID_PX, at + beside].astype(np.int32) for beside in (-2, -1, 0, 1))
    before, last, first, after = strips
    height = np.abs(first - last) - np.maximum(np.abs(last - before), np.abs(after - first))
    steep = height.reshape(rows, _GRID_PX, len(at)).sum(axis=1) > _STEP * _GRID_PX
    sides[:, :-1] |= steep
    sides[:, 1:] |= steep
    return sides


def _luma(picture: VideoFrame) -> npt.NDArray[np.integer] | None:
    """Return the luma as stored, (H, W), 8 bits of it; `None` for the few formats without a plane of luma."""
    component, *others = picture.format.components
    if not component.is_luma or (others and not picture.format.is_planar) or component.bits > 16:
        return None
    plane = picture.planes[0]
    stored = np.asarray(memoryview(cast("Buffer", plane))).view("<u2" if component.bits > 8 else np.uint8)
    luma = stored.reshape(-1, plane.line_size // stored.itemsize)[: picture.height, : picture.width]
    return np.right_shift(luma, component.bits - 8) if component.bits > 8 else luma
