"""What a worker process runs: the models opened once, then the pipeline for each response.

Nothing here is imported by the server process itself beyond the two dataclasses: the runtimes load in the worker.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from challenges.model import Challenge
    from verifier.settings import Settings
    from verifier.types import Judgement


@dataclass(frozen=True, slots=True)
class Response:
    """One recording, as bytes in memory only, the challenge it answers, and when all of it was there."""

    recording: bytes = field(repr=False)
    challenge: Challenge
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenJudge:
    """Opens the models of a site; carried to the worker process and called there once."""

    settings: Settings

    def __call__(self) -> Callable[[Response, Callable[[], bool]], Judgement]:
        """Load every model and the profile, and return the judge.

        Raises:
            ModelKitError: a model file is missing, altered or not licensed for this site.
            ProfileError: the profile is unknown or malformed.
        """
        from verifier import pipeline, profiles  # noqa: PLC0415 - the model runtimes belong to the worker process
        from verifier.models.kit import ModelKit  # noqa: PLC0415 - the same
        from verifier.types import Verdict  # noqa: PLC0415 - the same

        settings = self.settings
        profile = profiles.load(settings.profile)
        kit = ModelKit.open(settings)
        kit.preload()
        keep = any(settings.retention.days(verdict) for verdict in Verdict)

        def judge(response: Response, cancelled: Callable[[], bool]) -> Judgement:
            return pipeline.verify(
                response.recording,
                response.challenge,
                profile=profile,
                kit=kit,
                settings=settings,
                received_at=response.received_at,
                cancelled=cancelled,
                keep=keep,
            )

        return judge
