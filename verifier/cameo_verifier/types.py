"""The values that flow one way through the service: recording, evidence, check results, decision.

Arrays are C-contiguous and never written to after they were made. Times are seconds from the start of the
recording unless a name says otherwise; angles are degrees; "left" is the person's own left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cameo_verifier.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int8]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]


class Verdict(StrEnum):
    """What came of an attempt."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    RETRY = "RETRY"
    REVIEW = "REVIEW"


class Ruling(StrEnum):
    """What people decided of an attempt that was to be looked at."""

    APPROVED = "approved"
    """It counts as accepted from then on."""
    DECLINED = "declined"


class Outcome(StrEnum):
    """What one check found."""

    PASS = "pass"  # noqa: S105 - an outcome, not a secret
    FAIL = "fail"
    UNABLE = "unable"


@dataclass(frozen=True, slots=True)
class Missing:
    """Something the recording does not have, and why."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What was read of the container and measured of its streams after decoding. Zero means the stream is absent.

    video_from_s, audio_from_s: when the first picture is shown and the sound starts; video_s, audio_s: how long each lasts from
    there. sound_track: which stream of sound is judged, from 0; sound_channel: which channel of it, from 1, 0 for the mix of all.
    resized_s: when pictures of another shape begin, as of a phone that is turned. damaged_s: when a picture or a piece of sound
    did not decode or had to be concealed, but for what was cut off at the ends. broken, broken_s: the most blocks of a picture
    that damage broke, and when. lost_s: the longest time that has neither a picture nor sound.
    """

    container: str
    size_bytes: int
    sha256: str
    duration_s: float
    video_codec: str = ""
    audio_codec: str = ""
    width: int = 0
    height: int = 0
    rotation_deg: int = 0
    frames: int = 0
    fps: float = 0.0
    video_s: float = 0.0
    audio_s: float = 0.0
    sample_rate_hz: int = 0
    video_from_s: float = 0.0
    audio_from_s: float = 0.0
    sound_track: int = 0
    sound_channel: int = 0
    resized_s: tuple[float, ...] = ()
    damaged_s: tuple[float, ...] = ()
    broken: int = 0
    broken_s: float = 0.0
    lost_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One upright picture: `rgb` (height, width, 3) uint8, `t_s` its presentation time."""

    t_s: float
    rgb: U8


@dataclass(frozen=True, slots=True)
class FaceObservation:
    """One face in one picture.

    landmarks: (478, 3) float32, x and y in pixels of the picture, z in the same scale (smaller is nearer).
    blendshapes: (52,) float32 in 0..1, MediaPipe's order.
    transform: (4, 4) float32, canonical face to camera, centimetres (MediaPipe facial transformation matrix).
    """

    landmarks: F32
    blendshapes: F32
    transform: F32


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word with its times in the recording and the recogniser's probability 0..1."""

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True, slots=True)
class ScoredWord:
    """An expected word, force-aligned to the sound: when it would have been said and how likely it is there.

    log_prob: mean natural-log probability of the word's recogniser tokens under teacher forcing (0 is certain).
    gain: nats by which the sound speaks for the word: what it adds to the log probability, all tokens summed, over silence, and
    `margin`. What the language alone makes likely gains nothing: about 6 and more where the word was said, about -9 where not.
    margin: nats by which the phonemes heard there are likelier for the word than for any other that may stand in its place; 0
    where no other may, or no phoneme was heard.
    """

    text: str
    start_s: float
    end_s: float
    log_prob: float
    gain: float = 0.0
    margin: float = 0.0


def column(*shape: int, dtype: npt.DTypeLike = np.float32, needed: bool = False, absent: bool = False) -> Any:  # noqa: ANN401 - as `field`
    """Declare a column of a track, which is filled row by row.

    Args:
        shape: of a row.
        dtype: of its numbers.
        needed: tracks without it are refused; other columns are empty where an earlier version did not keep them.
        absent: it has a row for every analysed frame, of NaN where no face is seen.
    """
    metadata = {"shape": shape, "dtype": np.dtype(dtype), "absent": absent}
    return field(metadata=metadata) if needed else field(default_factory=lambda: np.zeros((0, *shape), dtype), metadata=metadata)


