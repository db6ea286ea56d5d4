"""Pronunciation scoring: the log-likelihood ratio of each expected word's phonemes against those of any word in its place.

The phoneme recogniser has neither a vocabulary nor the challenge, so that its errors are independent of the speech recogniser's:
where a child's "three" is transcribed "C", it recognises "s i", which is nearer to "three" than to any other digit.

1. The phrase is a chain of phonemes, as force-aligned by `evidence.spoken.force_align`. Each 20 ms are one of them, the CTC
   blank, or, between words, any phoneme, at a price: other speech is skipped. The Viterbi path gives the time of each word.
2. Between its neighbours each word is scored against all others of its kind, digits or the lexicon, summed over all alignments
   (the forward algorithm of CTC; Graves et al., Connectionist Temporal Classification, 2006).

A phoneme that is often recognised for the one that was said, by an accent or over a narrow band, counts for it in part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.match import tokens as canonical
from cameo_challenges.phonemes import PHONEMES
from cameo_verifier.models.phonemes import BLANK, RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cameo_challenges.languages import Language
    from cameo_verifier.types import F32, F64, ScoredWord

_IPA = {
    "P": "p pʰ p͈", "B": "b", "T": "t tʰ t͈ ɾ", "D": "d ɾ", "K": "k kʰ k͈", "G": "g ɡ", "F": "f", "V": "v ʋ", "TH": "θ",
    "DH": "ð", "S": "s s͈", "Z": "z", "SH": "ʃ ɕ ʂ", "ZH": "ʒ", "CH": "t͡ʃ t͡ɕ t͡ɕʰ", "JH": "d͡ʒ", "M": "m", "N": "n", "NG": "ŋ",
    "L": "l ɫ", "R": "ɹ r ɻ ʁ", "W": "w ʋ", "Y": "j", "HH": "h ɦ", "IY": "i ɪ", "IH": "ɪ i", "EY": "eɪ e ɛ", "EH": "ɛ e æ",
    "AE": "æ a ɛ", "AA": "ɑ a ɒ ɐ", "AH": "ʌ ə ɐ a ɪ", "AO": "ɔ ɒ o ɑ", "AY": "aɪ a", "AW": "aʊ", "OW": "oʊ o", "OY": "ɔɪ",
    "UW": "u ʊ", "UH": "ʊ u", "ER": "ɝ ɚ ɜ ə",
}  # fmt: skip
"""What the recogniser writes for each phoneme."""
_CLASSES = (
    "P B",
    "T D",
    "K G",
    "F V",
    "V W",
    "TH S F T",
    "DH Z D",
    "S Z SH",
    "Z ZH JH",
    "SH CH ZH JH S",
    "M N NG",
    "L R W",
    "Y IY",
    "N L",
)
_VOWELS = {
    "IY": "IH EY", "IH": "IY EH", "EY": "EH IH AE", "EH": "AE EY AH", "AE": "EH AA AY", "AA": "AO AH AE AW", "AH": "AA ER EH AO",
    "AO": "OW AA UH", "AY": "AE AA", "AW": "AA AO OW", "OW": "AO UH AW", "UW": "UH OW", "UH": "UW AH", "ER": "AH AO", "OY": "AO",
}  # fmt: skip
"""Phonemes that an accent or a narrow band turns into one another: classes of consonants, and the neighbours of each vowel."""
_ALIKE, _ANYTHING = 0.2, 0.005
"""Weight of a phoneme similar to the one that was said, and of any other."""
_BESIDE_NATS = 3.0
"""The price of a phoneme that is no part of the phrase."""
_REACH = round(1.5 * RATE_HZ)
"""Half width, in rows, of the search window around a word."""
_SCALE, _MOST_NATS = 2 / 3, 8.0
"""The acoustic scale of speech recognisers: the errors of neighbouring rows are correlated, so that CTC is overconfident and
its nats are scaled down. The cap on the nats of one word keeps it from compensating for another."""
_NEVER, _TINY = -1e9, 1e-9
_EDGE_S = 0.06
"""Tolerance of the transcription's times at start and end of a word."""
_LAG_S = 0.09
"""A phoneme is recognised this much after it begins, of the studio's voices."""

_SILENT = frozenset({BLANK, "<wb>", " ", "<pad>"})
_NOTHING, _BESIDE, _NONE = len(PHONEMES), len(PHONEMES) + 1, len(PHONEMES) + 2
"""Columns after those of the phonemes: the CTC blank, any phoneme, and an impossible one (padding of short chains)."""
_PASSED_OVER = np.array([np.log(_TINY)] * _NOTHING + [0.0, 0.0, _NEVER])
"""A row of a false start: it counts for no word, and skipping it costs nothing."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Rows of a word, the end exclusive."""

    start: int
    end: int


