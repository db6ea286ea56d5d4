"""How much likelier the phonemes are for each word than for others, heard by the real recogniser from a synthetic voice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.signal

from cameo_verifier.evidence.pronounced import weighed
from cameo_verifier.evidence.sound import RATE_HZ
from cameo_verifier.types import ScoredWord
from fixtures.studio.speech import SOUND_HZ
from fixtures.studio.voices import Voice, speaker
from tests.english import ENGLISH

if TYPE_CHECKING:
    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import F32

SAID = "hello seven mango zero double three thanks"


def laid(text: str) -> tuple[ScoredWord, ...]:
    """Return words laid anywhere, each with a gain of 1."""
    return tuple(ScoredWord(word, float(at), at + 1.0, -0.1, gain=1.0) for at, word in enumerate(text.split()))


@pytest.fixture(scope="module")
def heard(kit: ModelKit) -> F32:
    """The phonemes of a phrase with a greeting before it and thanks after it."""
    said = scipy.signal.resample_poly(speaker(Voice.HEART).say(SAID).sound, 1, SOUND_HZ // RATE_HZ)
    return kit.phonemes.log_probs(np.asarray(0.1 * said / said.std(), np.float32))


def margins(kit: ModelKit, heard: F32, text: str) -> list[float]:
    """Return the margin of each word of a phrase."""
    return [word.margin for word in weighed(laid(text), heard, kit.phonemes.tokens, ENGLISH)]


def test_said_words_are_likelier_than_any_other(kit: ModelKit, heard: F32) -> None:
    """Each said word has a margin above 0, and it is part of the gain; talk beside the phrase is passed over."""
    words = weighed(laid("seven mango zero double three"), heard, kit.phonemes.tokens, ENGLISH)
    assert min(word.margin for word in words) > 1.0
    assert all(word.gain == 1.0 + word.margin for word in words)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("five mango zero double three", [0]),
        ("seven panda zero double three", [1]),
        ("seven mango two double three", [2]),
        ("seven mango eight double four", [2, 4]),
    ],
)
def test_another_word_in_its_place_is_less_likely(kit: ModelKit, heard: F32, text: str, changed: list[int]) -> None:
    """A digit or a word that was not said has a margin below 0, its neighbours keep theirs."""
    found = margins(kit, heard, text)
    assert max(found[place] for place in changed) < -2.0
    assert min(margin for place, margin in enumerate(found) if place not in changed) > 0.0


def test_words_in_another_order_are_not_there(kit: ModelKit, heard: F32) -> None:
    """Phonemes are laid in order: words that were said, but before, are not found again."""
    assert min(margins(kit, heard, "three zero mango seven")) < -2.0


def test_nothing_heard_weighs_nothing(kit: ModelKit, heard: F32) -> None:
    """Without phonemes, with fewer rows than the phrase has phonemes, and without a phrase, the words stay as they are."""
    phrase = laid("seven mango")
    assert weighed(phrase, heard[:0], kit.phonemes.tokens, ENGLISH) == phrase
    assert weighed(phrase, heard[:5], kit.phonemes.tokens, ENGLISH) == phrase
    assert weighed((), heard, kit.phonemes.tokens, ENGLISH) == ()


def test_no_word_makes_up_for_another(kit: ModelKit, heard: F32) -> None:
    """A margin is bounded either way."""
    found = margins(kit, heard, "watermelon umbrella one one one")
    assert max(map(abs, found)) <= 8.0
