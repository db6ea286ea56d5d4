"""`cameo verify`, as a person and as a program would call it."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from cameo_challenges.model import to_json
from cameo_credential.errors import CameoError, InvalidRequestError
from cameo_verifier.cli import app
from fixtures.manifest import load
from tests.once import Once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cameo_verifier.types import F32, U8

FIXTURES = {fixture.id: fixture for fixture in load()}
BONA_FIDE = FIXTURES["astronaut_bona_fide"]
CHALLENGE = to_json(BONA_FIDE.challenge)
RATE_HZ = 48_000


def decoded() -> tuple[list[U8], F32]:
    """Return the bona fide's pictures at 25 fps and its sound at 48 kHz."""
    with av.open(str(BONA_FIDE.file)) as reader:
        pictures = [frame.to_ndarray(format="rgb24") for frame in reader.decode(video=0)]
    with av.open(str(BONA_FIDE.file)) as reader:
        resampler = av.AudioResampler("flt", "mono", RATE_HZ)
        blocks = [r.to_ndarray()[0] for frame in reader.decode(audio=0) for r in resampler.resample(frame)]
    return pictures, np.concatenate(blocks)


def encoded(pictures: list[U8], sound: F32 | None, *, fps: int = 25) -> bytes:
    """Return an MP4 of pictures, sound, or both."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as writer:
        if pictures:
            video = writer.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
            video.height, video.width = pictures[0].shape[:2]
            video.pix_fmt = "yuv420p"
        if sound is not None:
            audio = writer.add_stream("aac", rate=RATE_HZ, layout="mono")
        for picture in pictures:
            writer.mux(video.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        if pictures:
            writer.mux(video.encode(None))
        if sound is not None:
            for start in range(0, len(sound), 1024):
                frame = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], format="flt", layout="mono")
                frame.sample_rate, frame.pts = RATE_HZ, start
                writer.mux(audio.encode(frame))
            writer.mux(audio.encode(None))
    return out.getvalue()


@pytest.fixture(scope="module", autouse=True)
def once() -> Iterator[Once]:
    """The models, each half of a recording shown to them once."""
    remembered = Once()
    with pytest.MonkeyPatch.context() as patch:
        remembered.put(patch)
        yield remembered


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, kit: object) -> dict[str, dict[str, Any]]:
    """Judge every bad recording in one process, the good one last, and return the printed objects by file name."""
    assert kit
    folder = tmp_path_factory.mktemp("bad")
    whole = BONA_FIDE.file.read_bytes()
    pictures, sound = decoded()
    wall = [np.full((480, 640, 3), 90 + i % 7, np.uint8) for i in range(100)]
    recordings = {
        "empty.mp4": b"",
        "text.mp4": b"this is not a video\n" * 100,
        "half.mp4": whole[: len(whole) // 2],
        "large.mp4": whole + bytes(17 * 1024 * 1024),
        "sound_only.mp4": encoded([], sound),
        "picture_only.mp4": encoded(pictures, None),
        "silence.mp4": encoded(pictures, np.zeros_like(sound)),
        "two_fps.mp4": encoded(pictures[::12], sound, fps=2),
        "forty_s.mp4": encoded(pictures[:50:2] * 16, np.resize(sound, 40 * RATE_HZ), fps=10),
        "no_face.mp4": encoded(wall, sound[: 4 * RATE_HZ]),
        "two_faces.mp4": FIXTURES["two_faces"].file.read_bytes(),
    }
    for name, data in recordings.items():
        (folder / name).write_bytes(data)
    (folder / "challenge.json").write_text(json.dumps(CHALLENGE))
    cases: list[Any] = [{"recording": name, "challenge": "challenge.json"} for name in recordings]
    cases[-1]["challenge"] = to_json(FIXTURES["two_faces"].challenge)
    cases += [
        {"recording": "gone.mp4", "challenge": CHALLENGE},
        {"recording": "bad_step.mp4", "challenge": {"steps": [{"sing": "la"}]}},
        {"recording": "no_profile.mp4", "challenge": CHALLENGE, "profile": "lenient"},
        {"recording": str(BONA_FIDE.file), "challenge": CHALLENGE},
    ]
    (folder / "no_profile.mp4").write_bytes(whole)
    lines = [json.dumps(case) for case in cases]
    lines.insert(2, "not json")
    (folder / "cases.jsonl").write_text("\n".join(lines) + "\n")
    result = CliRunner().invoke(app, ["verify", "--cases", str(folder / "cases.jsonl"), "--jsonl"])
    assert result.exit_code == 0, result.output
    documents = [json.loads(line) for line in result.stdout.splitlines()]
    assert [d["file"] for d in documents] == [
        *list(recordings)[:2],
        "",
        *list(recordings)[2:],
        *(c["recording"] for c in cases[-4:]),
    ]
    return {d["file"]: d for d in documents}


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("empty.mp4", "empty"),
        ("text.mp4", "MP4"),
        ("half.mp4", "record and send it again"),
        ("large.mp4", "16"),
        ("gone.mp4", "no such file: gone.mp4"),
        ("bad_step.mp4", "step 0"),
        ("no_profile.mp4", "no profile 'lenient'"),
        ("", "line 3"),
    ],
)
def test_what_cannot_be_judged_is_noted_with_what_to_do(answers: dict[str, dict[str, Any]], file: str, message: str) -> None:
    """An unreadable recording, challenge, profile or line gets an `error` that says what is wrong, and the others go on."""
    assert message in answers[file]["error"]
    assert "verdict" not in answers[file]


@pytest.mark.parametrize(
    ("file", "verdict", "reason"),
    [
        ("sound_only.mp4", "REJECTED", "NO_VIDEO"),
        ("picture_only.mp4", "REJECTED", "NO_AUDIO"),
        ("silence.mp4", "REJECTED", "NO_SPEECH"),
        ("two_fps.mp4", "RETRY", "FRAME_RATE_TOO_LOW"),
        ("forty_s.mp4", "REJECTED", "RECORDING_TOO_LONG"),  # two seconds over and over, which is found too
        ("no_face.mp4", "REJECTED", "NO_FACE"),
        ("two_faces.mp4", "REJECTED", "MULTIPLE_FACES"),
    ],
)
def test_each_bad_recording_has_its_own_reason(answers: dict[str, dict[str, Any]], file: str, verdict: str, reason: str) -> None:
    """What can be judged gets a verdict for the one thing that is wrong with it, and a hint."""
    assert answers[file]["verdict"] == verdict
    assert reason in answers[file]["reasons"]
    assert answers[file]["hint"]


def test_a_sound_alone_still_shows_its_phrase(answers: dict[str, dict[str, Any]]) -> None:
    """Checks that need no picture run on sound alone; those that do say why they could not."""
    checks = {check["name"]: check for check in answers["sound_only.mp4"]["checks"]}
    assert (checks["phrase"]["outcome"], checks["phrase"]["reason"]) == ("pass", None)
    assert (checks["presence"]["outcome"], checks["presence"]["reason"]) == ("unable", "NO_VIDEO")


def test_after_all_that_a_person_is_accepted(answers: dict[str, dict[str, Any]]) -> None:
    """Nothing of the bad ones is left behind; the document has every promised part."""
    document = answers[str(BONA_FIDE.file)]
    assert (document["verdict"], document["reasons"]) == ("ACCEPTED", [])
    assert {"name", "outcome", "score", "unit", "threshold", "direction", "reason"} <= set(document["checks"][0])
    assert document["timings_ms"]["total"] > 0


@pytest.mark.parametrize(("fixture", "code"), [("astronaut_bona_fide", 0), ("still_photo", 1), ("dark", 3)])
def test_the_exit_code_is_the_verdict(kit: object, fixture: str, code: int) -> None:
    """0 accepted, 1 rejected, 3 retry, with one JSON document on standard output."""
    assert kit
    clip = FIXTURES[fixture]
    result = CliRunner().invoke(app, ["verify", str(clip.file), "--challenge", json.dumps(to_json(clip.challenge)), "--json"])
    assert result.exit_code == code
    assert json.loads(result.stdout)["verdict"] == clip.verdict


def test_a_person_reads_verdict_hint_and_checks(kit: object) -> None:
    """Without `--json` the first word is the verdict, then the hint and one line a check."""
    assert kit
    clip = FIXTURES["dark"]
    result = CliRunner().invoke(app, ["verify", str(clip.file), "--challenge", json.dumps(to_json(clip.challenge))])
    assert result.stdout.startswith("RETRY TOO_DARK\nFind more light")
    assert "presentation_attack" in result.stdout.replace("\n", "")[:10_000] or "presentation" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify"], "give a recording"),
        (["verify", "x.mp4"], "give a recording"),
        (["verify", "x.mp4", "--challenge", "{}", "--cases", "c.jsonl"], "not both"),
        (["verify", "x.mp4", "--challenge", "{}"], "'steps' is missing"),
        (["verify", "x.mp4", "--challenge", "gone.json"], "cannot read the challenge"),
        (["verify", "--cases", "gone.jsonl"], "cannot read the cases"),
        (["inspect", "a.mp4", "b.mp4"], "needs --jsonl"),
    ],
)
def test_a_wrong_call_says_what_to_give(arguments: list[str], message: str) -> None:
    """A call that cannot work raises the error that the command ends with, exit code 2."""
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, CameoError)
    assert isinstance(result.exception, InvalidRequestError)
    assert message in str(result.exception)