def weighed(
    forced: Sequence[ScoredWord], log_probs: F32, names: Sequence[str], of: Language, *, false_starts: F64 | None = None
) -> tuple[ScoredWord, ...]:
    """Return the words with their `margin`, which is part of their `gain`, and their `onset_s`.

    Args:
        forced: the words of a phrase, force-aligned to the sound.
        log_probs: (rows, tokens) natural-log probabilities of phonemes, at 50 Hz, of the same sound.
        names: the token of each column.
        of: the language of the words.
        false_starts: (T, 2) seconds of false starts: words of the phrase that were said again. No word is looked for there, nor
            another in its place.
    """
    laid = tuple(dict.fromkeys(forced))
    if not laid or not len(log_probs):
        return tuple(forced)
    scores = _scores(log_probs, tuple(names))
    for start, end in np.zeros((0, 2)) if false_starts is None else false_starts:
        scores[round((start + _EDGE_S) * RATE_HZ) : max(0, round((end - _EDGE_S) * RATE_HZ))] = _PASSED_OVER
    words = [_canonical(word.text, of) for word in laid]
    ways = [_aligned_pronunciations(word.text, of) for word in laid]
    spans = _viterbi(scores, ways)
    if spans is None:
        return tuple(forced)
    margins = dict(zip(laid, _margins(scores, words, ways, spans, of), strict=True))
    onsets = {word: max(0.0, span.start / RATE_HZ - _LAG_S) for word, span in zip(laid, spans, strict=True)}
    return tuple(replace(word, gain=word.gain + margins[word], margin=margins[word], onset_s=onsets[word]) for word in forced)


def _canonical(text: str, of: Language) -> str:
    """Return the token that an aligned word realises: "oh" is zero; "double" is itself."""
    found = canonical(text, of)
    return found[0] if len(found) == 1 else text


def _aligned_pronunciations(text: str, of: Language) -> tuple[tuple[str, ...], ...]:
    """Return the pronunciations of an aligned text; "oh", soon recognised in any vowel, counts only where it was aligned."""
    said, short = _pronunciations(_canonical(text, of), of), of.zero.short_phonemes
    return tuple(way for way in said if (way == short) == (text == of.zero.short)) if short in said else said


def _pronunciations(word: str, of: Language) -> tuple[tuple[str, ...], ...]:
    return of.said.get(word) or (of.phonemes(word),)


def _kind(word: str, of: Language) -> frozenset[str]:
    """Return the competitors of a word, itself included: digits or the lexicon, whose words are longer.

    A word of neither is scored against those of its length: a short one would win over long ones by its length.
    """
    shortest = min(len(entry.phonemes) for entry in of.lexicon.values())
    digit = word in of.digits or (word not in of.lexicon and len(_pronunciations(word, of)[0]) < shortest)
    return frozenset({*(of.digits if digit else of.lexicon), word})


def _scores(log_probs: F32, names: tuple[str, ...]) -> F64:
    """Return (rows, columns) natural-log probabilities of each phoneme, the blank, any phoneme, and the impossible one."""
    likely = np.exp(log_probs.astype(np.float64))
    likely /= likely.sum(axis=1, keepdims=True)
    silent = likely[:, [name in _SILENT for name in names]].sum(axis=1, keepdims=True)
    heard = likely @ _weights(names) + _ANYTHING * (1.0 - silent)
    beside = silent + (1.0 - silent) * np.exp(-_BESIDE_NATS)
    scores: F64 = np.log(np.hstack([heard, silent, beside]) + _TINY)
    return np.hstack([scores, np.full((len(scores), 1), _NEVER)])


@lru_cache(maxsize=4)
def _weights(names: tuple[str, ...]) -> F64:
    """Return (tokens, phonemes), the weight of each token for each phoneme."""
    groups = [set(group.split()) for group in _CLASSES]
    weights = np.zeros((len(names), len(PHONEMES)))
    for column, phoneme in enumerate(PHONEMES):
        alike = {*_VOWELS.get(phoneme, "").split(), *(other for group in groups if phoneme in group for other in group)}
        for other, weight in (*((other, _ALIKE) for other in alike - {phoneme}), (phoneme, 1.0)):
            written = _IPA[other].split()
            weights[[name in written for name in names], column] = weight
    return weights


def _chain(phonemes: Sequence[str]) -> list[int]:
    """Return the columns of one word between other speech."""
    columns = [_BESIDE]
    for place, phoneme in enumerate(phonemes):
        columns += [_NOTHING, PHONEMES.index(phoneme)] if place else [PHONEMES.index(phoneme)]
    return [*columns, _BESIDE]


@dataclass(frozen=True, slots=True)
class _Graph:
    """A phrase graph of all pronunciations: (S,) columns, owners, -1 between words, and (S, P) predecessor states."""

    columns: NDArray[np.int64]
    owners: NDArray[np.int64]
    before: NDArray[np.int64]
    first: tuple[int, ...]
    last: tuple[int, ...]


