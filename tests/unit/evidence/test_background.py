"""The person's speech told from that of others in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from cameo_verifier.evidence.background import LEAST_S, apart
from cameo_verifier.evidence.sound import RATE_HZ, listen
from fixtures.studio.speech import SOUND_HZ
from fixtures.studio.voices import Voice, speaker

if TYPE_CHECKING:
    from cameo_verifier.models.kit import ModelKit
    from cameo_verifier.types import F32, F64

BLOCK_S = 0.03


def power(*parts: tuple[float, float]) -> F64:
    """Return the mean square of blocks of these levels (dB) and lengths (s), one after another."""
    return np.concatenate([np.full(round(length_s / BLOCK_S), 10 ** (level_db / 10)) for level_db, length_s in parts])


def voice(text: str, which: Voice) -> F32:
    """Return a text said at an RMS of 0.1, 16 kHz."""
    said = scipy.signal.resample_poly(speaker(which).say(text).sound, 1, SOUND_HZ // RATE_HZ)
    return np.asarray(0.1 * said / said.std(), np.float32)


@pytest.mark.parametrize("below_db", [15.0, 20.0, 30.0])
def test_quiet_speech_between_words_is_of_others(below_db: float) -> None:
    """Two seconds far under the words before and after are somebody else's, less what the words' edges cover."""
    own, others = apart(np.array([[0.0, 6.0]]), power((-20, 2.0), (-20 - below_db, 2.0), (-20, 2.0)), BLOCK_S)
    assert others == pytest.approx(np.array([[2.25, 3.75]]), abs=0.1)
    assert own == pytest.approx(np.array([[0.0, 2.25], [3.75, 6.0]]), abs=0.1)


def test_a_quiet_stretch_of_its_own_is_of_others() -> None:
    """One word, far under the rest, that voice activity found by itself is not the person's, however short."""
    own, others = apart(np.array([[0.0, 2.0], [3.0, 3.3]]), power((-20, 2.0), (-90, 1.0), (-45, 0.3), (-90, 1.0)), BLOCK_S)
    assert own.tolist() == [[0.0, 2.0]]
    assert others.tolist() == [[3.0, 3.3]]


@pytest.mark.parametrize("below_db", [0.0, 6.0, 10.0])
def test_a_second_voice_as_near_as_the_person_stays(below_db: float) -> None:
    """Who is not far under the person is heard as part of the answer, for the voice checks to see."""
    speech = np.array([[0.0, 6.0]])
    own, others = apart(speech, power((-20, 3.0), (-20 - below_db, 3.0)), BLOCK_S)
    assert own.tolist() == speech.tolist()
    assert not len(others)


@given(st.lists(st.floats(-90, 0), min_size=1, max_size=200), st.lists(st.floats(0.01, 2.0), max_size=8))
def test_what_is_found_is_what_was_there(levels_db: list[float], lengths_s: list[float]) -> None:
    """The two parts are disjoint, in order, and make up all of the speech; others' are long or whole stretches."""
    edges = np.cumsum(np.concatenate(([0.0], lengths_s[: len(lengths_s) // 2 * 2])))[1:].reshape(-1, 2)
    own, others = apart(edges, 10 ** (np.array(levels_db) / 10), BLOCK_S)
    both = np.concatenate([own, others])
    both = both[np.argsort(both[:, 0])]
    assert (both[:, 1] > both[:, 0]).all()
    assert (both[1:, 0] >= both[:-1, 1]).all()
    assert (both[:, 1] - both[:, 0]).sum() == pytest.approx((edges[:, 1] - edges[:, 0]).sum())
    whole = {tuple(span) for span in edges.tolist()}
    assert all(end - start >= LEAST_S or (start, end) in whole for start, end in others.tolist())


def test_a_screen_reader_is_left_out(kit: ModelKit) -> None:
    """Orders read out 20 dB under the answers are neither words nor voice of the person, and are counted as others'."""
    pause = np.zeros(RATE_HZ // 2, np.float32)
    parts = [pause, voice("three marble", Voice.HEART), pause, 0.1 * voice("turn left", Voice.REED), pause]
    track = listen(np.concatenate([*parts, voice("two zero", Voice.HEART), pause]), kit, spoken=("three marble", "two zero"))
    assert len(track.speech) == 2
    assert 0.5 < track.others_s < 1.6
    assert "left" not in track.text.lower()
    assert track.level_dbfs == pytest.approx(-20.0, abs=1.5)
