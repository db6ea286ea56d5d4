"""Are digits of a language pack understood, and no others, in the voice of ten clips?

Each string has as many digits as a challenge in that language, in three groups, from one speaker's `0.wav` to `9.wav`: at three
speeds, with pauses of random length, clean and in noise of 20 and 10 dB. It is asked for as it is, with one digit changed, and
with two neighbours exchanged. Print the table with

    python -m tests.bench.digits FOLDER --language es --strings 24
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.issue import recipe_in
from cameo_challenges.languages import language
from cameo_challenges.match import align, expected_tokens
from cameo_challenges.model import Challenge, Say
from cameo_verifier.evidence.spoken import WordEvidence, contrasted, digits_said, force_align
from cameo_verifier.media import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.profiles import load
from cameo_verifier.settings import MediaLimits, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cameo_verifier.types import F32

_RATE_HZ = 16_000
_EDGE_S, _BETWEEN_S = 0.5, 1.5
_QUIET = 0.01
_NOISES_DB = (40.0, 20.0, 10.0)


def clips(folder: Path) -> list[F32]:
    """Return the digits' sounds, without the silence around them."""
    found = []
    for digit in range(10):
        with open_recording(folder / f"{digit}.wav", limits=MediaLimits(min_s=0.0)) as source:
            sound = source.sound()
        loud = np.flatnonzero(np.abs(sound) > _QUIET)
        found.append(sound[max(0, loud[0] - _RATE_HZ // 20) : loud[-1] + _RATE_HZ // 20])
    return found


def said(digits: Sequence[int], voice: Sequence[F32], ends: Sequence[int], noise_db: float, rng: Random) -> F32:
    """Return the sound of a string whose groups end at these places."""
    speed = rng.choice((0.85, 1.0, 1.15))
    parts = [np.zeros(round(_EDGE_S * _RATE_HZ))]
    for place, digit in enumerate(digits, 1):
        clip = voice[digit]
        parts.append(np.interp(np.arange(0, len(clip) - 1, speed), np.arange(len(clip)), clip))
        parts.append(np.zeros(rng.randrange(_RATE_HZ // 32, _RATE_HZ // 5)))
        if place in ends:
            parts.append(np.zeros(round(_BETWEEN_S * _RATE_HZ)))
    sound = np.concatenate(parts)
    level = np.sqrt(np.mean(sound[np.abs(sound) > _QUIET] ** 2))
    noise = np.random.default_rng(rng.randrange(1 << 30)).normal(size=len(sound))
    mixed = sound + noise * level * 10.0 ** (-noise_db / 20.0)
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), np.float32)


def others(digits: Sequence[int], rng: Random) -> Iterator[tuple[str, list[int]]]:
    """Yield what is asked of a string that was said."""
    yield "right", list(digits)
    for _ in range(2):
        changed = list(digits)
        place = rng.randrange(len(changed))
        changed[place] = rng.choice([digit for digit in range(10) if digit != changed[place]])
        yield "one changed", changed
    unlike = [place for place in range(len(digits) - 1) if digits[place] != digits[place + 1]]
    swapped, place = list(digits), rng.choice(unlike)
    swapped[place : place + 2] = swapped[place : place + 2][::-1]
    yield "two exchanged", swapped


def measure(folder: Path, tag: str, strings: int, seed: int) -> dict[tuple[str, float], Counter[str]]:
    """Return by question and noise the number of strings, of those accepted, and of those that were written down in full."""
    of, rng, profile = language(tag), Random(seed), load()  # noqa: S311 - a seed repeats the strings
    words, voice = tuple(of.digits), clips(folder)
    lines = profile["phrase_read_digit_gain_min"].value, profile["phrase_lost_digit_margin_min"].value
    counts: dict[tuple[str, float], Counter[str]] = defaultdict(Counter)
    length = getattr(recipe_in(tag), "digits", 0)
    ends = (length // 3, 2 * length // 3)
    with ModelKit.open(Settings()) as kit:
        recogniser = kit.recogniser(tag)
        for number in range(strings):
            digits, noise_db = [rng.randrange(10) for _ in range(length)], _NOISES_DB[number % len(_NOISES_DB)]
            heard = recogniser.encode(said(digits, voice, ends, noise_db, rng))
            _, written = recogniser.transcribe(heard)
            for question, asked in others(digits, rng):
                groups = (asked[: ends[0]], asked[ends[0] : ends[1]], asked[ends[1] :])
                texts = [" ".join(words[digit] for digit in group) for group in groups]
                forced = force_align(recogniser, heard, texts, written, of)
                forced = contrasted(recogniser, heard, texts, written, forced, of)
                expected = expected_tokens(Challenge(tuple(map(Say, texts)), language=tag))
                evidence = WordEvidence(align(expected, written, of), forced)
                counted = all(digits_said(evidence, read_gain=lines[0], lost_margin=lines[1]))
                counts[question, noise_db].update(("strings", *["accepted"] * counted, *["read"] * evidence.reading.complete))
    return counts


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--language", default="es")
    parser.add_argument("--strings", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    for (question, noise_db), count in sorted(measure(given.folder, given.language, given.strings, given.seed).items()):
        print(f"{question:14} {noise_db:3.0f} dB: {count['accepted']:3} of {count['strings']:3} accepted, {count['read']:3} read")  # noqa: T201


if __name__ == "__main__":
    main()
