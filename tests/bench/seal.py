"""What the seal of one slice costs the server. Run it with `python -m tests.bench.seal`."""

from __future__ import annotations

import os
from time import process_time

from rich.console import Console

from cameo.v1.session_service_pb2 import CaptureRequest, CaptureResponse, Welcome
from cameo_verifier.server.capture_seal import CaptureSeal
from tests.live.sealer import Sealer

N = 2_000
SLICE_BYTES = 81_000
"""A slice of 250 ms at the capture page's 2.6 Mbit/s."""


def main() -> None:
    """Verify slices, and print the CPU time of each."""
    sealer = Sealer("session")
    chain = CaptureSeal(sealer.public, "session", late_s=5.0)
    sealer.nonces.append(chain.renew(CaptureResponse(welcome=Welcome()), 0.0))
    slices = [os.urandom(SLICE_BYTES) for _ in range(N)]
    sealed = [CaptureRequest(media=media, seal=sealer.seal(media)) for media in slices]
    began = process_time()
    for message in sealed:
        chain.verify(message, 0.0)
    spent_ms = (process_time() - began) * 1000 / N
    Console().print(f"{spent_ms:.2f} ms of CPU for the seal of a slice of {SLICE_BYTES:,} bytes, mean of {N:,}")


if __name__ == "__main__":
    main()
