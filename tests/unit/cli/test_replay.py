"""`cameo replay`, `label`, `evidence` and `audit`, on attempts made by the real pipeline."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import onnx
import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from cameo_credential.errors import CameoError, InvalidRequestError
from cameo_verifier.cli import app
from cameo_verifier.errors import ModelKitError
from cameo_verifier.media.remux import judged_only
from cameo_verifier.settings import MediaLimits, Settings
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database
from tests.second_opinion import BY_COLOUR, write_folder
from tests.unit.review.stored import RECORDINGS, fixture_site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.review.stored import Judged


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judged: Judged) -> Settings:
    """A site with two attempts, which the commands work on."""
    return made(tmp_path, monkeypatch, judged, "astronaut_bona_fide", "screen_replay")


@pytest.fixture
def site_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judged_now: Judged) -> Settings:
    """A site with an attempt that the models of this machine judged, which reproduce it to the bit."""
    return made(tmp_path, monkeypatch, judged_now, "screen_replay")


def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judged: Judged, *recordings: str) -> Settings:
    """Make a site, and have the commands work on it."""
    monkeypatch.setenv("CAMEO_DATA", str(tmp_path / "data"))
    settings = Settings()
    engine = open_database(settings.database)
    fixture_site(engine, settings.data, judged, *recordings)
    engine.dispose()
    return settings


def run(*arguments: str, code: int = 0) -> Any:
    """Run a command and return what it prints, read as JSON where it asks for that."""
    ran = CliRunner().invoke(app, list(arguments))
    if isinstance(ran.exception, CameoError):
        raise ran.exception
    assert ran.exit_code == code, ran.output
    return json.loads(ran.stdout) if "--json" in arguments else ran.stdout


def stricter(tmp_path: Path) -> str:
    """Write a profile that takes no head for deep enough."""
    file = tmp_path / "stricter.toml"
    file.write_text(
        'extends = "default"\n[thresholds.relief_min]\nvalue = 9\nunit = "of a head\'s depth"\n'
        'direction = "at_least"\nsource = "a test"\n'
        '[thresholds.relief_flat_max]\nvalue = 8\nunit = "of a head\'s depth"\ndirection = "at_most"\nsource = "a test"\n'
    )
    return str(file)


def test_an_analyst_finds_replays_and_labels(site: Settings, tmp_path: Path) -> None:
    """Labels stand in the diff; the page, the JSON and the terminal agree on what flips and by which check."""
    assert "settled: bona_fide" in run("label", "astronaut_bona_fide", "bona_fide", "--who", "ana", "--note", "clear [red]")
    run("label", "screen_replay", "attack", "--species", "screen", "--who", "ana")
    assert run("label", "screen_replay", "--json")["settled"] == "attack screen"
    same = run("replay", "--where", "since=2026-03-01 and until=2026-03-02", "--why", "case 7", "--json")
    assert (same["replayed"], same["reproduced"], same["flips"]) == (2, 2, [])
    out = tmp_path / "out"
    chosen = ("replay", "--where", "label=bona_fide or species=screen", "--why", "case 7", "--profile", stricter(tmp_path))
    text = run(*chosen, "--out", str(out))
    assert "1 of 2 verdicts flip, 0 reproduced bit for bit" in text
    assert "not what it was: profile (of 2)" in text
    found = json.loads((out / "replay.json").read_text("utf-8"))
    (flip,) = found["flips"]
    assert (flip["before"], flip["after"], flip["checks"], flip["attempts"]) == (
        "ACCEPTED", "REJECTED", ["depth"], ["astronaut_bona_fide"],
    )  # fmt: skip
    assert (found["bpcer"]["before"]["share"], found["bpcer"]["after"]["share"]) == (0.0, 1.0)
    assert '<a href="#astronaut_bona_fide">' in (out / "replay.html").read_text("utf-8")
    lines = run("audit", "show", "--json")["lines"]
    assert {line["why"] for line in lines} == {"case 7"}
    assert site.audit_key.exists()


def another_kit(folder: Path) -> Path:
    """Make a kit whose network for the age was converted by somebody else: the same weights, other bytes."""
    shutil.copytree(Settings().models, folder, symlinks=True)
    network = onnx.load(folder / "age.onnx")
    network.producer_name = "somebody else"
    (folder / "age.onnx").unlink()
    onnx.save(network, folder / "age.onnx")
    index = json.loads((folder / "index.json").read_text())
    index["converted"]["age"]["sha256"] = hashlib.sha256((folder / "age.onnx").read_bytes()).hexdigest()
    (folder / "index.json").write_text(json.dumps(index))
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("site_now")
def test_another_kit_is_told_by_its_digests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the recording today's kit reproduces every score and says so; another one is named, whatever it scores.

    The models are opened apart from the process that has the store, and with it a network.
    """
    monkeypatch.delattr("cameo_verifier.review.replay.ModelKit.open")
    chosen = ("replay", "screen_replay", "--from", "recording", "--why", "case 7", "--json")
    same = run(*chosen)
    assert (same["from"], same["reproduced"], same["changed_digests"]) == ("recording", 1, {})
    other = run(*chosen, "--models", str(another_kit(tmp_path / "kit")))
    assert (other["reproduced"], other["changed_digests"]) == (0, {"model:age": 1})
    assert (other["flips"], other["not_reproduced_though_nothing_changed"]) == ([], [])


