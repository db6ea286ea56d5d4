"""Evaluation of a site's labelled attempts, judged again from their tracks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cameo_credential.errors import CameoError
from cameo_verifier.evidence.tracks import from_bytes as tracks_from
from cameo_verifier.review.cases import Case
from cameo_verifier.review.judging import Attempt
from cameo_verifier.review.rejudge import rejudge
from cameo_verifier.review.replay import NotReplayed, Source, materials
from cameo_verifier.store.attempts.labels import Truth
from cameo_verifier.store.attempts.result import from_bytes as result_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from cameo_verifier.profile import Profile
    from cameo_verifier.review.replay import Material
    from cameo_verifier.store.attempts.labels import Label
    from cameo_verifier.store.evidence.audit import Reader
    from cameo_verifier.store.evidence.evidence import EvidenceVault

CONDITION = "labelled"
"""Condition under which bona fide attempts are listed: that of a recording is unknown."""


def judge_labelled(
    vault: EvidenceVault, labels: Mapping[str, Label], profile: Profile, *, reader: Reader, now: datetime
) -> Iterator[Attempt | NotReplayed]:
    """Yield the judgement of each labelled attempt, or why it cannot be judged; the latter is in no rate.

    Args:
        vault: the evidence.
        labels: the settled label of each attempt.
        profile: the thresholds.
        reader: the person, for the audit log.
        now: the time, for the audit log.

    Raises:
        StoreError: the database failed, or the access could not be logged.
    """
    for material in materials(vault, sorted(labels), Source.TRACKS, reader=reader, now=now):
        try:
            yield _judged(material, labels[material.attempt_id], profile)
        except CameoError as error:
            yield NotReplayed(material.attempt_id, material.why or str(error))


def _judged(material: Material, label: Label, profile: Profile) -> Attempt:
    result = result_from(material.result)
    judgement = rejudge(tracks_from(material.tracks), result.challenge, profile)
    case = Case(
        id=material.attempt_id,
        file=Path(),
        species=label.species,
        condition=CONDITION if label.truth is Truth.BONA_FIDE else "",
        half="",
        challenge=result.challenge,
    )
    digests = {**result.digests, "profile": profile.digest}
    return Attempt(
        case, judgement.decision.verdict, judgement.decision.reasons, judgement.checks, digests, judgement.minor_safeguards
    )
