"""Evidence collection: decodes a recording once and runs picture and sound analysis in parallel.

PyAV, MediaPipe, ONNX Runtime and CTranslate2 release the interpreter lock while they work, so picture (calling thread) and sound
(another thread) overlap, and the next picture is decoded while the models process this one. Where every core has a worker of its
own, `Settings.overlap` is off and the stages run one after the other; the evidence is the same.

The faces in the pictures of a live answer are found while its bytes arrive (`cameo_verifier.evidence.early`); the evidence is the
same as of the whole recording, however it was split.
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
from cameo_verifier.evidence.early import OtherFramesError
from cameo_verifier.evidence.fingerprint import fingerprint
from cameo_verifier.evidence.flicker import band_depth
from cameo_verifier.evidence.picture import Stopwatch, observe
from cameo_verifier.evidence.sound import listen
from cameo_verifier.evidence.sound_repeat import repeated
from cameo_verifier.media.recording import Recording, open_recording
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Evidence, FaceTrack, Missing, PictureTrace, SoundTrack

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from cameo_verifier.evidence.early import EarlyFaces
    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.settings import Settings
    from cameo_verifier.types import F32, Frame


def collect(
    recording: bytes | Path,
    kit: ModelKit,
    *,
    settings: Settings,
    spoken: Sequence[str] = (),
    tag: str = DEFAULT,
    early: EarlyFaces | None = None,
    lit: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
    timings_ms: Stopwatch | None = None,
) -> Evidence:
    """Decode a recording once and run every model over it.

    Args:
        recording: the file's bytes, or its path.
        kit: where the models come from.
        settings: limits and the analysis rate.
        spoken: the texts a challenge asks for.
        tag: their language (BCP 47).
        early: the faces that were found while the recording arrived.
        lit: a display showed colours meanwhile.
        cancelled: called before each frame.
        timings_ms: milliseconds by stage are added here; picture and sound overlap, so they do not add up to the wall time.

    Raises:
        UnjudgeableError: nothing can be read, or a hard limit is exceeded.
        AbandonedError: `cancelled` returned true.
    """
    watch = Stopwatch() if timings_ms is None else timings_ms
    with open_recording(recording, limits=settings.media) as source, ThreadPoolExecutor(1, "sound") as pool:
        if source.sound_tracks > 1:
            source.choose_sound(partial(_speech_s, kit))
        hearing = pool.submit(_sound, source, kit, spoken, tag, watch) if settings.overlap else None
        glances = Glances()
        try:
            face = _face(source, kit, settings, cancelled, watch, glances, early, lit=lit)
        except OtherFramesError:
            glances = Glances()
            face = _face(source, kit, settings, cancelled, watch, glances, lit=lit)
        sound = hearing.result() if hearing else _sound(source, kit, spoken, tag, watch)
        mark = perf_counter()
        picture = glances.trace()
        if isinstance(picture, PictureTrace):
            picture = replace(picture, flicker=band_depth(glances.t_s, glances.thumbnails))
        repeat = repeated(source.sound()) if isinstance(sound, SoundTrack) else sound
        mark = watch.add("continuity", mark)
        print_ = fingerprint(face, source.sound(), spoken, tag=tag)
        watch.add("fingerprint", mark)
        return Evidence(source.finished_info(), face, sound, picture, repeat, print_)


def _face(
    source: Recording,
    kit: ModelKit,
    settings: Settings,
    cancelled: Callable[[], bool],
    watch: Stopwatch,
    glances: Glances,
    early: EarlyFaces | None = None,
    *,
    lit: bool,
) -> FaceTrack | Missing:
    if not source.info.video_codec:
        return Missing(Reason.NO_VIDEO)
    frames = source.frames(max_fps=settings.analysis_fps, glance=glances.add)
    length_s = min(source.info.duration_s, settings.media.max_s)
    look = partial(
        observe,
        kit=kit,
        duration_s=length_s,
        still=source.still,
        lit=lit,
        cancelled=cancelled,
        timings_ms=watch,
        early=early,
    )
    if not settings.overlap:
        return look(frames)
    with closing(_read_ahead(frames)) as upcoming:
        return look(upcoming)


def _speech_s(kit: ModelKit, sound: F32) -> float:
    return float(sum(end - start for start, end in kit.voice_activity.segments(sound)))


def _read_ahead(frames: Iterator[Frame]) -> Generator[Frame, None, None]:
    """Yield the same frames, prefetching: each is decoded in another thread while the one before it is processed."""
    with ThreadPoolExecutor(1, "decoder") as pool:
        following = pool.submit(next, frames, None)
        while (frame := following.result()) is not None:
            following = pool.submit(next, frames, None)
            yield frame


def _sound(source: Recording, kit: ModelKit, spoken: Sequence[str], tag: str, watch: Stopwatch) -> SoundTrack | Missing:
    if not source.info.audio_codec:
        return Missing(Reason.NO_AUDIO)
    return listen(source.sound(), kit, spoken=spoken, tag=tag, timings_ms=watch)
