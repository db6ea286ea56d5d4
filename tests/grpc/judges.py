"""Small real judges for the server's own tests: the recording scripts them. No models are loaded.

The answers come with the judge, so that a worker loads nothing that only a verdict needs, and starts soon.
The full path with the real pipeline is in `test_full_path.py`.
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from cameo_credential.item_kind import ItemKind
from cameo_credential.media_items import MediaItem
from cameo_verifier.errors import AbandonedError, ModelKitError, UnjudgeableError
from cameo_verifier.reasons import Reason
from cameo_verifier.types import (
    CheckResult,
    Decision,
    Direction,
    Evidence,
    FaceTrack,
    Fingerprint,
    Judgement,
    MediaInfo,
    Missing,
    SoundTrack,
    Verdict,
)
from tests.grpc.scripted_watch import ScriptedWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cameo_verifier.live.observation import Observation
    from cameo_verifier.workers.judge import Response

DIGEST = "ab" * 32
MEDIA = tuple(
    MediaItem(kind, media_type, "as a test makes it", {"number": number}, np.random.default_rng(number).bytes(4000))
    for number, (kind, media_type) in enumerate(
        [*[(ItemKind.FACE_CROP, "image/jpeg")] * 3, (ItemKind.VOICE_CLIP, "audio/flac")], start=1
    )
)
"""Of everyone who is accepted."""
CROPS = b"\xff\xd8 four faces"
FACE = 1
"""The seed of the face of whoever the recording does not name."""


@dataclass(frozen=True, slots=True)
class Answers:
    """All checks, and the decision on them, of who is accepted and of who is not; `phrase` is first."""

    accepted: tuple[tuple[CheckResult, ...], Decision]
    rejected: tuple[tuple[CheckResult, ...], Decision]


@cache
def answers() -> Answers:
    """Return them: to every question about a recording one that passes, or two that fail."""
    from cameo_verifier import profiles  # noqa: PLC0415
    from cameo_verifier.checks import QUESTIONS  # noqa: PLC0415
    from cameo_verifier.decision import decide  # noqa: PLC0415
    from cameo_verifier.pipeline import AFTERWARDS  # noqa: PLC0415
    from cameo_verifier.profile import Threshold  # noqa: PLC0415

    names = sorted((each.name for each in QUESTIONS if each.phase not in AFTERWARDS), key=lambda name: name != "phrase")
    line = Threshold("share_min", 1.0, "share", Direction.AT_LEAST, "a test")

    def judged(failed: Mapping[str, Reason]) -> tuple[tuple[CheckResult, ...], Decision]:
        checks = tuple(line.judge(n, 0.0 if n in failed else 1.0, failed.get(n, Reason.NOT_CONFIRMED)) for n in names)
        return checks, decide(checks, profiles.load(), exempt={each.name for each in QUESTIONS if each.phase in AFTERWARDS})

    return Answers(judged({}), judged({"phrase": Reason.PHRASE_MISMATCH, "movement": Reason.MOVEMENT_MISSING}))


@dataclass(frozen=True, slots=True)
class OpenScripted:
    """Opens a judge that does what the recording says and notes each judging in `journal`."""

    journal: Path
    answers: Answers = field(default_factory=answers)
    media: tuple[MediaItem, ...] = MEDIA

    def __call__(self) -> Scripted:
        """Return the judge, unless there is a file `broken` beside the journal."""
        if self.journal.with_name("broken").exists():
            raise ModelKitError("face.onnx is missing: run `cameo models pull`")
        return Scripted(self.journal, self.answers, self.media)


@dataclass(frozen=True, slots=True)
class Scripted:
    """Does what the recording says."""

    journal: Path
    answers: Answers
    media: tuple[MediaItem, ...] = MEDIA

    def look(self, response: Response) -> None:
        """Refuse `foreign`, die of `trap`, let all else be judged."""
        match response.recording.rstrip(b"\0"):
            case b"foreign":
                raise UnjudgeableError(Reason.UNSUPPORTED_MEDIA, "these bytes are no recording: send one")
            case b"trap":
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, tell: Callable[[Observation | Exception], None], *, answer: bool) -> ScriptedWatch:  # noqa: ARG002
        """Observe a recording that arrives; `answer` changes nothing."""
        return ScriptedWatch(tell)

    def __call__(self, response: Response, cancelled: Callable[[], bool]) -> Judgement:
        """Do what it says: accept, accept:FINGERPRINT, face:FACE (seeds), minor, reject, sleep:SECONDS, die, damaged, bug.

        `held:` before any of it waits until there is a file `go` beside the journal.
        """
        # Of a live session the last line; the others are what was observed.
        script = response.recording.rstrip(b"\0").rpartition(b"\n")[2].decode()
        self._note(f"begin {script}")
        verb, _, argument = script.partition(":")
        if verb == "held":
            verb, _, argument = argument.partition(":")
            while not self.journal.with_name("go").exists():
                if cancelled():
                    self._note("cancelled")
                    raise AbandonedError("stopped")
                time.sleep(0.01)
        match verb:
            case "sleep":
                until = time.monotonic() + float(argument)
                while time.monotonic() < until:
                    if cancelled():
                        self._note("cancelled")
                        raise AbandonedError("stopped")
                    time.sleep(0.01)
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "damaged":
                raise UnjudgeableError(Reason.CORRUPT_MEDIA, "the recording is cut off: send it again")
            case "bug":
                raise ZeroDivisionError(argument)
        self._note("end")
        seed = int(argument) if verb == "accept" and argument else None
        face = int(argument) if verb == "face" else FACE
        accept = verb in {"accept", "face", "minor"}
        answer = self.answers.accepted if accept else self.answers.rejected
        judgement = _judgement(response.recording, *answer, seed=seed, minor=verb == "minor", face=face)
        return replace(judgement, likeness_media=self.media) if accept else judgement

    def _note(self, line: str) -> None:
        with self.journal.open("a") as journal:
            journal.write(f"{line}\n")


def _judgement(
    recording: bytes, checks: tuple[CheckResult, ...], decision: Decision, *, seed: int | None, minor: bool, face: int
) -> Judgement:
    media = MediaInfo("mp4", len(recording), hashlib.sha256(recording).hexdigest(), 5.0)
    missing, accept = Missing(Reason.NO_FACE), decision.verdict is Verdict.ACCEPTED
    return Judgement(
        decision=decision,
        checks=checks,
        evidence=Evidence(
            media,
            _face(face) if accept else missing,
            _sound() if accept else missing,
            fingerprint=Fingerprint() if seed is None else _fingerprint(seed),
        ),
        profile="minor" if minor else "default",
        minor_safeguards=minor,
        digests={"profile": DIGEST, "model:face-embedding": DIGEST, "model:speaker-embedding": DIGEST},
        timings_ms={"total": 12.5},
        kept=recording,
        crops=CROPS if accept else b"",
    )


def _fingerprint(seed: int) -> Fingerprint:
    rng = np.random.default_rng(seed)
    return Fingerprint(rng.integers(-32, 33, (160, 6), np.int8), rng.integers(-1, 2, (160, 10), np.int8))


def unit(seed: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return (512,) the vector of a seed, of unit length."""
    vector = np.random.default_rng(seed).standard_normal(512)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def _face(seed: int) -> FaceTrack:
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
        embeddings=unit(seed)[None],
        live_t_s=np.zeros(0),
        live=none,
        ages=none,
    )


def _sound() -> SoundTrack:
    return SoundTrack(
        duration_s=5.0,
        level_dbfs=-20.0,
        noise_dbfs=-60.0,
        peak_dbfs=-6.0,
        speech=np.zeros((0, 2)),
        text="",
        words=(),
        forced=(),
        window_s=np.zeros((0, 2)),
        window_embeddings=np.zeros((0, 512), np.float32),
        embedding=unit(2),
    )
