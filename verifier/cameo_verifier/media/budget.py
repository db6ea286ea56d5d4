"""Decoding budget: limits what one recording may cost, since a few kilobytes can demand minutes of decoding.

Such files are made on purpose or by a camera's extreme setting. Two quantities are limited: the pixels of all pictures that are
handed to the decoder, whether it outputs a picture or not, and the processor time of this process since the recording was opened,
which is read before each packet is decoded. A worker reads one recording at a time, so that is the time of this recording,
including the models.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from cameo_verifier.settings import MediaLimits


class Budget:
    """A counter of what one recording costs from its construction on."""

    def __init__(self, limits: MediaLimits) -> None:
        self._limits = limits
        self._began_s = time.process_time()
        self._pixels = 0

    def require(self, pictures: int, width: int, height: int) -> None:
        """Refuse pictures that cannot all be decoded within the budget, before one of them is; nothing is counted yet.

        Raises:
            UnjudgeableError: `RECORDING_TOO_COSTLY`.
        """
        if pictures * width * height > self._limits.max_pixels:
            raise _refused(f"{pictures} pictures of {width}x{height} are over the limit of {self._limits.max_pixels} pixels")

    def renew(self) -> None:
        """Reset the pixel count: the pictures are read again from the first."""
        self._pixels = 0

    def spend(self, pixels: int = 0) -> None:
        """Count what is decoded next.

        Raises:
            UnjudgeableError: `RECORDING_TOO_COSTLY`.
        """
        self._pixels += pixels
        if self._pixels > self._limits.max_pixels:
            raise _refused(f"its pictures have more than {self._limits.max_pixels} pixels together")
        if time.process_time() - self._began_s > self._limits.max_cpu_s:
            raise _refused(f"reading it takes more than {self._limits.max_cpu_s:g} s of a processor")


def _refused(what: str) -> UnjudgeableError:
    return UnjudgeableError(
        Reason.RECORDING_TOO_COSTLY, f"{what}: record at a lower resolution, with fewer pictures a second or in another codec"
    )
