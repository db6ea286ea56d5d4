"""Judge: opens the models once in a worker process, then runs the pipeline for each response.

The server process itself imports only the two dataclasses of this module: the runtimes load in the worker.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cameo_challenges.model import Challenge
    from cameo_credential.media_items import MediaItem
    from cameo_verifier.live.observation import Observation
    from cameo_verifier.live.watch import Watch
    from cameo_verifier.live_record import LiveRecord
    from cameo_verifier.profile import Profile
    from cameo_verifier.settings import Settings
    from cameo_verifier.types import Judgement

_PREPARATIONS = 4
"""How many times as large as an answer a preparation may be: two minutes at 4 Mbit/s and the usual limit."""


@dataclass(frozen=True, slots=True)
class Response:
    """One recording, as bytes in memory only, the challenge it answers, the time of its receipt, and whose it is.

    live: the times of the live session that it was made in, None for an upload.
    early: the watch that found its faces as it arrived, in the worker that judges it.
    """

    recording: bytes = field(repr=False)
    challenge: Challenge
    received_at: datetime | None = None
    live: LiveRecord | None = None
    subject: str = ""
    early: Watch | None = field(default=None, repr=False)


class Watched:
    """The observation of an arriving recording, as `messages.Watching` needs it."""

    def __init__(self, watch: Watch) -> None:
        """Keep the watch."""
        self.feed, self.stop, self._watch = watch.feed, watch.stop, watch

    def completed(self, response: Response) -> Response:
        """Return the response with the analysis of the recording, which has ended."""
        self._watch.end()
        return replace(response, early=self._watch)


class Judge:
    """The open models of a site: judges responses in a worker process."""

    def __init__(self, settings: Settings, profile: Profile) -> None:
        """Load every model; arguments and errors as `OpenJudge`."""
        from cameo_verifier import media, pipeline  # noqa: PLC0415 - the model runtimes belong to the worker process
        from cameo_verifier.models.kit import ModelKit  # noqa: PLC0415 - the same
        from cameo_verifier.types import Verdict  # noqa: PLC0415 - the same

        self._settings, self._require_supported, self._verify = settings, media.require_supported, pipeline.verify
        self._later = pipeline.AFTERWARDS
        self._keep = any(settings.retention.days(verdict) for verdict in Verdict)
        self._keep_crops = settings.gallery and max(settings.retention.review_days, settings.retention.enrolled_days) > 0
        self._may_be_reviewed = {Verdict.ACCEPTED, Verdict.REVIEW}
        self._profile = profile
        self._kit = ModelKit.open(settings)
        self._kit.preload()

    def look(self, response: Response) -> None:
        """Check the headers of a recording, without decoding a picture and without its challenge.

        Raises:
            UnjudgeableError: as `cameo_verifier.media.require_supported`.
        """
        self._require_supported(response.recording, limits=self._settings.media)

    def watch(self, tell: Callable[[Observation | Exception], None], *, answer: bool) -> Watched:
        """Begin to observe a recording that arrives; arguments as of `Watch`."""
        from cameo_verifier.live.watch import Watch  # noqa: PLC0415 - the model runtimes belong to the worker process

        settings = self._settings
        if not answer:
            # A preparation is not judged, and may last for minutes.
            longer = settings.media.model_copy(update={"max_bytes": _PREPARATIONS * settings.media.max_bytes})
            settings = settings.model_copy(update={"media": longer})
        return Watched(Watch(self._kit, settings=settings, tell=tell, answer=answer))

    def __call__(self, response: Response, cancelled: Callable[[], bool]) -> Judgement:
        """Judge it; errors as `pipeline.verify`."""
        judgement = self._verify(
            response.recording,
            response.challenge,
            profile=self._profile,
            kit=self._kit,
            settings=self._settings,
            received_at=response.received_at,
            live=response.live,
            early=response.early.result(response.recording, cancelled) if response.early else None,
            later=self._later,
            keep=self._keep,
            cancelled=cancelled,
        )
        if judgement.decision.verdict not in self._may_be_reviewed:
            return judgement
        judgement = replace(judgement, likeness_media=self._likeness_media(response, judgement))
        return replace(judgement, crops=self._crops(response.recording, judgement)) if self._keep_crops else judgement

    def _likeness_media(self, response: Response, judgement: Judgement) -> tuple[MediaItem, ...]:
        from cameo_verifier.evidence.likeness_media import likeness_media  # noqa: PLC0415 - the model runtimes belong here

        evidence, challenge = judgement.evidence, response.challenge
        return likeness_media(response.recording, evidence, profile=self._profile, settings=self._settings, challenge=challenge)

    def _crops(self, recording: bytes, judgement: Judgement) -> bytes:
        from cameo_verifier.evidence.crops import crops  # noqa: PLC0415 - the model runtimes belong to the worker process
        from cameo_verifier.types import FaceTrack  # noqa: PLC0415 - the same

        face = judgement.evidence.face
        if not isinstance(face, FaceTrack):
            return b""
        return crops(recording, face, limits=self._settings.media, fps=self._settings.analysis_fps)


@dataclass(frozen=True, slots=True)
class OpenJudge:
    """A factory that opens the models of a site; sent to the worker process and called there once."""

    settings: Settings
    profile: Profile
    """The server's own: a worker that starts later judges by it too, whatever the file holds by then."""

    def __call__(self) -> Judge:
        """Load every model, and return the judge.

        Raises:
            ModelKitError: a model file is missing, altered or not licensed for this site.
        """
        return Judge(self.settings, self.profile)
