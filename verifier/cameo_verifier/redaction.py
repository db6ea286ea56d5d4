"""Redaction of errors for the log: foreign messages may quote the input, which is personal data."""

from __future__ import annotations

import traceback
from pathlib import Path


def redacted(error: BaseException) -> str:
    """Return the type of an error and its frames, innermost last, e.g. ``"ValueError at pipeline.py:80 < pose.py:31"``."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at " + " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
