"""Batch evaluation: many cases judged in parallel processes that load the models once each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.pipeline import verify
from cameo_verifier.types import CheckResult, Verdict
from cameo_verifier.workers.crew import Crew
from cameo_verifier.workers.process import ResourceLimits, WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cameo_verifier.profile import Profile
    from cameo_verifier.reasons import Reason
    from cameo_verifier.review.cases import Case
    from cameo_verifier.settings import Settings

    _Answer = tuple[Verdict, tuple[Reason, ...], tuple[CheckResult, ...], Mapping[str, str], bool, float]


@dataclass(frozen=True, slots=True)
class Attempt:
    """The judgement of one case.

    Attributes:
        case: the case.
        verdict: `REJECTED` if the recording could not be judged at all.
        reasons: reasons of the verdict.
        checks: results of all checks; empty if the recording could not be judged at all.
        digests: digests of what the verdict depends on.
        minor_safeguards: True if it was judged by the profile for minors.
        total_ms: duration of the judgement, 0 if it was made from stored evidence.
    """

    case: Case
    verdict: Verdict
    reasons: tuple[Reason, ...]
    checks: tuple[CheckResult, ...]
    digests: Mapping[str, str]
    minor_safeguards: bool = False
    total_ms: float = 0.0


def judge(cases: Sequence[Case], *, profile: Profile, settings: Settings, workers: int = 1) -> Iterator[Attempt]:
    """Judge every case and yield the attempts as they are done; with one worker in this process, in order.

    Raises:
        ModelKitError: the models cannot be opened.
        WorkerLostError: a case ends its process repeatedly; the message names it.
    """
    if workers == 1:
        with ModelKit.open(settings) as kit:
            for case in cases:
                yield _judged(case, profile, kit, settings)
        return
    alone = settings.model_copy(update={"overlap": False})
    crew: Crew[Case, _Answer] = Crew(_Open(profile, alone), workers=workers, limits=ResourceLimits.of(settings))
    with crew:
        for case, found in crew.each(cases):
            if isinstance(found, WorkerLostError):
                raise WorkerLostError(f"{case.file}: {found}")
            yield Attempt(case, *found)


@dataclass(frozen=True, slots=True)
class _Open:
    """Factory of the worker that judges cases in a process of its own."""

    profile: Profile
    settings: Settings

    def __call__(self) -> Callable[[Case, Callable[[], bool]], _Answer]:
        kit = ModelKit.open(self.settings)
        return lambda case, _cancelled: _answer(case, self.profile, kit, self.settings)


def _judged(case: Case, profile: Profile, kit: ModelKit, settings: Settings) -> Attempt:
    return Attempt(case, *_answer(case, profile, kit, settings))


def _answer(case: Case, profile: Profile, kit: ModelKit, settings: Settings) -> _Answer:
    try:
        judgement = verify(case.file, case.challenge, profile=profile, kit=kit, settings=settings, received_at=case.received_at)
    except UnjudgeableError as error:
        return Verdict.REJECTED, (error.reason,), (), {}, False, 0.0
    decision = judgement.decision
    return (
        decision.verdict,
        decision.reasons,
        judgement.checks,
        dict(judgement.digests),
        judgement.minor_safeguards,
        judgement.timings_ms["total"],
    )
