"""The rows of the time axis, each drawn from tracks alone: what was asked beside what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from verifier.console.rendering import plain
from verifier.console.scale import Lane, Moment, Scale, curve, fitting, joined, level, note, span
from verifier.evidence.continuity import longest_gap_s, sharpest_jump
from verifier.evidence.lips import measured, said
from verifier.evidence.movements import matches, movements
from verifier.evidence.sound import BLOCK_S
from verifier.evidence.spoken import spoken_spans, witnesses
from verifier.models.phonemes import RATE_HZ
from verifier.types import FaceTrack, PictureTrace, SoundRepeat, SoundTrack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from challenges.model import Challenge, Turn
    from verifier.evidence.movements import Movement
    from verifier.profile import Profile
    from verifier.types import Evidence

_FLOOR_DBFS = -80.0
_LIPS_DEVIATIONS = 3.0


def words(scale: Scale, evidence: Evidence, challenge: Challenge, profile: Profile) -> Lane:
    """Return what was asked to be said, where it was found, and what was heard."""
    keys = (
        ("asked", "asked, where it was found"),
        ("heard", "heard, answers it"),
        ("extra", "heard besides"),
        ("laid", "said by the sound"),
    )
    sound = evidence.sound
    if not isinstance(sound, SoundTrack) or not challenge.spoken:
        return Lane("Words", (), 20.0, note("note", scale.x(0), 14, "no sound" if challenge.spoken else "nothing was to be said"))
    testimony = witnesses(challenge, sound)
    answered = [(answer.start_s, answer.end_s) for answer in testimony.reading.answers if answer]
    parts, moments = [], []
    lost = []
    for step, found in zip(challenge.spoken, spoken_spans(challenge, sound), strict=True):
        text = plain(step)
        if found is None:
            lost.append(text)
            continue
        parts.append(_box(scale, "asked", *found, 0.0, f"asked: {text}"))
        moments.append(Moment(found[0], "asked", f"“{text}” begins"))
    for word in sound.words:
        middle = (word.start_s + word.end_s) / 2
        answers = any(start - 0.01 <= middle <= end + 0.01 for start, end in answered)
        text = plain(word.text.strip())
        parts.append(_box(scale, "heard" if answers else "extra", word.start_s, word.end_s, 24.0, text))
        moments.append(Moment(word.start_s, "heard", f"heard “{text}”" + ("" if answers else ", which was not asked here")))
    gained = profile["phrase_unread_word_gain_min"]
    for laid in sound.forced:
        name = "laid" if gained.holds(laid.gain) else "laid weak"
        title = f"{plain(laid.text)}: {laid.gain:.1f} nats"
        parts.append(span(scale, name, laid.start_s, laid.end_s, top=49.0, height=5.0, title=title))
    if lost:
        moments.append(Moment(scale.duration_s, "asked", f"never found: {', '.join(lost)}"))
        parts.append(note("note warn", scale.x(scale.duration_s), 68, f"not found: {', '.join(lost)}", anchor="end"))
    return Lane("Words", keys, 72.0 if lost else 58.0, joined(parts), tuple(moments))


def pose(scale: Scale, evidence: Evidence, challenge: Challenge, profile: Profile) -> Lane:
    """Return how the head turned, with the turns that were found, those that were asked and those that were not."""
    keys = (
        ("yaw", "yaw, up is their left"),
        ("pitch", "pitch, up is up"),
        ("turn", "asked turn"),
        ("turn other", "another turn"),
    )
    face = evidence.face
    if not isinstance(face, FaceTrack):
        return _nothing("Head", "no face")
    height, most = 84.0, 30.0
    found = movements(
        face.t_s, face.pose_deg, min_deg=profile["turn_deg_min"].value, centre_deg=profile["turn_centre_deg_max"].value
    )
    asked = _asked(found, challenge.turns)
    parts, moments = [], []
    for each in found:
        text = f"{each.turn} {each.peak_deg:.0f}°"
        name = "turn" if each in asked else "turn other"
        parts.append(span(scale, name, each.start_s, each.end_s, top=0.0, height=height, title=f"{text} at {each.peak_s:.1f} s"))
        parts.append(note("note", scale.x(each.start_s) + 3, 11, text))
        moments.append(Moment(each.peak_s, "head", f"head {text}" + ("" if each in asked else ", which was not asked")))
    parts.append(level("zero", 0.0, low=-most, high=most, height=height))
    for name, column in (("yaw", 0), ("pitch", 1)):
        parts.append(curve(scale, name, face.t_s, face.pose_deg[:, column], low=-most, high=most, height=height))
    wanted = ", ".join(challenge.turns) or "none"
    return Lane(f"Head, asked: {wanted}", keys, height, joined(parts), tuple(moments))


def lips(scale: Scale, evidence: Evidence) -> Lane:
    """Return how far the lips open beside how far the sound says they do."""
    keys = (("predicted", "the sound says"), ("measured", "the lips do"))
    face, sound = evidence.face, evidence.sound
    if not isinstance(face, FaceTrack) or not isinstance(sound, SoundTrack) or not len(sound.lips):
        return _nothing("Opening of the lips", "no face or no speech")
    height = 60.0
    rows = len(sound.lips)
    t_s = np.arange(rows) / RATE_HZ
    seen_lips, seen = measured(face, rows)
    told = said(sound)[:, 0]
    told = told / max(float(told.std()), 1e-6)
    shown = np.where(seen, seen_lips[:, 0], np.nan)
    bounds = {"low": -_LIPS_DEVIATIONS, "high": _LIPS_DEVIATIONS, "height": height}
    pictures = [
        curve(scale, "predicted", t_s[::2], told[::2], **bounds),
        curve(scale, "measured", t_s[::2], shown[::2], **bounds),
    ]
    return Lane("Opening of the lips", keys, height, joined(pictures))


def live(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the probability of a live face, frame by frame."""
    keys = (("dot", "a frame"), ("threshold", "least 20th percentile"))
    face = evidence.face
    if not isinstance(face, FaceTrack) or not len(face.live):
        return _nothing("P(live)", "no face that could be judged")
    height = 52.0
    parts = [level("threshold", profile["live_p20_min"].value, low=0, high=1, height=height)]
    for t_s, probability in zip(face.live_t_s, face.live, strict=True):
        y = (1.0 - float(probability)) * height
        parts.append(
            Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="2.6"><title>{:.2f} at {:.1f} s</title></circle>').format(
                scale.x(float(t_s)), y, float(probability), float(t_s)
            )
        )
    return Lane("P(live)", keys, height, joined(parts))


