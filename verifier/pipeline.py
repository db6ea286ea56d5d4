"""Verify a recording against a challenge.

The algorithm:

1. Open the recording within the site's limits; what cannot be read at all raises and is no verdict.
2. Collect the evidence in one pass, with the challenge's words laid over the sound.
3. Ask for the age. Whoever does not clearly look adult is judged by the stricter profile that the given one names for minors.
4. Put every question that applies to the evidence; a question that cannot be answered says so and the others go on.
5. Fold the answers: vetoes first, confirmations required. What is asked later, of earlier recordings and of the gallery, the
   caller folds in.
6. Record what the answer depended on (recording, models, profile, code), so that a replay can be diffed.

A challenge with nothing to say leaves out the questions about speech, one without turns those about movement. The caller
makes sure that an issued challenge has both, is the person's own, and is spent once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import resources
from importlib.metadata import version
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from verifier.checks import (
    age,
    alone,
    already_enrolled,
    audio_mark,
    bezel,
    blink,
    close_up,
    coverage,
    damage,
    depth,
    elapsed,
    enlarged,
    eyes,
    face_size,
    flicker,
    frame_rate,
    frozen,
    gaze,
    length,
    light,
    lips,
    loudness,
    moire,
    mouth,
    movement,
    noise,
    phrase,
    picture_size,
    picture_times,
    presence,
    presentation_attack,
    protected_person,
    same_person,
    second_voice,
    seen_before,
    sequence,
    sharpness,
    sound_cuts,
    sound_repeat,
    speaker,
    splice,
    streams,
    synthetic_voice,
    turned,
)
from verifier.decision import decide
from verifier.errors import ProfileError
from verifier.evidence.collect import collect
from verifier.evidence.picture import Stopwatch
from verifier.media.remux import judged_only
from verifier.types import CheckResult, Circumstances, Evidence, Judgement, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime
    from pathlib import Path

    from challenges.model import Challenge
    from verifier.models.kit import ModelKit
    from verifier.profiles import Profile
    from verifier.settings import MediaLimits, Settings


RECORDING, KEPT = "recording", "kept_recording"
"""The digests of what was received and of what may be kept of it."""


class Check(Protocol):
    """One question put to the evidence."""

    def __call__(self, evidence: Evidence, challenge: Challenge, profile: Profile, /) -> CheckResult:
        """Answer it."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """A check and the challenges it applies to."""

    name: str
    check: Check
    applies: Callable[[Challenge], bool]


def _always(_challenge: Challenge) -> bool:
    return True


def _spoken(challenge: Challenge) -> bool:
    return bool(challenge.spoken)


def _turned(challenge: Challenge) -> bool:
    return bool(challenge.turns)


GALLERY = frozenset({protected_person.NAME, already_enrolled.NAME})
"""Questions to the gallery of a server."""
RECALL = frozenset({seen_before.NAME})
"""Questions to the recordings that a server knows again."""
_NEEDS = {
    elapsed.NAME: "the times of challenge and upload, which a server knows",
    seen_before.NAME: "the recordings that a server knows again",
    **dict.fromkeys(GALLERY, "the gallery of a server, CAMEO_GALLERY=true"),
    synthetic_voice.NAME: "a detector, CAMEO_SYNTHETIC_VOICE_FILE",
}


def require_askable(profile: Profile, settings: Settings, *, received: bool = False, later: Collection[str] = ()) -> None:
    """Refuse a profile that confirms by a check which can never be asked here: nobody would be accepted.

    Args:
        profile: what is judged by, with the one for minors.
        settings: of the site.
        received: whether it is known when recordings were received.
        later: names of the questions that the caller puts after the pipeline's.

    Raises:
        ProfileError: it names the check, and what to do.
    """
    asked = {question.name for question in questions(settings)}.union(later, {elapsed.NAME} if received else ())
    for each in (profile, profile.judging(minor=True)):
        if lacking := sorted(each.confirmed_by - asked):
            needs = _NEEDS.get(lacking[0], "another version of this service")
            raise ProfileError(
                f"profile {each.name!r} confirms by {lacking[0]!r}, which cannot be asked here: it needs {needs}; "
                "else give it the role veto or advise"
            )


def questions(settings: Settings) -> tuple[Question, ...]:
    """Return every question of a site, cheap ones first, but that after the time."""
    return _questions(settings.media, Circumstances(synthetic_voice=settings.synthetic_voice.file is not None))


def _questions(limits: MediaLimits, circumstances: Circumstances) -> tuple[Question, ...]:
    """Return every question, cheap ones first; what nothing is known or at hand for is not asked."""
    received_at = circumstances.received_at
    return (
        Question(streams.NAME, streams.check, _always),
        *((Question(elapsed.NAME, partial(elapsed.check, received_at=received_at), _always),) if received_at is not None else ()),
        Question(damage.NAME, damage.check, _always),
        Question(length.NAME, partial(length.check, limits=limits), _always),
        Question(frame_rate.NAME, partial(frame_rate.check, limits=limits), _always),
        Question(picture_size.NAME, partial(picture_size.check, limits=limits), _always),
        Question(turned.NAME, turned.check, _always),
        Question(coverage.NAME, coverage.check, _always),
        Question(light.NAME, light.check, _always),
        Question(sharpness.NAME, sharpness.check, _always),
        Question(face_size.NAME, face_size.check, _always),
        Question(eyes.NAME, eyes.check, _always),
        Question(mouth.NAME, mouth.check, _always),
        Question(presence.NAME, presence.check, _always),
        Question(alone.NAME, alone.check, _always),
        Question(age.NAME, age.check, _always),
        Question(same_person.NAME, same_person.check, _always),
        Question(presentation_attack.NAME, presentation_attack.check, _always),
        Question(close_up.NAME, close_up.check, _always),
        Question(bezel.NAME, bezel.check, _always),
        Question(moire.NAME, moire.check, _always),
        Question(flicker.NAME, flicker.check, _always),
        Question(frozen.NAME, frozen.check, _always),
        Question(splice.NAME, splice.check, _always),
        Question(picture_times.NAME, picture_times.check, _always),
        Question(enlarged.NAME, enlarged.check, _always),
        Question(blink.NAME, blink.check, _always),
        Question(movement.NAME, movement.check, _turned),
        Question(depth.NAME, depth.check, _turned),
        Question(gaze.NAME, gaze.check, _turned),
        Question(loudness.NAME, loudness.check, _spoken),
        Question(noise.NAME, noise.check, _spoken),
        Question(phrase.NAME, phrase.check, _spoken),
        Question(sound_cuts.NAME, sound_cuts.check, _spoken),
        Question(sound_repeat.NAME, sound_repeat.check, _spoken),
        Question(speaker.NAME, speaker.check, _spoken),
        Question(second_voice.NAME, second_voice.check, _spoken),
        Question(lips.NAME, lips.check, _spoken),
        Question(sequence.NAME, sequence.check, lambda challenge: _spoken(challenge) and _turned(challenge)),
        Question(audio_mark.NAME, audio_mark.check, _spoken),
        *((Question(synthetic_voice.NAME, synthetic_voice.check, _spoken),) if circumstances.synthetic_voice else ()),
    )


def verify(
    recording: bytes | Path,
    challenge: Challenge,
    *,
    profile: Profile,
    kit: ModelKit,
    settings: Settings,
    received_at: datetime | None = None,
    later: Collection[str] = (),
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
        received_at: when the whole recording was there; without it nobody asks whether there was time to record it.
        later: names of questions that the caller puts afterwards, and folds in.
        cancelled: asked between frames; a true answer stops the work.
        keep: return with the judgement what of the recording may be kept: the judged streams alone.

    Raises:
        UnjudgeableError: the recording cannot be read, or exceeds a hard limit (step 1).
        AbandonedError: `cancelled` said so.
    """
    began = perf_counter()
    watch = Stopwatch()

    # Steps 1 and 2.
    evidence = collect(recording, kit, settings=settings, spoken=challenge.spoken, cancelled=cancelled, timings_ms=watch)

    # Steps 3 to 5.
    mark = perf_counter()
    circumstances = Circumstances(
        received_at=received_at,
        limits=settings.media.model_dump(),
        synthetic_voice=settings.synthetic_voice.file is not None,
    )
    judged = judge(evidence, challenge, profile, circumstances, limits=settings.media, later=later)
    mark = watch.add("checks", mark)

    # Step 6.
    kept = judged_only(recording, sound_track=evidence.media.sound_track, limits=settings.media) if keep else b""
    watch.add("keep", mark)
    watch.add("total", began)
    profile = profile.judging(minor=judged.minor_safeguards)
    digests = _digests(evidence, profile, kit, settings)
    if kept:
        digests = {**digests, KEPT: hashlib.sha256(kept).hexdigest()}
    return replace(judged, digests=digests, timings_ms=dict(watch), kept=kept)


