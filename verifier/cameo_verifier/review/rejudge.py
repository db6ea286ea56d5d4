"""Judge an attempt again from its tracks: nothing is decoded and no model is loaded.

The same tracks, challenge and profile give the same answers as the server gave, score by score to the last bit, as long as the
code of the checks is the same. Under another profile the answers are those the server would have given, with one exception: the
gallery is only asked about faces that would be accepted. Where it was not asked then, or not as deeply as the profile wants, its
two questions are unable to answer, and the detail says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cameo_verifier import pipeline
from cameo_verifier.checks.question import Case, Phase

if TYPE_CHECKING:
    from cameo_challenges.model import Challenge
    from cameo_verifier.evidence.tracks import Tracks
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import Circumstances, Judgement


def rejudge(tracks: Tracks, challenge: Challenge, profile: Profile) -> Judgement:
    """Return what the attempt would be judged; digests and timings are empty.

    Args:
        tracks: of the attempt.
        challenge: what was asked.
        profile: thresholds and roles, and those for a possible minor.
    """
    return pipeline.judge(Case(tracks.evidence, challenge, tracks.circumstances), profile)


def complete(judgement: Judgement, challenge: Challenge, circumstances: Circumstances, profile: Profile) -> Judgement:
    """Return the judgement of a recording alone with the answers of other attempts and of the gallery, as they were given then.

    Args:
        judgement: with `pipeline.AFTERWARDS` still to come.
        challenge: what was asked.
        circumstances: of the attempt.
        profile: thresholds and roles, and those for a possible minor.
    """
    then = replace(
        judgement.circumstances,
        recalled=circumstances.recalled,
        has_gallery=circumstances.has_gallery,
        gallery=circumstances.gallery,
    )
    case = Case(judgement.evidence, challenge, then)
    judgement = pipeline.proceed(judgement, case, profile, Phase.HISTORY, later=(Phase.GALLERY,))
    return pipeline.proceed(judgement, case, profile, Phase.GALLERY)
