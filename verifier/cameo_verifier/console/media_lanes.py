"""Lanes of the recording itself: how picture and sound were recorded, and what of them repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cameo_verifier.console.scale import Lane, Moment, Scale, curve, joined, level, mark, note, nothing, span
from cameo_verifier.evidence.continuity import HURRIED, STRETCH_S, longest_gap_s, sharpest_jump, stillest
from cameo_verifier.reasons import Reason
from cameo_verifier.types import FaceTrack, MediaInfo, PictureTrace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cameo_verifier.profile import Profile
    from cameo_verifier.types import Evidence

_WORST = 3
_SLOW = 1.5
"""Multiple of the median frame interval above which a gap is named."""


def picture(scale: Scale, evidence: Evidence, profile: Profile) -> Lane:
    """Return the lane of changes between pictures, with duplicates, gaps, cuts and repetitions."""
    keys = (("change", "change"), ("duplicate", "the same picture again"), ("cut", "cut or jump"), ("again", "comes again"))
    trace = evidence.picture
    if not isinstance(trace, PictureTrace):
        return nothing("picture", "Picture", "no picture")
    height = 44.0
    high = float(np.quantile(trace.change, 0.98)) * 1.2 + 1e-6
    drawn = [curve(scale, "change", trace.t_s, trace.change, low=0.0, high=high, height=height)]
    moments: list[Moment] = []
    same = np.flatnonzero(trace.change[1:] <= profile["still_change_max"].value) + 1
    drawn += [span(scale, "duplicate", float(trace.t_s[row]), float(trace.t_s[row]), top=height - 7, height=7.0) for row in same]
    if len(same):
        text = f"the first of {len(same)} pictures that come twice"
        moments.append(Moment(float(trace.t_s[same[0]]), "picture", text))
    if not profile["picture_gap_max"].holds(longest_gap_s(trace)):
        row = int(np.argmax(np.diff(trace.t_s)))
        start, end = float(trace.t_s[row]), float(trace.t_s[row + 1])
        drawn.append(span(scale, "cut", start, end, top=0.0, height=height, title="no picture"))
        moments.append(Moment(start, "picture", f"pictures stop until {end:.2f} s", ("splice",)))
    moments += _stills(evidence, trace, profile)
    for found in (*_cuts(evidence, trace, profile), *_repeats(trace, profile)):
        if found.kind == "again":
            drawn.append(span(scale, "stretch", found.t_s, found.t_s + STRETCH_S, top=0.0, height=height))
        drawn.append(mark(scale, found.kind, found.t_s, height, found.text))
        moments.append(found)
    return Lane("picture", "Picture", keys, height, joined(drawn), tuple(moments))


def _stills(evidence: Evidence, trace: PictureTrace, profile: Profile) -> Iterator[Moment]:
    """Yield the start of the longest time without change."""
    if isinstance(evidence.face, FaceTrack):
        start, end = stillest(trace, still=profile["still_change_max"].value, face=evidence.face)
        if not profile["still_time_max"].holds(end - start):
            yield Moment(start, "picture", f"nothing changes until {end:.1f} s", ("frozen",))


def _cuts(evidence: Evidence, trace: PictureTrace, profile: Profile) -> Iterator[Moment]:
    """Yield the moments at which two takes may be joined."""
    if not profile["cut_max"].holds(trace.cut):
        yield Moment(trace.cut_s, "cut", f"the whole picture changes at once, {trace.cut:.1f}", ("splice",))
    if isinstance(evidence.face, FaceTrack):
        jump, at_s = sharpest_jump(evidence.face, trace)
        if not profile["jump_max"].holds(jump):
            yield Moment(at_s, "cut", f"face and picture jump, {jump:.1f}", ("splice",))


def _repeats(trace: PictureTrace, profile: Profile) -> Iterator[Moment]:
    """Yield both moments of each repetition."""
    for distance, times, threshold in (
        (trace.repeat, trace.repeat_s, "repeat_min"),
        (trace.reversal, trace.reversal_s, "reversal_min"),
    ):
        if np.isfinite(distance) and not profile[threshold].holds(distance):
            text = f"a repeated stretch, {distance:.2f} apart"
            yield from (Moment(t_s, "again", text, ("frozen",)) for t_s in times)


def pace(scale: Scale, evidence: Evidence) -> Lane:
    """Return the lane of intervals between pictures, with those shorter than a camera's."""
    name, trace = "From picture to picture, ms", evidence.picture
    if not isinstance(trace, PictureTrace) or len(trace.t_s) < 2:
        return nothing("pace", name, "no picture")
    apart_s = np.diff(trace.t_s)
    usual_s, height = float(np.median(apart_s)), 36.0
    bounds = {"low": 0.0, "high": max(3e3 * usual_s, 1.0), "height": height}
    drawn = [level("zero", 1e3 * usual_s, **bounds), curve(scale, "change", trace.t_s[1:], 1e3 * apart_s, **bounds)]
    hurried = np.flatnonzero(apart_s < HURRIED * usual_s) + 1
    drawn += [
        span(scale, "duplicate", float(trace.t_s[row]), float(trace.t_s[row]), top=height - 7, height=7.0) for row in hurried
    ]
    moments = [
        Moment(float(trace.t_s[row]), "pace", f"a picture {1e3 * apart_s[row - 1]:.0f} ms after the last", ("picture_times",))
        for row in hurried[:_WORST]
    ]
    slowest = int(np.argmax(apart_s))
    if apart_s[slowest] > _SLOW * usual_s:
        text = f"the longest wait for a picture, {1e3 * apart_s[slowest]:.0f} ms"
        moments.append(Moment(float(trace.t_s[slowest]), "pace", text, ("frame_rate", Reason.FRAME_RATE_TOO_LOW)))
    keys = (("duplicate", "sooner than a camera makes one"),)
    return Lane("pace", f"{name}, usually {1e3 * usual_s:.0f}", keys, height, joined(drawn), tuple(moments))


