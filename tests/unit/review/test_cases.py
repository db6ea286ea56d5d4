"""Manifests of suites, written by the studio or by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from cameo_challenges.model import Challenge, Say
from cameo_credential.errors import InvalidRequestError
from cameo_verifier.review.cases import read_cases

if TYPE_CHECKING:
    from pathlib import Path

CHALLENGE = {"steps": [{"say": "five"}]}
ISSUED = {**CHALLENGE, "issued_at": "2026-01-01T00:00:00+00:00", "expires_at": "2026-01-01T00:03:00+00:00"}


def written(folder: Path, *rows: Any) -> Path:
    (folder / "a.mp4").write_bytes(b"")
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), "utf-8")
    return manifest


def test_line_says_what_a_recording_is_and_what_was_asked(tmp_path: Path) -> None:
    """An attack has a species, a bona fide a condition; the challenge comes as an object, as text, from a file, or not at all."""
    (tmp_path / "asked.json").write_text(json.dumps(CHALLENGE), "utf-8")
    manifest = written(
        tmp_path,
        {"file": "a.mp4", "species": "print", "challenge": CHALLENGE, "half": "report", "id": "one"},
        {"file": "a.mp4", "species": "bona_fide", "condition": "dim", "challenge": json.dumps(CHALLENGE)},
        "",
        {"file": "a.mp4", "bona_fide": True, "challenge": "asked.json"},
        {"file": "a.mp4", "species": "early", "challenge": ISSUED, "received_s": 2.5},
    )
    attack, dim, plain, early = read_cases(tmp_path)
    assert (attack.id, attack.species, attack.condition, attack.half) == ("one", "print", "", "report")
    assert (dim.id, dim.species, dim.condition) == ("a.mp4", "", "dim")
    assert (plain.condition, plain.half, plain.received_at) == ("plain", "", None)
    assert early.received_at == datetime(2026, 1, 1, 0, 0, 2, 500_000, tzinfo=UTC)
    assert attack.challenge == dim.challenge == plain.challenge == Challenge((Say("five"),))
    assert read_cases(manifest) == read_cases(tmp_path)
    assert read_cases(manifest, half="report") == (attack,)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", 'line 1 of manifest.jsonl is not a JSON object with "file"'),
        ("[]", 'line 1 of manifest.jsonl is not a JSON object with "file"'),
        ({"species": "print"}, 'line 1 of manifest.jsonl is not a JSON object with "file"'),
        ({"file": "b.mp4", "species": "print"}, "line 1 of manifest.jsonl: no such file"),
        ({"file": "a.mp4"}, 'line 1 of manifest.jsonl says neither "species" nor "bona_fide"'),
        ({"file": "a.mp4", "species": 3}, 'line 1 of manifest.jsonl says neither "species" nor "bona_fide"'),
        ({"file": "a.mp4", "species": "print", "challenge": {"steps": 1}}, "line 1 .* the challenge cannot be read"),
        (
            {"file": "a.mp4", "species": "print", "challenge": CHALLENGE, "received_s": 1},
            'line 1 .*: "received_s" needs a challenge',
        ),
        (
            {"file": "a.mp4", "species": "print", "challenge": ISSUED, "received_s": "1"},
            'line 1 .*: "received_s" is not a number',
        ),
        ({"file": "a.mp4", "species": "print", "challenge": "missing.json"}, "line 1 .* the challenge cannot be read"),
        ({"file": "a.mp4", "species": "print", "groups": {"age": 13}}, 'line 1 .*: "groups" is not an object of texts'),
        ({"file": "a.mp4", "species": "print", "groups": "f"}, 'line 1 .*: "groups" is not an object of texts'),
        ("", "manifest.jsonl has no recording"),
    ],
)
def test_malformed_manifest_is_refused(tmp_path: Path, row: Any, message: str) -> None:
    """A line with a fault is refused by its number; a manifest without a recording is none."""
    with pytest.raises(InvalidRequestError, match=message):
        read_cases(written(tmp_path, row))


def test_missing_manifest_and_empty_half_are_refused(tmp_path: Path) -> None:
    """A folder without a manifest, or a half without recordings, cannot be evaluated."""
    with pytest.raises(InvalidRequestError, match="cannot read the manifest"):
        read_cases(tmp_path)
    written(tmp_path, {"file": "a.mp4", "species": "print"})
    with pytest.raises(InvalidRequestError, match="no recording of the half 'report'"):
        read_cases(tmp_path, half="report")


def test_groups_are_kept_as_they_are_named(tmp_path: Path) -> None:
    """By any attribute; a line without any belongs to no group."""
    row = {"file": "a.mp4", "bona_fide": True, "groups": {"age group": "13-17", "light": "dim"}}
    (case,) = read_cases(written(tmp_path, row))
    assert case.groups == {"age group": "13-17", "light": "dim"}
    (case,) = read_cases(written(tmp_path, {"file": "a.mp4", "bona_fide": True}))
    assert case.groups == {}
