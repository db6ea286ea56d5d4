"""Fixtures every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from verifier.models.kit import ModelKit
from verifier.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def kit() -> Iterator[ModelKit]:
    """The real model kit; an error here names the missing file and the command that fetches it."""
    with ModelKit.open(Settings()) as opened:
        yield opened


@pytest.fixture(scope="session")
def devdata() -> Path:
    """The folder of calibration recordings: `CAMEO_DEVDATA`, or `../shared/devdata` beside the repository."""
    folder = Path(os.environ.get("CAMEO_DEVDATA") or ROOT.parent / "shared" / "devdata")
    if not folder.is_dir():
        pytest.skip(f"no calibration recordings at {folder} (set CAMEO_DEVDATA)")
    return folder
