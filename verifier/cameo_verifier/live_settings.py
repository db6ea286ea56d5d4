"""Settings of live sessions: their times, and what preparation tells the person."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from cameo_verifier.variables import Variables


class Live(Variables):
    """Live sessions: their times, and when preparation tells the person that something is wrong (`CAMEO_LIVE_…`).

    Light, the angle of a turn and its centre are the profile's thresholds, and the rate of pictures is `CAMEO_MEDIA_MIN_FPS`.
    """

    model_config = SettingsConfigDict(env_prefix="CAMEO_LIVE_")

    session_s: int = Field(default=600, gt=0, le=86400)
    """Time in which a session can be captured, and lifetime of its capture token."""
    prepare_s: float = Field(default=120.0, gt=0, le=240)
    """Longest preparation, from `hello` to the first picture of the answer; then the session can be captured again."""
    silent_s: float = Field(default=5.0, gt=0)
    """Time without a message of the client after which its capture ends; MediaRecorder slices come every 0.25 s."""
    answer_s: float = Field(default=15.0, gt=0, le=25)
    """Longest answer, from the first prompt; what was not revealed by then is not asked."""
    wordless_s: float = Field(default=25.0, gt=0, le=27)
    """Longest answer of a person who cannot speak: eight turns and gestures, each of which has its time, take 17 to 22 s."""
    pause_min_s: float = Field(default=0.05, ge=0)
    """Shortest random pause before a prompt."""
    pause_max_s: float = Field(default=0.3, ge=0)
    """Longest random pause before a prompt: five prompts, each read in 0.4 to 0.9 s, stay within `answer_s`."""
    quiet_s: float = Field(default=0.5, gt=0)
    """Silence after which words count as said; gaps between words of a prompt that is read are 0.1 to 0.4 s."""
    word_s: float = Field(default=0.2, ge=0)
    """Least speech for each word of a prompt; the shortest digit, "eight", takes 0.25 s when read."""
    say_s: float = Field(default=1.5, gt=0)
    """Longest time for words, before that for each word: the slowest reader begins after 1.5 s."""
    say_word_s: float = Field(default=1.0, gt=0)
    """Longest time for each word, pauses included; clear reading takes 0.5 s."""
    turn_s: float = Field(default=3.5, gt=0)
    """Longest time for a turn and back; turns of the development recordings take 1.0 to 2.4 s."""
    gesture_s: float = Field(default=2.1, gt=0)
    """Time for a gesture: 0.4 to 0.9 s to read it, and a second for which eyes are to be closed."""
    blink_s: float = Field(default=0.35, ge=0)
    """Time for each blink besides; blinks on purpose follow within half a second."""
    sealed: bool = False
    """Whether a capture must be sealed; one whose client names no key ends with `SEAL_MISSING`."""
    light: bool = True
    """Whether the screen changes its colour during an answer, for those who did not ask to be spared."""
    colour_min_s: float = Field(default=0.8, ge=0.475)
    """Shortest time of a colour; 0.475 s keep under three flashes a second (WCAG 2.3.1), faces need some more pictures."""
    colour_max_s: float = Field(default=1.4, ge=0.475)
    """Longest time of a colour: seven of them take 7.7 s on average, less than the prompts."""
    face_min: float = Field(default=0.2, gt=0, lt=1)
    """Height of the face over that of the picture below which it must come closer: 96 px of 480."""
    face_max: float = Field(default=0.85, gt=0, le=1)
    """The same, above which it must move back: a turn of the head would leave the picture."""
    off_centre_max: float = Field(default=0.25, gt=0, le=0.5)
    """Distance of the face from the centre, over width or height, above which it must be centred."""
    straight_deg: float = Field(default=20.0, gt=0)
    """Angle of the head, sideways or up and down, above which it must look straight: a phone held low shows 15."""
    silent_db: float = Field(default=-80.0, lt=0)
    """Level, in dB relative to full scale, at or below which a microphone is silent; the quietest rooms recorded have -70."""
    loud_db: float = Field(default=-30.0, lt=0)
    """The same, above which the quietest moment is too loud: speech at -21 would be less than 9 dB above it."""
