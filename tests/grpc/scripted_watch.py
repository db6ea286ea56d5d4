"""A recording whose bytes are its observations: each piece is one line of JSON."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.live.observation import Heard, Seen
from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.live.observation import Observation
    from cameo_verifier.workers.judge import Response


class ScriptedWatch:
    """Tells what it is fed; `"die"` ends the process, `"damaged"` is a recording that cannot be read."""

    def __init__(self, tell: Callable[[Observation | Exception], None]) -> None:
        self._tell = tell

    def feed(self, chunk: bytes) -> None:
        """Observe a piece; one that is no JSON is the script of the judge."""
        if not chunk.startswith(b"["):
            return
        for kind, *values in json.loads(chunk):
            match kind:
                case "seen":
                    media_s, faces, share, centre, luma, yaw, pitch, fps = values
                    self._tell(Seen(media_s, faces, share, tuple(centre), luma, yaw, pitch, fps))
                case "heard":
                    self._tell(Heard(*values))
                case "damaged":
                    self._tell(UnjudgeableError(Reason.CORRUPT_MEDIA, "the recording is damaged: begin another"))
                case "die":
                    os.kill(os.getpid(), signal.SIGKILL)

    def completed(self, response: Response) -> Response:
        """Return the response as it is: all is told."""
        return response

    def stop(self) -> None:
        """Tell nothing more, since all is told."""
