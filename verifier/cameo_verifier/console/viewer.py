"""The viewer of one attempt: its axis, its figures, and for each check where and when its result is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_verifier.console.axis import Axis, axis
from cameo_verifier.console.earlier import Earlier
from cameo_verifier.console.pictures import Picture, pictures
from cameo_verifier.console.seen_in import DECISION, RECORDING, seen_in
from cameo_verifier.evidence.fingerprint import FingerprintError, from_bytes
from cameo_verifier.media.recording import looked_at
from cameo_verifier.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.console.cases import Cases, Opened
    from cameo_verifier.console.scale import Moment
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import CheckResult

_PARTS = {DECISION: "whose face it is", RECORDING: "the recording"}
_ADDRESSES = {DECISION: "decision", RECORDING: "stage"}


@dataclass(frozen=True, slots=True)
class Place:
    """A lane, a figure or a part of the page; `address` is the anchor for browsers without scripts."""

    id: str
    title: str
    address: str


@dataclass(frozen=True, slots=True)
class Sight:
    """Where and when a check's result is shown; `nowhere`: why it is not. beside: the attempt to compare with, if any."""

    moments: tuple[Moment, ...]
    places: tuple[Place, ...]
    nowhere: str
    beside: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """The viewer's data. pictures: those that a check points to; folded: the others. size: of the upright picture, px."""

    axis: Axis
    pictures: tuple[Picture, ...]
    folded: tuple[Picture, ...]
    sights: dict[str, Sight]
    size: tuple[int, int]


def pointed_at(results: Sequence[CheckResult]) -> frozenset[str]:
    """Return the places, by id, that checks which did not pass point to."""
    failed = (result for result in results if result.outcome is not Outcome.PASS)
    return frozenset(place for result in failed for place in seen_in(result.name, result.reason).places)


def view(cases: Cases, opened: Opened, profile: Profile) -> View:
    """Return the viewer's data for an attempt.

    Raises:
        StoreError: the database could not be read.
    """
    evidence, results = opened.tracks.evidence, opened.attempt.checks
    places, recalled = pointed_at(results), opened.tracks.circumstances.recalled
    by_motion, by_sound = (recalled.motion_attempt, recalled.sound_attempt) if recalled else ("", "")
    drawn = axis(
        evidence,
        opened.challenge,
        profile,
        pointed_at=places,
        moves_as=_earlier(cases, by_motion),
        sounds_as=_earlier(cases, by_sound),
    )
    made = pictures(evidence, profile)
    known = {name: Place(name, title.partition(",")[0], "over-time") for name, title in drawn.names.items()}
    known |= {each.id: Place(each.id, each.title, f"picture-{each.id}") for each in made}
    known |= {name: Place(name, title, _ADDRESSES[name]) for name, title in _PARTS.items()}
    sights = {result.name: _sight(result, drawn, known) for result in results}
    if "seen_before" in sights:
        before = sights["seen_before"]
        sights["seen_before"] = Sight(before.moments, before.places, before.nowhere, by_motion or by_sound)
    return View(
        axis=drawn,
        pictures=tuple(each for each in made if each.id in places),
        folded=tuple(each for each in made if each.id not in places),
        sights=sights,
        size=looked_at(evidence.media),
    )


def _sight(result: CheckResult, drawn: Axis, known: dict[str, Place]) -> Sight:
    if result.outcome is Outcome.PASS:
        return Sight((), (), "")
    seen = seen_in(result.name, result.reason)
    places = tuple(known[name] for name in seen.places if name in known)
    gone = "" if places or seen.nowhere else "what it was compared with is not known any more"
    return Sight(drawn.of(result.name, result.reason), places, seen.nowhere or gone)


def _earlier(cases: Cases, attempt_id: str) -> Earlier | None:
    if not attempt_id:
        return None
    kept = dict(cases.fingerprints.of([attempt_id]))
    try:
        return Earlier(attempt_id, from_bytes(kept[attempt_id]) if attempt_id in kept else None)
    except FingerprintError:
        return Earlier(attempt_id, None)
