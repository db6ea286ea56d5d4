"""Judge many cases, side by side in processes that load the models once each."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

from verifier import offline
from verifier.errors import UnjudgeableError
from verifier.models.kit import ModelKit
from verifier.pipeline import verify
from verifier.types import CheckResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from verifier.profile import Profile
    from verifier.reasons import Reason
    from verifier.review.cases import Case
    from verifier.settings import Settings


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one case.

    A recording that could not be judged at all has the verdict `REJECTED`, the reason for that, and no checks.
    digests: what the verdict depended on. minor_safeguards: it was judged by the profile for minors, if there is one. total_ms:
    how long that took, 0 where it was judged from what is kept.
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
    """
    if workers == 1:
        with ModelKit.open(settings) as kit:
            for case in cases:
                yield _judged(case, profile, kit, settings)
        return
    alone = settings.model_copy(update={"overlap": False})
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_Process.open, initargs=(profile, alone)
    ) as pool:
        for future in as_completed([pool.submit(_Process.judge, case) for case in cases]):
            yield future.result()


class _Process:
    """What a worker process keeps between two cases."""

    kit: ModelKit | None = None
    profile: Profile
    settings: Settings

    @classmethod
    def open(cls, profile: Profile, settings: Settings) -> None:
        """Say what to load; an error here would only end the process, and nobody would be told why."""
        offline.go_offline()
        cls.profile, cls.settings = profile, settings

    @classmethod
    def judge(cls, case: Case) -> Attempt:
        """Judge one case, the first after opening the models, which live as long as the process."""
        cls.kit = cls.kit or ModelKit.open(cls.settings)
        return _judged(case, cls.profile, cls.kit, cls.settings)


def _judged(case: Case, profile: Profile, kit: ModelKit, settings: Settings) -> Attempt:
    try:
        judgement = verify(case.file, case.challenge, profile=profile, kit=kit, settings=settings, received_at=case.received_at)
    except UnjudgeableError as error:
        return Attempt(case, Verdict.REJECTED, (error.reason,), (), {})
    decision = judgement.decision
    return Attempt(
        case,
        decision.verdict,
        decision.reasons,
        judgement.checks,
        judgement.digests,
        judgement.minor_safeguards,
        judgement.timings_ms["total"],
    )