def voice(scale: Scale, evidence: Evidence) -> Lane:
    """Return how alike each window of the speech is to all of it."""
    keys = (("window", "a second of speech"),)
    sound = evidence.sound
    if not isinstance(sound, SoundTrack) or not len(sound.window_embeddings):
        return _nothing("Voice against all of it, cosine", "no speech")
    height = 48.0
    alike = sound.window_embeddings @ sound.embedding
    parts = [level("zero", 0.5, low=0, high=1, height=height)]
    for (start, end), cosine in zip(sound.window_s, alike, strict=True):
        y = (1.0 - min(max(float(cosine), 0.0), 1.0)) * height
        parts.append(span(scale, "window", float(start), float(end), top=y - 1.5, height=3.0, title=f"{cosine:.2f}"))
    return Lane("Voice against all of it, cosine", keys, height, joined(parts))


def loudness(scale: Scale, evidence: Evidence) -> Lane:
    """Return how loud it was, and where someone spoke."""
    keys = (("speech", "speech"), ("loud", "level"))
    sound = evidence.sound
    if not isinstance(sound, SoundTrack):
        return _nothing("Sound", "no sound")
    height = 52.0
    parts = [span(scale, "speech", float(start), float(end), top=0.0, height=height) for start, end in sound.speech]
    t_s = (np.arange(len(sound.levels_dbfs)) + 0.5) * BLOCK_S
    parts.append(curve(scale, "loud", t_s, sound.levels_dbfs, low=_FLOOR_DBFS, high=0.0, height=height))
    moments = tuple(Moment(float(start), "sound", f"speech until {float(end):.1f} s") for start, end in sound.speech)
    return Lane("Sound, −80 to 0 dBFS", keys, height, joined(parts), moments)


