"""Evidence collection: decodes a recording once and runs picture and sound analysis in parallel.

PyAV, MediaPipe, ONNX Runtime and CTranslate2 release the interpreter lock while they work, so picture (calling thread) and sound
(another thread) overlap, and the next picture is decoded while the models process this one. Where every core has a worker of its
own, `Settings.overlap` is off and the stages run one after the other; the evidence is the same.

Of a recording whose bytes are still arriving the pictures are analysed meanwhile, the sound after the last byte. The evidence is
the same as of the whole recording, however it was split: what was analysed early is used only where its pictures lie at the times
of the whole recording.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from cameo_challenges.languages import DEFAULT
from cameo_verifier.evidence.continuity import Glances
from cameo_verifier.evidence.early import EarlyAnalysis, read_ahead
from cameo_verifier.evidence.fingerprint import fingerprint
from cameo_verifier.evidence.flicker import band_depth
from cameo_verifier.evidence.picture import Stopwatch, observe
from cameo_verifier.evidence.sound import listen
from cameo_verifier.evidence.sound_repeat import repeated
from cameo_verifier.media.recording import Recording, open_recording
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Evidence, FaceTrack, Missing, PictureTrace, SoundTrack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.settings import Settings
    from cameo_verifier.types import F32


def collect(
    recording: bytes | Path | EarlyAnalysis,
    kit: ModelKit,
    *,
    settings: Settings,
    spoken: Sequence[str] = (),
    tag: str = DEFAULT,
    spread_s: float | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    timings_ms: Stopwatch | None = None,
) -> Evidence:
    """Decode a recording once and run every model over it.

    Args:
        recording: the file's bytes, its path, or its analysis as it arrived.
        kit: where the models come from.
        settings: limits and the analysis rate.
        spoken: the texts a challenge asks for.
        tag: their language (BCP 47).
        spread_s: as of `observe`; without it, the length of the recording.
        cancelled: called before each frame.
        timings_ms: milliseconds by stage are added here; picture and sound overlap, so they do not add up to the wall time.

    Raises:
        UnjudgeableError: nothing can be read, or a hard limit is exceeded.
        AbandonedError: `cancelled` returned true.
    """
    watch = Stopwatch() if timings_ms is None else timings_ms
    early = None
    if isinstance(recording, EarlyAnalysis):
        early, recording = recording.result(cancelled, watch), recording.whole()
    with open_recording(recording, limits=settings.media) as source, ThreadPoolExecutor(1, "sound") as pool:
        if source.sound_tracks > 1:
            source.choose_sound(partial(_speech_s, kit))
        hearing = pool.submit(_sound, source, kit, spoken, tag, watch) if settings.overlap else None
        if early is not None and source.adopt(early.pictures):
            face, glances = early.face, early.glances
        else:
            glances = Glances()
            face = _face(source, kit, settings, spread_s, cancelled, watch, glances)
        mark = perf_counter()
        picture = glances.trace()
        if isinstance(picture, PictureTrace):
            picture = replace(picture, flicker=band_depth(glances.t_s, glances.thumbnails))
        watch.add("continuity", mark)
        sound = hearing.result() if hearing else _sound(source, kit, spoken, tag, watch)
        mark = perf_counter()
        repeat = repeated(source.sound()) if isinstance(sound, SoundTrack) else sound
        mark = watch.add("continuity", mark)
        print_ = fingerprint(face, source.sound(), spoken, tag=tag)
        watch.add("fingerprint", mark)
        return Evidence(source.finished_info(), face, sound, picture, repeat, print_)


def _face(
    source: Recording,
    kit: ModelKit,
    settings: Settings,
    spread_s: float | None,
    cancelled: Callable[[], bool],
    watch: Stopwatch,
    glances: Glances,
) -> FaceTrack | Missing:
    if not source.info.video_codec:
        return Missing(Reason.NO_VIDEO)
    frames = source.frames(max_fps=settings.analysis_fps, glance=glances.add)
    if spread_s is None:
        spread_s = min(source.info.duration_s, settings.media.max_s)
    look = partial(observe, kit=kit, spread_s=spread_s, still=source.still, cancelled=cancelled, timings_ms=watch)
    if not settings.overlap:
        return look(frames)
    with closing(read_ahead(frames)) as upcoming:
        return look(upcoming)


def _speech_s(kit: ModelKit, sound: F32) -> float:
    return float(sum(end - start for start, end in kit.voice_activity.segments(sound)))


def _sound(source: Recording, kit: ModelKit, spoken: Sequence[str], tag: str, watch: Stopwatch) -> SoundTrack | Missing:
    if not source.info.audio_codec:
        return Missing(Reason.NO_AUDIO)
    return listen(source.sound(), kit, spoken=spoken, tag=tag, timings_ms=watch)
