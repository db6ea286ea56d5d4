"""Latencies on the server's clock: what a client can do with its stamps and its bytes never makes an answer earlier."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cameo_challenges.model import Challenge, Say, Turn, TurnHead
from cameo_verifier.checks.answered_in_time import judge, latencies
from cameo_verifier.live_record import Arrival, LiveRecord, Reveal
from cameo_verifier.profiles import load
from cameo_verifier.reasons import Reason

PROFILE = load()
STEPS = Challenge((Say("seven zero"), TurnHead(Turn.LEFT), Say("marble one"), TurnHead(Turn.UP), Say("nine three")))
REVEALED_S = (0.5, 3.5, 6.0, 9.0, 11.5)
ANSWERED_S = (0.8, 0.9, 0.7, 1.0, 0.9)
SLICE_S, LINE_S, LENGTH_S = 0.25, 0.1, 15.0
"""The recording begins one slice and one line before its first bytes arrive at 0."""
_BEGAN_S = -SLICE_S - LINE_S

delays = st.floats(0.0, 3.0, allow_nan=False)
cuts = st.lists(st.floats(0.01, LENGTH_S, allow_nan=False), max_size=60, unique=True)


def arriving(slice_s: float = SLICE_S) -> tuple[Arrival, ...]:
    """Return the arrivals of even slices."""
    ends = [slice_s * (number + 1) for number in range(round(LENGTH_S / slice_s))]
    return tuple(Arrival(end, _BEGAN_S + end + LINE_S) for end in ends)


def record(arrivals: tuple[Arrival, ...]) -> LiveRecord:
    return LiveRecord(prompts=tuple(Reveal(at_s) for at_s in REVEALED_S), arrivals=arrivals)


def onsets(delay_s: float = 0.0, shift_s: float = 0.0) -> tuple[list[float], list[float]]:
    """Return the onsets of speech and turns in the recording, with a delay added and the stamps shifted."""
    at = [sent - _BEGAN_S + answer + delay_s + shift_s for sent, answer in zip(REVEALED_S, ANSWERED_S, strict=True)]
    return at[0::2], at[1::2]


def reason(live: LiveRecord, delay_s: float = 0.0, shift_s: float = 0.0) -> Reason | None:
    return judge(latencies(STEPS, live, *onsets(delay_s, shift_s)), PROFILE).reason


def worst(live: LiveRecord, delay_s: float = 0.0, shift_s: float = 0.0) -> float:
    found = latencies(STEPS, live, *onsets(delay_s, shift_s))
    return judge(found, PROFILE).score or float("inf")


@given(cuts)
def test_however_the_bytes_are_cut_nobody_is_accused_and_no_bound_is_below_the_truth(at: list[float]) -> None:
    """Any chunking of a prompt answer: each bound lies between the true latency and the wait for the rest of its chunk."""
    ends = [*sorted(at), LENGTH_S]
    live = record(tuple(Arrival(end, _BEGAN_S + end + LINE_S) for end in ends))
    found = latencies(STEPS, live, *onsets())
    for kind, answers in (("speech", ANSWERED_S[0::2]), ("turns", ANSWERED_S[1::2])):
        for latency, answer in zip(found[kind], answers, strict=True):
            assert answer <= latency.claimed_s + 1e-9 <= latency.at_most_s + 2e-9
            assert latency.claimed_s == pytest.approx(answer + LINE_S)
    assert judge(found, PROFILE).reason is not Reason.ANSWER_KNOWN_BEFORE


@given(delays, delays)
def test_a_longer_delay_is_never_judged_earlier(one: float, other: float) -> None:
    """The score is monotone in the delay, and what is late stays late."""
    less, more = sorted((one, other))
    live = record(arriving())
    assert worst(live, less) <= worst(live, more)
    if reason(live, less) is Reason.ANSWER_TOO_LATE:
        assert reason(live, more) is Reason.ANSWER_TOO_LATE


@given(st.lists(st.floats(0.0, 5.0), min_size=60, max_size=60))
def test_bytes_that_are_held_back_only_make_an_answer_later(held: list[float]) -> None:
    """Whatever is held back, no bound falls, of no step."""
    before = arriving()
    latest, after = 0.0, []
    for arrival, extra in zip(before, held, strict=True):
        latest = max(latest, arrival.arrived_s + extra)
        after.append(replace(arrival, arrived_s=latest))
    prompt, late = (latencies(STEPS, record(tuple(each)), *onsets()) for each in (before, after))
    for kind in prompt:
        for was, is_now in zip(prompt[kind], late[kind], strict=True):
            assert is_now.at_most_s >= was.at_most_s
            assert is_now.claimed_s >= was.claimed_s - 1e-9


@given(st.floats(-0.3, 10.0), delays)
def test_stamps_that_are_shifted_change_nothing(shift_s: float, delay_s: float) -> None:
    """A recording whose clock starts elsewhere has the same bounds: they are differences of the server's times."""
    plain = record(arriving())
    shifted = record(tuple(replace(each, media_s=each.media_s + shift_s) for each in plain.arrivals))
    assert worst(shifted, delay_s, shift_s) == pytest.approx(worst(plain, delay_s), abs=SLICE_S + 1e-6)
    assert (reason(shifted, delay_s, shift_s) is Reason.ANSWER_KNOWN_BEFORE) == (
        reason(plain, delay_s) is Reason.ANSWER_KNOWN_BEFORE
    )


@given(st.floats(0.5, 2.0), st.floats(1.5, 4.0))
def test_a_clock_at_another_speed_hides_no_delay(speed: float, delay_s: float) -> None:
    """Stamps stretched or squeezed, the answer's bytes still come late: never accepted."""
    plain = record(arriving())
    stretched = record(tuple(replace(each, media_s=each.media_s * speed) for each in plain.arrivals))
    said, turned = onsets(delay_s)
    result = judge(latencies(STEPS, stretched, [at * speed for at in said], [at * speed for at in turned]), PROFILE)
    assert result.reason is not None


@given(st.lists(st.floats(-100.0, 100.0), min_size=5, max_size=5))
def test_what_the_client_says_was_shown_is_not_read(shown: list[float]) -> None:
    """No moment that a client names changes anything."""
    live = record(arriving())
    named = replace(live, prompts=tuple(replace(each, shown_media_s=at) for each, at in zip(live.prompts, shown, strict=True)))
    assert latencies(STEPS, named, *onsets()) == latencies(STEPS, live, *onsets())
