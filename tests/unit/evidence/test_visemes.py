"""What phonemes ask of the lips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier.evidence.lips import FEATURES
from cameo_verifier.evidence.visemes import lips_said
from cameo_verifier.models.phonemes import BLANK

if TYPE_CHECKING:
    from cameo_verifier.types import F32

TOKENS = ("<unk>", "a", "m", "u", "i", BLANK)
GAP, PURSED = (FEATURES.index(name) for name in ("gap between the lips", "mouthPucker"))
ROWS = 60


def _heard(*spoken: tuple[int, str]) -> F32:
    """Return (60, 6) log probabilities that are sure of each phoneme in its row, and of nothing new elsewhere."""
    probabilities = np.full((ROWS, len(TOKENS)), 1e-12)
    probabilities[:, TOKENS.index(BLANK)] = 1.0
    for row, phoneme in spoken:
        probabilities[row] = 1e-12
        probabilities[row, TOKENS.index(phoneme)] = 1.0
    return np.log(probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32)


def test_each_phoneme_has_its_lips() -> None:
    """Lips part for an A, less for an I, meet for an M, and are pursed for a U alone."""
    said = {phoneme: lips_said(_heard((30, phoneme)), TOKENS)[30] for phoneme in "amui"}
    assert said["m"][GAP] < -0.2 < 0.2 < said["i"][GAP] < 0.5 < said["a"][GAP]
    assert said["u"][PURSED] > 0.5
    assert max(said[phoneme][PURSED] for phoneme in "ami") < 0.1


def test_a_closure_does_not_give_way_to_its_neighbours() -> None:
    """Between two vowels 60 ms away the lips still meet for an M, and it takes from the vowels more than they from it."""
    alone, between = lips_said(_heard((30, "m")), TOKENS), lips_said(_heard((27, "a"), (30, "m"), (33, "a")), TOKENS)
    vowel = lips_said(_heard((27, "a")), TOKENS)
    assert between[30, GAP] < -0.1
    assert abs(between[30, GAP] - alone[30, GAP]) < abs(between[27, GAP] - vowel[27, GAP])


def test_lips_rest_where_nothing_is_heard() -> None:
    """Half a second away from any phoneme the lips do nothing, and a token without a viseme asks nothing."""
    said = lips_said(_heard((10, "a"), (50, "<unk>")), TOKENS)
    assert np.abs(said[10]).max() > 0.5
    assert np.abs(said[40:]).max() < 0.2 * np.abs(said[10]).max()
    assert lips_said(np.zeros((0, len(TOKENS)), np.float32), TOKENS).shape == (0, len(FEATURES))


@given(st.integers(15, 40), st.sampled_from(["a", "m", "u", "i"]))
def test_a_phoneme_said_later_asks_the_same_later(row: int, phoneme: str) -> None:
    """Shifting what is heard shifts what is said of the lips, and changes nothing else."""
    early, late = lips_said(_heard((row, phoneme)), TOKENS), lips_said(_heard((row + 5, phoneme)), TOKENS)
    assert early[row - 12 : row + 12] == pytest.approx(late[row - 7 : row + 17], abs=1e-5)
