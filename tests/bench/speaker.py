"""How often windowed voice embeddings tell one voice from two within a recording, by statistic and length of speech.

1. Speech is cut out of LibriSpeech by voice activity and set to one level.
2. One voice: a stretch of one utterance, with a random part quieter and duller, as from a head turned away.
3. Two voices: half of it, or a third or a quarter in its middle, replaced by another speaker at the same level.
4. Each statistic is judged at every threshold given: share of one-voice stretches refused, share of two-voice ones let through.
5. A second voice: stretches cut into groups as long as a few words, one of them, or half of one, of another speaker; the group
   least like the others is judged (`cameo_verifier.evidence.voices`), in a quiet room and with noise 15 dB below the speech.
6. Both together: of stretches in groups, half of which are another speaker's, those that pass either statistic at its line, by
   their sum.

Splices here change the room and the microphone with the voice, so an attacker with the same microphone does better than this
says. Run it with `python -m tests.bench.speaker --devdata FOLDER`. Everything is drawn from a seed.
"""

from __future__ import annotations

import argparse
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import scipy.signal
from rich.console import Console
from rich.table import Table

from cameo_verifier import profiles
from cameo_verifier.evidence.voices import strangeness
from cameo_verifier.media import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.settings import MediaLimits, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cameo_verifier.types import F32

RATE_HZ = 16_000
LENGTHS_S = (3.5, 5.0, 7.0)
GROUPS = ((3, 4.0), (4, 5.0), (6, 7.0))
SPLICES = {"half": (0.5, False), "third": (1 / 3, True), "quarter": (0.25, True)}
_LEVEL = 0.05
_DULL = scipy.signal.butter(1, 2000, fs=RATE_HZ, output="sos")


def windows(sound: F32, kit: ModelKit, *, window_s: float, hop_s: float) -> F32:
    """Return (W, 512) embeddings of windows over a stretch of speech; the last one ends with it."""
    size, hop = round(window_s * RATE_HZ), round(hop_s * RATE_HZ)
    starts = list(range(0, len(sound) - size + 1, hop)) or [0]
    if starts[-1] + size < len(sound):
        starts.append(len(sound) - size)
    return np.stack([kit.speaker.embed(sound[start : start + size]) for start in starts])


