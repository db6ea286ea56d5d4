"""Lip-sync evaluation: how often own sound agrees better with the lips than shifted or foreign sound, on real talkers.

1. Every talking clip of the development recordings is analysed once; generated heads, whose lips fit their sound well, are
   reported separately, with the results of every check.
2. A clip's own sound is compared with the same sound shifted by 1 to 3 s, which wraps around, and with other talkers' sound.
3. The share of (own, other) pairs in which the own sound agrees better is the area under the ROC, AUC: by clip, and over whole
   clips and windows of 4 s of all.

Nothing is fitted: the table of visemes and its smoothing are in `cameo_verifier.evidence.visemes`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.model import Challenge
from cameo_credential.errors import InvalidRequestError
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.collect import collect
from cameo_verifier.evidence.lips import FEATURES, Agreement, agree, measured, near_speech, said
from cameo_verifier.evidence.picture import observe
from cameo_verifier.media import open_recording
from cameo_verifier.models.phonemes import RATE_HZ
from cameo_verifier.pipeline import askable
from cameo_verifier.types import CheckResult, Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from cameo_verifier.evidence.lips import Mask
    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.profile import Profile
    from cameo_verifier.settings import Settings
    from cameo_verifier.types import F64, Frame

GENUINE, GENERATED, SOUND = "genuine", "generated", "sound"
SHIFTS_S = tuple(sign * shift for shift in (1.0, 1.5, 2.0, 2.5, 3.0) for sign in (1, -1))
WINDOW_S = 4.0
_SUFFIXES = frozenset({".mpg", ".mp4", ".mov", ".wav"})
_NEED_NO_WORDS = frozenset({"loudness", "noise", "sound_cuts", "sound_repeat", "speaker", "lips"})
"""Checks of speech that run on generated heads although they had no challenge."""
_WITH_INSET = "vasa"
_INSET = (0.7, 0.3)
"""The source picture in the VASA-1 clips, at the bottom left: below 70 % of the height, left of 30 % of the width."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip as lips and sound.

    Attributes:
        name: the file's name.
        kind: genuine, generated or sound.
        said: (T, 4) float64, features predicted from the sound, 50 rows a second.
        spoken: (T,) True near speech.
        lips: (T, 4) float64, features measured on the face.
        seen: (T,) True where lips are measured; False throughout for a sound alone.
        checks: results of the checks that need no challenge, for a generated head.
    """

    name: str
    kind: str
    said: F64
    spoken: Mask
    lips: F64
    seen: Mask
    checks: tuple[CheckResult, ...] = ()

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.said)


@dataclass(frozen=True, slots=True)
class ClipFigures:
    """Agreements of a clip's lips with sound.

    Attributes:
        name: the file's name.
        kind: genuine or generated.
        own: with its own sound.
        shifted: with its own sound, shifted, one per shift.
        foreign: with other clips' sound.
        own_windows, shifted_windows, foreign_windows: the same by window.
        checks: results of the checks that need no challenge, for a generated head.
    """

    name: str
    kind: str
    own: Agreement
    shifted: tuple[Agreement, ...]
    foreign: tuple[Agreement, ...]
    own_windows: tuple[Agreement, ...]
    shifted_windows: tuple[Agreement, ...]
    foreign_windows: tuple[Agreement, ...]
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True, slots=True)
class LipsReport:
    """The figures of all clips."""

    clips: tuple[ClipFigures, ...]

    def of(self, kind: str) -> tuple[ClipFigures, ...]:
        """Return the clips of a kind."""
        return tuple(clip for clip in self.clips if clip.kind == kind)


def area_under_roc(own: Iterable[float], other: Iterable[float]) -> float:
    """Return the share of pairs in which the own score is the higher one, ties half; NaN if either is empty."""
    a, b = np.array(list(own), np.float64)[:, None], np.array(list(other), np.float64)[None, :]
    return float(np.mean((a > b) + 0.5 * (a == b))) if a.size and b.size else float("nan")


def read_clips(
    devdata: Path, kit: ModelKit, settings: Settings, profile: Profile, *, progress: Callable[[str], None] = lambda _: None
) -> tuple[Clip, ...]:
    """Analyse every talking clip of `bonafide`, the generated heads of `deepfake` and the sounds beside them.

    Args:
        devdata: folder of the development recordings.
        kit: the models.
        settings: limits and the analysis rate.
        profile: the thresholds of the checks on generated heads.
        progress: called with the name of each clip before it is read.

    Raises:
        InvalidRequestError: the folder has no talking clips.
    """
    paths = [path for folder in ("bonafide", "deepfake") for path in sorted((devdata / folder).glob("*"))]
    clips = []
    for path in (path for path in paths if path.suffix in _SUFFIXES):
        progress(path.name)
        clip = _read_clip(path, kit, settings, profile)
        clips += [clip] if clip else []
    if not any(clip.kind == GENUINE for clip in clips):
        raise InvalidRequestError(f"{devdata} has no talking clips in a folder bonafide")
    return tuple(clips)


def _read_clip(path: Path, kit: ModelKit, settings: Settings, profile: Profile) -> Clip | None:
    """Analyse one clip; return None if nobody speaks."""
    generated = path.parent.name == "deepfake"
    evidence = collect(path, kit, settings=settings)
    sound = evidence.sound
    if isinstance(sound, Missing) or not len(sound.speech):
        return None
    if generated and path.name.startswith(_WITH_INSET):
        with open_recording(path, limits=settings.media) as source:
            frames = _without_inset(source.frames(max_fps=settings.analysis_fps))
            evidence = replace(evidence, face=observe(frames, kit, duration_s=source.info.duration_s))
    rows = len(sound.lips)
    kind, lips, seen = SOUND, np.zeros((rows, len(FEATURES))), np.zeros(rows, bool)
    if not isinstance(evidence.face, Missing):
        kind = GENERATED if generated else GENUINE
        lips, seen = measured(evidence.face, rows)
    nothing = Challenge(())
    asked = (q for q in askable(settings) if generated and (q.applies(nothing) or q.name in _NEED_NO_WORDS))
    checks = tuple(q.check(Case(evidence, nothing), profile) for q in asked)
    return Clip(path.name, kind, said(sound), near_speech(sound.speech, rows), lips, seen, checks)


def _without_inset(frames: Iterable[Frame]) -> Iterator[Frame]:
    for frame in frames:
        rgb = frame.rgb.copy()
        height, width = rgb.shape[:2]
        rgb[int(height * _INSET[0]) :, : int(width * _INSET[1])] = 128
        yield replace(frame, rgb=rgb)


def judge_clips(clips: Sequence[Clip]) -> LipsReport:
    """Return the figures of every clip that shows a face."""
    return LipsReport(tuple(_figures(clip, clips) for clip in clips if clip.kind != SOUND))


def _figures(clip: Clip, clips: Sequence[Clip]) -> ClipFigures:
    own = [(clip.said, clip.spoken)]
    shifted = [
        (np.roll(clip.said, step, axis=0), np.roll(clip.spoken, step))
        for step in (round(shift * RATE_HZ) for shift in SHIFTS_S)
        if abs(step) <= clip.rows - RATE_HZ
    ]
    foreign = [
        (other.said[start : start + clip.rows], other.spoken[start : start + clip.rows])
        for other in clips
        if other is not clip
        for start in _starts(other.rows, clip.rows)
    ]
    foreign = [(sound, spoken) for sound, spoken in foreign if len(sound) >= 0.6 * clip.rows]

    def whole(sounds: list[tuple[F64, Mask]]) -> tuple[Agreement, ...]:
        return tuple(agree(sound, spoken, clip.lips[: len(sound)], clip.seen[: len(sound)]) for sound, spoken in sounds)

    def windows(sounds: list[tuple[F64, Mask]], hop_s: float) -> tuple[Agreement, ...]:
        size, hop = round(WINDOW_S * RATE_HZ), round(hop_s * RATE_HZ)
        return tuple(
            agree(sound[a:b], spoken[a:b], clip.lips[a:b], clip.seen[a:b])
            for sound, spoken in sounds
            for a in range(0, max(1, len(sound) - size + 1), hop)
            for b in (min(a + size, len(sound)),)
        )

    return ClipFigures(
        clip.name, clip.kind, whole(own)[0], whole(shifted), whole(foreign),
        windows(own, 0.5), windows(shifted, 1.0), windows(foreign, 1.0), clip.checks,
    )  # fmt: skip


def _starts(available: int, needed: int) -> range:
    """Return where to start pieces of `needed` rows in `available`: at 0, or at up to four points."""
    spare = available - needed
    return range(1) if spare < RATE_HZ else range(0, spare + 1, max(round(2 * RATE_HZ), spare // 3))
