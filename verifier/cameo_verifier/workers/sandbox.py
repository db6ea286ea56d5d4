"""Sandbox: the subject's id decides the outcome of an answer, so that an app can try each of them without a camera.

Nothing is decoded and no model is loaded. A sandbox has an issuer and a folder of its own (`Settings.sandbox`), so no reader of
credentials accepts what it signs unless it is configured with that issuer's name and keys.

A subject is `sandbox.OUTCOME`, or `sandbox.OUTCOME.ANYTHING`; any other subject is accepted. The outcomes are those of
`SandboxOutcome`, and each reason by its name (docs/reasons.md), with the verdict that the reason leads to.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.errors import AbandonedError, UnjudgeableError
from cameo_verifier.live.observation import Heard, Seen
from cameo_verifier.reasons import Kind, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from cameo_verifier.live.observation import Observation
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import F32, FaceTrack, Judgement, SoundTrack
    from cameo_verifier.workers.judge import Response

PREFIX = "sandbox."
_DIMENSION = 512
_ASK_S = 0.01
_STRETCHES, _STRETCH_S = 5, 0.05
"""Observations of a piece of bytes, and the time of each: recorders give a piece every quarter of a second."""
_KINDS = frozenset({Kind.ATTACK, Kind.MISMATCH, Kind.IDENTITY, Kind.QUALITY, Kind.UNREADABLE})
"""Kinds of reasons that the answer itself can have; the others are about challenges."""


class SandboxOutcome(StrEnum):
    """Outcomes other than reasons."""

    ACCEPTED = "accepted"
    MINOR = "minor"
    """Accepted under the safeguards for minors."""
    TIMEOUT = "timeout"
    """No verdict before the caller's deadline."""
    OVERLOADED = "overloaded"
    """Refused for load, before anything is spent."""
    FAULT = "fault"
    """`SERVER_FAULT`, after the challenge is spent."""


def outcome_of(subject: str) -> SandboxOutcome | Reason:
    """Return the outcome that a subject names.

    Raises:
        InvalidRequestError: it begins as one that names an outcome, and there is none of that name.
    """
    if not subject.startswith(PREFIX):
        return SandboxOutcome.ACCEPTED
    name = subject.removeprefix(PREFIX).partition(".")[0]
    known: dict[str, SandboxOutcome | Reason] = {each.value: each for each in SandboxOutcome}
    known |= {each.value: each for each in Reason if each.kind in _KINDS}
    if name not in known:
        raise InvalidRequestError(f"no outcome {name!r} of a sandbox: {', '.join(known)}")
    return known[name]


@dataclass(frozen=True, slots=True)
class OpenSandbox:
    """A factory of the sandbox's judge, in place of `workers.judge.OpenJudge`."""

    profile: Profile

    def __call__(self) -> SandboxJudge:
        """Return the judge."""
        return SandboxJudge(self.profile)


class SandboxWatch:
    """Simulated observation: a well-placed person who speaks every other second; each chunk is a quarter of a second."""

    def __init__(self, tell: Callable[[Observation | Exception], None]) -> None:
        """Begin a recording."""
        self._tell, self._stretches = tell, 0

    def feed(self, chunk: bytes) -> None:
        """Report the simulated observations of a chunk, whatever its content."""
        if not chunk:
            return
        for _ in range(_STRETCHES):
            self._stretches += 1
            media_s = self._stretches * _STRETCH_S
            self._tell(Seen(media_s, 1, 0.5, (0.5, 0.5), 120.0, 0.0, 0.0, 25.0))
            speaks = int(media_s) % 2 == 1
            self._tell(Heard(media_s, -20.0 if speaks else -60.0, speaks))

    def completed(self, response: Response) -> Response:
        """Return the response unchanged."""
        return response

    def stop(self) -> None:
        """Do nothing: every observation was reported at once."""