@pytest.mark.slow
@pytest.mark.usefixtures("site_now")
def test_a_second_opinion_is_told_by_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt judged without one is not replayed with it unsaid; a folder that cannot be used is named, as ever."""
    folder = write_folder(tmp_path / "second", v2=(BY_COLOUR, 2.7))
    monkeypatch.setenv("CAMEO_PAD_SECOND", str(folder))
    chosen = ("replay", "screen_replay", "--from", "recording", "--why", "case 7", "--json")
    found = run(*chosen)
    assert (found["reproduced"], found["changed_digests"]) == (0, {"model:presentation-attack-second": 1})
    (folder / "v2.onnx").unlink()
    with pytest.raises(ModelKitError, match=r"second/v2.onnx .* is missing"):
        run(*chosen)


@pytest.mark.usefixtures("site")
def test_labelled_attempts_are_a_suite_of_their_own(tmp_path: Path) -> None:
    """`cameo evaluate --labelled` reports their rates without a recording being decoded; disputes are left out."""
    run("label", "astronaut_bona_fide", "bona_fide", "--who", "ana")
    with pytest.raises(InvalidRequestError, match="why you need"):
        run("evaluate", "--labelled", "--out", str(tmp_path / "report"))
    run("label", "screen_replay", "attack", "--species", "screen", "--who", "ana")
    found = run("evaluate", "--labelled", "--why", "rates", "--out", str(tmp_path / "report"), "--json")
    assert [(rates["species"], rates["apcer"]["count"], rates["apcer"]["of"]) for rates in found["species"]] == [("screen", 0, 1)]
    assert found["bona_fide"]["bpcer"]["of"] == 1
    run("label", "screen_replay", "bona_fide", "--who", "ben")
    found = run("evaluate", "--labelled", "--why", "rates", "--out", str(tmp_path / "report"), "--json")
    assert found["species"] == []
    run("evaluate", "--labelled", str(tmp_path), "--out", str(tmp_path / "report"), code=2)


@pytest.mark.usefixtures("site")
def test_evidence_is_listed_read_swept_and_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each does what it says, and the log holds it."""
    pieces = run("evidence", "list", "screen_replay", "--json")["evidence"]
    assert {piece["kind"]: piece["removed_at"] for piece in pieces} == dict.fromkeys(("recording", "tracks", "result"))
    file = tmp_path / "screen.mp4"
    run("evidence", "read", "screen_replay", "recording", "--out", str(file), "--why", "case 7", "--who", "ana")
    assert file.read_bytes() == judged_only(RECORDINGS["screen_replay"], sound_track=0, limits=MediaLimits())
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(InvalidRequestError, match="name a new file"):
        run("evidence", "read", "screen_replay", "recording", "--out", str(file), "--why", "case 7")
    due = run("evidence", "sweep", "--dry-run", "--json")["removed"]
    assert {piece["attempt"] for piece in due} == {"astronaut_bona_fide", "screen_replay"}
    monkeypatch.setenv("CAMEO_RETENTION_REJECTED_DAYS", "3650")
    assert "3 removed" in run("evidence", "sweep")
    assert "1 attempts of ann" in run("evidence", "forget", "ann", "--why", "asked to", "--who", "ana")
    replayed = run("replay", "screen_replay", "--why", "case 7", "--json")
    assert "the subject was deleted" in replayed["not_replayed"][0]["why"]
    actions = [line["action"] for line in run("audit", "show", "--json")["lines"]]
    assert actions == ["read", "remove", "remove", "remove", "forget", "remove", "remove", "remove", "read", "read"]


def test_tampering_with_the_log_is_found(site: Settings, tmp_path: Path) -> None:
    """`audit verify` passes until a line is altered; a checkpoint kept elsewhere finds a history written anew."""
    run("replay", "screen_replay", "--why", "case 7")
    checkpoint = tmp_path / "checkpoint.json"
    checkpoint.write_text(run("audit", "checkpoint"))
    assert run("audit", "verify", "--checkpoint", str(checkpoint)) == "2 lines, 0 problems; checkpoints that hold: 1\n"
    engine = open_database(site.database)
    with engine.begin() as connection:
        connection.execute(update(tables.audit_log).where(tables.audit_log.c.number == 1).values(who="nobody"))
    engine.dispose()
    assert run("audit", "verify", "--json", code=1)["problems"] == [{"line": 1, "message": "line 1 was altered or moved"}]
    checkpoint.write_text("{}")
    with pytest.raises(InvalidRequestError, match="checkpoint is JSON"):
        run("audit", "verify", "--checkpoint", str(checkpoint))


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--why", "x"], "name attempts, or say which"),
        (["a", "--where", "id=a", "--why", "x"], "name attempts, or say which"),
        (["--where", "subject=nobody", "--why", "x"], "no judged attempt"),
        (["--where", "verdict=MAYBE", "--why", "x"], "verdict is none of"),
        (["screen_replay", "--why", " "], "why you need the evidence"),
        (["screen_replay", "--why", "x", "--models", "kit"], "needs --from recording"),
        (["screen_replay", "--why", "x", "--profile", "nowhere"], "no profile"),
    ],
)
def test_a_replay_that_says_too_little_is_refused(arguments: list[str], message: str) -> None:
    """The message says what to give."""
    with pytest.raises(CameoError, match=message):
        run("replay", *arguments)
