"""Likeness rules: the thresholds of a profile that choose the pictures and the sound of a likeness. None affects a verdict."""

from __future__ import annotations

PORTRAITS = (
    "portrait_turn_max",
    "portrait_luma_max",
    "portrait_apart_min",
    "portraits_min",
    "portraits_max",
    "portrait_quality_min",
)
CLIP = ("clip_speech_min", "clip_speech_max", "clip_clean_min", "clip_pause_max")
LIKENESS = (*PORTRAITS, *CLIP)