@dataclass(frozen=True, slots=True)
class FaceTrack:
    """What the picture yielded. Each column is declared here and nowhere else; `cameo_verifier.evidence.columns` fills them.

    Rows: N analysed frames, K embedded, M scored for presentation attack, C of these in a closer crop, G searched for a grid,
    A with an age, V near-frontal, B searched for a border, Q pairs of frames.
    """

    t_s: F64 = column(dtype=np.float64, needed=True)
    """(N,) when each frame is shown."""
    faces: I32 = column(dtype=np.int32, needed=True)
    """(N,) faces seen."""
    landmarks: F32 = column(478, 3, needed=True, absent=True)
    """(N, 478, 3) px."""
    pose_deg: F32 = column(3, needed=True, absent=True)
    """(N, 3) yaw, pitch, roll; yaw > 0 is the person's left, pitch > 0 is up, roll > 0 leans towards their left shoulder."""
    blendshapes: F32 = column(52, needed=True, absent=True)
    """(N, 52) 0..1, MediaPipe's order."""
    face_px: F32 = column(needed=True, absent=True)
    """(N,) inter-cheek width in pixels."""
    luma: F32 = column(needed=True, absent=True)
    """(N,) mean 0..255 of the aligned face."""
    sharpness: F32 = column(needed=True, absent=True)
    """(N,) of the aligned face, as a share of its luma."""
    eye_white: F32 = column(needed=True, absent=True)
    """(N,) luma 0..255 of the white of the brighter eye, NaN where none is seen, see `cameo_verifier.evidence.light`."""
    identity_t_s: F64 = column(dtype=np.float64, needed=True)
    """(K,) when."""
    identity_yaw_deg: F32 = column(needed=True)
    """(K,) yaw."""
    embeddings: F32 = column(512, needed=True)
    """(K, 512) unit length."""
    live_t_s: F64 = column(dtype=np.float64, needed=True)
    """(M,) when."""
    live: F32 = column(needed=True)
    """(M,) probability of a live face."""
    ages: F32 = column(2, needed=True)
    """(A, 2) expected years by the kit's network and by dlib's."""
    turn_rows: I32 = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    """(Q, 2) rows of two frames with the head turned a little between them."""
    turn_points: F32 = field(default_factory=lambda: np.zeros((0, 0, 2), np.float32))
    """(Q, P, 2) px of the later one where what was at the landmarks `evidence.relief.SKIN` of the earlier one has gone,
    NaN where it was lost."""
    live_close: F32 = column(2)
    """(C, 2) probability of a live face in a closer crop and in its mirror image."""
    grid: F32 = column()
    """(G,) deviations by which a periodic pattern stands out of face and surroundings, each frame together with those before it,
    NaN where either is too small, see `cameo_verifier.evidence.moire`."""
    bend_db: float = float("nan")
    """How the spectrum of the pictures bends, see `cameo_verifier.evidence.enlarging`."""
    eyes: F32 = column(3)
    """(V, 3) how the eyes stand out of the skin, see `cameo_verifier.evidence.covered.look`."""
    mouth: F32 = column(5)
    """(V, 5) the same of the mouth."""
    face_share: F32 = column(absent=True)
    """(N,) inter-cheek width as a share of the longer side of the picture."""
    small_share: F32 = field(default_factory=lambda: np.zeros(0, np.float32))
    """(S,) the same of faces that only a second look into parts of pictures found, see `cameo_verifier.evidence.second_look`."""
    bezel: F32 = column()
    """(B,) how much of a border that stands around the face is there, 0..1, see `cameo_verifier.evidence.bezel`."""
    grid_t_s: F64 = column(dtype=np.float64)
    """(G,) when; for people to look at, like all that follows, and empty in tracks that were kept before it was."""
    grid_spectrum: F32 = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """(64, 33) what the last of the grid came of, by frequency, see `cameo_verifier.evidence.moire.GridSearch`."""
    bezel_t_s: F64 = column(dtype=np.float64)
    """(B,) when."""
    bezel_px: F32 = column(4, 2)
    """(B, 4, 2) corners of the border, NaN without one."""


