"""Pipeline: verifies a recording against a challenge.

The algorithm:

1. Open the recording within the site's limits; what cannot be read at all raises and is no verdict.
2. Collect the evidence in one pass, with the challenge's words force-aligned to the sound.
3. Estimate the age. Whoever does not clearly look adult is judged by the stricter profile that the given one names for minors.
4. Run every check that applies, phase by phase; a check that cannot run reports it and the others continue. A server learns the
   answers of other attempts and of the gallery only afterwards: it runs these phases by `proceed`.
5. Fold all results: vetoes first, confirmations required.
6. Record what the result depended on (recording, models, profile, code), so that a replay can be diffed.

A challenge with nothing to say skips the checks of speech, one without turns those of movement. The caller makes sure that an
issued challenge has both, is the person's own, and is spent once.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from importlib import resources
from importlib.metadata import version
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING

from cameo_challenges import languages
from cameo_verifier.checks import BY_NAME, QUESTIONS, age, elapsed
from cameo_verifier.checks.question import Case, Phase, Question
from cameo_verifier.decision import decide
from cameo_verifier.errors import ProfileError
from cameo_verifier.evidence.collect import collect
from cameo_verifier.evidence.picture import Stopwatch
from cameo_verifier.media.recording import open_recording
from cameo_verifier.media.remux import judged_only
from cameo_verifier.profile import CheckRole
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Circumstances, Decision, Evidence, Judgement, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime
    from pathlib import Path

    from cameo_challenges.model import Challenge
    from cameo_verifier.evidence.early import EarlyFaces
    from cameo_verifier.live_record import LiveRecord
    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.profile import Profile
    from cameo_verifier.settings import Settings


RECORDING, KEPT = "recording", "kept_recording"
"""Names of two digests: of the received recording and of the part that may be kept."""
AFTERWARDS = (Phase.HISTORY, Phase.GALLERY)
"""The phases that a store of attempts runs after the pipeline's, by `proceed`."""


def require_askable(profile: Profile, settings: Settings, *, received: bool = False, later: Collection[Phase] = ()) -> None:
    """Refuse a profile that confirms by a check which can never run here: nobody would be accepted.

    Args:
        profile: the profile in use, with the one for minors.
        settings: of the site.
        received: whether the time of receipt of recordings is known.
        later: phases whose checks the caller runs after the pipeline's.

    Raises:
        ProfileError: it names the check, and what to do.
    """
    asked = {question.name for question in askable(settings)}
    asked |= {question.name for question in QUESTIONS if question.phase in later or (received and question is elapsed.QUESTION)}
    for each in (profile, profile.judging(minor=True)):
        if lacking := sorted(each.confirmed_by - asked):
            raise ProfileError(
                f"profile {each.name!r} confirms by {lacking[0]!r}, which cannot be asked here: "
                f"it needs {BY_NAME[lacking[0]].needs}; else give it the role veto or advise"
            )


def askable(settings: Settings) -> tuple[Question, ...]:
    """Return the site's checks that need a recording alone."""
    circumstances = Circumstances(synthetic_voice=settings.synthetic_voice.file is not None)
    return tuple(each for each in QUESTIONS if each.phase is Phase.RECORDING and each.known(circumstances))


def verify(  # noqa: PLR0913 - by keyword
    recording: bytes | Path,
    challenge: Challenge,
    *,
    profile: Profile,
    kit: ModelKit,
    settings: Settings,
    received_at: datetime | None = None,
    live: LiveRecord | None = None,
    early: EarlyFaces | None = None,
    later: Collection[Phase] = (),
    cancelled: Callable[[], bool] = lambda: False,
    keep: bool = False,
) -> Judgement:
    """Judge a recording.

    Args:
        recording: the file's bytes, or its path.
        challenge: what was asked; issued or written by hand.
        profile: thresholds and roles, and those for a possible minor.
        kit: the models.
        settings: limits and the analysis rate.
        received_at: time of receipt of the whole recording; without it `elapsed` is skipped.
        live: when each prompt was revealed and each chunk arrived; None for a recording that was uploaded whole.
        early: the faces that were found while the recording arrived; it changes nothing but the time this takes.
        later: phases whose checks the caller runs afterwards, by `proceed`.
        cancelled: called between frames; a true answer stops the work.
        keep: return with the judgement the part of the recording that may be kept: the judged streams alone.

    Raises:
        UnjudgeableError: the recording cannot be read, or exceeds a hard limit (step 1).
        AbandonedError: `cancelled` returned true.
    """
    began = perf_counter()
    watch = Stopwatch()

    # Steps 1 and 2.
    evidence = collect(
        recording,
        kit,
        settings=settings,
        spoken=challenge.spoken,
        tag=challenge.language,
        early=early,
        lit=live is not None and bool(live.colours),
        cancelled=cancelled,
        timings_ms=watch,
    )

    # Steps 3 to 5.
    mark = perf_counter()
    if live is not None and not live.arrivals:
        with open_recording(recording, limits=settings.media) as opened:
            live = replace(live, arrivals=opened.arrivals(live.chunks))
    circumstances = Circumstances(
        received_at=received_at,
        live=live,
        limits=settings.media.model_dump(),
        synthetic_voice=settings.synthetic_voice.file is not None,
    )
    judged = judge(Case(evidence, challenge, circumstances), profile, later=later)
    mark = watch.add("checks", mark)

    # Step 6.
    kept = judged_only(recording, sound_track=evidence.media.sound_track, limits=settings.media) if keep else b""
    watch.add("keep", mark)
    watch.add("total", began)
    profile = profile.judging(minor=judged.minor_safeguards)
    return replace(judged, digests=digests(evidence, profile, kit.digests, settings, kept), timings_ms=dict(watch), kept=kept)


