"""Verification rates: measure how well the kit's embeddings separate people, on recordings the caller brings.

Error rates as in ISO/IEC 19795-1: with scores where higher means more alike, the false match rate is the share of
different-person pairs at or above a threshold, the false non-match rate that of same-person pairs below it; the equal error rate
is where they meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.types import Frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cameo_verifier.models.face_embedding import FaceEmbedder
    from cameo_verifier.models.landmarks import FaceLandmarker
    from cameo_verifier.models.speaker import SpeakerEmbedder
    from cameo_verifier.models.speechbrain_ecapa import SpeechBrainEcapa
    from cameo_verifier.types import F32, F64, U8

_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class VerificationRate:
    """Equal error rate over pairs of cosine similarities, with the distribution of both kinds of pairs.

    Attributes:
        eer: equal error rate, 0..1.
        threshold: the cosine at which it lies.
        same: number of same-person pairs.
        different: number of different-person pairs.
        same_mean: mean cosine of same-person pairs.
        same_min: least cosine of same-person pairs.
        different_mean: mean cosine of different-person pairs.
        different_max: largest cosine of different-person pairs.
    """

    eer: float
    threshold: float
    same: int
    different: int
    same_mean: float
    same_min: float
    different_mean: float
    different_max: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures by name, and whether they show one person."""

    first: str
    second: str
    same: bool


def equal_error_rate(same: Sequence[float] | F64, different: Sequence[float] | F64) -> VerificationRate:
    """Return the equal error rate of similarity scores of same-person and different-person pairs.

    Every score is tried as a threshold. Where the two rates do not meet exactly, the rate is the mean of both at the
    threshold where they are closest; where several are as close, the threshold is the middle of the first and last.

    Raises:
        InvalidRequestError: one of the two kinds of pairs is missing.
    """
    match, other = np.sort(np.asarray(same, np.float64)), np.sort(np.asarray(different, np.float64))
    if not match.size or not other.size:
        raise InvalidRequestError("an equal error rate needs pairs of one person and pairs of two")
    thresholds = np.unique(np.concatenate([match, other, [other[-1] + 1e-9]]))
    false_non_match = np.searchsorted(match, thresholds, side="left") / match.size
    false_match = 1.0 - np.searchsorted(other, thresholds, side="left") / other.size
    gap = np.abs(false_match - false_non_match)
    closest = np.flatnonzero(gap <= gap.min() + 1e-12)
    at = closest[0]
    return VerificationRate(
        eer=float((false_match[at] + false_non_match[at]) / 2),
        threshold=float((thresholds[closest[0]] + thresholds[closest[-1]]) / 2),
        same=match.size,
        different=other.size,
        same_mean=float(match.mean()),
        same_min=float(match[0]),
        different_mean=float(other.mean()),
        different_max=float(other[-1]),
    )


def face_verification(
    pictures: Mapping[str, U8], pairs: Sequence[Pair], *, landmarker: FaceLandmarker, embedder: FaceEmbedder
) -> VerificationRate:
    """Measure face embeddings over `pairs` of `pictures` ((H, W, 3) uint8 RGB by name), each by its largest face.

    Raises:
        InvalidRequestError: a picture of a pair is missing or shows no face.
    """
    embeddings: dict[str, F32] = {}
    for name in dict.fromkeys(name for pair in pairs for name in (pair.first, pair.second)):
        if name not in pictures:
            raise InvalidRequestError(f"picture {name!r} of a pair is missing")
        faces = landmarker.detect(Frame(0.0, pictures[name]))
        if not faces:
            raise InvalidRequestError(f"picture {name!r} shows no face")
        embeddings[name] = embedder.embed(embedder.align(pictures[name], faces[0].landmarks))
    scores = [(float(embeddings[pair.first] @ embeddings[pair.second]), pair.same) for pair in pairs]
    return equal_error_rate([score for score, same in scores if same], [score for score, same in scores if not same])


def voice_verification(
    utterances: Iterable[tuple[str, F32]], *, embedder: SpeakerEmbedder | SpeechBrainEcapa, cut_s: float
) -> VerificationRate:
    """Measure voice embeddings over all pairs of cuts of `cut_s` seconds.

    Args:
        utterances: the speaker and (n,) float32 mono 16 kHz sound of each; cut end to end, the rest left out.
        embedder: the model to measure.
        cut_s: length of a cut in seconds.

    Raises:
        InvalidRequestError: there is no pair of one speaker or none of two.
    """
    speakers: list[str] = []
    embeddings: list[F32] = []
    for speaker, sound in utterances:
        for cut in _cuts(sound, round(cut_s * _RATE_HZ)):
            speakers.append(speaker)
            embeddings.append(embedder.embed(cut))
    if len(embeddings) < 2:
        raise InvalidRequestError(f"measuring voices needs at least two cuts of {cut_s:g} s")
    similarity = np.stack(embeddings) @ np.stack(embeddings).T
    scores = [(float(similarity[i, j]), speakers[i] == speakers[j]) for i, j in combinations(range(len(speakers)), 2)]
    return equal_error_rate([score for score, same in scores if same], [score for score, same in scores if not same])


def _cuts(sound: F32, length: int) -> Iterator[F32]:
    for start in range(0, sound.size - length + 1, length):
        yield sound[start : start + length]
