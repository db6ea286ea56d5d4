"""Groups of words of one voice, said over the telephone."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.evidence.sound import listen
from cameo_verifier.evidence.voices import strangeness
from cameo_verifier.profiles import load
from tests.bench.phrase import sound_of, zip_code

if TYPE_CHECKING:
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit

pytestmark = pytest.mark.devdata


def test_a_zip_code_is_said_by_one_voice(kit: ModelKit, devdata: Path) -> None:
    """Where a caller's digits make two groups of words and more, the least like one is far above the line."""
    folder = devdata / "speech" / "digits"
    with (folder / "transcripts.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    tracks = [listen(sound_of(folder / row["file"]), kit, spoken=[zip_code(row["transcript"])]) for row in rows]
    least = [strangeness(track.group_s, track.group_embeddings)[0] for track in tracks if len(track.group_s) > 1]
    # 19 or 20 of 38 callers: a pause at the limit is heard on some processors.
    assert len(least) >= 19
    assert min(least) > 2 * load()["voice_group_min"].value
