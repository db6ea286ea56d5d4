"""Native logs: filter start-up messages of native libraries out of the error stream, without losing an error."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK = threading.Lock()
# absl lines of severity information or warning, TensorFlow Lite's information lines, and absl's notice about its own logging.
_CHATTER = re.compile(rb"^(?:[IW]\d{4} \d\d:\d\d:|INFO: |WARNING: Logging before InitGoogle)")


@contextmanager
def without_chatter() -> Iterator[None]:
    """Buffer what is written to file descriptor 2 and forward, afterwards, every line but the known messages.

    MediaPipe's C library reads no environment variable for its log level in this version, so the descriptor itself is redirected.
    It belongs to the whole process: lines of other threads arrive late, not never.
    """
    with _LOCK, tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            for line in held:
                if not _CHATTER.match(line):
                    os.write(2, line)
