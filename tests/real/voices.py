"""What the checks of the voice say of real speech: of one speaker, of two, of clones, and of speech with a generator's mark.

1. Answers: a speaker's clips one after the other, with their own pauses, until `SPEECH_S` of speech; long utterances are cut.
   Clips are set to one level. Their speech is cut into groups as long as a few words, none of which reaches into another clip.
2. One voice: up to two answers of each speaker. Two voices: answers whose second half is another speaker's of the same group.
3. `speaker` and `second_voice` judge each as they judge a recording: refused with an attack's reason, asked again, or passed.
4. The same of clones (F5-TTS) and conversions (StreamVoice), and of answers that a speaker begins and their clone ends.
5. A match: cosines of whole answers. No profile asks for one, since voice is never a gate; the line is that of equal error of
   genuine answers, of one speaker and of two.
6. A line against clones, one system left out: of some measures of a voice the one that finds most of the other system's clips at
   5 % of genuine answers; the rate is that of the system left out.
7. Perth's mark (`audio_mark`): answers, zip codes and clones as they are, and every fourth answer after it was marked and coded.
   The encoder is fetched for it.

Run it with `python -m tests.real.voices --devdata FOLDER`.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import combinations, groupby, islice, pairwise, starmap
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from cameo_challenges.model import Challenge
from cameo_verifier.checks import audio_mark, second_voice, speaker
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence import sound as hearing
from cameo_verifier.evidence.background import apart
from cameo_verifier.evidence.sound import RATE_HZ
from cameo_verifier.media import open_recording
from cameo_verifier.models.measure import equal_error_rate
from cameo_verifier.reasons import Kind, Reason
from cameo_verifier.settings import MediaLimits
from cameo_verifier.types import CheckResult, Evidence, MediaInfo, Missing, Outcome, SoundTrack
from tests.real.finding import Finding, Item, Real, finding
from tests.real.marking import CODECS, TELEPHONE, Marker, coded
from tests.real.table import run

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from cameo_verifier.types import F32, F64

SPEECH_S = 5.0
"""Speech in an answer to a challenge of three prompts."""
GROUP_S = 1.2
"""Groups of a challenge's words are 0.8 to 2 s long."""
_ANSWERS = 2
_MIXED = 16
"""Answers of two voices in each group, where there are as many pairs."""
_MARK_EVERY = 4
_LEVEL = 0.05
_GENUINE_LOST = 0.05
_CONSISTENCY, _CLONED, _MATCH, _LINE, _MARK = (
    "One voice or two, by age and gender",
    "Cloned and converted voices: is it one voice?",
    "Cloned and converted voices: is it the voice of the reference?",
    "Cloned and converted voices: a line drawn on one system, met by the other",
    "Perth's audio mark",
)
READ = "LibriSpeech"
_Thing = TypeVar("_Thing")
_Key = TypeVar("_Key", bound="Hashable")


@dataclass(frozen=True, slots=True)
class Clip:
    """One utterance, or a piece of one: `sound` (N,) mono at 16 kHz, at one level, of which `speech_s` are speech."""

    name: str
    speaker: str
    group: str
    sound: F32
    speech_s: float


class Heard(NamedTuple):
    """An answer and what the checks of the voice say of it."""

    name: str
    speaker: str
    group: str
    track: SoundTrack
    results: tuple[CheckResult, ...]

    @property
    def refused(self) -> bool:
        """Whether a check fails with the reason of an attack."""
        return any(r.outcome is Outcome.FAIL and r.reason is not None and r.reason.kind is Kind.ATTACK for r in self.results)

    @property
    def again(self) -> bool:
        """Whether it is asked for again: `speaker` has to pass, and `second_voice` may not fail."""
        one, two = self.results
        return not self.refused and (one.outcome is not Outcome.PASS or two.outcome is Outcome.FAIL)

    @property
    def doubt(self) -> float:
        """How far the worse of both lies below its line; above 0 it fails."""
        below = [r.threshold - r.score for r in self.results if r.score is not None and r.threshold is not None]
        return max(below, default=0.0)


