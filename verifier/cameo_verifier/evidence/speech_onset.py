"""Speech onset: locates the first phoneme of each thing to say in the sound.

It is where the phonemes of the step's first word are recognised (`ScoredWord.onset_s`). Neither the times of the aligned word nor
the level of the sound tell it: both begin with whatever is heard right before, so that who hums until the answer is ready would
be in time.

A plosive or an affricate is silent while lips or tongue close: the closure counts to a word that begins with one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cameo_challenges.languages import language
from cameo_challenges.model import Say
from cameo_verifier.evidence.spoken import witnesses

if TYPE_CHECKING:
    from cameo_challenges.model import Challenge
    from cameo_verifier.types import SoundTrack

_PLOSIVES = frozenset({"P", "B", "T", "D", "K", "G", "CH", "JH"})
CLOSURE_S = 0.075
"""Before a plosive or an affricate is heard, its articulators have been in place for 50 to 100 ms (Kawamoto, Kello and Bame 1998,
Measuring the sounds of silence)."""


def speech_onsets(challenge: Challenge, sound: SoundTrack) -> tuple[float | None, ...]:
    """Return for each thing to say, in order, the seconds at which its first phoneme begins.

    The first word counts for which the sound is evidence (`ScoredWord.gain` above 0); `None` where there is none.
    """
    heard, of = witnesses(challenge, sound), language(challenge.language)
    onsets: dict[int, list[float]] = {index: [] for index, step in enumerate(challenge.steps) if isinstance(step, Say)}
    for expected, word in zip(heard.reading.expected, heard.forced, strict=bool(heard.forced)):
        if word.onset_s is not None and word.gain > 0.0:
            closed = next(iter(of.phonemes(word.text)), "") in _PLOSIVES
            onsets[expected.step].append(max(0.0, word.onset_s - CLOSURE_S * closed))
    return tuple(min(each, default=None) for each in onsets.values())
