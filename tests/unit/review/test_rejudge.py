"""Attempts judged again from their tracks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cameo_verifier import profiles
from cameo_verifier.checks import BY_NAME, already_enrolled, protected_person, seen_before
from cameo_verifier.checks.question import Case
from cameo_verifier.evidence.fingerprint import to_bytes as fingerprint_bytes
from cameo_verifier.evidence.tracks import Tracks, from_bytes, to_bytes
from cameo_verifier.pipeline import AFTERWARDS, judge
from cameo_verifier.reasons import Reason
from cameo_verifier.review.rejudge import rejudge
from cameo_verifier.screening.duplicates import DuplicateSearch
from cameo_verifier.screening.identification import MODEL, FaceIdentification
from cameo_verifier.screening.screening import Screening
from cameo_verifier.settings import Settings
from cameo_verifier.types import Circumstances, GalleryAnswer, Match, Outcome, Recalled, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from cameo_challenges.model import Challenge
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import Judgement

    Judged = Callable[[str], tuple[Judgement, Challenge]]

NOW = datetime(2026, 3, 1, 13, tzinfo=UTC)


class Earlier:
    """The fingerprints of one earlier attempt."""

    def __init__(self, kept: bytes) -> None:
        self._kept = kept

    def ids_since(self, _earliest: datetime) -> list[str]:
        """Return its id."""
        return ["earlier"]

    def of(self, attempt_ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield its fingerprint."""
        return ((each, self._kept) for each in attempt_ids)


def again(judgement: Judgement, challenge: Challenge, profile: Profile) -> Judgement:
    """Judge what was kept of a judgement."""
    return rejudge(from_bytes(to_bytes(Tracks(judgement.evidence, judgement.circumstances))), challenge, profile)


def same(one: Judgement, other: Judgement) -> bool:
    """Whether two judgements say the same, each score to the last bit (`repr` of a float is exact)."""
    return (repr(one.checks), one.decision, one.profile, one.minor_safeguards) == (
        repr(other.checks), other.decision, other.profile, other.minor_safeguards,
    )  # fmt: skip


@pytest.mark.parametrize("recording", ["astronaut_bona_fide", "screen_replay", "silent", "dark"])
def test_the_tracks_give_every_score_again_to_the_bit(recording: str, judged: Judged) -> None:
    """What the pipeline said of a recording, its tracks say again: scores, outcomes, details, reasons and verdict."""
    judgement, challenge = judged(recording)
    assert {check.name for check in judgement.checks} >= {"elapsed", "lips", "depth"}
    assert same(again(judgement, challenge, profiles.load()), judgement)


def test_what_earlier_recordings_answered_is_kept(judged: Judged) -> None:
    """A recording that was seen before is rejected again for it, though the earlier one may be long forgotten."""
    judgement, challenge = judged("astronaut_bona_fide")
    profile = profiles.load()
    recall = DuplicateSearch(Earlier(fingerprint_bytes(judgement.evidence.fingerprint)), profile, timedelta(days=1))  # type: ignore[arg-type]
    told = Screening(profile, recall)(judgement, challenge, subject="ann", now=NOW)
    assert told.decision.reasons == (Reason.SEEN_BEFORE,)
    assert same(again(told, challenge, profile), told)


def test_what_the_gallery_answered_is_kept(judged: Judged, tmp_path: Path) -> None:
    """Whoever the gallery found is found again without it; an attempt it was not asked about is not held against it."""
    from cameo_verifier.store.attempts.fingerprints import FingerprintStore  # noqa: PLC0415 - the same
    from cameo_verifier.store.cameos.faces import FaceStore  # noqa: PLC0415 - the same
    from cameo_verifier.store.db.engine import open_database  # noqa: PLC0415 - the other tests here need no database

    profile = profiles.load()
    engine = open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}")
    try:
        protection = FaceIdentification.open(Settings(data=tmp_path), FaceStore(engine), profile)
        screening = Screening(profile, DuplicateSearch(FingerprintStore(engine), profile, timedelta(days=1)), protection)
        judgement, challenge = judged("astronaut_bona_fide")
        assert MODEL in judgement.digests
        FaceStore(engine).protect("ann", [protection.code(judgement)], now=NOW)
        taken = screening(judgement, challenge, subject="ben", now=NOW)
        rejected, asked = judged("silent")
        rejected = screening(rejected, asked, subject="ben", now=NOW)
    finally:
        engine.dispose()
    assert taken.decision.reasons == (Reason.PROTECTED_PERSON,)
    assert same(again(taken, challenge, profile), taken)
    nothing = Recalled()
    assert rejected.circumstances == replace(judged("silent")[0].circumstances, recalled=nothing, has_gallery=True)
    assert same(again(rejected, asked, profile), rejected)