def measure(real: Real) -> list[Finding]:
    """Return what the checks of the voice say of the folder's speech."""
    clips = [*accented(real), *read_aloud(real)]
    clones = list(cloned(real))
    one = [hear(real, answer) for answer in answers(clips)]
    two = [hear(real, answer) for answer in joined(clips)]
    heard = [hear(real, [piece]) for piece in clones]
    return [
        *consistency(one, two),
        *one_voice_of_clones(real, clones, heard),
        *matches(one, heard),
        *drawn_lines(one, heard),
        *marks(real, [*map(_whole, answers(clips)), *telephone(real)], clones),
    ]


def accented(real: Real) -> Iterator[Clip]:
    """Return the clips of learners, in groups by age and gender."""
    folder = real.folder / "speech" / "accented"
    with (folder / "index.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            age = int(row["age"])
            group = "under 13" if age < 13 else "13 to 17" if age < 18 else "18 and over"
            yield clip(real, folder / row["file"], row["speaker"], f"{group}, {row['gender']}")


def read_aloud(real: Real) -> Iterator[Clip]:
    """Return pieces of LibriSpeech, half of an answer each: two of an utterance, and as many of a speaker as the answers need."""
    paths = sorted((real.folder / "speech" / "librispeech").iterdir())
    for reader, own in groupby(paths, key=lambda path: path.name.split("-")[0]):
        found = (piece for path in own for piece in cut(clip(real, path, reader, READ), SPEECH_S / 2)[:2])
        yield from islice(found, 2 * _ANSWERS)


def telephone(real: Real) -> Iterator[Clip]:
    """Return the zip codes said over the telephone."""
    for path in sorted((real.folder / "speech" / "digits").glob("*.wav")):
        yield clip(real, path, path.stem, "zip codes by telephone")


def cloned(real: Real) -> Iterator[Clip]:
    """Return the clips of cloned voices, cut to the length of answers; the speaker of a conversion is who said the words.

    No two conversions at hand have the same target, and the targets' own voices are not there.
    """
    for path in sorted((real.folder / "speech" / "cloned").iterdir()):
        system, _, rest = path.stem.partition("_")
        if system == "f5":
            yield from cut(clip(real, path, rest.split("_")[2], "F5-TTS" if "_gen_" in path.stem else "reference"), SPEECH_S)
        else:
            yield clip(real, path, rest.rpartition("__")[2].split("_")[0], "StreamVoice")


def clip(real: Real, path: Path, speaker: str, group: str) -> Clip:
    """Return a recording's sound at one level, and how much of it is speech."""
    with open_recording(path, limits=MediaLimits(min_s=0.0, max_s=60.0)) as recording:
        sound = recording.sound()
    voiced, _ = hearing._concatenate(sound, real.kit.voice_activity.segments(sound))
    level = float(np.sqrt(np.mean(voiced**2))) if voiced.size else 1.0
    return Clip(path.stem, speaker, group, np.asarray(sound * (_LEVEL / level), np.float32), len(voiced) / RATE_HZ)


def cut(whole: Clip, speech_s: float) -> list[Clip]:
    """Return a long clip in pieces that each hold about that much speech."""
    parts = max(1, int(whole.speech_s / speech_s))
    return [
        replace(whole, name=f"{whole.name} part {number}", sound=sound, speech_s=whole.speech_s / parts)
        for number, sound in enumerate(np.array_split(whole.sound, parts), start=1)
    ]


def answers(clips: Sequence[Clip]) -> Iterator[list[Clip]]:
    """Return up to two answers of each speaker, without a clip in common."""
    for own in _by(clips, lambda each: (each.group, each.speaker)).values():
        left = list(own)
        for _ in range(_ANSWERS):
            answer = _long_enough(left, SPEECH_S)
            if answer:
                yield answer
            left = left[len(answer) :]


def joined(clips: Sequence[Clip]) -> Iterator[list[Clip]]:
    """Return answers whose second half is another speaker's of the same group; each speaker meets the next ones."""
    for group in _by(clips, lambda each: each.group).values():
        own = list(_by(group, lambda each: each.speaker).values())
        for place, mine in enumerate(own):
            for step in range(1, min(max(1, _MIXED // len(own)), len(own) - 1) + 1):
                halves = _long_enough(mine, SPEECH_S / 2), _long_enough(own[(place + step) % len(own)], SPEECH_S / 2)
                if all(halves):
                    yield [*halves[0], *halves[1]]


def hear(real: Real, answer: Sequence[Clip]) -> Heard:
    """Put an answer to the checks: embeddings as `cameo_verifier.evidence.sound.listen` takes them, but for the words."""
    sound = np.concatenate([each.sound for each in answer])
    power = hearing._power(sound)
    speech, others = apart(real.kit.voice_activity.segments(sound), power, hearing.BLOCK_S)
    uttered, times_s = hearing._concatenate(sound, speech)
    size = int(hearing.WINDOW_S * RATE_HZ)
    starts = hearing._window_starts(len(uttered))
    group_s = _groups(answer, speech)
    level, noise = hearing._levels(power, speech)
    track = SoundTrack(
        duration_s=len(sound) / RATE_HZ,
        level_dbfs=level,
        noise_dbfs=noise,
        peak_dbfs=0.0,
        speech=speech,
        text="",
        words=(),
        forced=(),
        window_s=np.array([(times_s[start], times_s[min(start + size, len(uttered)) - 1]) for start in starts]).reshape(-1, 2),
        window_embeddings=np.stack([real.kit.speaker.embed(uttered[start : start + size]) for start in starts]),
        embedding=real.kit.speaker.embed(uttered),
        group_s=group_s,
        group_embeddings=np.stack([real.kit.speaker.embed(sound[int(a * RATE_HZ) : int(b * RATE_HZ)]) for a, b in group_s]),
        levels_dbfs=np.array([hearing._dbfs(float(np.sqrt(block))) for block in power], np.float32),
        others=others,
    )
    results = tuple(check(Case(_evidence(track), Challenge(())), real.profile) for check in (speaker.check, second_voice.check))
    return Heard(" + ".join(each.name for each in answer), answer[0].speaker, answer[0].group, track, results)


def consistency(one: Sequence[Heard], two: Sequence[Heard]) -> list[Finding]:
    """Return how often one voice is refused or asked again, and two pass, by group."""
    found = []
    for group in sorted({each.group for each in one}):
        own = [each for each in one if each.group == group]
        mixed = [each for each in two if each.group == group]
        refused = [Item(each.name, each.refused, each.doubt) for each in own]
        again = [Item(each.name, each.again, each.doubt) for each in own]
        found.append(finding(_CONSISTENCY, group, "one voice refused", refused))
        found.append(finding(_CONSISTENCY, group, "one voice asked again", again))
        found.append(finding(_CONSISTENCY, group, "another's second half passed", _passed(mixed)))
    return found


def one_voice_of_clones(real: Real, clones: Sequence[Clip], heard: Sequence[Heard]) -> list[Finding]:
    """Return how often a clone passes as one voice, alone and after the voice it is a clone of."""
    systems = ("reference", "F5-TTS", "StreamVoice")
    found = [finding(_CLONED, name, "passed as one voice", _passed([e for e in heard if e.group == name])) for name in systems]
    own = _by(clones, lambda each: (each.group, each.speaker))
    halves = [
        hear(real, [_half(start), _half(end)])
        for (group, number), starts in own.items()
        if group == "reference"
        for start in starts
        for end in own["F5-TTS", number]
    ]
    return [*found, finding(_CLONED, "half reference, half its F5-TTS", "passed as one voice", _passed(halves))]


def matches(one: Sequence[Heard], heard: Sequence[Heard]) -> list[Finding]:
    """Return how often a clone is as like its reference as answers of one speaker are like each other."""
    genuine = [_pair(first, second) for first, second in combinations(one, 2) if first.group == second.group]
    line = equal_error_rate(
        [pair.cosine for pair in genuine if pair.same], [pair.cosine for pair in genuine if not pair.same]
    ).threshold
    crossed = [pair for pair in starmap(_pair, combinations(heard, 2)) if pair.groups == {"reference", "F5-TTS"}]
    converted = list(starmap(_pair, combinations([each for each in heard if each.group == "StreamVoice"], 2)))
    kinds = {
        ("answers of one speaker", "answers of two of a group"): genuine,
        ("F5-TTS and its reference", "F5-TTS and another reference"): crossed,
        ("StreamVoice, one source to two targets", "StreamVoice, two sources to two targets"): converted,
    }
    return [
        finding(
            _MATCH,
            names[0] if same else names[1],
            f"cosine of {line:.2f} and more",
            [Item(f"{pair.name}: {pair.cosine:.2f}", pair.cosine >= line, pair.cosine) for pair in pairs if pair.same is same],
        )
        for names, pairs in kinds.items()
        for same in (True, False)
    ]


def drawn_lines(one: Sequence[Heard], heard: Sequence[Heard]) -> list[Finding]:
    """Return how often a clone of one system is beyond the line that finds most of the other's at 5 % of genuine answers."""
    found = []
    systems = _by((each for each in heard if each.group != "reference"), lambda each: each.group)
    for left_out, theirs in systems.items():
        others = [each for system, own in systems.items() if system != left_out for each in own]
        best: tuple[float, str, float, float] = (-1.0, "", 0.0, 0.0)
        for name, value in MEASURES.items():
            for sign in (1.0, -1.0):
                line = float(np.quantile([sign * value(each.track) for each in one], 1.0 - _GENUINE_LOST))
                caught = float(np.mean([sign * value(each.track) > line for each in others]))
                best = max(best, (caught, name, sign, line))
        caught, name, sign, line = best
        value = MEASURES[name]
        what = f"{name} {'above' if sign > 0 else 'below'} {sign * line:.2f} ({caught:.0%} of the other system)"
        items = [Item(each.name, sign * value(each.track) > line, sign * value(each.track)) for each in theirs]
        found.append(finding(_LINE, left_out, what, items))
    return found


def marks(real: Real, genuine: Sequence[Clip], clones: Sequence[Clip]) -> list[Finding]:
    """Return how often unmarked speech is called marked, and marked speech is, as it is and after codecs."""
    found = [
        finding(_MARK, f"unmarked: {group}", "called marked", [marked(real, each.name, each.sound) for each in own])
        for group, own in _by([*genuine, *clones], lambda each: each.group).items()
    ]
    with Marker.fetch() as marker:
        chosen = [(each.name, marker.mark(each.sound)) for each in genuine[::_MARK_EVERY]]
    for name in ("as it is", *CODECS, TELEPHONE):
        items = [marked(real, clip, sound if name == "as it is" else coded(sound, name)) for clip, sound in chosen]
        found.append(finding(_MARK, f"marked: {name}", "missed", [Item(i.name, not i.counts, -i.score) for i in items]))
    return found


def marked(real: Real, name: str, sound: F32) -> Item:
    """Return whether the speech of a sound is called marked, and the score."""
    uttered, _ = hearing._concatenate(sound, real.kit.voice_activity.segments(sound))
    score = real.kit.audio_mark.score(uttered)
    track = replace(_NOTHING, mark=score)
    result = audio_mark.check(Case(_evidence(track), Challenge(())), real.profile)
    return Item(f"{name}: {score:.3f}", result.outcome is Outcome.FAIL, 0.0 if np.isnan(score) else score)


def _evenness(track: SoundTrack) -> float:
    similar = track.window_embeddings @ track.window_embeddings.T
    separate = track.window_s[:, None, 1] <= track.window_s[None, :, 0]
    return float(np.quantile(similar[separate], 0.2)) if separate.any() else 1.0


def _to_whole(track: SoundTrack) -> float:
    return float((track.window_embeddings @ track.embedding).mean())


def _level_spread(track: SoundTrack) -> float:
    return float(np.std(track.levels_dbfs[track.levels_dbfs > track.noise_dbfs + 6.0]))


MEASURES: Mapping[str, Callable[[SoundTrack], float]] = {
    "windows' 20th percentile": _evenness,
    "windows' likeness to the whole": _to_whole,
    "speech above noise, dB": lambda track: track.speech_to_noise_db,
    "spread of levels, dB": _level_spread,
}


class _Pair(NamedTuple):
    name: str
    groups: frozenset[str]
    same: bool
    cosine: float


def _pair(first: Heard, second: Heard) -> _Pair:
    name = f"{first.name} and {second.name}"
    cosine = float(first.track.embedding @ second.track.embedding)
    return _Pair(name, frozenset({first.group, second.group}), first.speaker == second.speaker, cosine)


def _passed(heard: Iterable[Heard]) -> list[Item]:
    return [Item(each.name, not (each.refused or each.again), -each.doubt) for each in heard]


def _whole(answer: Sequence[Clip]) -> Clip:
    """Return an answer as one clip."""
    sound = np.concatenate([each.sound for each in answer])
    return replace(answer[0], name=" + ".join(e.name for e in answer), sound=sound, speech_s=sum(e.speech_s for e in answer))


def _half(whole: Clip) -> Clip:
    return replace(whole, sound=whole.sound[: len(whole.sound) // 2], speech_s=whole.speech_s / 2)


def _groups(answer: Sequence[Clip], speech: F64) -> F64:
    """Return (G, 2) seconds: each clip's speech in equal parts of about `GROUP_S`, as words would be grouped."""
    found: list[tuple[float, float]] = []
    begins = 0.0
    for each in answer:
        ends = begins + len(each.sound) / RATE_HZ
        own = [(max(start, begins), min(end, ends)) for start, end in speech if start < ends and end > begins]
        for start, end in own:
            edges = np.linspace(start, end, max(1, round((end - start) / GROUP_S)) + 1)
            found += [(a, b) for a, b in pairwise(edges) if b - a >= GROUP_S / 2]
        begins = ends
    return np.array(found or [(0.0, begins)], np.float64)


def _long_enough(clips: Sequence[Clip], speech_s: float) -> list[Clip]:
    """Return the first clips that together hold about that much speech; none where all do not."""
    total = np.cumsum([each.speech_s for each in clips])
    enough = int(np.searchsorted(total, 0.95 * speech_s)) + 1
    return list(clips[:enough]) if enough <= len(clips) else []


def _by(things: Iterable[_Thing], key: Callable[[_Thing], _Key]) -> dict[_Key, list[_Thing]]:
    groups: defaultdict[_Key, list[_Thing]] = defaultdict(list)
    for each in things:
        groups[key(each)].append(each)
    return dict(groups)


def _evidence(track: SoundTrack) -> Evidence:
    return Evidence(MediaInfo("", 0, "", 0.0), Missing(Reason.NO_VIDEO), track)


_NOTHING = SoundTrack(
    duration_s=0.0,
    level_dbfs=0.0,
    noise_dbfs=0.0,
    peak_dbfs=0.0,
    speech=np.zeros((0, 2)),
    text="",
    words=(),
    forced=(),
    window_s=np.zeros((0, 2)),
    window_embeddings=np.zeros((0, 0), np.float32),
    embedding=np.zeros(0, np.float32),
)


if __name__ == "__main__":
    run(measure, __doc__)
