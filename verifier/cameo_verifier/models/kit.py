"""Model kit: opens one adapter per task, each once, on first use."""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections import defaultdict
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from cameo_challenges.languages import DEFAULT
from cameo_verifier.errors import ModelKitError
from cameo_verifier.models import index, manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cameo_verifier.models.age import AgeEstimator
    from cameo_verifier.models.audio_mark import AudioMarkDetector
    from cameo_verifier.models.dlib_age import DlibAgeEstimator
    from cameo_verifier.models.face_embedding import FaceEmbedder
    from cameo_verifier.models.landmarks import FaceLandmarker
    from cameo_verifier.models.phonemes import PhonemeRecogniser
    from cameo_verifier.models.presentation_attack import PresentationAttackScorer
    from cameo_verifier.models.second_opinion import SecondOpinion
    from cameo_verifier.models.speaker import SpeakerEmbedder
    from cameo_verifier.models.speechbrain_ecapa import SpeechBrainEcapa
    from cameo_verifier.models.synthetic_voice import SyntheticVoiceScorer
    from cameo_verifier.models.transcription import Transcriber
    from cameo_verifier.models.voice_activity import VoiceActivity
    from cameo_verifier.settings import Settings

KIT_SPEAKER = "kit"
SPEECHBRAIN = "speechbrain:"
SYNTHETIC_VOICE = "synthetic-voice"
PAD_SECOND = "presentation-attack-second"

_Adapter = TypeVar("_Adapter", bound=AbstractContextManager[Any])


_RECOGNISER, _PACK_RECOGNISER = "transcription", "transcription-multilingual"
"""The models that recognise speech: of the default language, and of those that have a pack."""


