"""How many adults are taken for possible minors: faces of `faces`, `screens_still/genuine`, `headturn` and `bonafide`.

1. Everyone there looks grown up to whoever looked through them, but for `LEFT_OUT`; nobody's age is known. What share of minors
   is caught cannot be measured on them.
2. Recordings are judged as the service does. A still has one picture, where the profile asks for three: it is judged by that one.
   Several crops of it, or its mirror image, would be no substitute: they repeat its light, its angle and its mistake.
3. The rule of before has the kit's network alone, with its own line.
4. Another line is drawn for each person so that a share of the pictures of all others lies below it: what strangers may expect.
   Who is the same person is told by the kit's face embeddings.

Run it with `python -m tests.real.age --devdata FOLDER`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.model import Challenge
from cameo_verifier.checks import age
from cameo_verifier.checks.question import Case
from cameo_verifier.decision import counts_against
from cameo_verifier.evidence.identity import face_embedding
from cameo_verifier.evidence.picture import observe
from cameo_verifier.media import open_recording
from cameo_verifier.reasons import Reason
from cameo_verifier.types import Evidence, FaceTrack, Missing, Outcome
from tests.real.finding import Finding, Item, Real, finding
from tests.real.table import run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cameo_verifier.profile import Profile
    from cameo_verifier.types import CheckResult

GROUPS = {
    "portraits": ("faces/*.jpg",),
    "selfies and photos": ("screens_still/genuine/*.jpg", "headturn/*_selfie.jpg"),
    "videos": ("headturn/*.m[op][v4]", "bonafide/*.m[op][v4g]", "bonafide/talkers/*.mp4"),
}
LEFT_OUT = ("bonafide/numbers_phone_a.mov",)
"""May be a teenager."""
ADULT_ALONE_MIN = 28.0
"""Years: the line that the kit's network had by itself."""
FLAGGED = 0.06
"""The share of adults that may be taken for possible minors."""
_QUESTION = "Adults taken for possible minors"
_GOAL = f"at most {FLAGGED:.0%}"


@dataclass(frozen=True, slots=True)
class Adult:
    """One picture or recording of a grown-up.

    name: its path, and how old it looks. years: the median expected age, not a number without a frontal picture.
    evidence: what it yielded. still: it is one picture.
    """

    name: str
    group: str
    years: float
    evidence: Evidence
    still: bool

    def result(self, profile: Profile) -> CheckResult:
        """Return what the check says; a still needs one picture."""
        if self.still:
            profile = _with(profile, "age_frames_min", 1.0)
        return age.check(Case(self.evidence, Challenge(())), profile)

    def alone(self) -> Adult:
        """Return the same with the ages of the kit's network alone."""
        if isinstance(self.evidence.face, Missing):
            return self
        ages = self.evidence.face.ages[:, :1].repeat(2, axis=1)
        years = float(np.median(ages)) if len(ages) else float("nan")
        evidence = replace(self.evidence, face=replace(self.evidence.face, ages=ages))
        return replace(self, name=_named(self.name.split(" (")[0], years), years=years, evidence=evidence)


def measure(real: Real) -> list[Finding]:
    """Return how many adults are moved to the stricter profile and held back, by both networks and by the kit's alone."""
    adults = [_adult(real, group, path) for group, paths in _files(real.folder).items() for path in paths]
    of_each = {group: [adult for adult in adults if adult.group == group] for group in GROUPS} | {"all": adults}
    before = _with(real.profile, "adult_age_min", ADULT_ALONE_MIN)
    role = real.profile.role(age.NAME)
    findings = []
    for group, members in of_each.items():
        alone = [adult.alone() for adult in members]
        findings += [
            finding(
                _QUESTION,
                group,
                f"both networks, below {real.profile['adult_age_min'].value:g}",
                _items(members, lambda adult: adult.result(real.profile).outcome is Outcome.FAIL),
                goal=_GOAL,
            ),
            finding(
                _QUESTION,
                group,
                f"the kit's network alone, below {ADULT_ALONE_MIN:g}",
                _items(alone, lambda adult: adult.result(before).outcome is Outcome.FAIL),
            ),
        ]
    drawn = dict(zip((adult.name for adult in adults), _drawn(adults, real.profile["same_person_min"].value), strict=True))
    return [
        *findings,
        finding(
            _QUESTION,
            "all",
            f"both networks, {FLAGGED:.0%} line of the other people",
            _items(adults, lambda adult: adult.years < drawn[adult.name]),
        ),
        finding(
            _QUESTION,
            "videos",
            "taken for one since their age cannot be told",
            _items(of_each["videos"], lambda adult: adult.result(real.profile).outcome is Outcome.UNABLE),
        ),
        finding(
            _QUESTION,
            "all",
            "held back for their age",
            _items(adults, lambda adult: counts_against(adult.result(real.profile), role)),
            goal="none",
        ),
    ]


def _files(folder: Path) -> dict[str, list[Path]]:
    left_out = {folder / name for name in LEFT_OUT}
    return {
        group: sorted({path for pattern in patterns for path in folder.glob(pattern)} - left_out)
        for group, patterns in GROUPS.items()
    }


def _adult(real: Real, group: str, path: Path) -> Adult:
    with open_recording(path, limits=real.settings.media) as source:
        frames = source.frames(max_fps=real.settings.analysis_fps)
        face = observe(frames, real.kit, duration_s=source.info.duration_s, still=source.still)
        evidence = Evidence(source.info, face, Missing(Reason.NO_AUDIO))
    ages = face.ages.mean(axis=1) if isinstance(face, FaceTrack) else np.zeros(0)
    years = float(np.median(ages)) if len(ages) else float("nan")
    return Adult(_named(str(path.relative_to(real.folder)), years), group, years, evidence, source.still)


def _named(path: str, years: float) -> str:
    return f"{path} ({years:.1f} years)" if np.isfinite(years) else f"{path} (never frontal)"


def _items(adults: Sequence[Adult], counts: Callable[[Adult], bool]) -> list[Item]:
    """Return the trials, those that look youngest nearest to counting, those without an age before them."""
    return [Item(adult.name, counts(adult), -adult.years if np.isfinite(adult.years) else 0.0) for adult in adults]


def _drawn(adults: Sequence[Adult], same_min: float) -> list[float]:
    """Return for each the line that `FLAGGED` of the pictures of all other people lie below."""
    people = np.array(_people(adults, same_min))
    years = np.array([adult.years for adult in adults])
    return [float(np.nanquantile(years[people != person], FLAGGED)) for person in people]


def _people(adults: Sequence[Adult], same_min: float) -> list[int]:
    """Return a number for each that is the same where faces are as alike as `same_min`, or both are like a third."""
    faces = [face_embedding(a.evidence.face) if isinstance(a.evidence.face, FaceTrack) else None for a in adults]
    people = list(range(len(adults)))
    for one, face in enumerate(faces):
        for other, seen in enumerate(faces[:one]):
            if face is not None and seen is not None and float(face @ seen) >= same_min:
                old, new = people[one], people[other]
                people = [new if person == old else person for person in people]
    return people


def _with(profile: Profile, threshold: str, value: float) -> Profile:
    changed = replace(profile[threshold], value=value)
    return replace(profile, thresholds={**profile.thresholds, threshold: changed})


if __name__ == "__main__":
    run(measure, __doc__)
