"""Values: the frozen records that pass one way through the service: recording, evidence, check results, decision.

Arrays are C-contiguous and never written to after construction. Times are seconds from the start of the recording unless a name
says otherwise; angles are degrees; "left" is the person's own left.
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

    from cameo_credential.media_items import MediaItem
    from cameo_verifier.live_record import LiveRecord

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int8]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]


class Verdict(StrEnum):
    """The result of an attempt."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    RETRY = "RETRY"
    REVIEW = "REVIEW"


class Ruling(StrEnum):
    """The decision of reviewers on an attempt."""

    APPROVED = "approved"
    """It counts as accepted from then on."""
    DECLINED = "declined"


class Outcome(StrEnum):
    """The outcome of one check."""

    PASS = "pass"  # noqa: S105 - an outcome, not a secret
    FAIL = "fail"
    UNABLE = "unable"


@dataclass(frozen=True, slots=True)
class Missing:
    """Evidence that a recording does not have, with the reason."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """Container metadata as read, and measurements of the streams after decoding. Zero means the stream is absent.

    Attributes:
        container: common name of the container.
        size_bytes: size of the file.
        sha256: digest of the file, 64 hex digits.
        duration_s: end of picture and sound, from the start of the recording.
        video_codec: FFmpeg's name of the picture's codec.
        audio_codec: FFmpeg's name of the sound's codec.
        width: width as stored, px.
        height: height as stored, px.
        rotation_deg: clockwise rotation that makes the pictures upright.
        frames: number of decoded pictures.
        fps: pictures a second, from the median interval.
        video_s: duration of the pictures from `video_from_s`.
        audio_s: duration of the sound from `audio_from_s`.
        sample_rate_hz: sample rate of the sound as stored.
        video_from_s: presentation time of the first picture.
        audio_from_s: start of the sound.
        sound_track: index of the judged sound stream, from 0.
        sound_channel: the judged channel of it, from 1; 0 for the mix of all.
        resized_s: times at which the aspect ratio changes, as of a phone that is turned.
        damaged_s: times of decoding failures and concealed errors in picture or sound, except truncation at the ends.
        broken: the most broken blocks in a picture, caused by damage.
        broken_s: the time of that picture.
        lost_s: the longest time without picture and sound.
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
    """One detected face in one picture.

    landmarks: (478, 3) float32, x and y in pixels of the picture, z in the same scale (smaller is nearer). blendshapes: (52,)
    float32 in 0..1, MediaPipe's order. transform: (4, 4) float32, canonical face to camera, centimetres (MediaPipe facial
    transformation matrix).
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
    """An expected word, force-aligned to the sound.

    Attributes:
        text: the word as it was aligned.
        start_s: its start in the recording, or that of a hesitation before it.
        end_s: its end.
        log_prob: mean natural-log probability of its recogniser tokens under teacher forcing (0 is certain).
        gain: nats of evidence of the sound for the word: the gain in log probability over silence, all tokens summed, plus
            `margin`. A word that the language alone makes likely gains nothing: about 6 and more where the word was said, about
            -9 where not.
        margin: nats by which the recognised phonemes are likelier for the word than for any other that may be in its place; 0
            without any other, or without a phoneme.
        onset_s: where its first phoneme begins, by the recognised phonemes; None without them.
    """

    text: str
    start_s: float
    end_s: float
    log_prob: float
    gain: float = 0.0
    margin: float = 0.0
    onset_s: float | None = None


def column(*shape: int, dtype: npt.DTypeLike = np.float32, needed: bool = False, absent: bool = False) -> Any:  # noqa: ANN401 - as `field`
    """Declare a column of a track, which is filled row by row.

    Args:
        shape: of a row.
        dtype: of its numbers.
        needed: tracks without it are refused; other columns are empty in tracks of an earlier version without them.
        absent: it has a row for every analysed frame, of NaN where no face is detected.
    """
    metadata = {"shape": shape, "dtype": np.dtype(dtype), "absent": absent}
    return field(metadata=metadata) if needed else field(default_factory=lambda: np.zeros((0, *shape), dtype), metadata=metadata)


@dataclass(frozen=True, slots=True)
class FaceTrack:
    """Evidence of the picture. Each column is declared here and nowhere else; `cameo_verifier.evidence.columns` fills them.

    Rows: N analysed frames, K embedded, M scored for presentation attack, C of these in a closer crop, G searched for a grid, A
    with an age, V near-frontal, B searched for a border, Q pairs of frames, L with a face while a display showed colours.

    Attributes:
        t_s: (N,) presentation time of each frame.
        faces: (N,) number of detected faces.
        landmarks: (N, 478, 3) px.
        pose_deg: (N, 3) yaw, pitch, roll; yaw > 0 is the person's left, pitch > 0 is up, roll > 0 leans towards their left
            shoulder.
        blendshapes: (N, 52) 0..1, MediaPipe's order.
        face_px: (N,) inter-cheek width in pixels.
        luma: (N,) mean 0..255 of the aligned face.
        sharpness: (N,) of the aligned face, as a share of its luma.
        eye_white: (N,) luma 0..255 of the sclera of the brighter eye, NaN where none is visible, see `evidence.light`.
        identity_t_s: (K,) times.
        identity_yaw_deg: (K,) yaw.
        embeddings: (K, 512) unit length.
        live_t_s: (M,) times.
        live: (M,) probability of a live face.
        ages: (A, 2) expected years by the kit's network and by dlib's.
        turn_rows: (Q, 2) rows of two frames with the head at slightly different angles.
        turn_points: (Q, P, 2) px in the later one of the texture at the landmarks `evidence.relief.SKIN` of the earlier
            one, NaN where tracking lost it.
        live_close: (C, 2) probability of a live face in a closer crop and in its mirror image.
        grid: (G,) prominence in deviations of a periodic pattern of face and surroundings, each frame together with those before
            it, NaN where either is too small, see `cameo_verifier.evidence.moire`.
        bend_db: bend of the spectrum of the pictures, see `cameo_verifier.evidence.upscaling`.
        eyes: (V, 3) contrast of the eyes to the skin, see `cameo_verifier.evidence.covered.look`.
        mouth: (V, 5) the same of the mouth.
        face_share: (N,) inter-cheek width as a share of the longer side of the picture.
        small_share: (S,) the same of faces that only small-face detection found, see `cameo_verifier.evidence.second_look`.
        bezel: (B,) coverage 0..1 of a border around the face, see `cameo_verifier.evidence.bezel`.
        grid_t_s: (G,) times; this and all that follow are for display to people, and empty in tracks of versions without them.
        grid_spectrum: (64, 33) the spectrum behind the last of `grid`, by frequency, see `evidence.moire.GridSearch`.
        bezel_t_s: (B,) times.
        bezel_px: (B, 4, 2) corners of the border, NaN without one.
        lit_t_s: (L,) times; no rows where the display showed no colours.
        lit: (L, P, 3) linear colours of places of skin and background, see `cameo_verifier.evidence.screen_light`.
    """

    t_s: F64 = column(dtype=np.float64, needed=True)
    faces: I32 = column(dtype=np.int32, needed=True)
    landmarks: F32 = column(478, 3, needed=True, absent=True)
    pose_deg: F32 = column(3, needed=True, absent=True)
    blendshapes: F32 = column(52, needed=True, absent=True)
    face_px: F32 = column(needed=True, absent=True)
    luma: F32 = column(needed=True, absent=True)
    sharpness: F32 = column(needed=True, absent=True)
    eye_white: F32 = column(needed=True, absent=True)
    identity_t_s: F64 = column(dtype=np.float64, needed=True)
    identity_yaw_deg: F32 = column(needed=True)
    embeddings: F32 = column(512, needed=True)
    live_t_s: F64 = column(dtype=np.float64, needed=True)
    live: F32 = column(needed=True)
    ages: F32 = column(2, needed=True)
    turn_rows: I32 = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    turn_points: F32 = field(default_factory=lambda: np.zeros((0, 0, 2), np.float32))
    live_close: F32 = column(2)
    grid: F32 = column()
    bend_db: float = float("nan")
    eyes: F32 = column(3)
    mouth: F32 = column(5)
    face_share: F32 = column(absent=True)
    small_share: F32 = field(default_factory=lambda: np.zeros(0, np.float32))
    bezel: F32 = column()
    grid_t_s: F64 = column(dtype=np.float64)
    grid_spectrum: F32 = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    bezel_t_s: F64 = column(dtype=np.float64)
    bezel_px: F32 = column(4, 2)
    lit_t_s: F64 = column(dtype=np.float64)
    lit: F32 = column(172, 3)


@dataclass(frozen=True, slots=True)
class PictureTrace:
    """Differences between N pictures, analysed or not; no picture is kept.

    Attributes:
        t_s: (N,) presentation times.
        change: (N,) RMS difference of luma from the picture before, in levels 0..255 of an area-averaged thumbnail, the first one
            0.
        contrast: standard deviation of the thumbnails' luma, in levels.
        repeat: least normalised distance of two moving stretches, see `evidence.continuity`: 1 and more where moments
            differ as live ones do, 0 where one stretch is a copy of the other; infinite where nothing could be compared.
        repeat_s: where the two begin.
        reversal: the same for a stretch and a time-reversed one.
        reversal_s: where these two begin.
        flicker: depth of bands that roll through the picture, as a share of the light.
        cut: prominence of the sharpest change of the whole picture over those around it, see `cameo_verifier.evidence.cuts`.
        cut_s: its time.
        cut_step_s: the interval of the two pictures there.
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
    """Evidence of the sound.

    Attributes:
        duration_s: length of the sound.
        level_dbfs: RMS of the speech.
        noise_dbfs: RMS of the rest.
        peak_dbfs: largest magnitude.
        speech: (S, 2) seconds, from voice activity, without `others`.
        text: the free transcription.
        words: its words with times.
        forced: the challenge's words, force-aligned to the sound, empty without a challenge.
        window_s: (W, 2) windows over the speech.
        window_embeddings: (W, D) unit length. D is the speaker network's: 512 for the kit's.
        embedding: (D,) of all of the speech.
        group_s: (G, 2) groups of words of the challenge, see `cameo_verifier.evidence.voices`.
        group_embeddings: (G, D) unit length.
        synthetic: (V,) probability of a synthetic voice, window by window, from the detector the site names; empty without one.
        lips: (L, 4) lip features predicted from the sound, 50 rows a second, see `cameo_verifier.evidence.visemes`; empty without
            speech.
        levels_dbfs: (B,) RMS of every 30 ms, for display to people.
        stops_s: (E,) times of abrupt endings, see `cameo_verifier.evidence.sound_cuts`.
        others: (O, 2) seconds of background speech, see `cameo_verifier.evidence.background`.
        mark: probability that the speech carries Perth's audio mark, 0..1; NaN without speech.
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
        """Duration of background speech, in seconds."""
        return float((self.others[:, 1] - self.others[:, 0]).sum())

    @property
    def speech_to_noise_db(self) -> float:
        """Level of the speech above the noise, in dB."""
        return self.level_dbfs - self.noise_dbfs


@dataclass(frozen=True, slots=True)
class SoundRepeat:
    """The sound segment that recurs most exactly: normalised correlation 0..1, and the times of both occurrences."""

    correlation: float = 0.0
    first_s: float = 0.0
    again_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Features that recognise a recording when it is sent again, see `cameo_verifier.evidence.fingerprint`; no face, no voice.

    motion (T, 6) and sound (S, 10) int8, 16 rows a second; no rows where there is no content. words (W,): a hash of each
    requested word, in order, which tells whether two answers have the same words.
    """

    motion: I8 = field(default_factory=lambda: np.zeros((0, 6), np.int8))
    sound: I8 = field(default_factory=lambda: np.zeros((0, 10), np.int8))
    words: U32 = field(default_factory=lambda: np.zeros(0, np.uint32))