def with_threshold(tmp_path: Path, name: str, value: float) -> Profile:
    """Return the default profile with one other value."""
    own = profiles.load()[name]
    file = tmp_path / "other.toml"
    file.write_text(
        f'extends = "default"\n[thresholds.{name}]\nvalue = {value}\nunit = "{own.unit}"\n'
        f'direction = "{own.direction}"\nsource = "a test"\n'
    )
    return profiles.load(str(file))


def test_another_profile_judges_what_was_kept_anew(judged: Judged, tmp_path: Path) -> None:
    """Other thresholds hold against the same scores: those of the checks, of earlier recordings and of the gallery."""
    judgement, challenge = judged("astronaut_bona_fide")
    tracks = Tracks(
        judgement.evidence,
        replace(
            judgement.circumstances,
            recalled=Recalled(0.2, "earlier", 0.1, "earlier", 5),
            has_gallery=True,
            gallery=GalleryAnswer(0.3, None, Match(7, 0.31)),
        ),
    )
    assert rejudge(tracks, challenge, profiles.load()).decision.verdict is Verdict.ACCEPTED
    for name, value, reason in (
        ("seen_motion_max", 0.15, Reason.SEEN_BEFORE),
        ("enrolled_cosine_max", 0.305, Reason.ALREADY_ENROLLED),
        ("live_close_p20_min", 1.1, Reason.TOO_DARK),
    ):
        found = rejudge(tracks, challenge, with_threshold(tmp_path, name, value))
        assert found.decision.reasons == (reason,), name


def test_what_the_gallery_was_not_asked_is_unknown(judged: Judged, tmp_path: Path) -> None:
    """An attempt that would be accepted now, and one asked less deeply than the profile wants, say so and do not pass."""
    judgement, challenge = judged("astronaut_bona_fide")

    def told(gallery: GalleryAnswer | None, profile: Profile) -> dict[str, tuple[Outcome, str]]:
        tracks = Tracks(judgement.evidence, Circumstances(has_gallery=True, gallery=gallery))
        return {check.name: (check.outcome, check.detail) for check in rejudge(tracks, challenge, profile).checks}

    unasked = told(None, profiles.load())
    assert unasked[protected_person.NAME] == unasked[already_enrolled.NAME]
    assert unasked[protected_person.NAME][0] is Outcome.UNABLE
    assert "not asked" in unasked[protected_person.NAME][1]
    deeper = told(GalleryAnswer(0.3), with_threshold(tmp_path, protected_person.THRESHOLD, 0.2))
    assert deeper[protected_person.NAME] == (Outcome.UNABLE, "the gallery was asked for faces from a cosine of 0.3 up only")
    assert deeper[already_enrolled.NAME][0] is Outcome.PASS
    assert seen_before.NAME not in deeper


@pytest.mark.parametrize("check", ["seen_before", "protected_person", "already_enrolled", "elapsed"])
def test_what_nobody_asked_then_confirms_nothing(check: str, judged: Judged, tmp_path: Path) -> None:
    """A profile that confirms by a question which was not put to an attempt does not accept it; as a veto it changes nothing."""
    judgement, challenge = judged("astronaut_bona_fide")
    file = tmp_path / "confirms.toml"
    file.write_text(f'extends = "default"\n[roles]\n{check} = "confirm"\n')
    confirms, tracks = profiles.load(str(file)), Tracks(judgement.evidence, Circumstances())
    assert rejudge(tracks, challenge, profiles.load()).decision.verdict is Verdict.ACCEPTED
    found = rejudge(tracks, challenge, confirms).decision
    assert (found.verdict, found.reasons) == (Verdict.REJECTED, (Reason.NOT_CONFIRMED,))
    whole = Circumstances(judgement.circumstances.received_at, recalled=Recalled(), has_gallery=True, gallery=GalleryAnswer(0.3))
    assert rejudge(replace(tracks, circumstances=whole), challenge, confirms).decision.verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("check", ["seen_before", "protected_person", "already_enrolled", "elapsed"])
def test_the_pipeline_alone_confirms_by_no_question_it_does_not_put(check: str, judged: Judged, tmp_path: Path) -> None:
    """Who judges and asks nothing afterwards gets no acceptance that the profile wants confirmed; who does says so by name."""
    judgement, challenge = judged("astronaut_bona_fide")
    file = tmp_path / "confirms.toml"
    file.write_text(f'extends = "default"\n[roles]\n{check} = "confirm"\n')
    case, profile = Case(judgement.evidence, challenge), profiles.load(str(file))
    assert judge(case, profile).decision.reasons == (Reason.NOT_CONFIRMED,)
    asked_later = BY_NAME[check].phase in AFTERWARDS
    assert (judge(case, profile, later=AFTERWARDS).decision.verdict is Verdict.ACCEPTED) == asked_later
