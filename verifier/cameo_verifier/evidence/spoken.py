"""Word timing: locates each part of the phrase in the sound.

Two sources are combined for each expected word: the recogniser's free transcription, aligned to the phrase, and the forced
alignment of the phrase to the sound, word by word (`ScoredWord.gain`). The transcription is independent of the challenge, but
omits words; forced alignment omits none, but is biased to the challenge. The phrase check weights them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.languages import language
from cameo_challenges.match import Alignment, Beside, Expected, align, expected_tokens, in_passing, tokens
from cameo_challenges.model import Say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cameo_challenges.languages import Language
    from cameo_challenges.model import Challenge
    from cameo_verifier.models.transcription import EncodedSound, Transcriber
    from cameo_verifier.types import F64, ScoredWord, SoundTrack, Word


MOST_LOST = 3
"""Words of a phrase that the transcription may omit where no phonemes tell them apart: each is compared with nine others."""


@dataclass(frozen=True, slots=True)
class WordEvidence:
    """The transcription aligned to the phrase, and the forced alignment of the phrase: one entry each for each word."""

    reading: Alignment
    forced: tuple[ScoredWord, ...]


def force_align(
    transcriber: Transcriber, heard: EncodedSound, spoken: Sequence[str], words: Sequence[Word], of: Language
) -> tuple[ScoredWord, ...]:
    """Force-align the words of a phrase to the sound, one scored word for each of its tokens.

    1. Extra speech in the transcription (a greeting, thanks, a false start) is aligned in its place too: the recogniser
       conditions each word on those before it, and an unexpected one spoils the next two. The likelier alignment of the phrase,
       with it or without, is kept.
    2. All zeros are tried as "oh", then, of several, each that was transcribed by itself: some people say both. "Oh" is soon
       recognised in any vowel, so that of who says both it is accepted only where it was transcribed. One is tried as "nought"
       where something like it was transcribed, and digits that were transcribed as "double three" as that. The likelier spelling
       is kept.

    Args:
        transcriber: the recogniser.
        heard: the sound it encoded.
        spoken: texts to say, in order.
        words: the free transcription.
        of: the language of the phrase.
    """
    expected, reading = _read(spoken, words, of)
    candidate = _Candidate(transcriber, heard, tuple(word.token for word in expected))
    aligned = candidate.force_align()
    if beside := in_passing(reading):
        aligned = max(aligned, replace(candidate, beside=beside).force_align(), key=_Aligned.gain)
    for variation in _variations(expected, reading):
        varied = aligned.candidate.saying(variation)
        if varied.spelled != aligned.candidate.spelled:
            aligned = max(aligned, varied.force_align(), key=_Aligned.gain)
    return aligned.words


def contrasted(
    transcriber: Transcriber,
    heard: EncodedSound,
    spoken: Sequence[str],
    words: Sequence[Word],
    forced: Sequence[ScoredWord],
    of: Language,
) -> tuple[ScoredWord, ...]:
    """Return the force-aligned digits with the `margin` of those that the transcription omits, of `MOST_LOST` at most.

    It is the gain of the whole phrase less that with the likeliest other digit in this place: the recogniser conditions each word
    on those before it, so that a wrong one costs the next ones too. It is what tells digits apart where no phonemes do.

    Args:
        transcriber: the recogniser.
        heard: the sound it encoded.
        spoken: texts to say, in order.
        words: the free transcription.
        forced: result of `force_align`.
        of: the language of the phrase.
    """
    expected, reading = _read(spoken, words, of)
    lost = [index for index, answer in enumerate(reading.answers) if answer is None]
    asked = _Candidate(transcriber, heard, tuple(word.token for word in expected), in_passing(reading))
    weighed = list(forced)
    if not forced or len(lost) > MOST_LOST:
        return tuple(weighed)
    whole = asked.force_align().gain()
    for index in lost:
        others = [asked.saying({index: digit}).force_align().gain() for digit in of.digits if digit != expected[index].token]
        weighed[index] = replace(weighed[index], margin=whole - max(others))
    return tuple(weighed)


def false_starts_s(spoken: Sequence[str], words: Sequence[Word], of: Language) -> F64:
    """Return (T, 2) seconds of false starts: words of the phrase that the transcription has before they were said again.

    Other speech is not included: what is transcribed as "and" may be a word of the phrase.
    """
    _, reading = _read(spoken, words, of)
    known = {word.token for word in reading.expected}
    again = [(word.start_s, word.end_s) for word in in_passing(reading) if word.token in known]
    return np.array(again, np.float64).reshape(-1, 2)


def _read(spoken: Sequence[str], words: Sequence[Word], of: Language) -> tuple[list[Expected], Alignment]:
    expected = [Expected(token, step) for step, text in enumerate(spoken) for token in tokens(text, of)]
    return expected, align(expected, words, of)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One candidate alignment: the spelling of each token, "" where the next one's word covers both, and extra speech."""

    transcriber: Transcriber
    heard: EncodedSound
    spelled: tuple[str, ...]
    beside: tuple[Beside, ...] = ()

    def saying(self, variation: Mapping[int, str]) -> _Candidate:
        """Return a copy with some tokens spelled otherwise."""
        return replace(self, spelled=tuple(variation.get(index, word) for index, word in enumerate(self.spelled)))

    def force_align(self) -> _Aligned:
        """Force-align this spelling to the sound."""
        texts: list[str] = []
        talk: list[int] = []
        for index, word in enumerate((*self.spelled, "")):
            said = [each.written.replace(" ", "-") for each in self.beside if each.before == index]
            talk += range(len(texts), len(texts) + len(said))
            texts += said + ([word] if word else [])
        scored = self.transcriber.force(self.heard, texts, beside=talk)
        places = accumulate((bool(word) for word in self.spelled), initial=0)
        return _Aligned(self, tuple(scored[place] for place, _ in zip(places, self.spelled, strict=False)))