def _graph(words: Sequence[tuple[tuple[str, ...], ...]]) -> _Graph:
    columns, owners, before = [_BESIDE], [-1], [[0]]
    ends = [0]
    starts: list[int] = []
    for index, ways in enumerate(words):
        into, ends = ends, []
        for phonemes in ways:
            for place, column in enumerate(_chain(phonemes)[1:-1]):
                state = len(columns)
                reached = [state - 1] if place else into
                if column != _NOTHING and place and columns[state - 2] != column:
                    reached = [*reached, state - 2]
                columns.append(column)
                owners.append(index)
                before.append([state, *reached])
            starts += [len(columns) - len(_chain(phonemes)) + 2] if index == 0 else []
            ends.append(len(columns) - 1)
        before.append([len(columns), *ends])
        columns.append(_BESIDE)
        owners.append(-1)
        ends.append(len(columns) - 1)
    most = max(map(len, before))
    padded = np.array([[*states, *[states[0]] * (most - len(states))] for states in before])
    return _Graph(np.array(columns), np.array(owners), padded, (0, *starts), tuple(ends))


def _steps(chains: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return where the blank may be skipped: before a phoneme that differs from the one before it."""
    over = np.zeros(chains.shape, bool)
    over[..., 2:] = (chains[..., 2:] < _NOTHING) & (chains[..., 2:] != chains[..., :-2])
    return over


def _transitions(at: F64, over: NDArray[np.bool_]) -> F64:
    """Return (3, ..., states), the scores of staying, of the step from the state before, and of that from two before."""
    moves = np.full((3, *at.shape), _NEVER)
    moves[0] = at
    moves[1, ..., 1:] = at[..., :-1]
    moves[2, ..., 2:] = np.where(over[..., 2:], at[..., :-2], _NEVER)
    return moves


def _viterbi(scores: F64, words: Sequence[tuple[tuple[str, ...], ...]]) -> list[_Span] | None:
    """Return the rows of each word on the Viterbi path; `None` with too few rows."""
    graph = _graph(words)
    at = np.full(len(graph.columns), _NEVER)
    at[[*graph.first]] = scores[0, graph.columns[[*graph.first]]]
    came = np.zeros((len(scores), len(at)), np.int64)
    every = np.arange(len(at))
    for row in range(1, len(scores)):
        moves = at[graph.before]
        came[row] = graph.before[every, moves.argmax(axis=1)]
        at = moves.max(axis=1) + scores[row, graph.columns]
    state = max(graph.last, key=lambda last: at[last])
    if at[state] < _NEVER / 2:
        return None
    path = [state]
    for row in range(len(scores) - 1, 0, -1):
        state = int(came[row, state])
        path.append(state)
    owned = graph.owners[path[::-1]]
    places = [np.flatnonzero(owned == index) for index in range(len(words))]
    return [_Span(int(rows[0]), int(rows[-1]) + 1) for rows in places]


def _margins(
    scores: F64, words: Sequence[str], ways: Sequence[tuple[tuple[str, ...], ...]], spans: Sequence[_Span], of: Language
) -> list[float]:
    """Return for each word its log-likelihood ratio, in nats, to the likeliest other of its kind."""
    tries: list[tuple[int, str]] = []
    chains: list[list[int]] = []
    windows: list[tuple[int, int]] = []
    for index, (word, span) in enumerate(zip(words, spans, strict=True)):
        start = max(spans[index - 1].end if index else 0, span.start - _REACH)
        end = min(spans[index + 1].start if index + 1 < len(spans) else len(scores), span.end + _REACH)
        for other in sorted(_kind(word, of)):
            for said in ways[index] if other == word else _pronunciations(other, of):
                tries.append((index, other))
                chains.append(_chain(said))
                windows.append((start, end))
    best: list[dict[str, float]] = [{} for _ in words]
    for (index, other), score in zip(tries, _forward(scores, chains, np.array(windows)), strict=True):
        best[index][other] = max(float(score), best[index].get(other, _NEVER))
    return [_margin(word, those) for word, those in zip(words, best, strict=True)]


def _margin(word: str, scores: Mapping[str, float]) -> float:
    margin = _SCALE * (scores[word] - max(score for other, score in scores.items() if other != word))
    return max(-_MOST_NATS, min(_MOST_NATS, margin))


def _forward(scores: F64, chains: Sequence[Sequence[int]], windows: NDArray[np.int64]) -> F64:
    """Return (B,), the natural-log probability of each chain in its window of rows, summed over all alignments."""
    lengths = np.array([len(chain) for chain in chains])
    padded = np.array([[*chain, *[_NONE] * (int(lengths.max()) - len(chain))] for chain in chains])
    over, every = _steps(padded), np.arange(len(chains))
    start, rows = windows[:, 0], windows[:, 1] - windows[:, 0]
    at = np.full(padded.shape, _NEVER)
    at[:, :2] = scores[start[:, None], padded[:, :2]]
    total = np.full(len(chains), _NEVER)
    for row in range(int(rows.max())):
        if row:
            moves = _transitions(at, over)
            best = moves.max(axis=0)
            here = np.minimum(start + row, len(scores) - 1)
            at = best + np.log(np.exp(moves - best).sum(axis=0)) + scores[here[:, None], padded]
        over_now = rows - 1 == row
        total[over_now] = np.logaddexp(at[every, lengths - 1], at[every, lengths - 2])[over_now]
    return total
