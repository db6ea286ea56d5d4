"""Reasons: stable codes of why a verdict came out, each with the hint the person sees.

A reason belongs to a kind, and the kind alone determines its effect on the decision. The hint tells the person one thing to do
differently and never which measurement revealed an attack.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The category of a reason, which determines its effect on the verdict."""

    QUALITY = "quality"
    """The recording could not be judged: `RETRY`. Some defects explain other reasons, which they alone can cause: `excuses`."""
    MISMATCH = "mismatch"
    """The recording does not answer this challenge (`REJECTED`, unless poor quality of the same sense explains it)."""
    ATTACK = "attack"
    """Evidence against a live, single person (`REJECTED`, whatever the other reasons)."""
    IDENTITY = "identity"
    """A person must review it (`REVIEW`)."""
    LIFECYCLE = "lifecycle"
    """The challenge itself cannot be answered (any more)."""
    UNREADABLE = "unreadable"
    """Nothing could be read: the request cannot be judged."""


class Sense(StrEnum):
    """The medium of a recording that a reason is about."""

    PICTURE = "picture"
    SOUND = "sound"
    BOTH = "both"
    NEITHER = "neither"


class _Meaning(NamedTuple):
    kind: Kind
    sense: Sense
    hint: str


class Reason(StrEnum):
    """Stable reason codes; the wire enum carries the same names."""

    RECORDING_TOO_SHORT = "RECORDING_TOO_SHORT"
    RECORDING_TOO_LONG = "RECORDING_TOO_LONG"
    RECORDING_TOO_LARGE = "RECORDING_TOO_LARGE"
    FRAME_RATE_TOO_LOW = "FRAME_RATE_TOO_LOW"
    PICTURE_TOO_SMALL = "PICTURE_TOO_SMALL"
    PICTURE_TOO_LARGE = "PICTURE_TOO_LARGE"
    RECORDING_TOO_COSTLY = "RECORDING_TOO_COSTLY"
    NO_AUDIO = "NO_AUDIO"
    NO_VIDEO = "NO_VIDEO"
    UNSUPPORTED_MEDIA = "UNSUPPORTED_MEDIA"
    CORRUPT_MEDIA = "CORRUPT_MEDIA"
    TOO_DARK = "TOO_DARK"
    TOO_BRIGHT = "TOO_BRIGHT"
    LIGHT_FLICKERS = "LIGHT_FLICKERS"
    BLURRED = "BLURRED"
    CAMERA_TURNED = "CAMERA_TURNED"
    FACE_TOO_SMALL = "FACE_TOO_SMALL"
    MOUTH_NOT_VISIBLE = "MOUTH_NOT_VISIBLE"
    EYES_NOT_VISIBLE = "EYES_NOT_VISIBLE"
    VOLUME_TOO_LOW = "VOLUME_TOO_LOW"
    TOO_NOISY = "TOO_NOISY"
    LIP_SYNC_INCONCLUSIVE = "LIP_SYNC_INCONCLUSIVE"
    VOICE_INCONCLUSIVE = "VOICE_INCONCLUSIVE"
    FACE_TURNED_AWAY = "FACE_TURNED_AWAY"
    NO_FACE = "NO_FACE"
    MULTIPLE_FACES = "MULTIPLE_FACES"
    FACE_LEFT_FRAME = "FACE_LEFT_FRAME"
    FACE_CHANGED = "FACE_CHANGED"
    NO_SPEECH = "NO_SPEECH"
    PHRASE_MISMATCH = "PHRASE_MISMATCH"
    SPOKE_TOO_EARLY = "SPOKE_TOO_EARLY"
    SPOKE_TOO_LATE = "SPOKE_TOO_LATE"
    ANSWER_KNOWN_BEFORE = "ANSWER_KNOWN_BEFORE"
    ANSWER_TOO_LATE = "ANSWER_TOO_LATE"
    SPEAKER_CHANGED = "SPEAKER_CHANGED"
    SECOND_VOICE = "SECOND_VOICE"
    MOVEMENT_MISSING = "MOVEMENT_MISSING"
    MOVEMENT_WRONG_ORDER = "MOVEMENT_WRONG_ORDER"
    GESTURE_MISSING = "GESTURE_MISSING"
    NO_BLINK = "NO_BLINK"
    FLAT_FACE = "FLAT_FACE"
    SCREEN_OR_PRINT = "SCREEN_OR_PRINT"
    DISPLAY_VISIBLE = "DISPLAY_VISIBLE"
    LIPS_DO_NOT_MATCH = "LIPS_DO_NOT_MATCH"
    FROZEN_OR_LOOPED = "FROZEN_OR_LOOPED"
    SPLICED = "SPLICED"
    SEEN_BEFORE = "SEEN_BEFORE"
    SYNTHETIC_VOICE = "SYNTHETIC_VOICE"
    POSSIBLE_MINOR = "POSSIBLE_MINOR"
    PROTECTED_PERSON = "PROTECTED_PERSON"
    ALREADY_ENROLLED = "ALREADY_ENROLLED"
    CHALLENGE_EXPIRED = "CHALLENGE_EXPIRED"
    CHALLENGE_SPENT = "CHALLENGE_SPENT"
    CHALLENGE_UNKNOWN = "CHALLENGE_UNKNOWN"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    NOT_CONFIRMED = "NOT_CONFIRMED"

    @property
    def kind(self) -> Kind:
        """The category, which determines the effect on the verdict."""
        return _MEANINGS[self].kind

    @property
    def sense(self) -> Sense:
        """The medium: the picture, the sound, both or neither."""
        return _MEANINGS[self].sense

    @property
    def excuses(self) -> frozenset[Reason]:
        """The reasons, of an attack among them, that this defect of an honest recording causes by itself (ADR 7)."""
        return _EXCUSES.get(self, frozenset())

    @property
    def hint(self) -> str:
        """One thing the person can do, in plain words."""
        return _MEANINGS[self].hint


