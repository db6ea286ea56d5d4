"""Lanes of the sound: lips against sound, voice, level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.console.scale import Lane, Moment, Scale, curve, joined, level, mark, nothing, span
from cameo_verifier.evidence.lips import measured, parts, said
from cameo_verifier.evidence.sound import BLOCK_S
from cameo_verifier.evidence.voices import strangeness
from cameo_verifier.models.phonemes import RATE_HZ
from cameo_verifier.reasons import Reason
from cameo_verifier.types import FaceTrack, SoundRepeat, SoundTrack

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import Evidence

_FLOOR_DBFS = -80.0
_LIPS_DEVIATIONS = 3.0
_WORST = 3
_APART = (Reason.LIPS_DO_NOT_MATCH, Reason.LIP_SYNC_INCONCLUSIVE)
_ODD = ("second_voice", Reason.SECOND_VOICE, Reason.VOICE_INCONCLUSIVE)


def lips(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of lip opening: measured in the picture, and predicted from the sound."""
    keys = (("predicted", "the sound says"), ("measured", "the lips do"))
    face, sound = evidence.face, evidence.sound
    if not isinstance(face, FaceTrack) or not isinstance(sound, SoundTrack) or not len(sound.lips):
        return nothing("lips", "Opening of the lips", "no face or no speech")
    height = 60.0
    rows = len(sound.lips)
    t_s = np.arange(rows) / RATE_HZ
    seen_lips, seen = measured(face, rows)
    told = said(sound)[:, 0]
    told = told / max(float(told.std()), 1e-6)
    shown = np.where(seen, seen_lips[:, 0], np.nan)
    bounds = {"low": -_LIPS_DEVIATIONS, "high": _LIPS_DEVIATIONS, "height": height}
    drawn = [
        curve(scale, "predicted", t_s[::2], told[::2], **bounds),
        curve(scale, "measured", t_s[::2], shown[::2], **bounds),
    ]
    line = profile["lips_part_min"]
    worst = sorted((score, start_s) for start_s, score in parts(face, sound) if not line.holds(score))[:_WORST]
    moments = [
        Moment(start_s, "lips", f"lips and sound agree by {score:.2f} only from here on", ("lips", *_APART))
        for score, start_s in worst
    ]
    drawn += [span(scale, "worst", start_s, start_s, top=0.0, height=height, title="least agreement") for _, start_s in worst]
    return Lane("lips", "Opening of the lips", keys, height, joined(drawn), tuple(moments))


def voice(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of the voice: the cosine of each window of speech with the whole speech."""
    keys = (("window", "a second of speech"), ("odd", "the group of words least like the others"))
    name, sound = "Voice against all of it, cosine", evidence.sound
    if not isinstance(sound, SoundTrack) or not len(sound.window_embeddings):
        return nothing("voice", name, "no speech")
    height, moments = 48.0, []
    alike = sound.window_embeddings @ sound.embedding
    drawn = [level("zero", 0.5, low=0, high=1, height=height)]
    for (start, end), cosine in zip(sound.window_s, alike, strict=True):
        y = (1.0 - min(max(float(cosine), 0.0), 1.0)) * height
        drawn.append(span(scale, "window", float(start), float(end), top=y - 1.5, height=3.0, title=f"{cosine:.2f}"))
    apart = sound.window_s[:, None, 1] <= sound.window_s[None, :, 0]
    if apart.any():
        similar = np.where(apart, sound.window_embeddings @ sound.window_embeddings.T, np.inf)
        one, other = np.unravel_index(int(similar.argmin()), similar.shape)
        if not profile["same_speaker_p20_min"].holds(float(np.quantile(similar[apart], 0.2))):
            for row in (one, other):
                text = f"one of the two windows least alike, {similar[one, other]:.2f}"
                moments.append(Moment(float(sound.window_s[row, 0]), "voice", text, ("speaker",)))
    if profile["voice_groups_min"].holds(len(sound.group_s)):
        likeness, least = strangeness(sound.group_s, sound.group_embeddings)
        start, end = (float(each) for each in sound.group_s[least])
        drawn.append(span(scale, "odd", start, end, top=height - 5, height=5.0, title=f"{likeness:.2f} like the others"))
        if not profile["voice_group_min"].holds(likeness):
            moments.append(Moment(start, "voice", f"words until {end:.1f} s are {likeness:.2f} like the others", _ODD))
    return Lane("voice", name, keys, height, joined(drawn), tuple(moments))


def loudness(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of the sound level, with speech, abrupt stops and repetitions."""
    keys = (
        ("speech", "speech"),
        ("others", "others in the background"),
        ("loud", "level"),
        ("cut", "stops at once"),
        ("again", "comes again"),
    )
    sound = evidence.sound
    if not isinstance(sound, SoundTrack):
        return nothing("sound", "Sound", "no sound")
    height = 52.0
    bounds = {"low": _FLOOR_DBFS, "high": 0.0, "height": height}
    drawn = [span(scale, "speech", float(start), float(end), top=0.0, height=height) for start, end in sound.speech]
    drawn += [span(scale, "others", float(start), float(end), top=height - 6, height=6.0) for start, end in sound.others]
    t_s = (np.arange(len(sound.levels_dbfs)) + 0.5) * BLOCK_S
    drawn.append(curve(scale, "loud", t_s, sound.levels_dbfs, **bounds))
    for name, value in (("zero", sound.level_dbfs), ("zero", sound.noise_dbfs), ("threshold", profile["speech_level_min"].value)):
        drawn.append(level(name, value, **bounds))
    moments = [Moment(float(start), "sound", f"speech until {float(end):.1f} s") for start, end in sound.speech]
    for start, end in sound.others:
        moments.append(Moment(float(start), "sound", f"others speak until {float(end):.1f} s", (Reason.TOO_NOISY,)))
    pins = [Moment(float(at_s), "cut", "the sound stops at once", ("sound_cuts",)) for at_s in sound.stops_s]
    repeat = evidence.repeat
    if isinstance(repeat, SoundRepeat) and not profile["sound_repeat_max"].holds(repeat.correlation):
        text = f"a repeated sound, correlation {repeat.correlation:.2f}"
        pins += [Moment(at_s, "again", text, ("sound_repeat",)) for at_s in (repeat.first_s, repeat.again_s)]
    drawn += [mark(scale, pin.kind, pin.t_s, height, pin.text) for pin in pins]
    return Lane("sound", "Sound, −80 to 0 dBFS", keys, height, joined(drawn), (*moments, *pins))
