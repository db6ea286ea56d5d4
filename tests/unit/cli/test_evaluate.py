"""`cameo evaluate` on a few committed recordings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from cameo_challenges.model import to_json
from cameo_verifier.cli import app
from cameo_verifier.errors import ModelKitError
from fixtures.manifest import load

if TYPE_CHECKING:
    from pathlib import Path

FIXTURES = {fixture.id: fixture for fixture in load()}


def row(name: str, **kind: object) -> str:
    fixture = FIXTURES[name]
    return json.dumps({"id": name, "file": str(fixture.file), "challenge": to_json(fixture.challenge), **kind})


@pytest.mark.slow
def test_a_small_suite_is_judged_and_reported(tmp_path: Path) -> None:
    """Two processes judge a bona fide and two attacks; verdicts, rates and reasons are in the report, as JSON and as a page."""
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"no recording")
    lines = [
        row("astronaut_bona_fide", bona_fide=True),
        row("screen_replay", species="screen"),
        json.dumps({"id": "damaged", "file": "damaged.mp4", "species": "damaged"}),
    ]
    (tmp_path / "manifest.jsonl").write_text("\n".join(lines), "utf-8")
    out = tmp_path / "report"
    ran = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--out", str(out), "--workers", "2", "--json"])
    assert ran.exit_code == 0, ran.output
    found = json.loads((out / "report.json").read_text("utf-8"))
    assert json.loads(ran.stdout) == found
    verdicts = {attempt["id"]: (attempt["verdict"], attempt["reasons"]) for attempt in found["attempts"]}
    assert verdicts == {
        "astronaut_bona_fide": ("ACCEPTED", []),
        "damaged": ("REJECTED", ["UNSUPPORTED_MEDIA"]),
        "screen_replay": ("REJECTED", [str(reason) for reason in FIXTURES["screen_replay"].reasons]),
    }
    assert {s["species"]: s["apcer"]["share"] for s in found["species"]} == {"damaged": 0.0, "screen": 0.0}
    assert found["bona_fide"]["bpcer"]["share"] == 0.0
    page = (out / "report.html").read_text("utf-8")
    assert "screen_replay" in page
    assert page.count("<svg") >= len(found["checks"]) // 2


def test_models_that_cannot_be_opened_are_named_by_workers_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is that of the kit, not that a process ended."""
    monkeypatch.setenv("CAMEO_FACE_PACK", str(tmp_path / "none.onnx"))
    (tmp_path / "manifest.jsonl").write_text("\n".join(row(name, bona_fide=True) for name in ("dark", "two_faces")), "utf-8")
    ran = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--out", str(tmp_path / "report"), "--workers", "2"])
    assert isinstance(ran.exception, ModelKitError)
    assert "none.onnx is missing" in str(ran.exception)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A folder without a manifest writes nothing and ends with an error."""
    ran = CliRunner().invoke(app, ["evaluate", str(tmp_path), "--out", str(tmp_path / "report")])
    assert ran.exit_code != 0
    assert not (tmp_path / "report").exists()
