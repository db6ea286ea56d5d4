"""Judge an attempt again from its tracks: nothing is decoded and no model is loaded.

The same tracks, challenge and profile give the same answers as the server gave, score by score to the last bit, as long as the
code of the checks is the same. Under another profile the answers are those the server would have given, with one exception: the
gallery is only asked about faces that would be accepted. Where it was not asked then, or not as deeply as the profile wants, its
two questions are unable to answer, and the detail says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from verifier import pipeline
from verifier.checks import already_enrolled, protected_person, seen_before
from verifier.decision import also
from verifier.reasons import Reason
from verifier.settings import MediaLimits
from verifier.types import CheckResult, Judgement, Verdict

if TYPE_CHECKING:
    from challenges.model import Challenge
    from verifier.evidence.tracks import Tracks
    from verifier.profiles import Profile
    from verifier.types import Circumstances, GalleryAnswer, Match


LATER = pipeline.RECALL | pipeline.GALLERY
"""Names of the questions that `reconsider` answers; by the answers of then, or as unable to answer where nobody asked then."""


def rejudge(tracks: Tracks, challenge: Challenge, profile: Profile) -> Judgement:
    """Return what the attempt would be judged; digests and timings are empty.

    Args:
        tracks: of the attempt.
        challenge: what was asked.
        profile: thresholds and roles, and those for a possible minor.
    """
    circumstances = tracks.circumstances
    kept: dict[str, Any] = dict(circumstances.limits)
    limits = MediaLimits.model_construct(**kept) if kept else MediaLimits()
    judgement = pipeline.judge(tracks.evidence, challenge, profile, circumstances, limits=limits, later=LATER)
    return reconsider(judgement, circumstances, profile)


def reconsider(judgement: Judgement, circumstances: Circumstances, profile: Profile) -> Judgement:
    """Return a judgement with the answers of earlier recordings and of the gallery, as they were given then.

    Args:
        judgement: of the recording alone, with the questions `LATER` left out.
        circumstances: of the attempt.
        profile: thresholds and roles, and those for a possible minor.
    """
    profile = profile.judging(minor=judgement.minor_safeguards)
    if circumstances.recalled is not None:
        found = seen_before.judge(judgement.evidence.fingerprint, profile, circumstances.recalled)
        judgement = _with(judgement, profile, found)
    elif seen_before.NAME in profile.confirmed_by:
        judgement = _with(judgement, profile, _unknown(seen_before.NAME, "no earlier recording was looked at then"))
    if judgement.decision.verdict is not Verdict.ACCEPTED:
        return judgement
    if circumstances.has_gallery:
        return _with(judgement, profile, *_gallery(circumstances.gallery, profile))
    wanted = sorted(pipeline.GALLERY & profile.confirmed_by)
    return _with(judgement, profile, *(_unknown(name, "the site had no gallery then") for name in wanted))


def _with(judgement: Judgement, profile: Profile, *results: CheckResult) -> Judgement:
    decision = judgement.decision
    for result in results:
        decision = also(decision, result, profile)
    return replace(judgement, decision=decision, checks=(*judgement.checks, *results))


def _gallery(answer: GalleryAnswer | None, profile: Profile) -> tuple[CheckResult, CheckResult]:
    if answer is None:
        detail = "the gallery was not asked then: the attempt was not going to be accepted"
        return _unknown(protected_person.NAME, detail), _unknown(already_enrolled.NAME, detail)

    def unseen(nearest: Match | None, threshold: str) -> bool:
        return nearest is None and profile[threshold].value < answer.floor

    detail = f"the gallery was asked for faces from a cosine of {answer.floor:.3g} up only"
    return (
        _unknown(protected_person.NAME, detail)
        if unseen(answer.protected, protected_person.THRESHOLD)
        else protected_person.check(profile, nearest=answer.protected),
        _unknown(already_enrolled.NAME, detail)
        if unseen(answer.enrolled, already_enrolled.THRESHOLD)
        else already_enrolled.check(profile, nearest=answer.enrolled),
    )


def _unknown(check: str, detail: str) -> CheckResult:
    return CheckResult.unable(check, Reason.NOT_CONFIRMED, detail)
