"""Laws of screen light: order matters, exposure and white balance alone never pass, nor does what comes beyond the delay."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cameo_challenges.colours import COUNT, LENGTH, sequence
from cameo_verifier.checks.screen_light import judge
from cameo_verifier.evidence.light_response import Answers
from cameo_verifier.live_record import LiveRecord, Reveal
from cameo_verifier.profiles import load
from cameo_verifier.types import Outcome
from tests.lit import SENT_S, T_S, landmarks, lit, record

NUMBERS = st.integers(0, COUNT - 1)
PROFILE = load()


def outcome(seen: np.ndarray, asked: tuple[int, ...], live: LiveRecord | None = None) -> Outcome:
    return judge(Answers(T_S, seen.astype(np.float32), landmarks(), live or record()).to(asked), PROFILE).outcome


@settings(max_examples=25, deadline=None)
@given(number=NUMBERS, seed=st.integers(0, 99), share=st.floats(0.1, 0.3))
def test_every_sequence_passes_in_its_own_light(number: int, seed: int, share: float) -> None:
    """Whatever was drawn, a face in its light passes."""
    asked = sequence(number)
    assert outcome(lit(asked, share=share, seed=seed), asked) is Outcome.PASS


@settings(max_examples=25, deadline=None)
@given(number=NUMBERS, places=st.permutations(range(LENGTH)))
def test_order_matters(number: int, places: list[int]) -> None:
    """The same colours in another order, five and more of them elsewhere, pass no more."""
    asked = sequence(number)
    other = tuple(asked[place] for place in places)
    assume(sum(a != b for a, b in zip(asked, other, strict=True)) >= LENGTH - 2)
    one, two = (Answers(T_S, lit(asked), landmarks(), record()).to(each) for each in (asked, other))
    assert two.match < one.match


@settings(max_examples=25, deadline=None)
@given(number=NUMBERS, seed=st.integers(0, 99), depth=st.floats(0.0, 0.5), hz=st.floats(0.1, 3.0), steps=st.booleans())
def test_exposure_and_white_balance_alone_never_pass(number: int, seed: int, depth: float, hz: float, *, steps: bool) -> None:
    """However a camera's gains change, smoothly or in steps as large as the light: skin and background change alike."""
    rng = np.random.default_rng(seed)
    waves = np.sin(2 * math.pi * (hz * T_S[:, None] + rng.uniform(0, 1, 3)))
    gain = np.exp(depth * (np.sign(waves) if steps else waves))
    asked = sequence(number)
    assert outcome(lit(asked, share=0.0, gain=gain, seed=seed), asked) is not Outcome.PASS


@settings(max_examples=25, deadline=None)
@given(number=NUMBERS, gain=st.floats(0.3, 3.0), cast=st.lists(st.floats(0.5, 2.0), min_size=3, max_size=3))
def test_constant_gains_change_nothing(number: int, gain: float, cast: list[float]) -> None:
    """Exposure and white balance cancel."""
    asked = sequence(number)
    plain, changed = (
        Answers(T_S, seen, landmarks(), record()).to(asked)
        for seen in (lit(asked), (lit(asked) * gain * np.array(cast, np.float32)).astype(np.float32))
    )
    assert math.isclose(plain.match, changed.match, abs_tol=1e-3)


@settings(max_examples=25, deadline=None)
@given(number=NUMBERS, late_s=st.floats(1.0, 1.7))
def test_light_beyond_the_delay_never_passes(number: int, late_s: float) -> None:
    """The right light fails once it is later than the line."""
    asked = sequence(number)
    late = LiveRecord(colours=tuple(Reveal(sent - late_s) for sent in SENT_S), arrivals=record().arrivals)
    assert outcome(lit(asked), asked, late) is not Outcome.PASS
