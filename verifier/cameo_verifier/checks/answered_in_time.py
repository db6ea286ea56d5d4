"""Answered in time: checks that each step of a live session was answered after it was revealed, and soon after.

Both bounds are on the server's own monotonic clock; nothing that the client states is used.

1. The bytes that hold the onset of an answer arrived at A, and its step was revealed at R. Whatever stamps the client gives its
   pictures, and whenever it sends them: what depends on the reveal was made between R and A, so the latency is at most A - R.
   Bytes that are held back only add to it. Nothing is taken off for transport, since a client could claim a slow line.
2. A recorder's clock loses time where the recorder stalls, and never gains any. So what was recorded at media time t was there at
   t + min(arrived - media) over the arrivals from t on, or before: at most A, without the wait for the rest of a slice. An onset
   that was there sooner after R than anybody can react was made without knowing R's step from it.

Of each kind of steps the quicker half is judged: half of the speech and half of the turns have to begin in time. So the spread
counts: one slow moment moves no half, while the constant delay of a puppet moves both. Two onsets that were there too soon are an
attack (of a single step, that one); one may be a cough.

Excluded: what was rendered, recorded or relayed in advance, since it does not know the steps, and whatever brings its answers
later than `answer_latency_max`. By `cameo evaluate --late`, a simulation, that is all with more than 1.0 s of delay added to
people at their usual speed and line, and with 1.5 s added to the quickest operator without any transport. Not excluded: live
puppets, which add 0.3 to 0.6 s, and who is quicker than other people and spends the difference, up to 1.3 s.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import takewhile
from statistics import median_low
from typing import TYPE_CHECKING, NamedTuple

from cameo_challenges.model import Say, TurnHead
from cameo_verifier.checks.question import Case, Question
from cameo_verifier.evidence.movements import matches, movements
from cameo_verifier.evidence.speech_onset import speech_onsets
from cameo_verifier.reasons import Reason
from cameo_verifier.types import CheckResult, Missing, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cameo_challenges.model import Challenge
    from cameo_verifier.live_record import LiveRecord
    from cameo_verifier.profile import Profile
    from cameo_verifier.types import FaceTrack

NAME = "answered_in_time"
_EARLY = 2
"""Answers before their reveals that count as known; of one step one is enough."""


class Latency(NamedTuple):
    """Bounds of the latency of one answer, in seconds on the server's clock; infinite where it was not found, or never arrived.

    Attributes:
        at_most_s: when the bytes that hold its onset had arrived.
        claimed_s: when the onset was there by the recorder's clock, at the latest.
    """

    at_most_s: float = math.inf
    claimed_s: float = math.inf


def check(case: Case, profile: Profile) -> CheckResult:
    """Judge the second earliest latency; then, of the slower kind of steps, the latency of their quicker half.

    Where the asked turns can be found in several ways among those that were made, the best counts.
    """
    live, evidence = case.circumstances.live, case.evidence
    if live is None:
        return CheckResult.unable(NAME, Reason.NOT_CONFIRMED, "the recording was uploaded whole")
    said: Sequence[float | None] = ()
    if case.challenge.spoken:
        if isinstance(evidence.sound, Missing):
            return CheckResult.unable(NAME, evidence.sound.reason)
        said = speech_onsets(case.challenge, evidence.sound)
    ways: list[Sequence[float]] = []
    if case.challenge.turns:
        if isinstance(evidence.face, Missing):
            return CheckResult.unable(NAME, evidence.face.reason)
        ways = list(_turn_onsets(case.challenge, evidence.face, profile))
    found = [judge(latencies(case.challenge, live, said, turned), profile) for turned in ways or [()]]
    return min(found, key=lambda result: (result.outcome is not Outcome.PASS, result.reason is Reason.ANSWER_KNOWN_BEFORE))


def _turn_onsets(challenge: Challenge, face: FaceTrack, profile: Profile) -> Iterator[Sequence[float]]:
    """Yield the onsets of the asked turns, for each way to find them among the turns that were made."""
    found = movements(
        face.t_s, face.pose_deg, min_deg=profile["turn_deg_min"].value, centre_deg=profile["turn_centre_deg_max"].value
    )
    for choice in matches(found, challenge.turns):
        yield tuple(turn.onset_s for turn in choice)


def latencies(
    challenge: Challenge, live: LiveRecord, said: Sequence[float | None], turned: Sequence[float | None]
) -> dict[str, list[Latency]]:
    """Return the latencies of the steps by their kind, in order.

    Args:
        challenge: the steps.
        live: when each was revealed, and when bytes arrived.
        said: onset of each thing to say, in seconds of the recording; None, or missing at the end, where it was not found.
        turned: the same of each turn.
    """
    onsets = {Say: ("speech", iter(said)), TurnHead: ("turns", iter(turned))}
    found: dict[str, list[Latency]] = {}
    for number, step in enumerate(challenge.steps):
        if type(step) not in onsets:
            continue
        kind, times = onsets[type(step)]
        onset_s = next(times, None)
        known = onset_s is not None and number < len(live.prompts)
        latency = _latency(live, live.prompts[number].sent_s, onset_s) if known and onset_s is not None else Latency()
        found.setdefault(kind, []).append(latency)
    return found


def _latency(live: LiveRecord, sent_s: float, onset_s: float) -> Latency:
    """Return the bounds of one answer's latency: by the arrivals after the last one that ends before its onset."""
    after = list(takewhile(lambda arrival: arrival.media_s >= onset_s, reversed(live.arrivals)))
    if not after:
        return Latency()
    there_s = onset_s + min(arrival.arrived_s - arrival.media_s for arrival in after)
    return Latency(after[-1].arrived_s - sent_s, there_s - sent_s)


def judge(found: Mapping[str, Sequence[Latency]], profile: Profile) -> CheckResult:
    """Return the result for the latencies of each kind of steps."""
    told = ", ".join(f"{kind} {' '.join(f'{each.at_most_s:.2f}' for each in those)}" for kind, those in found.items())
    detail = f"seconds from reveal to arrival: {told}"
    claimed = sorted(each.claimed_s for those in found.values() for each in those)
    if claimed:
        earliest = profile["answer_reaction_min"].judge(NAME, claimed[:_EARLY][-1], Reason.ANSWER_KNOWN_BEFORE, detail)
        if earliest.outcome is not Outcome.PASS:
            return earliest
    slowest_s = max((median_low(each.at_most_s for each in those) for those in found.values()), default=math.inf)
    result = profile["answer_latency_max"].judge(NAME, slowest_s, Reason.ANSWER_TOO_LATE, detail)
    return replace(result, score=None) if math.isinf(slowest_s) else result


QUESTION = Question(
    NAME,
    "Answered in time",
    "Each step was answered after it was revealed, and soon after.",
    check,
    thresholds=("answer_reaction_min", "answer_latency_max", "turn_deg_min", "turn_centre_deg_max"),
    known=lambda circumstances: circumstances.live is not None,
    needs="a live session, in which the server reveals one step after another",
)
