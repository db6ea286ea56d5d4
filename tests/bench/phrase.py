"""How often the phrase check is right, on recordings of people and on synthetic voices.

1. Zip codes over the telephone: the right digits, one digit changed, two digits changed.
2. GRID talkers: the true sentence, every other clip's sentence, random sentences of the same grammar.
3. Issued challenges said by the studio's voices, with pauses for the turns, clean and in noise: the challenge itself, another
   challenge, two digits changed; the same with other words beside them; and a voice that says every digit over and over.

Run it with `python -m tests.bench.phrase --devdata FOLDER`. Everything is drawn from a seed.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import scipy.signal
from rich.console import Console
from rich.table import Table

from cameo_challenges.issue import issue
from cameo_challenges.model import Challenge, Say
from cameo_verifier.checks import phrase
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.pronounced import weighed
from cameo_verifier.evidence.sound import RATE_HZ
from cameo_verifier.evidence.speech_enhancement import enhanced
from cameo_verifier.evidence.spoken import false_starts_s, force_align
from cameo_verifier.media import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Reason
from cameo_verifier.settings import MediaLimits, Settings
from cameo_verifier.types import Evidence, MediaInfo, Missing, Outcome, SoundTrack
from fixtures.studio.speech import SOUND_HZ
from fixtures.studio.voices import Voice, speaker
from tests.english import DIGITS, ENGLISH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cameo_verifier.profile import Profile
    from cameo_verifier.types import F32

_UNLIMITED = MediaLimits(min_s=0.0)
_GRID = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},
    {"z": "zero", **{str(value): word for value, word in enumerate(DIGITS)}},
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


def grid_sentence(code: str) -> str:
    """Return the sentence of a GRID file name: `swiz3n` is "set white in z three now"."""
    return " ".join(words[letter] for words, letter in zip(_GRID, code, strict=True))


def zip_code(transcript: str) -> str:
    """Return the digits of a CSLU Numbers transcript, without its marks for noises and fragments."""
    words = transcript.replace("*<o>ne", "one").replace("oh", "zero").split()
    return " ".join(word for word in words if word in DIGITS)


def changed(texts: Sequence[str], count: int, rng: Random) -> tuple[str, ...]:
    """Return the texts with exactly `count` of their digits replaced by another one."""
    words = [text.split() for text in texts]
    places = [(i, j) for i, group in enumerate(words) for j, word in enumerate(group) if word in DIGITS]
    for i, j in rng.sample(places, count):
        words[i][j] = rng.choice([digit for digit in DIGITS if digit != words[i][j]])
    return tuple(" ".join(group) for group in words)


def beside(asked: Sequence[str], rng: Random) -> dict[str, tuple[str, ...]]:
    """Return ways in which people say three prompts with other words beside them, by name."""
    first, middle, last = asked
    begun = " ".join(first.split()[:2])
    mixed = (" ".join(rng.choice(["zero", "oh"]) if word == "zero" else word for word in text.split()) for text in asked)
    return {
        "hello and thanks": (f"hello {first}", middle, f"{last} okay done thank you"),
        "okay so": (f"okay so {first}", f"um {middle}", f"and {last}"),
        "read aloud": (f"say {first}", f"turn left. say {middle}", f"turn up. {last}"),
        "begun again": (f"{begun}, {first}", middle, last),
        "a cough": (f"ahem {first}", f"{middle} sorry", f"{last} that's all"),
        "zero and oh": tuple(mixed),
    }


class Ear:
    """Hears a recording once and judges it against any number of phrases."""

    def __init__(self, sound: F32, kit: ModelKit, profile: Profile) -> None:
        self._kit, self._profile = kit, profile
        speech = kit.voice_activity.segments(sound)
        self._heard = kit.transcriber.encode(sound, speech=speech)
        text, words = kit.transcriber.transcribe(self._heard)
        self._phonemes = kit.phonemes.log_probs(enhanced(sound))
        nobody = np.zeros((0, 512), np.float32)
        self._track = SoundTrack(
            duration_s=len(sound) / RATE_HZ, level_dbfs=0.0, noise_dbfs=0.0, peak_dbfs=0.0, speech=speech, text=text,
            words=words, forced=(), window_s=np.zeros((0, 2)), window_embeddings=nobody, embedding=np.zeros(512, np.float32),
        )  # fmt: skip

    def listened(self, texts: Sequence[str]) -> SoundTrack:
        """Return what was heard, with the phrase laid over it."""
        laid = force_align(self._kit.transcriber, self._heard, texts, self._track.words, ENGLISH)
        return replace(
            self._track,
            forced=weighed(
                laid,
                self._phonemes,
                self._kit.phonemes.tokens,
                ENGLISH,
                false_starts=false_starts_s(texts, self._track.words, ENGLISH),
            ),
        )

    def accepts(self, texts: Sequence[str]) -> bool:
        """Whether the phrase check passes."""
        track = self.listened(texts)
        media = MediaInfo(container="", size_bytes=0, sha256="", duration_s=track.duration_s)
        evidence = Evidence(media=media, face=Missing(Reason.NO_VIDEO), sound=track)
        challenge = Challenge(tuple(Say(text) for text in texts))
        return phrase.check(Case(evidence, challenge), self._profile).outcome is Outcome.PASS


def sound_of(path: Path) -> F32:
    """Return a recording's sound, mono at 16 kHz."""
    with open_recording(path, limits=_UNLIMITED) as recording:
        return recording.sound()