def streams(scale: Scale, evidence: Evidence) -> Lane:
    """Return the lane of the streams: extent of picture and sound, where either is damaged, where the picture changes size."""
    media = evidence.media
    keys = (("speech", "is there"), ("cut", "damaged"), ("again", "another shape"))
    rows = (
        (
            0.0,
            bool(media.video_codec),
            (media.video_from_s, media.video_s),
            f"picture: {media.width} × {media.height} px, {media.fps:.1f}/s",
        ),
        (20.0, bool(media.audio_codec), (media.audio_from_s, media.audio_s), f"sound: {media.sample_rate_hz} Hz"),
    )
    drawn = []
    for top, there, (start, length), text in rows:
        if there:
            drawn.append(span(scale, "speech", start, start + length, top=top, height=17.0, title=text))
        drawn.append(note("note", scale.x(0) + 3, top + 12, text if there else text.partition(":")[0] + ": none"))
    found = list(_damage(media))
    drawn += [mark(scale, each.kind, each.t_s, 38.0, each.text) for each in found]
    return Lane("streams", "Picture and sound", keys, 38.0, joined(drawn), (*found, *_uneven(media)))


def _damage(media: MediaInfo) -> Iterator[Moment]:
    broken = ("damage", Reason.CORRUPT_MEDIA)
    for at_s in media.damaged_s[:20]:
        yield Moment(at_s, "cut", "damaged", broken)
    if media.broken:
        yield Moment(media.broken_s, "cut", f"{media.broken} broken blocks", broken)
    for at_s in media.resized_s[:20]:
        yield Moment(at_s, "again", "pictures of another shape begin", ("turned",))


def _uneven(media: MediaInfo) -> Iterator[Moment]:
    """Yield the moments where picture or sound begins or ends without the other."""
    if not media.video_codec or not media.audio_codec:
        return
    ends = (media.video_from_s + media.video_s, media.audio_from_s + media.audio_s)
    late = "picture" if media.video_from_s > media.audio_from_s else "sound"
    first = "picture" if ends[0] < ends[1] else "sound"
    for at_s, text, apart_s in (
        (max(media.video_from_s, media.audio_from_s), f"the {late} begins", abs(media.video_from_s - media.audio_from_s)),
        (min(ends), f"the {first} ends", abs(ends[0] - ends[1])),
    ):
        if apart_s > 0.1:
            yield Moment(at_s, "picture", f"{text}, {apart_s:.2f} s apart", ("coverage",))
