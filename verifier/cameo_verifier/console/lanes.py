"""Lanes that compare the answer with the challenge, drawn from tracks alone: words and head turns."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from cameo_challenges.languages import DEFAULT
from cameo_challenges.model import MakeGesture, Say, Turn
from cameo_challenges.prompts import prompt
from cameo_verifier.checks import gestures
from cameo_verifier.console.rendering import plain
from cameo_verifier.console.scale import Lane, Moment, Scale, curve, fitting, joined, level, note, nothing, span, spells
from cameo_verifier.evidence.gestures import Made
from cameo_verifier.evidence.movements import Movement, matches, movements
from cameo_verifier.evidence.picture import LIVE_DEG
from cameo_verifier.evidence.relief import pairs, relief
from cameo_verifier.evidence.spoken import spoken_spans, witnesses, words_said
from cameo_verifier.reasons import Reason
from cameo_verifier.types import FaceTrack, SoundTrack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markupsafe import Markup

    from cameo_challenges.model import Challenge
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import Evidence

_WORST = 3
"""Number of moments of a kind that are named, the worst."""
_UNSAID = ("phrase", Reason.PHRASE_MISMATCH)
_MOVED = ("movement", Reason.MOVEMENT_MISSING, Reason.MOVEMENT_WRONG_ORDER)
_WAYS = {Turn.LEFT: (0, 1.0), Turn.RIGHT: (0, -1.0), Turn.UP: (1, 1.0), Turn.DOWN: (1, -1.0)}
"""Column of the pose, and its sign."""


def words(scale: Scale, evidence: Evidence, challenge: Challenge, profile: Profile) -> Lane:
    """Return the lane of words: the phrase of the challenge where it was found, and what was transcribed."""
    keys = (
        ("asked", "asked, where it was found"),
        ("heard", "heard, answers it"),
        ("extra", "heard besides"),
        ("laid", "said by the sound"),
    )
    sound = evidence.sound
    if not isinstance(sound, SoundTrack) or not challenge.spoken:
        return nothing("words", "Words", "no sound" if challenge.spoken else "nothing was to be said")
    words = witnesses(challenge, sound)
    answered = [(answer.start_s, answer.end_s) for answer in words.reading.answers if answer]
    drawn, moments = [], []
    lost = []
    for step, found in zip(challenge.spoken, spoken_spans(challenge, sound), strict=True):
        text = plain(step)
        if found is None:
            lost.append(text)
            continue
        drawn.append(_box(scale, "asked", *found, 0.0, f"asked: {text}"))
        moments.append(Moment(found[0], "asked", f"“{text}” begins"))
    for word in sound.words:
        middle = (word.start_s + word.end_s) / 2
        answers = any(start - 0.01 <= middle <= end + 0.01 for start, end in answered)
        text = plain(word.text.strip())
        drawn.append(_box(scale, "heard" if answers else "extra", word.start_s, word.end_s, 24.0, text))
        moments.append(Moment(word.start_s, "heard", f"heard “{text}”" + ("" if answers else ", which was not asked here")))
    lines = {name: profile[f"phrase_{name}_word_gain_min"] for name in ("read", "unread")}
    counts = words_said(words, read_gain=lines["read"].value, unread_gain=lines["unread"].value)
    for laid, is_said in zip(sound.forced, counts, strict=True):
        name = "laid" if lines["unread"].holds(laid.gain) else "laid weak"
        title = f"{plain(laid.text)}: {laid.gain:.1f} nats"
        drawn.append(span(scale, name, laid.start_s, laid.end_s, top=49.0, height=5.0, title=title))
        if not is_said:
            moments.append(Moment(laid.start_s, "asked", f"“{plain(laid.text)}” is not said here, {laid.gain:.1f} nats", _UNSAID))
    if lost:
        moments.append(Moment(scale.duration_s, "asked", f"never found: {', '.join(lost)}", _UNSAID))
        drawn.append(note("note warn", scale.x(scale.duration_s), 68, f"not found: {', '.join(lost)}", anchor="end"))
    moments += _out_of_order(evidence, challenge, profile)
    return Lane("words", "Words", keys, 72.0 if lost else 58.0, joined(drawn), tuple(moments))


def pose(scale: Scale, evidence: Evidence, challenge: Challenge, profile: Profile) -> Lane:
    """Return the lane of the head pose, with the turns that were found, answering the challenge or not."""
    keys = (
        ("yaw", "yaw, up is their left"),
        ("pitch", "pitch, up is up"),
        ("turn", "asked turn"),
        ("turn other", "another turn"),
    )
    face = evidence.face
    if not isinstance(face, FaceTrack):
        return nothing("head", "Head", "no face")
    height, most = 84.0, 30.0
    found = _movements(face, profile)
    asked = _asked(found, challenge.turns)
    drawn, moments = [], []
    for each in found:
        text = f"{each.turn} {each.peak_deg:.0f}°"
        name = "turn" if each in asked else "turn other"
        drawn.append(span(scale, name, each.start_s, each.end_s, top=0.0, height=height, title=f"{text} at {each.peak_s:.1f} s"))
        drawn.append(note("note", scale.x(each.start_s) + 3, 11, text))
        unasked = "" if each in asked else ", which was not asked"
        moments.append(Moment(each.peak_s, "head", f"head {text}{unasked}", _MOVED))
    drawn.append(level("zero", 0.0, low=-most, high=most, height=height))
    for name, column in (("yaw", 0), ("pitch", 1)):
        drawn.append(curve(scale, name, face.t_s, face.pose_deg[:, column], low=-most, high=most, height=height))
    moments += (*_never_turned(face, found, challenge), *_flat(face, profile), *_gestured(face, challenge, profile))
    away = np.nan_to_num(np.abs(face.pose_deg[:, :2])).max(axis=1) > LIVE_DEG
    for start, end in spells(face.t_s, away, most=_WORST):
        moments.append(Moment(start, "head", f"turned away until {end:.1f} s", (Reason.FACE_TURNED_AWAY,)))
    wanted = ", ".join(challenge.turns) or "none"
    return Lane("head", f"Head, asked: {wanted}", keys, height, joined(drawn), tuple(moments))


def _movements(face: FaceTrack, profile: Profile) -> tuple[Movement, ...]:
    least, centre = profile["turn_deg_min"].value, profile["turn_centre_deg_max"].value
    return movements(face.t_s, face.pose_deg, min_deg=least, centre_deg=centre)


def _asked(found: tuple[Movement, ...], asked: tuple[Turn, ...]) -> tuple[Movement, ...]:
    """Return the movements that answer best; if none do so in order, those in a direction of the challenge."""
    best = max(matches(found, asked), key=lambda choice: sum(each.peak_deg for each in choice), default=None)
    return tuple(each for each in found if each.turn in asked) if best is None else best


def _never_turned(face: FaceTrack, found: tuple[Movement, ...], challenge: Challenge) -> Iterator[Moment]:
    """Yield the farthest pose in each direction of the challenge that was never turned to."""
    for turn in dict.fromkeys(challenge.turns):
        column, sign = _WAYS[turn]
        went = sign * face.pose_deg[:, column]
        if all(each.turn is not turn for each in found) and np.isfinite(went).any():
            row = int(np.nanargmax(went))
            text = f"farthest {turn}, {max(float(went[row]), 0.0):.0f}°: no turn"
            yield Moment(float(face.t_s[row]), "head", text, (*_MOVED, "depth", "sequence"))


def _gestured(face: FaceTrack, challenge: Challenge, profile: Profile) -> Iterator[Moment]:
    """Yield the gestures that are seen, where any were asked."""
    for each in gestures.seen(face, profile) if challenge.gestures else ():
        if isinstance(each, Made):
            name = "another number of blinks" if each.gesture is None else prompt(MakeGesture(each.gesture), DEFAULT)
            unasked = "" if each.gesture in challenge.gestures else ", which was not asked"
            yield Moment(each.start_s, "head", f"seen: {name}{unasked}", (Reason.GESTURE_MISSING, Reason.MOVEMENT_WRONG_ORDER))


def _flat(face: FaceTrack, profile: Profile) -> Iterator[Moment]:
    """Yield the pairs of frames with the least depth, if the depth over all of them is below its threshold."""
    if not profile["relief_min"].holds(relief(face).depth):
        found = pairs(face)
        for row in np.argsort(found.depth)[:_WORST]:
            text = f"turned, and shows {found.depth[row]:.2f} of a head's depth"
            yield Moment(float(face.t_s[found.after[row]]), "head", text, ("depth", Reason.FLAT_FACE))


def _out_of_order(evidence: Evidence, challenge: Challenge, profile: Profile) -> Iterator[Moment]:
    """Yield turns that overlap the words next to them, on the wrong side."""
    face, sound = evidence.face, evidence.sound
    if not isinstance(face, FaceTrack) or not isinstance(sound, SoundTrack):
        return
    spans = spoken_spans(challenge, sound)
    best = max(
        matches(_movements(face, profile), challenge.turns), key=lambda choice: sum(m.peak_deg for m in choice), default=None
    )
    if best is None or None in spans:
        return
    said_then, turned = iter(spans), iter(best)
    steps = [next(said_then) if isinstance(step, Say) else next(turned) for step in challenge.steps]
    for before, after in pairwise(steps):
        if isinstance(before, tuple) and isinstance(after, Movement):
            over_s, at_s, how = before[1] - after.peak_s, after.peak_s, "words before it end"
        elif isinstance(before, Movement) and isinstance(after, tuple):
            over_s, at_s, how = before.peak_s - after[0], after[0], "words after it begin"
        else:
            continue
        if not profile["overrun_max"].holds(over_s):
            yield Moment(at_s, "asked", f"{how} {over_s:.1f} s on the wrong side of the turn", ("sequence",))


def _box(scale: Scale, name: str, start_s: float, end_s: float, top: float, text: str) -> Markup:
    left, right = scale.x(start_s), scale.x(end_s)
    inside = fitting(text.removeprefix("asked: "), right - left + 6)
    return joined(
        [
            span(scale, name, start_s, end_s, top=top, height=20.0, title=f"{text}, {start_s:.2f} to {end_s:.2f} s"),
            note(f"in {name}", left + 3, top + 14, inside),
        ]
    )