def judge(case: Case, profile: Profile, *, later: Collection[Phase] = ()) -> Judgement:
    """Judge a case: steps 3 to 5, which decode nothing and load no model. The judgement has neither digests nor timings.

    Args:
        case: the evidence, the challenge and the circumstances.
        profile: thresholds and roles, and those for a possible minor.
        later: phases whose checks the caller runs afterwards, by `proceed`.
    """
    # Step 3.
    apparent_age = age.check(case, profile)
    minor_safeguards = apparent_age.outcome is not Outcome.PASS
    profile = profile.judging(minor=minor_safeguards)

    # Steps 4 and 5.
    results: tuple[CheckResult, ...] = ()
    decision = Decision(Verdict.ACCEPTED, ())
    for phase in Phase:
        if phase not in later:
            results, decision = _answered(case, results, decision, profile, phase, later, given={age.NAME: apparent_age})
    return Judgement(
        decision=decision,
        checks=results,
        evidence=case.evidence,
        profile=profile.name,
        minor_safeguards=minor_safeguards,
        circumstances=case.circumstances,
    )


def proceed(judgement: Judgement, case: Case, profile: Profile, phase: Phase, *, later: Collection[Phase] = ()) -> Judgement:
    """Return a judgement with the results of one more phase, folded together with all others.

    Args:
        judgement: of the phases before.
        case: with the circumstances known by now.
        profile: thresholds and roles, and those for a possible minor.
        phase: the phase to run.
        later: phases that remain.
    """
    profile = profile.judging(minor=judgement.minor_safeguards)
    results, decision = _answered(case, judgement.checks, judgement.decision, profile, phase, later)
    return replace(judgement, decision=decision, checks=results, circumstances=case.circumstances)


def _answered(
    case: Case,
    results: tuple[CheckResult, ...],
    decision: Decision,
    profile: Profile,
    phase: Phase,
    later: Collection[Phase],
    *,
    given: Mapping[str, CheckResult] = MappingProxyType({}),
) -> tuple[tuple[CheckResult, ...], Decision]:
    """Return the results with those of one phase, and the decision on all; the gallery phase runs only on acceptable recordings.

    A check whose circumstances are unknown is skipped; where it must pass, it is unable to run. `given`: results known before.
    """
    if phase is Phase.GALLERY and decision.verdict is not Verdict.ACCEPTED:
        return results, decision
    for question in QUESTIONS:
        if question.phase is not phase or not question.applies(case.challenge):
            continue
        if question.known(case.circumstances):
            results += (given.get(question.name) or question.check(case, profile),)
        elif profile.role(question.name) is CheckRole.CONFIRM:
            results += (CheckResult.unable(question.name, Reason.NOT_CONFIRMED, f"not known then: {question.needs}"),)
    phases = tuple(Phase)
    open_phases = {*later, *phases[phases.index(phase) + 1 :]}
    exempt = {each.name for each in QUESTIONS if each.phase in open_phases or not each.applies(case.challenge)}
    return results, decide(results, profile, exempt=exempt)


def digests(
    evidence: Evidence, profile: Profile, models: Mapping[str, str], settings: Settings, kept: bytes = b""
) -> Mapping[str, str]:
    """Return the SHA-256 of all that a judgement depended on: 64 hex digits by name.

    Args:
        evidence: of the recording.
        profile: that judged it.
        models: model id to the SHA-256 of its file.
        settings: of the site.
        kept: what of the recording may be kept; nothing leaves its digest out.
    """
    limits = hashlib.sha256(
        f"{settings.media!r} {settings.synthetic_voice!r} {settings.analysis_fps} {settings.threads}".encode()
    ).hexdigest()
    return {
        RECORDING: evidence.media.sha256,
        "profile": profile.digest,
        "settings": limits,
        "code": code_digest(),
        **{f"model:{name}": digest for name, digest in models.items()},
        **({KEPT: hashlib.sha256(kept).hexdigest()} if kept else {}),
    }


@cache
def code_digest() -> str:
    """Return the SHA-256 of the package's version and of every source file that takes part in a verdict."""
    digest = hashlib.sha256(version("cameo-verifier").encode())
    rooms = (
        "cameo_verifier.media",
        "cameo_verifier.models",
        "cameo_verifier.evidence",
        "cameo_verifier.checks",
        "cameo_verifier.screening",
    )
    for package in ("cameo_challenges", *rooms):
        for entry in sorted(resources.files(package).iterdir(), key=lambda item: item.name):
            if entry.name.endswith(".py"):
                digest.update(entry.name.encode())
                digest.update(entry.read_bytes())
    digest.update(languages.digest().encode())
    for name in ("decision.py", "live_record.py", "pipeline.py", "profile.py", "reasons.py", "types.py"):
        digest.update(resources.files("cameo_verifier").joinpath(name).read_bytes())
    return digest.hexdigest()
