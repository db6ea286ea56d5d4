"""Whether the blocks of a codec pass for the grid of a display: genuine videos, encoded again at very low bitrates.

`python -m tests.bench.grid_codecs --devdata FOLDER` prints, for each encoding, the grid of 48 frames together, and how
many exceed the line of the default profile.
"""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from rich.console import Console

from cameo_verifier import profiles
from cameo_verifier.evidence.moire import GridSearch
from cameo_verifier.evidence.picture import GRID_FRAMES
from cameo_verifier.media.recording import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.settings import Settings
from cameo_verifier.types import Frame

if TYPE_CHECKING:
    from cameo_verifier.types import U8

KINDS = ("bonafide", "headturn")
PICTURES = 60
LARGEST_PX = 1100
"""Longer sides take too long."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec of FFmpeg, its options, and bits a pixel and second where it is told a bitrate."""

    codec: str
    options: dict[str, str]
    bits: float = 0.0
    pixels: str = "yuv420p"


ENCODINGS = {
    "H.264, CRF 36": Encoding("libx264", {"crf": "36", "preset": "veryfast"}),
    "H.264, CRF 44": Encoding("libx264", {"crf": "44", "preset": "veryfast"}),
    "MPEG-4": Encoding("mpeg4", {}, 1.0),
    "motion JPEG": Encoding("mjpeg", {"qmin": "20", "qmax": "25"}, 6.0, "yuvj420p"),
    "VP8": Encoding("libvpx", {"deadline": "realtime", "cpu-used": "8"}, 0.8),
}


def encoded(pictures: list[U8], how: Encoding) -> list[U8]:
    """Return pictures (H, W, 3) as they are after an encoding."""
    out = io.BytesIO()
    height, width = (side // 2 * 2 for side in pictures[0].shape[:2])
    with av.open(out, "w", format="matroska") as writer:
        stream = writer.add_stream(how.codec, rate=25, options=how.options)
        stream.width, stream.height, stream.pix_fmt = width, height, how.pixels
        if how.bits:
            stream.bit_rate = int(how.bits * width * height)
        for picture in pictures:
            plane = np.ascontiguousarray(picture[:height, :width])
            writer.mux(stream.encode(av.VideoFrame.from_ndarray(plane, format="rgb24")))
        writer.mux(stream.encode())
    out.seek(0)
    with av.open(out) as reader:
        return [frame.to_ndarray(format="rgb24") for frame in reader.decode(video=0)]


def grid(pictures: list[U8], kit: ModelKit) -> float:
    """Return the grid of `GRID_FRAMES` of the pictures together, in deviations; NaN where none can be measured."""
    search, found = GridSearch(), float("nan")
    with kit.landmarker(max_faces=1, video=False) as landmarker:
        for index in np.linspace(0, len(pictures) - 1, GRID_FRAMES).astype(int):
            for face in landmarker.detect(Frame(0.0, pictures[index])):
                value = search.add(pictures[index], face.landmarks)
                found = value if np.isfinite(value) else found
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True, help="folder of the calibration recordings")
    given = parser.parse_args()
    settings, line, console = Settings(), profiles.load()["grid_max"], Console(highlight=False)
    takes = []
    for path in (path for kind in KINDS for path in sorted((given.devdata / kind).glob("*.m[po][v4g]"))):
        with open_recording(path, limits=settings.media) as source:
            takes.append([frame.rgb for frame in islice(source.frames(max_fps=settings.analysis_fps), PICTURES)])
    takes = [take for take in takes if max(take[0].shape) <= LARGEST_PX]
    with ModelKit.open(settings) as kit:
        for name, how in ENCODINGS.items():
            found = [value for value in (grid(encoded(take, how), kit) for take in takes) if np.isfinite(value)]
            refused = sum(not line.holds(value) for value in found)
            console.print(f"{name:14} {len(found)} videos, grid {min(found):.2f} to {max(found):.2f}, {refused} refused")


if __name__ == "__main__":
    main()
