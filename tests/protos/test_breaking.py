"""`make lint-protos` in a clone that has a release: what breaks those who call it is refused, by name."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

BUF = ROOT / "build" / "buf" / "node_modules" / ".bin" / "buf"
GIT, MAKE = shutil.which("git") or "git", shutil.which("make") or "make"
PROTO = "protos/cameo/v1/challenge.proto"
FIELD = "  string language = 6;\n"


def _git(clone: Path, *words: str) -> None:
    subprocess.run([GIT, "-C", clone, "-c", "user.name=a", "-c", "user.email=a@example.org", *words], check=True)


def _linted(clone: Path) -> subprocess.CompletedProcess[str]:
    """Run the target with the buf that is here, which is not older than what the clone asks for."""
    words = [MAKE, "-C", clone, "--assume-old", "tests/protos/package-lock.json", f"BUF={BUF}", "lint-protos"]
    return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A clone of what is committed here, with a release before its last commit."""
    clone = tmp_path / "clone"
    subprocess.run([GIT, "clone", "--quiet", ROOT, clone], check=True)
    _git(clone, "tag", "v0.1.0")
    _git(clone, "commit", "--quiet", "--allow-empty", "-m", "Go on")
    return clone


def test_a_removed_field_is_noticed(released: Path) -> None:
    """The released protos pass as they are; without one field they do not, and the message names it."""
    same = _linted(released)
    assert same.returncode == 0, same.stdout + same.stderr
    assert "no release is tagged" not in same.stdout
    proto = released / PROTO
    with_field = proto.read_text("utf-8")
    assert with_field.count(FIELD) == 1
    proto.write_text(with_field.replace(FIELD, "  reserved 6;\n"), "utf-8")
    broken = _linted(released)
    assert broken.returncode != 0
    assert 'Previously present field "6" with name "language" on message "Challenge" was deleted' in broken.stdout


def test_a_field_may_be_added(released: Path) -> None:
    """What callers need not know breaks nobody."""
    proto = released / PROTO
    proto.write_text(proto.read_text("utf-8").replace(FIELD, f"{FIELD}\n  // What comes next.\n  string later = 100;\n"), "utf-8")
    added = _linted(released)
    assert added.returncode == 0, added.stdout + added.stderr


def test_what_was_released_last_counts(released: Path) -> None:
    """A field that came and went between two releases is nobody's loss; one of the last release is."""
    proto = released / PROTO
    proto.write_text(proto.read_text("utf-8").replace(FIELD, f"{FIELD}\n  // What comes next.\n  string later = 100;\n"), "utf-8")
    _git(released, "commit", "--quiet", "--all", "-m", "Add a field")
    _git(released, "tag", "v0.2.0")
    proto.write_text(proto.read_text("utf-8").replace("  string later = 100;\n", "  reserved 100;\n"), "utf-8")
    broken = _linted(released)
    assert broken.returncode != 0
    assert '"later"' in broken.stdout
