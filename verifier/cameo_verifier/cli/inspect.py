"""`cameo inspect`: measures a recording, a still or a sound without a challenge."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.json import JSON

from cameo_challenges.model import Challenge
from cameo_credential.errors import CameoError, InvalidRequestError
from cameo_verifier import offline, profiles
from cameo_verifier.checks import age
from cameo_verifier.checks.question import Case
from cameo_verifier.cli.progress import progress
from cameo_verifier.errors import UnjudgeableError
from cameo_verifier.evidence.blinks import blinks
from cameo_verifier.evidence.collect import collect
from cameo_verifier.evidence.identity import face_embedding
from cameo_verifier.evidence.movements import movements
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.profile import Profile
from cameo_verifier.settings import Settings
from cameo_verifier.types import Evidence, FaceTrack, Missing, Outcome, SoundTrack


def inspect(
    files: Annotated[list[Path], typer.Argument(help="Recordings, stills or sounds.", show_default=False)],
    embeddings: Annotated[bool, typer.Option("--embeddings", help="Include the face and voice embedding.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document, with the pose of every frame.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line, in order.")] = False,
) -> None:
    """Show what the models measure. Exit code: 0, or 2 if a file could not be read (with --jsonl it is noted instead)."""
    settings = Settings()
    profile = profiles.load(settings.profile)
    if len(files) > 1 and not jsonl:
        raise InvalidRequestError("more than one file needs --jsonl")
    offline.go_offline()
    with ModelKit.open(settings) as kit, progress("looking", len(files)) as bar:
        for file in files:
            try:
                document = {"file": str(file), **_document(_collect(file, kit, settings), profile, embeddings=embeddings)}
            except CameoError as error:
                if not jsonl:
                    raise
                reason = {"reason": error.reason.value} if isinstance(error, UnjudgeableError) else {}
                document = {"file": str(file), "error": str(error), **reason}
            bar.done(str(file))
            if json_ or jsonl:
                bar.print_json(document)
    if not (json_ or jsonl):
        document.pop("pose", None)
        Console().print(JSON.from_data(document))


def _collect(file: Path, kit: ModelKit, settings: Settings) -> Evidence:
    if not file.is_file():
        raise InvalidRequestError(f"no such file: {file}")
    return collect(file, kit, settings=settings)


def _document(evidence: Evidence, profile: Profile, *, embeddings: bool) -> dict[str, Any]:
    document: dict[str, Any] = {"media": asdict(evidence.media)}
    face, sound = evidence.face, evidence.sound
    document |= _NO_FACE if isinstance(face, Missing) else _face(face, profile)
    document |= _NO_SOUND if isinstance(sound, Missing) else _sound(sound)
    halves: list[tuple[str, FaceTrack | SoundTrack | Missing]] = [("face", face), ("sound", sound)]
    document["age"] = _age(evidence, profile)
    document["missing"] = {name: half.reason.value for name, half in halves if isinstance(half, Missing)}
    if embeddings:
        document["face_embedding"] = None if isinstance(face, Missing) else _vector(face_embedding(face))
        document["voice_embedding"] = None if isinstance(sound, Missing) else _vector(sound.embedding)
    return document


_NO_FACE: dict[str, Any] = dict.fromkeys(("faces", "pose", "movements", "blinks", "presentation_attack"))
_NO_SOUND: dict[str, Any] = dict.fromkeys(("transcript", "speech_s"))


def _face(face: FaceTrack, profile: Profile) -> dict[str, Any]:
    turns = movements(
        face.t_s, face.pose_deg, min_deg=profile["turn_deg_min"].value, centre_deg=profile["turn_centre_deg_max"].value
    )
    return {
        "faces": {
            "frames_analysed": len(face.t_s),
            "present_ratio": round(float(np.mean(face.faces > 0)), 4),
            "max_faces": int(face.faces.max()),
        },
        "pose": [
            {"t_s": round(float(t), 3), "yaw_deg": yaw, "pitch_deg": pitch, "roll_deg": roll}
            for t, (yaw, pitch, roll) in zip(face.t_s, np.round(face.pose_deg.astype(float), 2).tolist(), strict=True)
            if np.isfinite(yaw)
        ],
        "movements": [
            {"turn": m.turn.value, **{name: round(value, 3) for name, value in asdict(m).items() if name != "turn"}}
            for m in turns
        ],
        "blinks": blinks(face.blendshapes, closed=profile["blink_closed_min"].value),
        "presentation_attack": _live(face),
        "light": {
            "luma_p50": round(float(np.nanmedian(face.luma)), 1),
            "sharpness_p50": round(float(np.nanmedian(face.sharpness)), 4),
        },
    }


def _age(evidence: Evidence, profile: Profile) -> dict[str, Any] | None:
    face = evidence.face
    if isinstance(face, Missing) or len(face.ages) == 0:
        return None
    standing = age.check(Case(evidence, Challenge(())), profile)
    return {
        "expected": round(float(np.median(face.ages.mean(axis=1))), 1),
        "by_network": dict(zip(("kit", "dlib"), np.median(face.ages, axis=0).round(1).tolist(), strict=True)),
        "frames": len(face.ages),
        "minor_safeguards": standing.outcome is not Outcome.PASS,
    }


def _live(face: FaceTrack) -> dict[str, Any] | None:
    if len(face.live) == 0:
        return None
    shares = {f"live_p{share}": round(float(np.quantile(face.live, share / 100)), 4) for share in (10, 20, 50)}
    return {**shares, "frames": len(face.live)}


def _sound(sound: SoundTrack) -> dict[str, Any]:
    return {
        "transcript": {"text": sound.text, "words": [asdict(word) for word in sound.words]},
        "speech_s": round(float((sound.speech[:, 1] - sound.speech[:, 0]).sum()) if len(sound.speech) else 0.0, 3),
    }


def _vector(embedding: np.ndarray[Any, np.dtype[np.float32]] | None) -> list[float] | None:
    return None if embedding is None or len(embedding) == 0 else [round(float(x), 6) for x in embedding]
