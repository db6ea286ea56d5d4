"""The phrase check on people: zip codes over the telephone, accented children, and GRID talkers."""

from __future__ import annotations

import csv
from itertools import product
from random import Random
from typing import TYPE_CHECKING

import pytest

from cameo_verifier.profiles import load
from tests.bench.phrase import Ear, changed, grid_sentence, sound_of, zip_code
from tests.real.words import clips

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cameo_verifier.models.kit import ModelKit

pytestmark = pytest.mark.devdata

CLIPS = ("bbaf2n", "lrwp9a", "pwij3p", "sbwe5n", "swiz3n")
CHANGES = 3


@pytest.fixture(scope="module")
def grid(kit: ModelKit, devdata: Path) -> Callable[[str], Ear]:
    """Return a function that hears a GRID clip, once."""
    known: dict[str, Ear] = {}

    def heard(clip: str) -> Ear:
        if clip not in known:
            known[clip] = Ear(sound_of(devdata / "bonafide" / f"{clip}.mpg"), kit, load())
        return known[clip]

    return heard


@pytest.mark.parametrize(("clip", "said"), list(product(CLIPS, CLIPS)))
def test_grid_talkers_said_their_own_sentence_only(grid: Callable[[str], Ear], clip: str, said: str) -> None:
    """Each clip is accepted against its true sentence and refused against every other clip's."""
    assert grid(clip).accepts([grid_sentence(said)]) == (clip == said)


def test_zip_codes_are_told_apart(kit: ModelKit, devdata: Path) -> None:
    """The right digits are accepted in at least 95 %, and with two of them changed in at most 2 %."""
    rng = Random(3)  # noqa: S311 - a test repeats itself
    right: list[bool] = []
    wrong: list[bool] = []
    with (devdata / "speech/digits/transcripts.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            ear = Ear(sound_of(devdata / "speech/digits" / row["file"]), kit, load())
            code = zip_code(row["transcript"])
            right.append(ear.accepts([code]))
            wrong += [ear.accepts(changed([code], 2, rng)) for _ in range(CHANGES)]
    assert len(right) == 38
    assert sum(right) / len(right) >= 0.95
    assert sum(wrong) / len(wrong) <= 0.02


def test_digits_of_accented_children_are_told_apart(kit: ModelKit, devdata: Path) -> None:
    """The right digits are accepted in at least 90 %, with one of them changed in at most 10 % and with two in at most 1 %."""
    rng = Random(4)  # noqa: S311 - a test repeats itself
    right: list[bool] = []
    wrong: dict[int, list[bool]] = {1: [], 2: []}
    for clip in clips(devdata):
        if clip.digits and clip.group.startswith("under 13"):
            ear = Ear(sound_of(clip.path), kit, load())
            right.append(ear.accepts([clip.digits]))
            for count, tries in wrong.items():
                tries += [ear.accepts(changed([clip.digits], count, rng)) for _ in range(CHANGES)]
    assert len(right) == 36
    assert sum(right) / len(right) >= 0.9
    assert sum(wrong[1]) / len(wrong[1]) <= 0.1
    assert sum(wrong[2]) / len(wrong[2]) <= 0.01
