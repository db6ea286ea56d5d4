"""Likeness media: the pictures and the sound that a likeness holds beside its vectors, made once of an acceptable recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_verifier.evidence.portraits import portraits
from cameo_verifier.evidence.voice_clip import voice_clip
from cameo_verifier.media.recording import open_recording
from cameo_verifier.types import FaceTrack, SoundTrack

if TYPE_CHECKING:
    from cameo_challenges.model import Challenge
    from cameo_credential.media_items import MediaItem
    from cameo_verifier.profile import Profile
    from cameo_verifier.settings import Settings
    from cameo_verifier.types import Evidence

MAX_BYTES = 1_000_000
"""Of all items together: the likenesses of four cameos, as many as a job may have by default, fit into gRPC's usual 4 MiB."""


def likeness_media(
    recording: bytes, evidence: Evidence, *, profile: Profile, settings: Settings, challenge: Challenge
) -> tuple[MediaItem, ...]:
    """Return the portraits, the best first, and the voice clip of a recording, as far as there are any within `MAX_BYTES`.

    There is no clip where nothing was to be said: whoever is heard then need not be the person.

    Args:
        recording: the recording that `evidence` was extracted from.
        evidence: of it.
        profile: has the thresholds by which they are chosen.
        settings: limits and the analysis rate at extraction.
        challenge: what was asked.

    Raises:
        UnjudgeableError: the recording cannot be read.
    """
    face, sound = evidence.face, evidence.sound
    with open_recording(recording, limits=settings.media) as source:
        source.use_sound(evidence.media.sound_track)
        clip = None
        if isinstance(sound, SoundTrack) and challenge.spoken:
            clip = voice_clip(source, sound, profile, language=challenge.language)
        pictures = portraits(source, face, profile, fps=settings.analysis_fps) if isinstance(face, FaceTrack) else ()
    left, kept = MAX_BYTES - (len(clip.data) if clip else 0), []
    for each in pictures:
        if len(each.data) <= left:
            kept.append(each)
            left -= len(each.data)
    return (*kept, *([clip] if clip else []))