def low_pairs(sound: F32, kit: ModelKit, *, window_s: float, hop_s: float, percentile: float) -> float:
    """Return a low percentile of the cosines of window pairs that share no sound (1 when there is no such pair)."""
    embeddings = windows(sound, kit, window_s=window_s, hop_s=hop_s)
    first, second = np.triu_indices(len(embeddings), -(-round(window_s * RATE_HZ) // round(hop_s * RATE_HZ)))
    if not first.size:
        return 1.0
    return float(np.percentile((embeddings @ embeddings.T)[first, second], percentile))


STATISTICS: Mapping[str, tuple[Callable[[F32, ModelKit], float], tuple[float, ...]]] = {
    "2 s every 1 s, least": (partial(low_pairs, window_s=2.0, hop_s=1.0, percentile=0), (0.2, 0.25)),
    "1.25 s every 0.25 s, 10th percentile": (partial(low_pairs, window_s=1.25, hop_s=0.25, percentile=10), (0.12, 0.15)),
    "1 s every 0.25 s, 20th percentile": (partial(low_pairs, window_s=1.0, hop_s=0.25, percentile=20), (0.1, 0.13, 0.15)),
}


class Stretches:
    """Draws stretches of speech of one voice and of two."""

    def __init__(self, speech: Mapping[str, Sequence[F32]], random: np.random.Generator) -> None:
        self._utterances = [(speaker, sound) for speaker, sounds in speech.items() for sound in sounds]
        self._random = random
        self.speaker = ""

    def one_voice(self, length: int) -> F32:
        """Return `length` samples of one utterance, a random part of it as from a head turned away."""
        self.speaker, sound = self._utterance(length)
        stretch = _levelled(self._cut(sound, length))
        start, end = sorted(self._random.integers(0, length, 2))
        turned = stretch[start:end]
        stretch[start:end] = 0.5 * (0.35 * turned + 0.65 * scipy.signal.sosfilt(_DULL, turned))
        return _levelled(stretch)

    def two_voices(self, length: int, share: float, *, middle: bool) -> F32:
        """Return `length` samples of one speaker with `share` of them replaced, at the end or in the middle."""
        replaced = round(length * share)
        speaker, sound = self._utterance(length - replaced)
        other = speaker
        while other == speaker:
            other, inserted = self._utterance(replaced)
        kept = _levelled(self._cut(sound, length - replaced))
        at = len(kept) // 2 if middle else len(kept)
        return np.concatenate([kept[:at], _levelled(self._cut(inserted, replaced)), kept[at:]])

    def _utterance(self, length: int) -> tuple[str, F32]:
        long_enough = [entry for entry in self._utterances if len(entry[1]) >= length]
        return long_enough[self._random.integers(len(long_enough))]

    def _cut(self, sound: F32, length: int) -> F32:
        start = self._random.integers(0, len(sound) - length + 1)
        return sound[start : start + length]

    def groups(self, lengths: Sequence[int], share: float) -> list[F32]:
        """Return groups of one voice with these lengths; of a random one the last `share` is another speaker's."""
        stretch = self.one_voice(sum(lengths))
        groups = [_levelled(group) for group in np.split(stretch, np.cumsum(lengths)[:-1])]
        if share:
            other = int(self._random.integers(len(groups)))
            replaced = round(lengths[other] * share)
            kept = groups[other][: len(groups[other]) - replaced]
            groups[other] = np.concatenate([kept, _levelled(self._cut(self._stranger(replaced), replaced))])
        return groups

    def later(self, lengths: Sequence[int]) -> list[F32]:
        """Return groups with these lengths of another speaker than that of the last stretch."""
        cut = self._cut(self._stranger(sum(lengths)), sum(lengths))
        return [_levelled(group) for group in np.split(cut, np.cumsum(lengths)[:-1])]

    def _stranger(self, length: int) -> F32:
        """Return an utterance of another speaker than that of the last stretch."""
        other = self.speaker
        while other == self.speaker:
            other, sound = self._utterance(length)
        return sound


def _levelled(sound: F32) -> F32:
    return np.asarray(sound * (_LEVEL / (np.sqrt(np.mean(sound**2)) + 1e-9)), np.float32)


def read_speech(devdata: Path, kit: ModelKit) -> dict[str, list[F32]]:
    """Return each LibriSpeech speaker's utterances, with the silences cut out."""
    paths = sorted((devdata / "speech" / "librispeech").iterdir())
    speech: dict[str, list[F32]] = {}
    for speaker, utterances in groupby(paths, key=lambda path: path.name.split("-")[0]):
        for path in utterances:
            with open_recording(path, limits=MediaLimits(min_s=0.0)) as recording:
                sound = recording.sound()
            spans = (kit.voice_activity.segments(sound, margin_s=0.05) * RATE_HZ).astype(int)
            speech.setdefault(speaker, []).append(np.concatenate([sound[start:end] for start, end in spans]))
    return speech


def second_voice(stretches: Stretches, kit: ModelKit, *, trials: int) -> Table:
    """Return the table of the group that is least like the others."""
    shares = {"of one voice": 0.0, "a whole group": 1.0, "half a group": 0.5}
    table = Table(title="A second voice in one of the groups of words")
    for heading in ("speech", "noise", "at least", "one voice refused", *(f"{k} let through" for k in list(shares)[1:])):
        table.add_column(heading)
    random = np.random.default_rng(2)
    for count, total_s in GROUPS:
        for snr_db in (np.inf, 15.0):
            scores: dict[str, list[float]] = {kind: [] for kind in shares}
            for kind in (kind for kind in shares for _ in range(trials)):
                weights = random.uniform(0.8, 1.6, count)
                lengths = [round(RATE_HZ * total_s * weight / weights.sum()) for weight in weights]
                noise = _LEVEL * 10 ** (-snr_db / 20)
                groups = [
                    np.asarray(group + random.normal(0, noise, len(group)), np.float32)
                    for group in stretches.groups(lengths, shares[kind])
                ]
                spans = np.array([(0.0, len(group) / RATE_HZ) for group in groups])
                scores[kind].append(strangeness(spans, np.stack([kit.speaker.embed(group) for group in groups]))[0])
            arrays = [np.array(found) for found in scores.values()]
            for threshold in (0.05, 0.1, 0.15, 0.2):
                passed = (f"{(found >= threshold).mean():.1%}" for found in arrays[1:])
                room = "none" if np.isinf(snr_db) else f"{snr_db:.0f} dB"
                table.add_row(f"{count} in {total_s} s", room, f"{threshold}", f"{(arrays[0] < threshold).mean():.1%}", *passed)
    return table


def weak_in_both(stretches: Stretches, kit: ModelKit, *, trials: int) -> Table:
    """Return the table of the two statistics added, of what passes each at its own line."""
    profile = profiles.load()
    table = Table(title="Windows and groups of words added")
    for heading in ("speech", "at least", "one voice refused", "half of another let through"):
        table.add_column(heading)
    random = np.random.default_rng(5)
    for count, total_s in ((3, 4.5), (4, 5.0)):
        passing = []
        for others, draws in ((0, 2 * trials), (count // 2, trials)):
            scores = []
            for _ in range(draws):
                weights = random.uniform(0.8, 1.6, count)
                groups = stretches.groups([round(RATE_HZ * total_s * weight / weights.sum()) for weight in weights], 0.0)
                if others:
                    groups[-others:] = stretches.later([len(group) for group in groups[-others:]])
                spans = np.array([(0.0, len(group) / RATE_HZ) for group in groups])
                windowed = low_pairs(np.concatenate(groups), kit, window_s=1.0, hop_s=0.25, percentile=20)
                scores.append((windowed, strangeness(spans, np.stack([kit.speaker.embed(group) for group in groups]))[0]))
            windowed, grouped = np.array(scores).T
            lines = (windowed >= profile["same_speaker_p20_min"].value) & (grouped >= profile["voice_group_min"].value)
            passing.append(np.where(lines, windowed + grouped, -np.inf))
        one, two = passing
        for threshold in (-np.inf, 0.4, 0.45, 0.5, 0.55):
            table.add_row(
                f"{count} groups in {total_s} s",
                "each alone" if np.isinf(threshold) else f"{threshold}",
                f"{((one < threshold) | np.isinf(one)).mean():.1%}",
                f"{((two >= threshold) & np.isfinite(two)).mean():.1%}",
            )
    return table


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True, help="folder of the calibration recordings")
    parser.add_argument("--trials", type=int, default=80, help="two-voice stretches of each kind; twice as many of one voice")
    arguments = parser.parse_args()
    table = Table(title="One voice throughout: refused of one voice, let through of two")
    for heading in (
        "speech",
        "windows and statistic",
        "at least",
        "one voice refused",
        *(f"{kind} let through" for kind in SPLICES),
    ):
        table.add_column(heading)
    with ModelKit.open(Settings()) as kit:
        speech = read_speech(arguments.devdata, kit)
        stretches = Stretches(speech, np.random.default_rng(1))
        for length_s in LENGTHS_S:
            length = round(length_s * RATE_HZ)
            one = [stretches.one_voice(length) for _ in range(2 * arguments.trials)]
            two = {
                kind: [stretches.two_voices(length, share, middle=middle) for _ in range(arguments.trials)]
                for kind, (share, middle) in SPLICES.items()
            }
            for name, (statistic, thresholds) in STATISTICS.items():
                genuine = np.array([statistic(sound, kit) for sound in one])
                spliced = [np.array([statistic(sound, kit) for sound in sounds]) for sounds in two.values()]
                for threshold in thresholds:
                    passed = (f"{(scores >= threshold).mean():.1%}" for scores in spliced)
                    table.add_row(f"{length_s} s", name, f"{threshold}", f"{(genuine < threshold).mean():.1%}", *passed)
        groups = second_voice(stretches, kit, trials=4 * arguments.trials)
        both = weak_in_both(Stretches(speech, np.random.default_rng(7)), kit, trials=2 * arguments.trials)
    Console(width=150).print(table)
    Console(width=150).print(groups)
    Console(width=150).print(both)


if __name__ == "__main__":
    main()
