from __future__ import annotations

import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cameo_verifier.errors import AbandonedError, ModelKitError
from cameo_verifier.evidence.picture import observe
from cameo_verifier.media import open_recording
from cameo_verifier.models import index, manifest
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.models.transcription import Transcriber
from cameo_verifier.settings import Settings
from cameo_verifier.types import FaceTrack
from fixtures.manifest import load

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.types import U8, FaceObservation

PACKS = {model.id for model in manifest.load().models.values() if model.languages}
"""The models of language packs, which a site has or not."""
FRAMES = 40
"""Of each recording: enough for faces to be tracked, and for every network to have its pick."""


def tracked(names: tuple[str, ...]) -> dict[str, dict[str, bytes]]:
    """Return the picture's evidence of the beginning of each recording, taken one after another by one landmarker."""
    files = {fixture.id: fixture.file for fixture in load()}
    settings = Settings()
    found = {}
    with ModelKit.open(settings) as kit:
        for name in names:
            with open_recording(files[name], limits=settings.media) as source:
                frames = islice(source.frames(max_fps=settings.analysis_fps), FRAMES)
                track = observe(frames, kit, duration_s=source.info.duration_s)
            assert isinstance(track, FaceTrack)
            found[name] = {field.name: np.asarray(getattr(track, field.name)).tobytes() for field in fields(track)}
        assert [len(idle) for idle in kit._idle.values()] == [1]
    return found


def test_a_site_that_never_pulled_is_told_the_file_and_the_command(empty_site: Settings) -> None:
    """Opening reads nothing; the first use names what is missing and how to get it."""
    with ModelKit.open(empty_site) as kit, pytest.raises(ModelKitError) as caught:
        _ = kit.presentation_attack
    assert str(empty_site.models / "presentation_attack.onnx") in str(caught.value)
    assert "run `cameo models pull`" in str(caught.value)


@pytest.mark.models
def test_an_altered_file_is_refused_at_first_use(empty_site: Settings) -> None:
    """One flipped byte in a model file is found before the file is loaded."""
    empty_site.models.mkdir()
    content = bytearray((Settings().models / "presentation_attack.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (empty_site.models / "presentation_attack.onnx").write_bytes(content)

    with (
        ModelKit.open(empty_site) as kit,
        pytest.raises(ModelKitError, match=r"presentation_attack.onnx .* is not the file of the manifest"),
    ):
        _ = kit.presentation_attack


def test_a_disallowed_licence_keeps_the_kit_shut() -> None:
    """A site that allows only Apache-2.0 cannot open a kit with MIT models, and is told which."""
    with pytest.raises(ModelKitError, match=r"model 'face-embedding' .* is licensed MIT, which this site does not allow"):
        ModelKit.open(Settings(licences=("Apache-2.0",)))


def test_an_adapter_is_opened_once(kit: ModelKit) -> None:
    """Asking twice gives the same adapter."""
    assert kit.age is kit.age


def test_a_language_without_its_pack_is_answered_with_what_is_missing(empty_site: Settings) -> None:
    """Of one that has a pack the message has the command that installs it; of another, the languages there are."""
    with ModelKit.open(empty_site) as kit:
        with pytest.raises(ModelKitError, match=r"transcription_multilingual.* run `cameo models pull --language es`"):
            kit.recogniser("es")
        with pytest.raises(ModelKitError, match="no language pack 'tlh'; there is es"):
            kit.recogniser("tlh")


@pytest.mark.models
def test_a_recogniser_of_english_alone_writes_no_other_language() -> None:
    """Whisper's network of English alone would take the sign of a language for a word."""
    with pytest.raises(ModelKitError, match="is not one of es"):
        Transcriber(Settings().models / "transcription", threads=1, language="es")


@pytest.mark.skipif(
    not (Settings().models / "transcription_multilingual").exists(), reason="needs `cameo models pull --language es`"
)
def test_the_packs_recogniser_is_opened_once_in_its_language(kit: ModelKit) -> None:
    """Asking twice gives the same adapter, which is not that of the default language."""
    spanish = kit.recogniser("es")

    assert spanish is kit.recogniser("es") is not kit.transcriber
    assert spanish._tokenizer.language_code == "es"


def test_a_landmarker_is_lent_to_one_at_a_time(kit: ModelKit) -> None:
    """Two at once are two; one that is back is lent again, unless its user failed."""
    with kit.landmarker(max_faces=2, video=True) as one, kit.landmarker(max_faces=2, video=True) as other:
        assert one is not other
    with kit.landmarker(max_faces=2, video=True) as again:
        assert again in {one, other}
    with pytest.raises(AbandonedError), kit.landmarker(max_faces=2, video=True) as failed:
        raise AbandonedError("the caller went away")
    with kit.landmarker(max_faces=2, video=True) as after, kit.landmarker(max_faces=2, video=True) as another:
        assert failed not in {after, another}


@pytest.mark.models
def test_what_a_landmarker_saw_before_changes_nothing() -> None:
    """The evidence of a recording judged second is to the bit that of it judged first in a fresh process; either way round."""
    names = ("two_faces", "admiral_bona_fide")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        forth, back = pool.map(tracked, (names, names[::-1]))
    assert forth == back
    assert forth["two_faces"] != forth["admiral_bona_fide"]


def test_digests_cover_every_model_in_use(kit: ModelKit) -> None:
    """An attempt can record exactly which files judged it."""
    assert set(kit.digests) - PACKS == {
        *("face-landmarker", "face-embedding", "presentation-attack", "age", "age-dlib"),
        *("transcription", "phonemes", "voice-activity", "speaker-embedding", "audio-mark"),
    }
    assert kit.digests["age"] == index.sha256(Settings().models / "age.onnx")


def test_a_face_file_of_ones_own_replaces_the_kits(
    kit: ModelKit, tmp_path: Path, astronaut: U8, astronaut_face: FaceObservation
) -> None:
    """`face_pack` is used in place of the kit's file and shows in the digests."""
    own = tmp_path / "own.onnx"
    shutil.copy(Settings().models / "face_embedding.onnx", own)
    own.write_bytes(own.read_bytes() + b"\xa2\x06\x04own!")  # a field no ONNX reader knows: another digest, the same network

    with ModelKit.open(Settings(face_pack=own)) as other:
        aligned = other.face_embedder.align(astronaut, astronaut_face.landmarks)
        np.testing.assert_array_equal(other.face_embedder.embed(aligned), kit.face_embedder.embed(aligned))
        assert other.digests["face-embedding"] == index.sha256(own) != kit.digests["face-embedding"]


def test_a_face_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A wrong path in the settings is found when the kit opens."""
    with pytest.raises(ModelKitError, match=r"face_pack .*none.onnx is missing"):
        ModelKit.open(Settings(face_pack=tmp_path / "none.onnx"))


def test_an_unknown_speaker_backend_is_refused() -> None:
    """A misspelt backend is an error that says which there are."""
    with pytest.raises(ModelKitError, match="'ecapa' is unknown: it is `kit` or `speechbrain:/folder`"):
        ModelKit.open(Settings(speaker="ecapa"))


@pytest.mark.models
def test_a_warm_kit_has_opened_every_adapter() -> None:
    """After `preload` no recording waits for a model, and closing lets every one go."""
    with ModelKit.open(Settings()) as kit:
        kit.preload()
        opened = set(kit._opened)
    assert opened == set(kit.digests) - {"face-landmarker"} - PACKS
    assert not kit._opened