@dataclass(frozen=True, slots=True)
class _Aligned:
    """A candidate alignment and its scored words, one for each token."""

    candidate: _Candidate
    words: tuple[ScoredWord, ...]

    def gain(self) -> float:
        """The gain of the whole phrase, in nats."""
        return sum(word.gain for word in dict.fromkeys(self.words))


def _variations(expected: Sequence[Expected], reading: Alignment) -> Iterator[Mapping[int, str]]:
    """Yield alternative spellings of some tokens that are worth a try, by index."""
    zero, times_said = reading.of.zero, reading.of.numbers.times
    written = [answer.written.split() if answer else [] for answer in reading.answers]
    aside = {word.token for word in reading.beside}
    zeros = [index for index, word in enumerate(expected) if word.token == zero.token]
    unread = {index: zero.token for index in zeros if reading.answers[index] is None}
    if zeros and zero.short:
        yield dict.fromkeys(zeros, zero.short)
    for index, word in enumerate(expected):
        if word.token == zero.token and zero.short and reading.answers[index] and len(zeros) > 1:
            yield from ({**unread, index: zero.token}, {**unread, index: zero.short})
        if word.token == zero.token and zero.read & {*written[index]}:
            yield {index: zero.other}
        for said, times in times_said.items():
            same = set(expected[index : index + times]) == {word} and len(expected) >= index + times
            if same and said in {*written[index], *aside}:
                yield {index: said, **dict.fromkeys(range(index + 1, index + times - 1), "")}


def witnesses(challenge: Challenge, sound: SoundTrack) -> WordEvidence:
    """Return transcription and forced alignment for each word of the challenge.

    Raises:
        RuntimeError: the sound was not aligned to this challenge.
    """
    expected = expected_tokens(challenge)
    if sound.forced and len(sound.forced) != len(expected):
        raise RuntimeError(f"{len(sound.forced)} words were force-aligned, the challenge has {len(expected)}")
    return WordEvidence(reading=align(expected, sound.words, language(challenge.language)), forced=sound.forced)


def words_said(heard: WordEvidence, *, read_gain: float, unread_gain: float) -> tuple[bool, ...]:
    """Return for each expected word whether it counts as said; none without a forced alignment.

    Args:
        heard: transcription and forced alignment.
        read_gain: least gain, in nats, of a word that the transcription has in its place.
        unread_gain: least gain of one that the transcription omits, and has nowhere else.
    """
    reading = heard.reading
    elsewhere = {word.token for word in set(reading.beside) - set(in_passing(reading))}
    return tuple(
        word.gain >= read_gain if answer else expected.token not in elsewhere and word.gain >= unread_gain
        for expected, answer, word in zip(reading.expected, reading.answers, heard.forced, strict=bool(heard.forced))
    )


def digits_said(heard: WordEvidence, *, read_gain: float, lost_margin: float) -> tuple[bool, ...]:
    """Return for each expected digit whether it counts as said, in a language whose phonemes tell nothing.

    Args:
        heard: transcription and forced alignment.
        read_gain: least gain, in nats, of a digit that the transcription has in its place.
        lost_margin: least margin, in nats, of one that the transcription omits, has nowhere else, and has no other for.
    """
    reading = heard.reading
    aside = set(reading.beside) - set(in_passing(reading))
    elsewhere, replaced = {word.token for word in aside}, {word.before for word in aside if reading.of.entry(word.token)}
    said: list[bool] = []
    first_lost = 0
    for index, (expected, answer, word) in enumerate(zip(reading.expected, reading.answers, heard.forced, strict=True)):
        if answer:
            said.append(word.gain >= read_gain)
            first_lost = index + 1
        else:
            said.append(word.margin >= lost_margin and first_lost not in replaced and expected.token not in elsewhere)
    return tuple(said)


def spoken_spans(challenge: Challenge, sound: SoundTrack) -> tuple[tuple[float, float] | None, ...]:
    """Return for each thing to say, in order, the seconds from its first word to its last; `None` if it was not said.

    The time of a word is that of the forced alignment where the word has a gain, and of the transcription elsewhere: a
    transcription may put the last word before a pause at the end of the pause, a second late.
    """
    heard = witnesses(challenge, sound)
    forced = heard.forced or (None,) * len(heard.reading.expected)
    spans: list[tuple[float, float] | None] = []
    for index, step in enumerate(challenge.steps):
        if not isinstance(step, Say):
            continue
        times = []
        for word, read, aligned in zip(heard.reading.expected, heard.reading.answers, forced, strict=True):
            if word.step == index and aligned is not None and aligned.gain > 0.0:
                times.append((aligned.start_s, aligned.end_s))
            elif word.step == index and read:
                times.append((read.start_s, read.end_s))
        spans.append((min(start for start, _ in times), max(end for _, end in times)) if times else None)
    return tuple(spans)
