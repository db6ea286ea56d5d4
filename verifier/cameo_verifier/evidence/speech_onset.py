"""Speech onset: locates the first phoneme of each thing to say in the sound.

1. The first heard word of the step gives the place. An aligned word begins up to 0.3 s beside where it is heard, so its time is
   no onset yet.
2. The level of the sound gives the time: from the loudest block of that word back to where the sound rises out of the noise, over
   gaps as short as the closure within a word.
3. A plosive or an affricate is silent while lips or tongue close: the closure counts to a word that begins with one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.languages import language
from cameo_verifier.evidence.sound import BLOCK_S
from cameo_verifier.evidence.spoken import heard_words

if TYPE_CHECKING:
    from cameo_challenges.model import Challenge
    from cameo_verifier.evidence.spoken import HeardWord
    from cameo_verifier.types import SoundTrack

_PLOSIVES = frozenset({"P", "B", "T", "D", "K", "G", "CH", "JH"})
CLOSURE_S = 0.075
"""Before a plosive or an affricate is heard, its articulators have been in place for 50 to 100 ms (Kawamoto, Kello and Bame 1998,
Measuring the sounds of silence)."""
_GAP_BLOCKS = 3
"""Longest gap within a word, in blocks: 90 ms, a closure."""
_RISE_SHARE, _RISE_DB = 0.25, 6.0
"""Speech is louder than the noise by this share of the way to the level of all speech, and by at least so many dB: the noise is
the quietest tenth, and rises above itself."""


def speech_onsets(challenge: Challenge, sound: SoundTrack) -> tuple[float | None, ...]:
    """Return for each thing to say, in order, the seconds at which its first phoneme begins; `None` where no word was heard."""
    onsets: list[float | None] = []
    before_s = 0.0
    for words in heard_words(challenge, sound):
        if not words:
            onsets.append(None)
            continue
        rise_s = _rise_s(sound, words[0], before_s)
        closed = _first_phoneme(words[0].token, challenge.language) in _PLOSIVES
        onsets.append(max(0.0, rise_s - CLOSURE_S * closed))
        before_s = max(word.end_s for word in words)
    return tuple(onsets)


def _first_phoneme(token: str, tag: str) -> str:
    return next(iter(language(tag).phonemes(token)), "")


def _rise_s(sound: SoundTrack, word: HeardWord, before_s: float) -> float:
    """Return where the sound of a word rises out of the noise, not before `before_s`; the word's start without levels."""
    least = sound.noise_dbfs + max(_RISE_DB, _RISE_SHARE * sound.speech_to_noise_db)
    first, last = int(word.start_s / BLOCK_S), int(np.ceil(word.end_s / BLOCK_S))
    levels = sound.levels_dbfs[:last]
    if not len(levels[first:]) or levels[first:].max() < least:
        return word.start_s
    begun = first + int(levels[first:].argmax())
    for block in range(begun, round(before_s / BLOCK_S) - 1, -1):
        if levels[block] >= least:
            begun = block
        elif begun - block > _GAP_BLOCKS:
            break
    return begun * BLOCK_S
