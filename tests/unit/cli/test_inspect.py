"""`cameo inspect`: recordings, stills and sounds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from cameo_challenges.match import tokens
from cameo_verifier.cli import app
from fixtures.manifest import load
from tests.english import ENGLISH

if TYPE_CHECKING:
    from pathlib import Path

FIXTURES = {fixture.id: fixture for fixture in load()}
CLIP = FIXTURES["astronaut_bona_fide"]
PARTS = {"media", "faces", "pose", "movements", "blinks", "presentation_attack", "transcript", "speech_s", "age"}


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory, kit: object) -> list[dict[str, object]]:
    """Inspect a recording, a still of it, its sound alone and a text, in one process."""
    assert kit
    folder = tmp_path_factory.mktemp("inspect")
    with av.open(str(CLIP.file)) as reader:
        next(reader.decode(video=0)).to_image().save(folder / "still.png")
    with av.open(str(CLIP.file)) as reader, av.open(str(folder / "sound.wav"), "w") as writer:
        stream = writer.add_stream("pcm_s16le", rate=16_000, layout="mono")
        resampler = av.AudioResampler("s16", "mono", 16_000)
        for frame in reader.decode(audio=0):
            for block in resampler.resample(frame):
                writer.mux(stream.encode(block))
        writer.mux(stream.encode(None))
    (folder / "text.mp4").write_text("no recording")
    files = [str(CLIP.file), *(str(folder / name) for name in ("still.png", "sound.wav", "text.mp4"))]
    result = CliRunner().invoke(app, ["inspect", *files, "--embeddings", "--jsonl"])
    assert result.exit_code == 0, result.output
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [d["file"] for d in found] == files
    return found


def test_a_recording_shows_every_part(documents: list[dict[str, object]]) -> None:
    """Media, faces, pose, turns in order, liveness, words with times and age come out of one pass."""
    document = documents[0]
    assert set(document) >= PARTS | {"face_embedding", "voice_embedding"}
    assert [m["turn"] for m in document["movements"]] == ["left", "up"]
    assert document["faces"]["present_ratio"] == 1.0
    assert document["faces"]["max_faces"] == 1
    assert document["faces"]["frames_analysed"] == len(document["pose"])
    assert {"t_s", "yaw_deg", "pitch_deg", "roll_deg"} == set(document["pose"][0])
    assert 0.9 < document["presentation_attack"]["live_p10"] <= document["presentation_attack"]["live_p50"] <= 1
    assert {"text", "start_s", "end_s", "probability"} == set(document["transcript"]["words"][0])
    assert 2 < document["speech_s"] < document["media"]["duration_s"]
    assert 28 < document["age"]["expected"] < 70
    assert document["age"]["minor_safeguards"] is False
    assert set(document["age"]["by_network"]) == {"kit", "dlib"}
    assert document["age"]["by_network"]["kit"] != document["age"]["by_network"]["dlib"]


def test_a_still_has_a_face_and_no_voice(documents: list[dict[str, object]]) -> None:
    """The face part works on one picture, and is the recording's person."""
    document = documents[1]
    assert document["faces"] == {"frames_analysed": 1, "present_ratio": 1.0, "max_faces": 1}
    assert (document["transcript"], document["voice_embedding"]) == (None, None)
    assert document["missing"] == {"sound": "NO_AUDIO"}
    assert np.dot(document["face_embedding"], documents[0]["face_embedding"]) > 0.6


def test_a_sound_has_a_voice_and_no_face(documents: list[dict[str, object]]) -> None:
    """The voice part works on sound alone, and is the recording's voice."""
    document = documents[2]
    assert (document["faces"], document["face_embedding"], document["age"]) == (None, None, None)
    assert document["missing"] == {"face": "NO_VIDEO"}
    heard, again = (tokens(each["transcript"]["text"], ENGLISH) for each in (documents[0], document))
    assert heard == again
    assert np.dot(document["voice_embedding"], documents[0]["voice_embedding"]) > 0.99


def test_what_cannot_be_read_is_noted(documents: list[dict[str, object]]) -> None:
    """An unreadable file has an `error` and its reason instead of parts."""
    assert set(documents[3]) == {"file", "error", "reason"}
    assert documents[3]["reason"] == "UNSUPPORTED_MEDIA"


def test_embeddings_are_shown_only_when_asked(kit: object, tmp_path: Path) -> None:
    """Biometric data never comes out by default."""
    assert kit
    with av.open(str(CLIP.file)) as reader:
        next(reader.decode(video=0)).to_image().save(tmp_path / "still.png")
    result = CliRunner().invoke(app, ["inspect", str(tmp_path / "still.png"), "--json"])
    assert result.exit_code == 0
    assert not [key for key in json.loads(result.stdout) if "embedding" in key]