@dataclass(frozen=True, slots=True)
class Evidence:
    """All evidence of one pass over a recording."""

    media: MediaInfo
    face: FaceTrack | Missing
    sound: SoundTrack | Missing
    picture: PictureTrace | Missing = Missing(Reason.NO_VIDEO)
    repeat: SoundRepeat | Missing = Missing(Reason.NO_AUDIO)
    fingerprint: Fingerprint = field(default_factory=Fingerprint)


class Direction(StrEnum):
    """The passing side of a threshold."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check.

    Attributes:
        name: the check.
        outcome: whether it passed, failed or could not run.
        score: the measured value, in `unit`.
        unit: unit of score and threshold.
        threshold: the limit, in `unit`.
        direction: which side passes.
        reason: why it did not pass.
        detail: for analysts; holds no biometric data.
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
        """Return the result of a check that could not run, with the reason."""
        return cls(name=name, outcome=Outcome.UNABLE, reason=reason, detail=detail)


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with the reasons that explain it, worst first; empty only when accepted."""

    verdict: Verdict
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A stored face, by its number, and its cosine to the probe."""

    number: int
    cosine: float


@dataclass(frozen=True, slots=True)
class Recalled:
    """The most similar of earlier recordings, with similarities 0..1.

    Attributes:
        motion: highest similarity of motion.
        motion_attempt: the attempt it belongs to; empty without any.
        sound: highest similarity of sound, among those with the same words.
        sound_attempt: the attempt it belongs to; empty without any.
        compared: number of recordings compared exactly, a shortlist of `kept`.
        kept: number of stored recordings.
        same_words: number of recordings in which the same words were said.
        unreadable: number of stored fingerprints that could not be decoded, and were skipped.
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
    """The nearest faces of the gallery, None without any; every face with a cosine from `floor` up was compared."""

    floor: float
    protected: Match | None = None
    enrolled: Match | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Inputs of the checks besides recording, challenge and profile, recorded so that results can be reproduced.

    Attributes:
        received_at: time of receipt of the whole recording, None where it is unknown.
        limits: the site's, by name, empty for today's.
        synthetic_voice: the site has a detector.
        recalled: the most similar earlier recordings, None where none were compared.
        has_gallery: faces are compared with a gallery.
        gallery: its answer, None where it was not searched.
        live: when each prompt was revealed, None for a recording that was uploaded whole.
    """

    received_at: datetime | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    synthetic_voice: bool = False
    recalled: Recalled | None = None
    has_gallery: bool = False
    gallery: GalleryAnswer | None = None
    live: LiveRecord | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The complete result of one verification.

    Attributes:
        decision: verdict and reasons.
        checks: result of every check that was run.
        evidence: what they were run on.
        profile: name of the profile in use.
        minor_safeguards: the person may be a minor, or the age is inconclusive.
        digests: SHA-256 of everything the result depends on, by name.
        timings_ms: milliseconds by stage.
        circumstances: the inputs besides the recording.
        kept: the part of the recording that may be kept as evidence, see `media.remux`; empty where there is none, or
            evidence is not kept.
        crops: of an acceptable recording, pictures of the face, see `evidence.crops`; empty where evidence is not kept.
        likeness_media: of an acceptable recording, the pictures and the sound for a likeness, see `evidence.likeness_media`.
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
    likeness_media: tuple[MediaItem, ...] = ()