def noisy(sound: F32, snr_db: float, rng: np.random.Generator) -> F32:
    """Return the sound with pink noise at `snr_db` below the RMS of its loudest tenth."""
    spectrum = np.fft.rfft(rng.standard_normal(len(sound))) / np.sqrt(np.maximum(np.arange(len(sound) // 2 + 1), 20))
    noise = np.fft.irfft(spectrum, len(sound))
    speech_rms = np.sqrt(np.quantile(sound.astype(np.float64) ** 2, 0.9))
    mixed = sound + noise * speech_rms / noise.std() * 10 ** (-snr_db / 20)
    return np.asarray(mixed / max(1.0, np.abs(mixed).max()), np.float32)


def say(texts: Sequence[str], voice: Voice, rng: np.random.Generator) -> F32:
    """Return the texts said one after another with 1.5 to 3 s between, as by somebody who turns the head in the pauses."""
    parts: list[F32] = []
    for text in texts:
        said = scipy.signal.resample_poly(speaker(voice).say(text).sound, 1, SOUND_HZ // RATE_HZ)
        parts += [np.asarray(0.1 * said / said.std(), np.float32), np.zeros(int(rng.uniform(1.5, 3.0) * RATE_HZ), np.float32)]
    return np.concatenate([np.zeros(RATE_HZ // 2, np.float32), *parts])


def people(devdata: Path, kit: ModelKit, profile: Profile) -> Iterator[tuple[str, bool]]:
    """Yield a row name and whether the phrase was accepted."""
    rng = Random(1)  # noqa: S311 - draws of a benchmark
    with (devdata / "speech/digits/transcripts.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            ear = Ear(sound_of(devdata / "speech/digits" / row["file"]), kit, profile)
            code = zip_code(row["transcript"])
            yield "zip code, right", ear.accepts([code])
            yield from (("zip code, one digit changed", ear.accepts(changed([code], 1, rng))) for _ in range(12))
            yield from (("zip code, two digits changed", ear.accepts(changed([code], 2, rng))) for _ in range(24))
    clips = sorted(path for path in (devdata / "bonafide").glob("*.mpg") if len(path.stem) == len(_GRID))
    for path in clips:
        sound = sound_of(path)
        for snr_db in (np.inf, 20.0, 10.0):
            ear = Ear(noisy(sound, snr_db, np.random.default_rng(1)), kit, profile)
            name = f"GRID, {f'{snr_db:.0f} dB' if np.isfinite(snr_db) else 'as recorded'}"
            yield f"{name}, true", ear.accepts([grid_sentence(path.stem)])
            yield from ((f"{name}, other clip's", ear.accepts([grid_sentence(o.stem)])) for o in clips if o != path)
            codes = ["".join(rng.choice(list(words)) for words in _GRID) for _ in range(20)]
            yield from ((f"{name}, random", ear.accepts([grid_sentence(code)])) for code in codes)


def voices(kit: ModelKit, profile: Profile, rounds: int) -> Iterator[tuple[str, bool]]:
    """Yield a row name and whether the phrase was accepted."""
    draw, rng = Random(2), np.random.default_rng(2)  # noqa: S311 - draws of a benchmark

    def phrase_of_one() -> tuple[str, ...]:
        return issue(rng=draw, now=datetime.now(UTC), ttl=timedelta(seconds=180)).spoken

    for voice in Voice:
        for snr_db in (np.inf, 20.0, 12.0):
            name = f"{voice}, {f'{snr_db:.0f} dB' if np.isfinite(snr_db) else 'clean'}"
            for _ in range(rounds):
                asked = phrase_of_one()
                ear = Ear(noisy(say(asked, voice, rng), snr_db, rng), kit, profile)
                yield f"{name}, right", ear.accepts(asked)
                yield f"{name}, another challenge", ear.accepts(phrase_of_one())
                yield f"{name}, two digits changed", ear.accepts(changed(asked, 2, draw))
                yield f"{name}, groups in another order", ear.accepts(asked[1:] + asked[:1])
        for _ in range(rounds):
            asked = phrase_of_one()
            for name, said in beside(asked, draw).items():
                ear = Ear(say(said, voice, rng), kit, profile)
                yield f"other words, {name}: right", ear.accepts(asked)
                yield f"other words, {name}: two digits changed", ear.accepts(changed(asked, 2, draw))
    everything = Ear(say([" ".join(DIGITS)] * 4, Voice.HEART, rng), kit, profile)
    for _ in range(50):
        yield "every digit four times over", everything.accepts([" ".join(draw.choices(list(DIGITS), k=6))])


def main() -> None:
    """Print acceptance rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, help="folder of calibration recordings; without it only voices are tried")
    parser.add_argument("--profile", default="default", help="name or TOML file")
    parser.add_argument("--rounds", type=int, default=8, help="challenges for each voice and noise; 0 for none")
    arguments = parser.parse_args()
    profile = load(arguments.profile)
    counts: dict[str, list[bool]] = defaultdict(list)
    with ModelKit.open(Settings()) as kit:
        if arguments.devdata:
            for name, accepted in people(arguments.devdata, kit, profile):
                counts[name].append(accepted)
        for name, accepted in voices(kit, profile, arguments.rounds):
            counts[name].append(accepted)
    table = Table("phrase", "accepted", "of", "share", box=None, pad_edge=False)
    for name, tries in counts.items():
        table.add_row(name, str(sum(tries)), str(len(tries)), f"{sum(tries) / len(tries):.1%}")
    Console().print(table)


if __name__ == "__main__":
    main()
