"""Where each part of the phrase was said.

Two witnesses are heard for each expected word: the recogniser's free reading, aligned to the phrase, and the phrase laid over the
sound word by word (`ScoredWord.gain`). The free reading is blind to what was asked, but loses words; the other loses none, but
is told what to look for. How they are weighed is the business of the phrase check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from challenges.match import Alignment, align, expected_tokens, tokens
from challenges.model import Say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from challenges.model import Challenge
    from verifier.models.transcription import EncodedSound, Transcriber
    from verifier.types import ScoredWord, SoundTrack

# The same word, said another way that the recogniser would write differently.
_ALSO_SAID = {"zero": "oh"}


@dataclass(frozen=True, slots=True)
class Testimony:
    """The free reading laid beside the phrase, and the phrase laid over the sound: one entry each for each expected word."""

    reading: Alignment
    forced: tuple[ScoredWord, ...]


def lay(transcriber: Transcriber, heard: EncodedSound, spoken: Sequence[str]) -> tuple[ScoredWord, ...]:
    """Lay the words of a phrase over the sound, one scored word for each of its tokens.

    Some people say "oh" where "zero" is asked; the whole phrase is laid either way, and the likelier one is returned.

    Args:
        transcriber: the recogniser.
        heard: the sound it encoded.
        spoken: texts to say, in order.
    """
    words = [token for text in spoken for token in tokens(text)]
    readings = {tuple(words), tuple(_ALSO_SAID.get(word, word) for word in words)}
    laid = [transcriber.force(heard, reading) for reading in sorted(readings)]
    return max(laid, key=lambda scored: sum(word.gain for word in scored))


def witnesses(challenge: Challenge, sound: SoundTrack) -> Testimony:
    """Return what both witnesses say about each word of the challenge.

    Raises:
        RuntimeError: the sound was not laid under this challenge.
    """
    expected = expected_tokens(challenge)
    if sound.forced and len(sound.forced) != len(expected):
        raise RuntimeError(f"{len(sound.forced)} words were laid over the sound, the challenge has {len(expected)}")
    return Testimony(reading=align(expected, sound.words), forced=sound.forced)


def spoken_spans(challenge: Challenge, sound: SoundTrack) -> tuple[tuple[float, float] | None, ...]:
    """Return for each thing to say, in order, the seconds from its first word to its last; `None` if it was not said.

    The time of a word is that of the phrase laid over the sound where the sound speaks for the word, and of the free reading
    elsewhere: a free reading may put the last word before a pause at the end of the pause, a second late.
    """
    heard = witnesses(challenge, sound)
    forced = heard.forced or (None,) * len(heard.reading.expected)
    spans: list[tuple[float, float] | None] = []
    for index, step in enumerate(challenge.steps):
        if not isinstance(step, Say):
            continue
        times = []
        for word, read, laid in zip(heard.reading.expected, heard.reading.answers, forced, strict=True):
            if word.step == index and laid is not None and laid.gain > 0.0:
                times.append((laid.start_s, laid.end_s))
            elif word.step == index and read:
                times.append((read.start_s, read.end_s))
        spans.append((min(start for start, _ in times), max(end for _, end in times)) if times else None)
    return tuple(spans)