_TRY_LIVE = "Record yourself live, on your own, with this device's camera."
_NEW_CHALLENGE = "Ask for a new challenge and answer that one."

_MEANINGS = {
    Reason.RECORDING_TOO_SHORT: _Meaning(Kind.QUALITY, Sense.BOTH, "Record the whole answer, from the first step to the last."),
    Reason.RECORDING_TOO_LONG: _Meaning(Kind.QUALITY, Sense.BOTH, "Stop recording when the last step is done."),
    Reason.RECORDING_TOO_LARGE: _Meaning(Kind.UNREADABLE, Sense.BOTH, "Record at a lower resolution or bitrate."),
    Reason.FRAME_RATE_TOO_LOW: _Meaning(
        Kind.QUALITY, Sense.PICTURE, "Use a camera setting with more frames a second, or more light."
    ),
    Reason.PICTURE_TOO_SMALL: _Meaning(Kind.QUALITY, Sense.PICTURE, "Record at a higher resolution."),
    Reason.PICTURE_TOO_LARGE: _Meaning(Kind.UNREADABLE, Sense.PICTURE, "Record at a lower resolution."),
    Reason.RECORDING_TOO_COSTLY: _Meaning(
        Kind.UNREADABLE, Sense.BOTH, "Record with your camera's usual settings, at a lower resolution."
    ),
    Reason.NO_AUDIO: _Meaning(Kind.MISMATCH, Sense.SOUND, "Allow the microphone and record again with sound."),
    Reason.NO_VIDEO: _Meaning(Kind.MISMATCH, Sense.PICTURE, "Allow the camera and record again with picture."),
    Reason.UNSUPPORTED_MEDIA: _Meaning(Kind.UNREADABLE, Sense.BOTH, "Send an MP4, MOV, WebM, MKV, 3GP or MPEG recording."),
    Reason.CORRUPT_MEDIA: _Meaning(Kind.QUALITY, Sense.BOTH, "The recording is damaged or incomplete: record and send it again."),
    Reason.TOO_DARK: _Meaning(Kind.QUALITY, Sense.PICTURE, "Find more light, in front of you."),
    Reason.TOO_BRIGHT: _Meaning(Kind.QUALITY, Sense.PICTURE, "Move out of direct light."),
    Reason.LIGHT_FLICKERS: _Meaning(Kind.QUALITY, Sense.PICTURE, "Find steadier light: daylight, or another lamp."),
    Reason.BLURRED: _Meaning(Kind.QUALITY, Sense.PICTURE, "Hold the camera still and wipe its lens."),
    Reason.CAMERA_TURNED: _Meaning(Kind.QUALITY, Sense.PICTURE, "Hold the camera the same way up from start to end."),
    Reason.FACE_TOO_SMALL: _Meaning(Kind.QUALITY, Sense.PICTURE, "Come closer to the camera."),
    Reason.MOUTH_NOT_VISIBLE: _Meaning(Kind.QUALITY, Sense.PICTURE, "Keep your mouth uncovered."),
    Reason.EYES_NOT_VISIBLE: _Meaning(Kind.QUALITY, Sense.PICTURE, "Keep your eyes uncovered; take off dark glasses."),
    Reason.VOLUME_TOO_LOW: _Meaning(Kind.QUALITY, Sense.SOUND, "Speak louder or come closer to the microphone."),
    Reason.TOO_NOISY: _Meaning(Kind.QUALITY, Sense.SOUND, "Find a quieter place."),
    Reason.LIP_SYNC_INCONCLUSIVE: _Meaning(
        Kind.QUALITY, Sense.NEITHER, "Use this device's own microphone, not a wireless one; face the camera and speak clearly."
    ),
    Reason.VOICE_INCONCLUSIVE: _Meaning(
        Kind.QUALITY, Sense.NEITHER, "Stay close to the microphone, speak evenly, and be the only one who speaks."
    ),
    Reason.FACE_TURNED_AWAY: _Meaning(Kind.QUALITY, Sense.PICTURE, "Look at the camera, except while you are asked to turn."),
    Reason.NO_FACE: _Meaning(Kind.MISMATCH, Sense.PICTURE, "Keep your whole face in the picture."),
    Reason.MULTIPLE_FACES: _Meaning(Kind.ATTACK, Sense.PICTURE, "Be alone in the picture."),
    Reason.FACE_LEFT_FRAME: _Meaning(Kind.MISMATCH, Sense.PICTURE, "Keep your face in the picture from start to end."),
    Reason.FACE_CHANGED: _Meaning(Kind.ATTACK, Sense.PICTURE, _TRY_LIVE),
    Reason.NO_SPEECH: _Meaning(Kind.MISMATCH, Sense.SOUND, "Say the words aloud."),
    Reason.PHRASE_MISMATCH: _Meaning(Kind.MISMATCH, Sense.SOUND, "Say exactly the words shown, clearly, one after another."),
    Reason.SPOKE_TOO_EARLY: _Meaning(Kind.MISMATCH, Sense.SOUND, "Wait for each step before you answer it."),
    Reason.SPOKE_TOO_LATE: _Meaning(Kind.MISMATCH, Sense.SOUND, "Answer each step before the next one."),
    Reason.ANSWER_KNOWN_BEFORE: _Meaning(Kind.ATTACK, Sense.NEITHER, _TRY_LIVE),
    Reason.ANSWER_TOO_LATE: _Meaning(
        Kind.QUALITY, Sense.NEITHER, "Answer each step as soon as you see it, over a good connection."
    ),
    Reason.SPEAKER_CHANGED: _Meaning(Kind.ATTACK, Sense.SOUND, _TRY_LIVE),
    Reason.SECOND_VOICE: _Meaning(Kind.ATTACK, Sense.SOUND, "Be the only one who speaks."),
    Reason.MOVEMENT_MISSING: _Meaning(
        Kind.MISMATCH,
        Sense.PICTURE,
        "Turn your head clearly each way asked and come back; send the picture as filmed, not mirrored.",
    ),
    Reason.MOVEMENT_WRONG_ORDER: _Meaning(Kind.MISMATCH, Sense.PICTURE, "Do the steps in the order shown."),
    Reason.GESTURE_MISSING: _Meaning(
        Kind.MISMATCH, Sense.PICTURE, "Make each gesture clearly, come back to a calm face, and blink as often as asked."
    ),
    Reason.NO_BLINK: _Meaning(Kind.MISMATCH, Sense.PICTURE, "Look at the camera and blink as you normally do."),
    Reason.FLAT_FACE: _Meaning(Kind.ATTACK, Sense.PICTURE, _TRY_LIVE),
    Reason.SCREEN_OR_PRINT: _Meaning(Kind.ATTACK, Sense.PICTURE, _TRY_LIVE),
    Reason.DISPLAY_VISIBLE: _Meaning(Kind.ATTACK, Sense.PICTURE, _TRY_LIVE),
    Reason.LIPS_DO_NOT_MATCH: _Meaning(Kind.ATTACK, Sense.BOTH, _TRY_LIVE),
    Reason.FROZEN_OR_LOOPED: _Meaning(Kind.ATTACK, Sense.PICTURE, _TRY_LIVE),
    Reason.SPLICED: _Meaning(Kind.ATTACK, Sense.BOTH, _TRY_LIVE),
    Reason.SEEN_BEFORE: _Meaning(Kind.ATTACK, Sense.BOTH, _TRY_LIVE),
    Reason.SYNTHETIC_VOICE: _Meaning(Kind.ATTACK, Sense.SOUND, _TRY_LIVE),
    Reason.POSSIBLE_MINOR: _Meaning(Kind.IDENTITY, Sense.NEITHER, "A guardian needs to take part."),
    Reason.PROTECTED_PERSON: _Meaning(Kind.IDENTITY, Sense.NEITHER, "This needs to be looked at by a person."),
    Reason.ALREADY_ENROLLED: _Meaning(Kind.IDENTITY, Sense.NEITHER, "This needs to be looked at by a person."),
    Reason.CHALLENGE_EXPIRED: _Meaning(Kind.LIFECYCLE, Sense.NEITHER, _NEW_CHALLENGE),
    Reason.CHALLENGE_SPENT: _Meaning(Kind.LIFECYCLE, Sense.NEITHER, _NEW_CHALLENGE),
    Reason.CHALLENGE_UNKNOWN: _Meaning(Kind.LIFECYCLE, Sense.NEITHER, _NEW_CHALLENGE),
    Reason.NOT_CONFIRMED: _Meaning(Kind.MISMATCH, Sense.NEITHER, "Record the whole answer again."),
    Reason.TOO_MANY_ATTEMPTS: _Meaning(Kind.LIFECYCLE, Sense.NEITHER, "Wait before you try again."),
}

