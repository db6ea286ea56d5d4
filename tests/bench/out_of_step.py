"""What the lips check says of real talkers whose sound lies beside the picture, or who have few pictures a second.

1. Every talking clip of the development recordings, as it is and with its sound 0.25 to 1 s late and early.
2. Its lips against the sound of every other clip.
3. Its pictures thinned.

Run it with `python -m tests.bench.out_of_step --devdata FOLDER`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from cameo_challenges.model import Challenge
from cameo_verifier.checks import lips
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.collect import collect
from cameo_verifier.evidence.lips import agreement, clearest
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.models.phonemes import RATE_HZ
from cameo_verifier.profiles import load
from cameo_verifier.settings import Settings
from cameo_verifier.types import FaceTrack, SoundTrack

if TYPE_CHECKING:
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import F32, CheckResult, Evidence

SHIFTS_S = (0.0, *(sign * shift for shift in (0.25, 0.35, 0.5, 0.75, 1.0) for sign in (1, -1)))
RATES = (12.0, 10.0, 7.5, 5.0)
SUFFIXES = frozenset({".mpg", ".mp4", ".mov"})


def late(sound: SoundTrack, shift_s: float) -> SoundTrack:
    """Return what is heard of a sound that comes so much later; what is pushed over an end is lost."""
    rows = round(shift_s * RATE_HZ)
    return replace(sound, lips=_moved(sound.lips, rows), speech=np.clip(sound.speech + shift_s, 0.0, sound.duration_s))


def _moved(rows_said: F32, rows: int) -> F32:
    moved = np.zeros_like(rows_said)
    moved[max(0, rows) : len(moved) + min(0, rows)] = rows_said[max(0, -rows) : len(moved) - max(0, rows)]
    return moved


def thinned(face: FaceTrack, rate: float) -> FaceTrack:
    """Return the track of the pictures nearest to so many even moments a second."""
    moments = np.arange(face.t_s[0], face.t_s[-1], 1.0 / rate)
    kept = np.unique(np.abs(face.t_s[None, :] - moments[:, None]).argmin(axis=1))
    return replace(
        face,
        t_s=face.t_s[kept],
        landmarks=face.landmarks[kept],
        blendshapes=face.blendshapes[kept],
        pose_deg=face.pose_deg[kept],
    )


def said(result: CheckResult) -> str:
    """Return what a check answers, in a word."""
    return "pass" if result.reason is None else result.reason.value


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True)
    folder = parser.parse_args().devdata / "bonafide"
    settings, profile = Settings(), load()
    with ModelKit.open(settings) as kit:
        paths = sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)
        clips = {path.name: collect(path, kit, settings=settings) for path in paths}
    clips = {name: clip for name, clip in clips.items() if isinstance(clip.sound, SoundTrack) and len(clip.sound.speech)}
    console = Console(width=200, highlight=False)
    for table in (_shifted(clips, profile), _foreign(clips, profile), _thinned(clips, profile)):
        console.print(table)


def _shifted(clips: dict[str, Evidence], profile: Profile) -> Table:
    table = Table("clip", "clearest, as it is", "least of all shifts", "as it is", "shifted", box=None, pad_edge=False)
    for name, clip in clips.items():
        assert isinstance(clip.sound, SoundTrack)
        assert isinstance(clip.face, FaceTrack)
        moved = [replace(clip, sound=late(clip.sound, shift_s)) for shift_s in SHIFTS_S]
        found = [clearest(clip.face, each.sound) for each in moved if isinstance(each.sound, SoundTrack)]
        both = [each.distinct + each.part for each in found]
        answers = [said(lips.check(Case(each, Challenge(())), profile)) for each in moved]
        table.add_row(name, f"{both[0]:.2f}", f"{min(both):.2f}", answers[0], _counted(answers[1:]))
    return table


def _foreign(clips: dict[str, Evidence], profile: Profile) -> Table:
    table = Table("lips against the sound of others", "answers", box=None, pad_edge=False)
    for name, clip in clips.items():
        others = [replace(clip, sound=other.sound) for other in clips.values() if other is not clip]
        table.add_row(name, _counted([said(lips.check(Case(each, Challenge(())), profile)) for each in others]))
    return table


def _thinned(clips: dict[str, Evidence], profile: Profile) -> Table:
    table = Table("clip, agreement with its lead and parts", *(f"{rate:g} a second" for rate in RATES), box=None, pad_edge=False)
    for name, clip in clips.items():
        assert isinstance(clip.sound, SoundTrack)
        assert isinstance(clip.face, FaceTrack)
        found = [agreement(thinned(clip.face, rate), clip.sound) for rate in RATES]
        table.add_row(name, *(f"{each.distinct:.2f} {each.part:.2f} {said(lips.judge(each, profile))}" for each in found))
    return table


def _counted(answers: list[str]) -> str:
    return ", ".join(f"{count} {answer}" for answer, count in Counter(answers).most_common())


if __name__ == "__main__":
    main()
