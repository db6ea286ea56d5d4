"""The conductor: one prompt at a time, when the one before it was said or done, or its time is over."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest

from cameo_challenges.model import Gesture, MakeGesture, Say, Turn, TurnHead
from cameo_verifier.live.conductor import Conductor, Draw, Pacing, Reveal, Stop
from cameo_verifier.live.lights import Shine
from cameo_verifier.live.observation import Heard, Seen

if TYPE_CHECKING:
    from cameo_challenges.model import Step

PACING = Pacing(
    answer_s=15.0,
    wordless_s=25.0,
    pause_min_s=0.1,
    pause_max_s=0.4,
    quiet_s=0.6,
    word_s=0.2,
    say_s=1.5,
    say_word_s=1.0,
    turn_s=3.5,
    gesture_s=2.1,
    blink_s=0.35,
    turn_deg=10.0,
    centre_deg=7.0,
    colour_min_s=0.8,
    colour_max_s=1.4,
)
STEPS = (Say("seven zero marble"), TurnHead(Turn.LEFT), Say("four one"))
LONG = (*STEPS, TurnHead(Turn.UP), Say("six two violin"))


class Played:
    """An answer that is played by its ticks of 0.1 s; the server's clock is the recording's."""

    def __init__(self, steps: tuple[Step, ...] = STEPS, colours: tuple[int, ...] = ()) -> None:
        self.tick, self.steps, self.colours = 0, steps, colours
        self.shone: list[tuple[float, int]] = []
        self.conductor = Conductor(PACING, Random(1), now=0.0)  # noqa: S311 - a test
        self.revealed: list[tuple[float, int]] = []
        self.stopped_at = 0.0

    @property
    def now(self) -> float:
        """Seconds since the first picture."""
        return self.tick / 10

    def play(self, seconds: float, *, speech: bool = False, yaw: float = 2.0, pitch: float = -3.0) -> None:
        """Play a while of one thing."""
        for _ in range(round(seconds * 10)):
            self.tick += 1
            self.conductor.observe(Seen(self.now, 1, 0.5, (0.5, 0.5), 120.0, yaw, pitch, 25.0), now=self.now)
            self.conductor.observe(Heard(self.now, -20.0 if speech else -60.0, speech), now=self.now)
            while action := self.conductor.act(now=self.now):
                match action:
                    case Draw():
                        self.conductor.take(self.steps, self.colours)
                    case Reveal(number, step):
                        assert step == self.steps[number]
                        self.revealed.append((self.now, number))
                    case Shine(number, rgb):
                        assert rgb == self.colours[number]
                        self.shone.append((self.now, number))
                    case Stop():
                        self.stopped_at = self.now


def test_prompts_follow_one_another_as_they_are_answered() -> None:
    """Words, a turn and words: each prompt comes within the pause after what was said or done, and the end after the last."""
    played = Played()
    played.play(0.5)
    assert [number for _, number in played.revealed] == [0]
    played.play(0.7)
    played.play(1.5, speech=True)
    said = played.now
    assert len(played.revealed) == 1
    played.play(1.2)
    at, number = played.revealed[-1]
    assert number == 1
    assert said + PACING.quiet_s <= at <= said + PACING.quiet_s + PACING.pause_max_s + 0.2
    played.play(0.5)
    played.play(0.5, yaw=24.0)
    assert len(played.revealed) == 2
    played.play(0.6)
    assert [number for _, number in played.revealed] == [0, 1, 2]
    assert played.conductor.done == 2
    played.play(0.5)
    played.play(1.0, speech=True)
    played.play(1.1)
    assert played.stopped_at
    assert played.conductor.done == 3


def test_the_challenge_is_drawn_when_its_first_prompt_is_due() -> None:
    """Not before the pause is over, which is random."""
    firsts = set()
    for seed in range(20):
        conductor = Conductor(PACING, Random(seed), now=10.0)  # noqa: S311 - a test
        assert conductor.act(now=10.04) is None
        assert conductor.done == 0
        assert PACING.pause_min_s <= conductor.wakes_at - 10.0 <= PACING.pause_max_s
        firsts.add(round(conductor.wakes_at, 3))
        assert conductor.act(now=10.5) == Draw()
    assert len(firsts) > 10


def test_a_short_pause_between_words_ends_nothing() -> None:
    """Three words with gaps of 0.4 s, and a cough before them, are one prompt."""
    played = Played()
    played.play(0.5)
    played.play(0.2, speech=True)
    played.play(0.9)
    for _ in range(3):
        played.play(0.4, speech=True)
        played.play(0.4)
    assert len(played.revealed) == 1
    played.play(0.8)
    assert len(played.revealed) == 2


@pytest.mark.parametrize("yaw", [2.0, -24.0, 8.0], ids=["nothing", "the other way", "too little"])
def test_what_is_not_done_ends_with_its_time(yaw: float) -> None:
    """A person who does not answer, or does something else, gets the next prompt when the time is over, and not before."""
    played = Played()
    played.play(0.5)
    played.play(1.5, speech=True)
    played.play(1.2)
    (asked, _) = played.revealed[-1]
    played.play(0.5, yaw=yaw)
    played.play(PACING.turn_s + 1.0)
    (after, number) = played.revealed[-1]
    assert number == 2
    assert after >= asked + PACING.turn_s


def test_the_answer_has_an_end() -> None:
    """A person who talks on and on is stopped after the longest answer, and nothing is revealed afterwards."""
    played = Played(LONG)
    played.play(30.0, speech=True)
    (first, _) = played.revealed[0]
    assert played.stopped_at == pytest.approx(first + PACING.answer_s, abs=0.11)
    count = len(played.revealed)
    played.play(5.0)
    assert len(played.revealed) == count


def test_speech_that_goes_on_is_not_the_answer_to_the_next_prompt() -> None:
    """Words whose time is over and that are still being said do not count for the words asked then."""
    conductor = Conductor(PACING, Random(1), now=0.0)  # noqa: S311 - a test
    conductor.act(now=1.0)
    conductor.take((Say("one two"), Say("three four")))
    assert isinstance(conductor.act(now=1.0), Reveal)
    tick, second = 10, None
    while second is None:
        tick += 1
        conductor.observe(Heard(tick / 10, -20.0, speech=True), now=tick / 10)
        action = conductor.act(now=tick / 10)
        second = action if isinstance(action, Reveal) else None
    for spoken in (True, True, True, True, True, False, False, False, False, False, False, False):
        tick += 1
        conductor.observe(Heard(tick / 10, -20.0, speech=spoken), now=tick / 10)
        assert conductor.act(now=tick / 10) is None
    assert conductor.done == 1


COLOURS = (0xFFFFFF, 0x0000FF, 0x00FF00, 0xFFBC00, 0x00FFFF, 0xFF00FF, 0xFFFF00)


def test_colours_are_shown_beside_the_prompts_from_the_first_one_on() -> None:
    """Each for its time, in order, whatever the person does; and none before the first prompt."""
    played = Played(colours=COLOURS)
    played.play(20.0)
    (first, _) = played.revealed[0]
    assert [number for _, number in played.shone] == list(range(len(COLOURS)))
    assert played.shone[0][0] == first
    times = [later - earlier for (earlier, _), (later, _) in pairwise(played.shone)]
    assert min(times) >= PACING.colour_min_s - 0.001
    assert max(times) <= PACING.colour_max_s + 0.101
    assert len(set(times)) > 1


def test_an_answer_is_not_over_before_its_last_colour() -> None:
    """Who answers faster than the colours change waits for the last one, which has its time too."""
    played = Played((Say("one"),), COLOURS)
    played.play(0.8)
    played.play(0.6, speech=True)
    played.play(12.0)
    (last, number) = played.shone[-1]
    assert number == len(COLOURS) - 1
    assert last + PACING.colour_min_s <= played.stopped_at <= last + PACING.colour_max_s + 0.2


def test_the_longest_answer_ends_the_colours_too() -> None:
    """Nothing is shown after the end."""
    played = Played(LONG, COLOURS * 3)
    played.play(30.0, speech=True)
    assert played.stopped_at == pytest.approx(played.revealed[0][0] + PACING.answer_s, abs=0.11)
    assert played.shone[-1][0] <= played.stopped_at


def test_a_gesture_has_its_time_and_a_wordless_answer_its_own_end() -> None:
    """Blinks have more of it; who does nothing is stopped after the longest answer without words."""
    played = Played((MakeGesture(Gesture.SMILE), MakeGesture(Gesture.BLINK_4), MakeGesture(Gesture.OPEN_MOUTH)) * 6)
    played.play(40.0)
    (first, _), (second, _), (third, _) = played.revealed[:3]
    assert PACING.gesture_s <= second - first <= PACING.gesture_s + PACING.pause_max_s + 0.2
    blinks = PACING.gesture_s + 4 * PACING.blink_s
    assert blinks <= third - second <= blinks + PACING.pause_max_s + 0.2
    assert played.stopped_at == pytest.approx(first + PACING.wordless_s, abs=0.11)