@dataclass(frozen=True, slots=True)
class SandboxJudge:
    """A judge whose verdict depends on the subject's id alone."""

    profile: Profile

    def look(self, response: Response) -> None:
        """Refuse the recording if the subject names a reason about unreadable ones; the challenge is not spent.

        Raises:
            UnjudgeableError: with that reason.
        """
        outcome = outcome_of(response.subject)
        if isinstance(outcome, Reason) and outcome.kind is Kind.UNREADABLE:
            raise UnjudgeableError(outcome, outcome.hint)

    def watch(self, tell: Callable[[Observation | Exception], None], *, answer: bool) -> SandboxWatch:  # noqa: ARG002 - as judges have it
        """Observe a live session's recording."""
        return SandboxWatch(tell)

    def __call__(self, response: Response, cancelled: Callable[[], bool]) -> Judgement:
        """Return the judgement that the subject names.

        Raises:
            AbandonedError: the caller of a `timeout` is gone.
        """
        outcome = outcome_of(response.subject)
        match outcome:
            case SandboxOutcome.TIMEOUT:
                while not cancelled():
                    time.sleep(_ASK_S)
                raise AbandonedError("nobody waits for this answer any more")
            case SandboxOutcome.FAULT:
                raise RuntimeError("a fault was asked for")
        return _judgement(response, outcome, self.profile)


def _judgement(response: Response, outcome: SandboxOutcome | Reason, profile: Profile) -> Judgement:
    from cameo_verifier.checks import QUESTIONS  # noqa: PLC0415 - the server process loads no numpy for this
    from cameo_verifier.decision import decide  # noqa: PLC0415 - the same
    from cameo_verifier.pipeline import AFTERWARDS  # noqa: PLC0415 - the same
    from cameo_verifier.types import CheckResult, Evidence, Judgement, MediaInfo, Outcome  # noqa: PLC0415 - the same

    minor = outcome is SandboxOutcome.MINOR
    used = profile.judging(minor=minor)
    later = {each.name for each in QUESTIONS if each.phase in AFTERWARDS}
    first, *others = sorted(used.confirmed_by - later)
    detail = "the subject of a sandbox says so"
    failed = CheckResult(first, Outcome.FAIL, reason=outcome, detail=detail) if isinstance(outcome, Reason) else None
    checks = (failed or CheckResult(first, Outcome.PASS, detail=detail), *(CheckResult(each, Outcome.PASS) for each in others))
    recording = response.recording
    return Judgement(
        decision=decide(checks, used, exempt=later),
        checks=checks,
        evidence=Evidence(
            MediaInfo("sandbox", len(recording), hashlib.sha256(recording).hexdigest(), 0.0),
            _face(response.subject),
            _sound(response.subject),
        ),
        profile=used.name,
        minor_safeguards=minor,
        digests={"profile": used.digest} | {f"model:{each}": _digest(each) for each in ("face-embedding", "speaker-embedding")},
        timings_ms={},
    )


def _digest(name: str) -> str:
    return hashlib.sha256(f"no model: a sandbox's {name}".encode()).hexdigest()


def _vector(kind: str, subject: str) -> F32:
    """Return (512,) a vector of unit length that is drawn by the subject: it is nobody's."""
    import numpy as np  # noqa: PLC0415 - the server process loads no numpy for this

    seed = int.from_bytes(hashlib.sha256(f"{kind} {subject}".encode()).digest(), "big")
    drawn = np.random.default_rng(seed).standard_normal(_DIMENSION)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def _face(subject: str) -> FaceTrack:
    import numpy as np  # noqa: PLC0415 - the server process loads no numpy for this

    from cameo_verifier.types import FaceTrack  # noqa: PLC0415 - the same

    none = np.zeros(0, np.float32)
    return FaceTrack(
        t_s=np.zeros(1),
        faces=np.ones(1, np.int32),
        landmarks=np.zeros((1, 478, 3), np.float32),
        pose_deg=np.zeros((1, 3), np.float32),
        blendshapes=np.zeros((1, 52), np.float32),
        face_px=none,
        luma=none,
        sharpness=none,
        eye_white=none,
        identity_t_s=np.zeros(1),
        identity_yaw_deg=np.zeros(1, np.float32),
        embeddings=_vector("face", subject)[None],
        live_t_s=np.zeros(0),
        live=none,
        ages=none,
    )


def _sound(subject: str) -> SoundTrack:
    import numpy as np  # noqa: PLC0415 - the server process loads no numpy for this

    from cameo_verifier.types import SoundTrack  # noqa: PLC0415 - the same

    return SoundTrack(
        duration_s=0.0,
        level_dbfs=-20.0,
        noise_dbfs=-60.0,
        peak_dbfs=-6.0,
        speech=np.zeros((0, 2)),
        text="",
        words=(),
        forced=(),
        window_s=np.zeros((0, 2)),
        window_embeddings=np.zeros((0, _DIMENSION), np.float32),
        embedding=_vector("voice", subject),
    )