def judge(
    evidence: Evidence,
    challenge: Challenge,
    profile: Profile,
    circumstances: Circumstances,
    *,
    limits: MediaLimits,
    later: Collection[str] = (),
) -> Judgement:
    """Judge evidence: steps 3 to 5, which decode nothing and load no model. The judgement has neither digests nor timings.

    Args:
        evidence: what the recording yielded.
        challenge: what was asked.
        profile: thresholds and roles, and those for a possible minor.
        circumstances: when it was received, and whether the site has a detector of synthetic voices.
        limits: on the recording.
        later: names of questions that the caller puts afterwards, and folds in.
    """
    # Step 3.
    minor_safeguards = age.check(evidence, challenge, profile).outcome is not Outcome.PASS
    profile = profile.judging(minor=minor_safeguards)

    # Step 4.
    every = _questions(limits, circumstances)
    results = tuple(question.check(evidence, challenge, profile) for question in every if question.applies(challenge))

    # Step 5.
    foreign = {question.name for question in every if not question.applies(challenge)}
    decision = decide(results, profile, exempt=foreign.union(later))
    return Judgement(
        decision=decision,
        checks=results,
        evidence=evidence,
        profile=profile.name,
        minor_safeguards=minor_safeguards,
        circumstances=circumstances,
    )


def _digests(evidence: Evidence, profile: Profile, kit: ModelKit, settings: Settings) -> Mapping[str, str]:
    limits = hashlib.sha256(
        f"{settings.media!r} {settings.synthetic_voice!r} {settings.analysis_fps} {settings.threads}".encode()
    ).hexdigest()
    return {
        RECORDING: evidence.media.sha256,
        "profile": profile.digest,
        "settings": limits,
        "code": code_digest(),
        **{f"model:{name}": digest for name, digest in kit.digests.items()},
    }


@cache
def code_digest() -> str:
    """Return the SHA-256 of the package's version and of every source file that takes part in a verdict."""
    digest = hashlib.sha256(version("cameo-verifier").encode())
    for package in ("challenges", "verifier.media", "verifier.models", "verifier.evidence", "verifier.checks"):
        for entry in sorted(resources.files(package).iterdir(), key=lambda item: item.name):
            if entry.name.endswith(".py"):
                digest.update(entry.name.encode())
                digest.update(entry.read_bytes())
    for name in ("decision.py", "pipeline.py", "reasons.py", "types.py"):
        digest.update(resources.files("verifier").joinpath(name).read_bytes())
    return digest.hexdigest()
