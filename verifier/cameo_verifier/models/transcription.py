"""Speech recognition: transcribes and force-aligns speech with Whisper on CTranslate2, int8, by way of faster-whisper.

Two ways to decode, over one encoding of the sound:

1. `Transcriber.transcribe` writes down what is said. Decoding is deterministic: beam search at temperature 0, no sampling
   fallback, no conditioning on earlier text. Whisper hallucinates words in silence, so words outside the voice activity are
   dropped.
2. `Transcriber.force` aligns words that *should* be there to the sound and returns how likely each is and when.

Long pauses send the recogniser into loops ("0.0.0.0…") or make it drop what follows, so both decode the sound with its pauses cut
short; the times they return are those of the recording.

This file holds no policy: which words count as the same, and how likely is likely enough, is decided by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from cameo_verifier.errors import ModelKitError
from cameo_verifier.models.quiet import quiet_import
from cameo_verifier.models.voice_activity import VoiceActivity
from cameo_verifier.types import ScoredWord, Word

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from cameo_verifier.types import F32, F64

_FILES = ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt")
_RATE_HZ = 16_000
_TOKENS_PER_S = 50.0
_WINDOW_FRAMES = 3000
_FRAMES_PER_S = 100
# Half the text context, Whisper's own limit of decoded tokens: it ends a repetition loop.
_MAX_TOKENS = 224
_REPEATING, _NEVER_TWICE = 2.4, 6
"""A decoder that wrote "0 0 0" sometimes goes on writing zeros to the end. A text above this compression ratio (OpenAI's
threshold) is decoded again, without repeating any run of so many tokens: a challenge has no more than six digits."""
# Length that a pause is cut to, and the margin for word edges that voice activity detection cut off.
_PAUSE_S = 0.4
_MARGIN_S = 0.1


@dataclass(frozen=True, slots=True)
class EncodedSound:
    """Sound as the recogniser encoded it, to be decoded more than once.

    features: (80, frames) float32 log-mel spectrogram of the sound with its pauses cut short, 100 frames a second; encoding: of
    its first 30 s; kept: (K, 2) seconds of the recording that were kept, in order; speech: (S, 2) seconds of the recording, from
    voice activity.
    """

    features: F32
    encoding: Any
    kept: F64
    speech: F64

    def recording_s(self, heard_s: float) -> float:
        """Return the time in the recording of a time in the shortened sound."""
        before = np.concatenate(([0.0], np.cumsum(self.kept[:, 1] - self.kept[:, 0])))
        piece = int(np.clip(np.searchsorted(before, heard_s, side="right") - 1, 0, len(self.kept) - 1))
        return float(self.kept[piece, 0] + heard_s - before[piece])


@dataclass(frozen=True, slots=True)
class Passage:
    """A segment that the recogniser decoded at once.

    avg_log_prob: mean natural-log probability of its tokens; no_speech_prob: the recogniser's own probability, 0..1, that the 30
    s window holds no speech; compression_ratio: above about 2.4 the text repeats itself.
    """

    text: str
    words: tuple[Word, ...]
    avg_log_prob: float
    no_speech_prob: float
    compression_ratio: float


class _MelFilters(np.ndarray[tuple[int, int], np.dtype[np.float32]]):
    """Filters (mels, frequencies) whose product with a spectrum has the same bits on any number of threads.

    BLAS divides a product among its threads and rounds accordingly; eight-bit layers after it turn that into another gain.
    """

    def __matmul__(self, power: F32) -> F32:  # type: ignore[override]
        return np.asarray(np.einsum("mf,ft->mt", self.view(np.ndarray), power), np.float32)


class Transcriber:
    """Whisper with its tokenizer from a local folder. Open one for each process."""

    def __init__(self, folder: Path, *, threads: int, language: str | None = None) -> None:
        """Load the recogniser.

        Args:
            folder: a CTranslate2 Whisper model: config.json, model.bin, tokenizer.json, vocabulary.txt.
            threads: CPU threads of one call.
            language: what a multilingual network is to write (BCP 47); None for one of English alone.

        Raises:
            ModelKitError: a file is missing (the vendor would fetch it from a hub), cannot be loaded, or knows not this language.
        """
        for name in _FILES:
            if not (folder / name).is_file():
                raise ModelKitError(f"model file {folder / name} is missing; run: cameo models pull")
        with quiet_import():
            from faster_whisper import WhisperModel  # noqa: PLC0415 - a second that only a process with models should pay
            from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415 - the same

        try:
            self._model = WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=threads, num_workers=1, local_files_only=True
            )
        except (RuntimeError, ValueError) as error:
            raise ModelKitError(f"the recogniser in {folder} cannot be loaded; run: cameo models pull") from error
        extractor = self._model.feature_extractor
        extractor.mel_filters = np.asarray(extractor.mel_filters, np.float32).view(_MelFilters)
        multilingual = self._model.model.is_multilingual
        if multilingual != (language is not None) or (language and language not in self._model.supported_languages):
            raise ModelKitError(f"the recogniser in {folder} is not one of {language or 'English alone'}")
        self._tokenizer = Tokenizer(self._model.hf_tokenizer, multilingual=multilingual, task="transcribe", language=language)
        self._activity = VoiceActivity(threads=threads)

    def encode(self, sound: F32, *, speech: F64 | None = None) -> EncodedSound:
        """Encode sound once for any number of `transcribe` and `force` calls; this is most of the cost of either.

        Args:
            sound: (n,) float32, mono, 16 kHz, in [-1, 1].
            speech: (S, 2) seconds from voice activity, if already known.
        """
        from faster_whisper.audio import pad_or_trim  # noqa: PLC0415 - imported with the model

        if speech is None:
            speech = self._activity.segments(sound)
        kept = _without_long_pauses(speech, len(sound) / _RATE_HZ)
        pieces = [sound[round(start * _RATE_HZ) : round(end * _RATE_HZ)] for start, end in kept]
        features = self._model.feature_extractor(np.ascontiguousarray(np.concatenate(pieces), np.float32))
        encoding = self._model.encode(pad_or_trim(features[:, :_WINDOW_FRAMES]))
        return EncodedSound(features=features, encoding=encoding, kept=kept, speech=speech)

    def transcribe(self, sound: F32 | EncodedSound, *, beam_size: int = 5) -> tuple[str, tuple[Word, ...]]:
        """Return the text and its words with times; `("", ())` when nobody speaks.

        Args:
            sound: (n,) float32, mono, 16 kHz, in [-1, 1], or that sound encoded.
            beam_size: hypotheses kept while decoding.
        """
        passages = self.passages(sound, beam_size=beam_size)
        words = tuple(word for passage in passages for word in passage.words)
        return " ".join(word.text for word in words), words

    def passages(
        self,
        sound: F32 | EncodedSound,
        *,
        beam_size: int = 5,
        initial_prompt: str | None = None,
        hotwords: str | None = None,
        timestamps: bool = True,
    ) -> tuple[Passage, ...]:
        """Return the result of `transcribe` by passage, with the recogniser's own confidence.

        Args:
            sound: (n,) float32, mono, 16 kHz, in [-1, 1], or that sound encoded.
            beam_size: hypotheses kept while decoding.
            initial_prompt: text the recogniser takes as said before, which sets its style (figures or number words).
            hotwords: words it is primed with.
            timestamps: decode time tokens too; without them a window of 30 s is always one passage, decoded once, and words after
                a long pause are more often missed.
        """
        speech = sound.speech if isinstance(sound, EncodedSound) else self._activity.segments(sound)
        if not len(speech):
            return ()
        heard = sound if isinstance(sound, EncodedSound) else self.encode(sound, speech=speech)
        options = self._options(beam_size, initial_prompt, hotwords, timestamps=timestamps)
        found = self._decoded(heard, options)
        if any(passage.compression_ratio > _REPEATING for passage in found):
            options.no_repeat_ngram_size = _NEVER_TWICE
            found = self._decoded(heard, options)
        return found

    def force(self, sound: F32 | EncodedSound, texts: Sequence[str], *, beside: Collection[int] = ()) -> tuple[ScoredWord, ...]:
        """Force-align expected words to the sound, in order, and score each under teacher forcing.

        Spelling matters to the score: the recogniser was trained on text as people write it. Score several spellings of the same
        words and compare; the encoding is shared, so each costs a few milliseconds.

        Args:
            sound: (n,) float32, mono, 16 kHz, in [-1, 1], or that sound encoded. Only the first 30 s are used.
            texts: what should have been said, in order; words are split at spaces.
            beside: which of these words, by index, are extra speech that was transcribed there. They are aligned, and not scored;
                the language model's prior is measured without them, since after them it would expect none of the rest.

        Returns:
            One scored word for each other word of `texts`, in order. Where a word was not said it has a time all the same, and a
                log probability far below 0.
        """
        words = [word for text in texts for word in text.split()]
        if not words:
            return ()
        heard = sound if isinstance(sound, EncodedSound) else self.encode(sound)
        tokens = [self._tokenizer.encode(f" {word}") for word in words]
        path, log_probs = self._align(heard, tokens)
        _, expected = self._align(self._silence, [word for index, word in enumerate(tokens) if index not in beside])
        starts = _first_times(path)
        scored: list[ScoredWord] = []
        end = alone = 0
        for index, (word, length) in enumerate(zip(words, map(len, tokens), strict=True)):
            end += length
            if index in beside:
                continue
            alone += length
            start_s, end_s = heard.recording_s(float(starts[end - length])), heard.recording_s(float(starts[end]))
            start_s, end_s = _clip(start_s, end_s, heard.speech)
            own = log_probs[end - length : end]
            gain = float((own - expected[alone - length : alone]).sum())
            scored.append(ScoredWord(text=word, start_s=start_s, end_s=end_s, log_prob=float(own.mean()), gain=gain))
        return tuple(scored)

    def _decoded(self, heard: EncodedSound, options: Any) -> tuple[Passage, ...]:  # noqa: ANN401 - vendor type
        segments = self._model.generate_segments(
            heard.features, self._tokenizer, options, log_progress=False, encoder_output=heard.encoding
        )
        return tuple(self._passage(segment, heard) for segment in segments)

    def _align(self, heard: EncodedSound, tokens: Sequence[Sequence[int]]) -> tuple[Sequence[tuple[int, int]], F64]:
        """Return the alignment path by attention, (token, frame) pairs, and each token's natural-log probability."""
        frames = min(heard.features.shape[-1] - 1, _WINDOW_FRAMES)
        [result] = self._model.model.align(
            heard.encoding, self._tokenizer.sot_sequence, [[token for word in tokens for token in word]], frames
        )
        probabilities = np.maximum(np.asarray(result.text_token_probs, np.float64), np.finfo(np.float32).tiny)
        return result.alignments, np.log(probabilities)

    @cached_property
    def _silence(self) -> EncodedSound:
        return self.encode(np.zeros(_RATE_HZ, np.float32), speech=np.zeros((0, 2)))

    def close(self) -> None:
        """Release the recogniser."""
        self._model.model.unload_model()
        self._activity.close()

    def __enter__(self) -> Self:
        """Return the recogniser itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _options(self, beam_size: int, initial_prompt: str | None, hotwords: str | None, *, timestamps: bool) -> Any:  # noqa: ANN401 - vendor type
        from faster_whisper.transcribe import TranscriptionOptions, get_suppressed_tokens  # noqa: PLC0415 - imported with the model

        return TranscriptionOptions(
            beam_size=beam_size,
            best_of=1,
            patience=1.0,
            length_penalty=1.0,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            # No threshold triggers a retry: the only temperature is 0. Voice activity decides about silence.
            log_prob_threshold=None,
            no_speech_threshold=None,
            compression_ratio_threshold=None,
            condition_on_previous_text=False,
            prompt_reset_on_temperature=0.5,
            temperatures=[0.0],
            initial_prompt=initial_prompt,
            prefix=None,
            suppress_blank=True,
            suppress_tokens=get_suppressed_tokens(self._tokenizer, [-1]),
            without_timestamps=not timestamps,
            max_initial_timestamp=1.0,
            word_timestamps=True,
            prepend_punctuations="\"'“¿([{-",
            append_punctuations="\"'.。,，!！?？:：”)]}、",
            multilingual=False,
            max_new_tokens=_MAX_TOKENS,
            clip_timestamps="0",
            hallucination_silence_threshold=None,
            hotwords=hotwords,
        )

    def _passage(self, segment: Any, heard: EncodedSound) -> Passage:  # noqa: ANN401 - vendor type
        words = tuple(_spoken(segment.words or (), heard))
        return Passage(
            text=" ".join(word.text for word in words),
            words=words,
            avg_log_prob=float(segment.avg_logprob),
            no_speech_prob=float(segment.no_speech_prob),
            compression_ratio=float(segment.compression_ratio),
        )


def _without_long_pauses(speech: F64, duration_s: float) -> F64:
    """Return the (K, 2) seconds to keep: the speech with a margin, and the half of a short pause on either side."""
    if not len(speech):
        return np.array([[0.0, duration_s]])
    reach = _MARGIN_S + _PAUSE_S / 2.0
    kept = [[max(0.0, speech[0, 0] - reach), 0.0]]
    for (_, end), (start, _) in pairwise(speech):
        if start - end > 2.0 * reach:
            kept[-1][1] = end + reach
            kept.append([start - reach, 0.0])
    kept[-1][1] = min(duration_s, speech[-1, 1] + reach)
    return np.asarray(kept)


def _spoken(words: Iterable[Any], heard: EncodedSound) -> Iterable[Word]:
    """Yield the words that touch speech, with their times in the recording, clipped to the speech."""
    for word in words:
        text = word.word.strip()
        start_s, end_s = heard.recording_s(float(word.start)), heard.recording_s(float(word.end))
        if not text or not _overlaps(start_s, end_s, heard.speech).any():
            continue
        start_s, end_s = _clip(start_s, end_s, heard.speech)
        yield Word(text=text, start_s=start_s, end_s=end_s, probability=float(word.probability))


def _overlaps(start_s: float, end_s: float, speech: F64) -> F64:
    shared: F64 = np.minimum(end_s, speech[:, 1]) - np.maximum(start_s, speech[:, 0])
    return np.asarray(shared.clip(min=0.0), np.float64)


def _clip(start_s: float, end_s: float, speech: F64) -> tuple[float, float]:
    """Return the part of a span inside the segment of speech it shares most time with.

    Attention gives a word the pause before or after it as well; voice activity gives the onset more precisely.
    """
    overlap = _overlaps(start_s, end_s, speech)
    if not overlap.any():
        return start_s, end_s
    segment = speech[int(overlap.argmax())]
    return max(start_s, float(segment[0])), min(end_s, float(segment[1]))


def _first_times(alignments: Sequence[tuple[int, int]]) -> F64:
    """Return for each token the second at which the alignment path first reaches it."""
    path = np.asarray(alignments)
    first = np.concatenate(([True], np.diff(path[:, 0]) > 0))
    return np.asarray(path[first, 1] / _TOKENS_PER_S, np.float64)