@dataclass(frozen=True, slots=True)
class PictureTrace:
    """How N pictures, analysed or not, differ from one another; no picture is kept.

    t_s (N,); change (N,): RMS difference of luma from the picture before, in levels 0..255 of an area-averaged thumbnail, the
    first one 0; contrast: standard deviation of the thumbnails' luma, in levels.
    repeat: the least likeness distance of two stretches that move, see `evidence.continuity`: 1 and more where moments
    differ as live ones do, 0 where one stretch is the other again; infinite where nothing could be compared. repeat_s: where the
    two begin. reversal, reversal_s: the same for a stretch against one that runs backwards.
    flicker: depth of bands that roll through the picture, as a share of the light.
    cut, cut_s, cut_step_s: how far the sharpest change of the whole picture stands out of those around it, when it is, and how
    far pictures are apart there, see `cameo_verifier.evidence.cuts`.
    """

    t_s: F64
    change: F32
    contrast: float
    repeat: float = float("inf")
    repeat_s: tuple[float, float] = (0.0, 0.0)
    reversal: float = float("inf")
    reversal_s: tuple[float, float] = (0.0, 0.0)
    flicker: float = 0.0
    cut: float = 0.0
    cut_s: float = 0.0
    cut_step_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """What the sound yielded.

    level_dbfs: RMS of the speech; noise_dbfs: RMS of the rest; peak_dbfs. speech: (S, 2) seconds, from voice activity, without
    others (O, 2), seconds in which somebody in the background speaks, see `cameo_verifier.evidence.background`.
    window_s (W, 2) and window_embeddings (W, D), unit length, over the speech; embedding (D,) of all of it. D is the speaker
    network's: 512 for the kit's.
    forced: the challenge's words, force-aligned to the sound, empty without a challenge. group_s (G, 2) and
    group_embeddings (G, D), unit length: the same of groups of those words, see `cameo_verifier.evidence.voices`.
    synthetic (V,): probability of a synthetic voice, window by window, from the detector the site names; empty without one.
    mark: how sure the kit's network is that the speech carries Perth's audio mark, 0..1; NaN without speech.
    lips (L, 4): what the sound says the lips do, 50 rows a second, see `cameo_verifier.evidence.visemes`; empty without speech.
    levels_dbfs (B,): RMS of every 30 ms, for people to look at.
    stops_s (E,): when the sound stops at once, see `cameo_verifier.evidence.sound_cuts`.
    """

    duration_s: float
    level_dbfs: float
    noise_dbfs: float
    peak_dbfs: float
    speech: F64
    text: str
    words: tuple[Word, ...]
    forced: tuple[ScoredWord, ...]
    window_s: F64
    window_embeddings: F32
    embedding: F32
    group_s: F64 = field(default_factory=lambda: np.zeros((0, 2)))
    group_embeddings: F32 = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    synthetic: F32 = field(default_factory=lambda: np.zeros(0, np.float32))
    lips: F32 = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    levels_dbfs: F32 = field(default_factory=lambda: np.zeros(0, np.float32))
    stops_s: F64 = field(default_factory=lambda: np.zeros(0))
    others: F64 = field(default_factory=lambda: np.zeros((0, 2)))
    mark: float = float("nan")

    @property
    def others_s(self) -> float:
        """How long others speak in the background, in seconds."""
        return float((self.others[:, 1] - self.others[:, 0]).sum())

    @property
    def speech_to_noise_db(self) -> float:
        """Level of the speech above the noise, in dB."""
        return self.level_dbfs - self.noise_dbfs