def picture(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return how much pictures change, with duplicates, gaps, cuts, and what comes again."""
    keys = (("change", "change"), ("duplicate", "the same picture again"), ("cut", "cut or jump"), ("again", "comes again"))
    trace = evidence.picture
    if not isinstance(trace, PictureTrace):
        return _nothing("Picture", "no picture")
    height = 44.0
    high = float(np.quantile(trace.change, 0.98)) * 1.2 + 1e-6
    parts = [curve(scale, "change", trace.t_s, trace.change, low=0.0, high=high, height=height)]
    moments: list[Moment] = []
    same = np.flatnonzero(trace.change[1:] <= profile["still_change_max"].value) + 1
    parts += [span(scale, "duplicate", float(trace.t_s[row]), float(trace.t_s[row]), top=height - 7, height=7.0) for row in same]
    if len(same):
        moments.append(Moment(float(trace.t_s[same[0]]), "picture", f"the first of {len(same)} pictures that come twice"))
    if not profile["picture_gap_max"].holds(longest_gap_s(trace)):
        row = int(np.argmax(np.diff(trace.t_s)))
        parts.append(
            span(scale, "cut", float(trace.t_s[row]), float(trace.t_s[row + 1]), top=0.0, height=height, title="no picture")
        )
        moments.append(Moment(float(trace.t_s[row]), "picture", "pictures stop for a while"))
    for found in (*_cuts(evidence, trace, profile), *_repeats(evidence, trace, profile)):
        parts.append(_mark(scale, found.kind, found.t_s, height, found.text))
        moments.append(found)
    return Lane("Picture", keys, height, joined(parts), tuple(moments))


def _cuts(evidence: Evidence, trace: PictureTrace, profile: Profile) -> Iterator[Moment]:
    """Yield the moments at which two takes may meet."""
    if not profile["cut_max"].holds(trace.cut):
        yield Moment(trace.cut_s, "cut", f"the whole picture changes at once, {trace.cut:.1f}")
    if isinstance(evidence.face, FaceTrack):
        jump, at_s = sharpest_jump(evidence.face, trace)
        if not profile["jump_max"].holds(jump):
            yield Moment(at_s, "cut", f"face and picture jump, {jump:.1f}")


def _repeats(evidence: Evidence, trace: PictureTrace, profile: Profile) -> Iterator[Moment]:
    """Yield both moments of what comes twice."""
    for distance, times, threshold in (
        (trace.repeat, trace.repeat_s, "repeat_min"),
        (trace.reversal, trace.reversal_s, "reversal_min"),
    ):
        if np.isfinite(distance) and not profile[threshold].holds(distance):
            yield from (Moment(t_s, "again", f"a stretch that comes twice, {distance:.2f} apart") for t_s in times)
    repeat = evidence.repeat
    if isinstance(repeat, SoundRepeat) and not profile["sound_repeat_max"].holds(repeat.correlation):
        for t_s in (repeat.first_s, repeat.again_s):
            yield Moment(t_s, "again", f"a sound that comes twice, correlation {repeat.correlation:.2f}")


def _asked(found: tuple[Movement, ...], asked: tuple[Turn, ...]) -> tuple[Movement, ...]:
    """Return the movements that answer best; where none do in order, those that go one of the asked ways."""
    best = max(matches(found, asked), key=lambda choice: sum(each.peak_deg for each in choice), default=None)
    return tuple(each for each in found if each.turn in asked) if best is None else best


def _box(scale: Scale, name: str, start_s: float, end_s: float, top: float, text: str) -> Markup:
    left, right = scale.x(start_s), scale.x(end_s)
    inside = fitting(text.removeprefix("asked: "), right - left + 6)
    return joined(
        [
            span(scale, name, start_s, end_s, top=top, height=20.0, title=f"{text}, {start_s:.2f} to {end_s:.2f} s"),
            note(f"in {name}", left + 3, top + 14, inside),
        ]
    )


def _mark(scale: Scale, name: str, t_s: float, height: float, title: str) -> Markup:
    x = scale.x(t_s)
    return Markup('<path class="{}" d="M{:.1f} 0v{:.1f}m-4 {:.1f}h8l-4 6z"><title>{} at {:.2f} s</title></path>').format(
        name, x, height, -height, title, t_s
    )


def _nothing(name: str, why: str) -> Lane:
    return Lane(name, (), 20.0, note("note", 10, 14, why))