_EXCUSES = {
    Reason.CORRUPT_MEDIA: frozenset(reason for reason in Reason if reason.kind in (Kind.ATTACK, Kind.MISMATCH))
    - {Reason.NOT_CONFIRMED},
    Reason.TOO_DARK: frozenset({Reason.SCREEN_OR_PRINT}),
    Reason.TOO_BRIGHT: frozenset({Reason.SCREEN_OR_PRINT, Reason.MULTIPLE_FACES}),
    Reason.LIGHT_FLICKERS: frozenset({Reason.FROZEN_OR_LOOPED}),
    Reason.BLURRED: frozenset({Reason.LIPS_DO_NOT_MATCH}),
    Reason.CAMERA_TURNED: frozenset({Reason.SPLICED, Reason.SCREEN_OR_PRINT}),
    Reason.LIP_SYNC_INCONCLUSIVE: frozenset({Reason.SPOKE_TOO_EARLY, Reason.SPOKE_TOO_LATE}),
    Reason.EYES_NOT_VISIBLE: frozenset({Reason.FACE_CHANGED}),
    Reason.MOUTH_NOT_VISIBLE: frozenset(
        {Reason.FACE_CHANGED, Reason.FLAT_FACE, Reason.LIPS_DO_NOT_MATCH, Reason.SCREEN_OR_PRINT}
    ),
    Reason.FACE_TOO_SMALL: frozenset(
        {
            Reason.RECORDING_TOO_SHORT,
            Reason.NO_FACE,
            Reason.FACE_LEFT_FRAME,
            Reason.FACE_CHANGED,
            Reason.FLAT_FACE,
            Reason.SCREEN_OR_PRINT,
        }
    ),
}
"""Reasons that a device, a room or a body explains lead to a retry; they do not accuse. An entry needs honest recordings that
show it: `python -m tests.bench.excuses`, and the situations of docs/reasons.md."""