@dataclass(frozen=True, slots=True)
class SoundRepeat:
    """The piece of sound that comes again most exactly: normalised correlation 0..1, and when it is heard first and again."""

    correlation: float = 0.0
    first_s: float = 0.0
    again_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a recording is recognised by when it is sent again, see `evidence.fingerprint`; no face and no voice is.

    motion (T, 6) and sound (S, 10) int8, 16 rows a second; no rows where there is nothing to recognise.
    words (W,): a hash of each word that was asked, in order, by which two answers are told to have the same words.
    """

    motion: I8 = field(default_factory=lambda: np.zeros((0, 6), np.int8))
    sound: I8 = field(default_factory=lambda: np.zeros((0, 10), np.int8))
    words: U32 = field(default_factory=lambda: np.zeros(0, np.uint32))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one pass over a recording yields."""

    media: MediaInfo
    face: FaceTrack | Missing
    sound: SoundTrack | Missing
    picture: PictureTrace | Missing = Missing(Reason.NO_VIDEO)
    repeat: SoundRepeat | Missing = Missing(Reason.NO_AUDIO)
    fingerprint: Fingerprint = field(default_factory=Fingerprint)


class Direction(StrEnum):
    """Which side of a threshold is good."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The answer to one question put to the evidence.

    score and threshold are in `unit`; `direction` says which side passes; `detail` is for analysts and holds no biometric data.
    """

    name: str
    outcome: Outcome
    score: float | None = None
    unit: str = ""
    threshold: float | None = None
    direction: Direction | None = None
    reason: Reason | None = None
    detail: str = ""

    @classmethod
    def unable(cls, name: str, reason: Reason, detail: str = "") -> CheckResult:
        """Return the result of a check that could not run, and why."""
        return cls(name=name, outcome=Outcome.UNABLE, reason=reason, detail=detail)


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with the reasons that explain it, worst first; empty only when accepted."""

    verdict: Verdict
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A kept face, by its number, and its cosine with the one asked for."""

    number: int
    cosine: float


@dataclass(frozen=True, slots=True)
class Recalled:
    """The most alike of earlier recordings: likeness 0..1 by movement and by sound, and whose; no id without any.

    By sound only the `same_words` of them are looked at in which the same words were said. compared: those compared with it
    exactly, chosen from all that are kept: `kept`. unreadable: how many of these could not be decoded, and were passed over.
    """

    motion: float = 0.0
    motion_attempt: str = ""
    sound: float = 0.0
    sound_attempt: str = ""
    compared: int = 0
    kept: int = 0
    same_words: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class GalleryAnswer:
    """Whom the gallery found most alike, where it found anybody; it looked at every face with a cosine from `floor` up."""

    floor: float
    protected: Match | None = None
    enrolled: Match | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the answers depended on besides the recording, the challenge and the profile, so that they can be given again.

    received_at: when the whole recording was there, None where nobody asked. limits: the site's, by name, empty for today's.
    synthetic_voice: the site has a detector. recalled: what earlier recordings were most alike, None where nobody asked.
    has_gallery: faces are compared with a gallery; gallery: its answer, None where it was not asked.
    """

    received_at: datetime | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    synthetic_voice: bool = False
    recalled: Recalled | None = None
    has_gallery: bool = False
    gallery: GalleryAnswer | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything one verification produced.

    profile: name of the one it was judged by. minor_safeguards: the person may be a minor, or it could not be told. kept: what of
    the recording may be kept as evidence, see `media.remux`; empty where that is nothing, or nobody keeps any. crops: of
    what would be accepted, pictures of the face, see `cameo_verifier.evidence.crops`; empty where nobody keeps any.
    """

    decision: Decision
    checks: tuple[CheckResult, ...]
    evidence: Evidence
    profile: str
    minor_safeguards: bool
    digests: Mapping[str, str] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    circumstances: Circumstances = field(default_factory=Circumstances)
    kept: bytes = field(default=b"", repr=False)
    crops: bytes = field(default=b"", repr=False)
