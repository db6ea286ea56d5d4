"""What one verification costs, as ratios within one run: `make bench`.

1. A 10 s clip of 1280x720 at 30 fps is made from a fixture.
2. The bare calls a verification needs (decode, each model) are timed one after another, as often as it makes them.
3. The whole verification is timed: wall over the sum of 2 on one worker without overlap, and wall over clip length on all cores.
4. Throughput of two worker processes over one, each judging with the server's settings.
5. Peak memory of a worker process, and the time from `cameo serve` to ready.
6. What the checks against attacks add: their evidence and their judging, over all the rest of one verification without overlap.

Each figure is the median of `--rounds`; nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_challenges.model import Challenge, to_json
from cameo_verifier import pipeline, profiles
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence import sound as hearing
from cameo_verifier.evidence.picture import AGE_FRAMES, CLOSE_EVERY, IDENTITY_FRAMES, LIVE_FRAMES, MAX_FACES
from cameo_verifier.evidence.spoken import force_align
from cameo_verifier.evidence.voices import word_groups
from cameo_verifier.media import open_recording
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.settings import Settings
from cameo_verifier.types import Frame
from cameo_verifier.workers.judge import OpenJudge, Response
from cameo_verifier.workers.pool import PoolLimits, WorkerPool
from fixtures.manifest import load as load_fixtures
from tests.english import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.types import F32, Judgement

_OF_ALL_PICTURES = "frozen, splice, picture_times, flicker"
EVIDENCE_OF = {
    "depth": ("parallax",),
    "close_up": ("close_up",),
    "bezel": ("bezel",),
    "moire": ("moire",),
    "upscaled": ("upscaled",),
    _OF_ALL_PICTURES: (),
    "sound_repeat": ("continuity",),
    "sound_cuts": (),
    "seen_before": ("fingerprint",),
    "lips": ("phonemes",),
    "second_voice": ("second_voice",),
    "audio_mark": ("audio_mark",),
    "gaze": (),
    "elapsed": (),
}
"""Checks against attacks, and the stages that gather evidence for them alone; `sound_repeat` stands for all of continuity."""

CLIP_S, FPS, WIDTH, HEIGHT = 10, 30, 1280, 720
CORES = os.cpu_count() or 1


def clip_of(source: Path, out: Path) -> None:
    """Write the first 10 s of a fixture, repeated if it is shorter, at 720p30 with its sound."""
    with av.open(str(source)) as reader:
        pictures = [cv2.resize(f.to_ndarray(format="rgb24"), (960, HEIGHT)) for f in reader.decode(video=0)]
        fps = float(reader.streams.video[0].average_rate or FPS)
    with av.open(str(source)) as reader:
        resampler = av.AudioResampler("fltp", "mono", 48_000)
        blocks = [r.to_ndarray()[0] for f in reader.decode(audio=0) for r in resampler.resample(f)]
    sound = np.resize(np.concatenate(blocks), CLIP_S * 48_000).astype(np.float32)
    with av.open(str(out), "w") as writer:
        video = writer.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "23"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = writer.add_stream("aac", rate=48_000, layout="mono")
        for i in range(CLIP_S * FPS):
            picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            picture[:, 160:1120] = pictures[int(i / FPS * fps) % len(pictures)]
            writer.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        writer.mux(video.encode(None))
        for start in range(0, len(sound), 1024):
            frame = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, start
            writer.mux(audio.encode(frame))
        writer.mux(audio.encode(None))


def bare_calls(clip: Path, challenge: Challenge, kit: ModelKit, settings: Settings) -> dict[str, float]:
    """Return seconds by call: decoding by PyAV alone and each model alone, with the inputs ready beforehand."""
    spent: dict[str, float] = defaultdict(float)

    def timed(name: str, call: Callable[[], Any]) -> Any:
        began = perf_counter()
        result = call()
        spent[name] += perf_counter() - began
        return result

    def decode_picture() -> list[Frame]:
        frames, step = [], 1 / settings.analysis_fps
        with av.open(str(clip)) as reader:
            reader.streams.video[0].thread_count = 1
            for frame in reader.decode(video=0):
                if frame.time >= len(frames) * step - 1e-6:
                    frames.append(Frame(frame.time, np.ascontiguousarray(frame.to_ndarray(format="rgb24"))))
        return frames

    def decode_sound() -> np.ndarray:
        with av.open(str(clip)) as reader:
            resampler = av.AudioResampler("flt", "mono", hearing.RATE_HZ)
            return np.concatenate([r.to_ndarray()[0] for f in reader.decode(audio=0) for r in resampler.resample(f)])

    frames = timed("decode picture", decode_picture)
    sound = timed("decode sound", decode_sound)
    with kit.landmarker(max_faces=MAX_FACES, video=True) as landmarker:
        faces = [timed("landmarks", lambda f=f: landmarker.detect(f))[0] for f in frames]
    pairs = list(zip(frames, faces, strict=True))
    for frame, face in pairs[:: max(1, len(pairs) // LIVE_FRAMES)][:LIVE_FRAMES]:
        timed("presentation attack", lambda: kit.presentation_attack.score(frame.rgb, face.landmarks))  # noqa: B023 - called at once
    for frame, face in pairs[:: max(1, len(pairs) // (LIVE_FRAMES // CLOSE_EVERY))][: LIVE_FRAMES // CLOSE_EVERY]:
        timed("close-up", lambda: kit.presentation_attack.score_close(frame.rgb, face.landmarks))  # noqa: B023 - called at once
    for frame, face in pairs[:: max(1, len(pairs) // IDENTITY_FRAMES)][:IDENTITY_FRAMES]:
        aligned = kit.face_embedder.align(frame.rgb, face.landmarks)
        timed("face embedding", lambda: kit.face_embedder.embed(aligned))  # noqa: B023 - called at once
    for frame, face in pairs[:AGE_FRAMES]:
        timed("age", lambda: kit.age.estimate(frame.rgb, face.landmarks))  # noqa: B023 - called at once
        timed("age, dlib", lambda: kit.dlib_age.estimate(frame.rgb, face.landmarks))  # noqa: B023 - called at once
    _bare_sound_calls(timed, sound, challenge, kit)
    return dict(spent)


def _bare_sound_calls(timed: Callable[..., Any], sound: F32, challenge: Challenge, kit: ModelKit) -> None:
    speech = timed("voice activity", lambda: kit.voice_activity.segments(sound))
    heard = timed("speech encoding", lambda: kit.transcriber.encode(sound, speech=speech))
    _, words = timed("transcription", lambda: kit.transcriber.transcribe(heard))
    forced = timed("forced alignment", lambda: force_align(kit.transcriber, heard, challenge.spoken, words, ENGLISH))
    timed("phonemes", lambda: kit.phonemes.log_probs(sound))
    uttered, _ = hearing._concatenate(sound, speech)
    for start in hearing._window_starts(len(uttered)):
        window = uttered[start : start + int(hearing.WINDOW_S * hearing.RATE_HZ)]
        timed("speaker", lambda: kit.speaker.embed(window))  # noqa: B023 - called at once
    timed("speaker", lambda: kit.speaker.embed(uttered))
    timed("audio mark", lambda: kit.audio_mark.score(uttered))
    for start, end in word_groups(challenge.spoken, forced, ENGLISH):
        group = sound[int(start * hearing.RATE_HZ) : int(end * hearing.RATE_HZ)]
        timed("speaker", lambda: kit.speaker.embed(group))  # noqa: B023 - called at once


def added(clip: Path, challenge: Challenge, judged: Judgement, settings: Settings) -> dict[str, float]:
    """Return the seconds that each check against attacks added to a verification without overlap, evidence and judging.

    Args:
        clip: the recording.
        challenge: what it answers.
        judged: its judgement, made without overlap.
        settings: limits and the analysis rate.
    """
    spent = {name: sum(judged.timings_ms.get(stage, 0.0) for stage in stages) / 1e3 for name, stages in EVIDENCE_OF.items()}
    spent[_OF_ALL_PICTURES] += _thumbnails_s(clip, settings)
    profile = profiles.load()
    for question in pipeline.askable(settings):
        name = next((name for name in EVIDENCE_OF if question.name in name.split(", ")), None)
        if name is not None:
            began = perf_counter()
            question.check(Case(judged.evidence, challenge), profile)
            spent[name] += perf_counter() - began
    return spent


def _thumbnails_s(clip: Path, settings: Settings) -> float:
    """Return the seconds that showing a thumbnail of every picture adds to decoding."""
    spent = []
    for glance in (None, lambda _t_s, _thumbnail: None):
        with open_recording(clip, limits=settings.media) as source:
            began = perf_counter()
            for _ in source.frames(max_fps=settings.analysis_fps, glance=glance):
                pass
            spent.append(perf_counter() - began)
    return max(spent[1] - spent[0], 0.0)


async def throughput(clip: bytes, challenge: Challenge, settings: Settings, *, workers: int, jobs: int) -> float:
    """Return verifications a second of a pool that is kept full."""
    site = settings.model_copy(update={"workers": workers, "overlap": False})
    pool = WorkerPool(OpenJudge(site, profiles.load()), PoolLimits(workers=workers, queue=jobs, threads=site.threads))
    await pool.start()
    try:

        async def one() -> None:
            async with pool.turn() as turn:
                await turn.judge(Response(clip, challenge))

        await asyncio.gather(*(one() for _ in range(workers)))
        began = perf_counter()
        await asyncio.gather(*(one() for _ in range(jobs)))
        return jobs / (perf_counter() - began)
    finally:
        await pool.stop(drain_s=5)


def peak_memory_mb(clip: Path, challenge: Challenge) -> float:
    """Return the peak resident memory of a fresh process that loads the kit and judges one clip, in MB.

    By VmHWM, since ru_maxrss of a new process starts at its parent's.
    """
    script = (
        "import sys, json; from pathlib import Path; from cameo_challenges.model import from_json;"
        "from cameo_verifier.workers.judge import OpenJudge, Response;"
        "from cameo_verifier import profiles; from cameo_verifier.settings import Settings;"
        "judge = OpenJudge(Settings(overlap=False), profiles.load())(); clip = Path(sys.argv[1]).read_bytes();"
        "judge(Response(clip, from_json(json.loads(sys.argv[2]))), lambda: False);"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    command = [sys.executable, "-c", script, str(clip), json.dumps(to_json(challenge))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.strip().splitlines()[-1]) * 1024 / 1e6


def ready_s() -> float:
    """Return the seconds from `cameo serve` to its ready line, with as many workers as cores."""
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "cameo_verifier.cli", "serve", "--json", "--listen", "127.0.0.1:0", "--data", data]
        began = perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise RuntimeError("the server did not start")
            return perf_counter() - began
        finally:
            process.terminate()
            process.wait(30)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    fixture = next(f for f in load_fixtures() if f.verdict == "ACCEPTED")
    challenge, settings, profile = fixture.challenge, Settings(), profiles.load()
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        clip_of(fixture.file, clip)
        figures: dict[str, list[float]] = defaultdict(list)
        stages: dict[str, list[float]] = defaultdict(list)
        attack: dict[str, list[float]] = defaultdict(list)
        with ModelKit.open(settings) as kit:
            for _ in range(given.rounds + 1):
                bare = bare_calls(clip, challenge, kit, settings)
                for overlap in (False, True):
                    site = settings.model_copy(update={"overlap": overlap})
                    began = perf_counter()
                    judged = pipeline.verify(clip, challenge, profile=profile, kit=kit, settings=site)
                    took = perf_counter() - began
                    figures["overlap" if overlap else "alone"].append(took)
                    if not overlap:
                        attack_s = added(clip, challenge, judged, settings)
                        figures["with / without"].append(took / (took - sum(attack_s.values())))
                        for name, value in attack_s.items():
                            attack[name].append(value)
                figures["bare"].append(sum(bare.values()))
                for name, value in bare.items():
                    stages[name].append(value)
        jobs = 3 * given.rounds
        recording = clip.read_bytes()
        for workers in (1, 2):
            figures[f"workers_{workers}"].append(
                asyncio.run(throughput(recording, challenge, settings, workers=workers, jobs=jobs))
            )
        memory = peak_memory_mb(clip, challenge)
    ready = statistics.median(ready_s() for _ in range(given.rounds))

    def ratio(above: str, below: str) -> float:
        # The first round warms caches and is not counted.
        return statistics.median(a / b for a, b in zip(figures[above][1:], figures[below][1:], strict=True))

    rows = [
        ("one worker: wall / sum of bare calls", ratio("alone", "bare"), "at most 1.15"),
        (f"{CORES} cores: wall / clip length", statistics.median(figures["overlap"][1:]) / CLIP_S, "at most 0.35"),
        ("two workers / one: throughput", figures["workers_2"][0] / figures["workers_1"][0], "at least 1.8"),
        ("with / without the checks against attacks", statistics.median(figures["with / without"][1:]), "at most 1.3"),
        ("peak memory of a worker, MB", memory, "at most 900"),
        ("cameo serve to ready, s", ready, ""),
    ]
    if given.json:
        stage_s = {name: statistics.median(values[1:]) for name, values in stages.items()}
        attack_s = {name: statistics.median(values[1:]) for name, values in attack.items()}
        found = {"figures": {name: value for name, value, _ in rows}, "bare_calls_s": stage_s, "added_s": attack_s}
        print(json.dumps(found))  # noqa: T201 - its output
        return
    console = Console(highlight=False)
    table = Table("figure", "measured", "goal", box=None, pad_edge=False)
    for name, value, goal in rows:
        table.add_row(name, f"{value:.2f}", goal)
    console.print(table)
    console.print("bare calls: " + ", ".join(f"{name} {statistics.median(values[1:]):.2f} s" for name, values in stages.items()))
    console.print("added by: " + ", ".join(f"{name} {statistics.median(values[1:]):.3f} s" for name, values in attack.items()))


if __name__ == "__main__":
    main()
