"""Rejudging: an attempt is judged again from its tracks, without decoding and without models.

The same tracks, challenge and profile give the same results as the server gave, scores equal to the last bit, as long as the code
of the checks is the same. Under another profile the results are those the server would have given, with one exception: the
gallery is only searched for faces that would be accepted. If it was not searched then, or not as deeply as the profile wants, its
two checks are unable to answer, and the detail says so.
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
    """Return the judgement by a profile; digests and timings are empty.

    Args:
        tracks: the attempt's tracks.
        challenge: the attempt's challenge.
        profile: thresholds and roles, and those for a possible minor.
    """
    return pipeline.judge(Case(tracks.evidence, challenge, tracks.circumstances), profile)


def complete(judgement: Judgement, challenge: Challenge, circumstances: Circumstances, profile: Profile) -> Judgement:
    """Complete the judgement of a recording with the stored results of other attempts and of the gallery.

    Args:
        judgement: without the phases `pipeline.AFTERWARDS`.
        challenge: the attempt's challenge.
        circumstances: the attempt's circumstances, with the stored results.
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