class ModelKit:
    """A kit that opens the models of `settings`, checks each file's digest once per process before first use, and closes them.

    Opening the kit reads no model but those of the setting `pad_second`, which it tries. Every property raises `ModelKitError`
    where its file is missing or altered; the message names the file and the command that repairs it. It is thread-safe, as the
    adapters' runtimes are; a landmarker is lent to one caller at a time.
    """

    def __init__(self, settings: Settings, contents: manifest.Manifest) -> None:
        self._settings = settings
        self._manifest = contents
        self._kit = index.Kit(settings.models)
        self._lock = threading.RLock()
        self._opened: dict[str, AbstractContextManager[Any]] = {}
        self._idle: defaultdict[tuple[int, bool], list[FaceLandmarker]] = defaultdict(list)
        self._closed = False
        # MediaPipe's own destructor fails during interpreter shutdown: this runs before.
        weakref.finalize(self, _close, self._idle)
        self._verified: set[str] = set()
        self._digests: Mapping[str, str] | None = None
        self._stack = ExitStack()

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return the kit of a site.

        Raises:
            ModelKitError: the site does not allow the licence of a model, names a speaker backend or face file that does not
                exist, or a second opinion on presentation attacks that cannot be used.
        """
        contents = manifest.load()
        contents.require_allowed(settings.licences)
        if settings.speaker != KIT_SPEAKER and not settings.speaker.startswith(SPEECHBRAIN):
            raise ModelKitError(f"speaker backend {settings.speaker!r} is unknown: it is `kit` or `speechbrain:/folder`")
        if settings.speaker != KIT_SPEAKER and not Path(settings.speaker.removeprefix(SPEECHBRAIN)).is_dir():
            raise ModelKitError(f"speaker backend {settings.speaker!r}: there is no such folder")
        if settings.face_pack is not None and not settings.face_pack.is_file():
            raise ModelKitError(
                f"face_pack {settings.face_pack} is missing: give the path of an ONNX recognition file or unset it"
            )
        detector = settings.synthetic_voice
        if detector.file is not None and (not detector.file.is_file() or index.sha256(detector.file) != detector.sha256.lower()):
            asked = detector.sha256 or "none given"
            raise ModelKitError(f"synthetic_voice {detector.file} is missing, or is not the file of this sha256: {asked}")
        kit = cls(settings, contents)
        _ = kit.pad_second
        return kit

    def __enter__(self) -> Self:
        """Return the kit itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Close every open adapter; a landmarker on loan is closed when it is returned."""
        with self._lock:
            self._closed = True
            _close(self._idle)
            self._opened.clear()
            self._stack.close()

    def preload(self) -> None:
        """Open every adapter now, so that the first recording does not wait for one.

        Raises:
            ModelKitError: a file is missing or altered; the message names it and the command that repairs it.
        """
        from cameo_verifier.models.landmarks import MAX_FACES  # noqa: PLC0415 - as below

        with self.landmarker(max_faces=MAX_FACES, video=True):
            pass
        for task in (
            "face_embedder",
            "presentation_attack",
            "age",
            "dlib_age",
            "transcriber",
            "voice_activity",
            "speaker",
            "phonemes",
            "audio_mark",
            "synthetic_voice",
        ):
            getattr(self, task)

    @property
    def digests(self) -> Mapping[str, str]:
        """Model id to the SHA-256 of the file in use (64 hex digits).

        A folder has that of its files' sorted digests, the second opinion on presentation attacks that of its manifest. A
        model of a language pack is listed where it is installed.
        """
        with self._lock:
            if self._digests is None:
                self._digests = MappingProxyType(self._compute_digests())
            return self._digests

    @contextmanager
    def landmarker(self, *, max_faces: int, video: bool) -> Iterator[FaceLandmarker]:
        """Lend a landmarker without tracking state, for one recording or any number of pictures.

        A returned landmarker is lent again: opening one for each recording costs time, and its results are the same to the bit.
        One whose user failed is not lent again.
        """
        from cameo_verifier.models.landmarks import FaceLandmarker  # noqa: PLC0415 - as every adapter here: its runtime loads on use

        with self._lock:
            idle = self._idle[max_faces, video]
            lent = idle.pop() if idle else FaceLandmarker(self._path("face-landmarker"), max_faces=max_faces, video=video)
        try:
            yield lent
            forgotten = lent.forget()
        except BaseException:
            lent.close()
            raise
        with self._lock:
            if forgotten and not self._closed:
                idle.append(lent)
            else:
                lent.close()

    @property
    def face_embedder(self) -> FaceEmbedder:
        """The face embedder: the kit's, or that of the setting `face_pack`."""
        from cameo_verifier.models.face_embedding import FaceEmbedder  # noqa: PLC0415

        return self._once(
            "face-embedding",
            lambda: FaceEmbedder(self._settings.face_pack or self._path("face-embedding"), threads=self._settings.threads),
        )

    @property
    def presentation_attack(self) -> PresentationAttackScorer:
        """The passive presentation-attack scorer; with the second opinion where the site has one."""
        from cameo_verifier.models.presentation_attack import PresentationAttackScorer  # noqa: PLC0415

        if (second := self.pad_second) is not None:
            from cameo_verifier.models.second_opinion import SecondedScorer  # noqa: PLC0415

            return self._once(
                "presentation-attack",
                lambda: SecondedScorer(self._path("presentation-attack"), second=second, threads=self._settings.threads),
            )
        return self._once(
            "presentation-attack",
            lambda: PresentationAttackScorer(self._path("presentation-attack"), threads=self._settings.threads),
        )

    @property
    def pad_second(self) -> SecondOpinion | None:
        """The second opinion on presentation attacks; None where the site brings none, since the kit has none."""
        if (folder := self._settings.pad_second) is None:
            return None
        from cameo_verifier.models.second_opinion import SecondOpinion  # noqa: PLC0415

        return self._once(PAD_SECOND, lambda: SecondOpinion(folder, threads=self._settings.threads))

    @property
    def age(self) -> AgeEstimator:
        """The estimator of apparent age."""
        from cameo_verifier.models.age import AgeEstimator  # noqa: PLC0415

        return self._once("age", lambda: AgeEstimator(self._path("age"), threads=self._settings.threads))

    @property
    def dlib_age(self) -> DlibAgeEstimator:
        """The second estimator of apparent age."""
        from cameo_verifier.models.dlib_age import DlibAgeEstimator  # noqa: PLC0415

        return self._once("age-dlib", lambda: DlibAgeEstimator(self._path("age-dlib"), threads=self._settings.threads))

    @property
    def transcriber(self) -> Transcriber:
        """The speech recogniser of the default language."""
        return self.recogniser(DEFAULT)

    def recogniser(self, language: str) -> Transcriber:
        """Return the speech recogniser of a language, by its tag.

        Raises:
            ModelKitError: the language has no pack, or its pack is not installed; the message has the command that installs it.
        """
        from cameo_verifier.models.transcription import Transcriber  # noqa: PLC0415

        threads = self._settings.threads
        if language == DEFAULT:
            return self._once(_RECOGNISER, lambda: Transcriber(self._path(_RECOGNISER), threads=threads))
        self._manifest.kit([language])
        return self._once(
            f"{_PACK_RECOGNISER}:{language}",
            lambda: Transcriber(self._path(_PACK_RECOGNISER), threads=threads, language=language),
        )

    @property
    def phonemes(self) -> PhonemeRecogniser:
        """The phoneme recogniser."""
        from cameo_verifier.models.phonemes import PhonemeRecogniser  # noqa: PLC0415

        return self._once("phonemes", lambda: PhonemeRecogniser(self._path("phonemes"), threads=self._settings.threads))

    @property
    def voice_activity(self) -> VoiceActivity:
        """The voice activity detector."""
        from cameo_verifier.models.voice_activity import VoiceActivity  # noqa: PLC0415

        self._path("voice-activity")
        return self._once("voice-activity", lambda: VoiceActivity(threads=self._settings.threads))

    @property
    def speaker(self) -> SpeakerEmbedder | SpeechBrainEcapa:
        """The speaker embedder: the kit's, or SpeechBrain's ECAPA-TDNN from the folder the setting `speaker` names."""
        if self._settings.speaker != KIT_SPEAKER:
            from cameo_verifier.models import speechbrain_ecapa  # noqa: PLC0415 - needs the extra [speechbrain]

            return self._once(
                "speaker-embedding", lambda: speechbrain_ecapa.load(self._speechbrain_folder, threads=self._settings.threads)
            )
        from cameo_verifier.models.speaker import SpeakerEmbedder  # noqa: PLC0415

        return self._once(
            "speaker-embedding", lambda: SpeakerEmbedder(self._path("speaker-embedding"), threads=self._settings.threads)
        )

    @property
    def audio_mark(self) -> AudioMarkDetector:
        """The detector of Perth's audio mark."""
        from cameo_verifier.models.audio_mark import AudioMarkDetector  # noqa: PLC0415

        return self._once("audio-mark", lambda: AudioMarkDetector(self._path("audio-mark"), threads=self._settings.threads))

    @property
    def synthetic_voice(self) -> SyntheticVoiceScorer | None:
        """The site's own detector of synthetic voices; None where it names none, since the kit has none."""
        if self._settings.synthetic_voice.file is None:
            return None
        from cameo_verifier.models.synthetic_voice import SyntheticVoiceScorer  # noqa: PLC0415

        return self._once(
            SYNTHETIC_VOICE, lambda: SyntheticVoiceScorer(self._settings.synthetic_voice, threads=self._settings.threads)
        )

    def _compute_digests(self) -> dict[str, str]:
        digests = {
            model.id: self._kit.digest(model)
            for model in self._manifest.models.values()
            if not model.languages or self._kit.path(model).exists()
        }
        if self._settings.face_pack is not None:
            digests["face-embedding"] = index.sha256(self._settings.face_pack)
        if self._settings.speaker != KIT_SPEAKER:
            files = [path for path in self._speechbrain_folder.iterdir() if path.is_file()]
            digests["speaker-embedding"] = hashlib.sha256("\n".join(sorted(map(index.sha256, files))).encode()).hexdigest()
        if (second := self.pad_second) is not None:
            digests[PAD_SECOND] = second.digest
        if self._settings.synthetic_voice.file is not None:
            digests[SYNTHETIC_VOICE] = self._settings.synthetic_voice.sha256.lower()
        return digests

    @property
    def _speechbrain_folder(self) -> Path:
        return Path(self._settings.speaker.removeprefix(SPEECHBRAIN))

    def _path(self, model_id: str) -> Path:
        """Return the model's file after checking its digest, which happens once."""
        model = self._manifest[model_id]
        with self._lock:
            if model_id not in self._verified:
                self._kit.verify(model)
                self._verified.add(model_id)
        return self._kit.path(model)

    def _once(self, model_id: str, make: Callable[[], _Adapter]) -> _Adapter:
        with self._lock:
            if model_id not in self._opened:
                self._opened[model_id] = self._stack.enter_context(make())
            return cast("_Adapter", self._opened[model_id])


def _close(idle: Mapping[tuple[int, bool], list[FaceLandmarker]]) -> None:
    for landmarkers in idle.values():
        while landmarkers:
            landmarkers.pop().close()
