"""Print how near the onset of a group is to its truth, by what fills the second before it: `python -m tests.bench.onsets`.

Groups of two words by the studio's voices, in noise 35 dB below them. An onset is early where something else is taken for it.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np
import scipy.signal
from rich.console import Console
from rich.table import Table

from cameo_challenges.languages import language
from cameo_challenges.model import Challenge, Say
from cameo_verifier import offline
from cameo_verifier.evidence.sound import RATE_HZ, listen
from cameo_verifier.evidence.speech_onset import speech_onsets
from cameo_verifier.evidence.spoken import spoken_spans
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.settings import Settings
from fixtures.studio.speech import SOUND_HZ
from fixtures.studio.voices import Voice, speaker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.types import F32

GROUPS, ROUNDS = 3, 4
LEVEL, HEARD, NEAR_S = 0.1, 0.02, 0.15
BEFORE = ("nothing", "a hum", "noise", "ummm", "uh, let me see", "another voice")


def main() -> None:
    """Print one line for each filler."""
    offline.go_offline()
    draw = Random(5)  # noqa: S311 - words to say, no secret
    table = Table("before the group", "groups", f"onset within {NEAR_S} s", "from", "to", "aligned word", "from", "to", box=None)
    with ModelKit.open(Settings()) as kit:
        for filler in BEFORE:
            rows = [row for number in range(ROUNDS) for row in _round(kit, draw, filler, number)]
            table.add_row(filler, f"{len(rows)}", *(cell for found in zip(*rows, strict=True) for cell in _cells(found)))
    Console(width=110, highlight=False).print(table)


def _cells(errors: Sequence[float]) -> tuple[str, str, str]:
    return f"{sum(abs(error) <= NEAR_S for error in errors)}", f"{min(errors):+.2f} s", f"{max(errors):+.2f} s"


def _round(kit: ModelKit, draw: Random, filler: str, number: int) -> list[tuple[float, float]]:
    """Return for each group the error of its onset, and of its aligned word's start, in seconds."""
    of, voices = language("en"), list(Voice)
    words = [*of.digits, *of.lexicon]
    groups = tuple(" ".join(draw.sample(words, 2)) for _ in range(GROUPS))
    parts, truth = [np.zeros(RATE_HZ // 2, np.float32)], []
    for group in groups:
        parts += [_filled(filler, number), np.zeros(RATE_HZ // 20, np.float32)]
        truth.append(sum(map(len, parts)) / RATE_HZ)
        parts += [_said(voices[number % len(voices)], group), np.zeros(RATE_HZ, np.float32)]
    sound = np.concatenate(parts)
    noise = np.random.default_rng(number).normal(0, LEVEL * 10 ** (-35 / 20), len(sound))
    challenge = Challenge(tuple(map(Say, groups)))
    track = listen(np.asarray(sound + noise, np.float32), kit, spoken=challenge.spoken)
    onsets, spans = speech_onsets(challenge, track), spoken_spans(challenge, track)
    return [
        (onset - at, span[0] - at) for onset, span, at in zip(onsets, spans, truth, strict=True) if onset is not None and span
    ]


def _filled(filler: str, number: int) -> F32:
    voices, t_s = list(Voice), np.arange(RATE_HZ) / RATE_HZ
    match filler:
        case "nothing":
            return np.zeros(0, np.float32)
        case "a hum":
            return np.asarray(LEVEL / 2 * np.sign(np.sin(2 * np.pi * 140 * t_s)), np.float32)
        case "noise":
            return np.asarray(np.random.default_rng(number).normal(0, LEVEL / 2, RATE_HZ), np.float32)
        case "another voice":
            return _said(voices[(number + 1) % len(voices)], "the weather tomorrow will be fine") / 2
        case _:
            return _said(voices[number % len(voices)], filler)


def _said(voice: Voice, text: str) -> F32:
    """Return a text said at `LEVEL`, without the silence around it."""
    sound = scipy.signal.resample_poly(speaker(voice).say(text).sound, 1, SOUND_HZ // RATE_HZ)
    heard = np.convolve(np.abs(sound), np.ones(80) / 80, "same")
    loud = np.flatnonzero(heard > HEARD * heard.max())
    cut = sound[loud[0] : loud[-1]]
    return np.asarray(LEVEL * cut / cut.std(), np.float32)


if __name__ == "__main__":
    main()
