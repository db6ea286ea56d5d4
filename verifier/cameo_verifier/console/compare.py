"""The comparison page: two attempts side by side, by default the most similar one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from starlette.routing import Route

from cameo_verifier.console.attempt import OPENED, answers, reader_of
from cameo_verifier.console.axis import axis
from cameo_verifier.console.cases import Opened
from cameo_verifier.console.earlier import Earlier
from cameo_verifier.console.links import SAME_SUBJECT
from cameo_verifier.console.previews import media_type
from cameo_verifier.console.rendering import page
from cameo_verifier.console.viewer import pointed_at
from cameo_verifier.errors import NotFoundError
from cameo_verifier.evidence.tracks import TracksError
from cameo_verifier.store.evidence.errors import EvidenceError
from cameo_verifier.store.evidence.sealed_object import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from cameo_verifier.console.attempt import Answer
    from cameo_verifier.console.axis import Axis
    from cameo_verifier.console.cases import Cases
    from cameo_verifier.console.links import Links
    from cameo_verifier.console.sessions import Sessions
    from cameo_verifier.profile import Profile
    from cameo_verifier.screening.duplicates import DuplicateSearch
    from cameo_verifier.store.attempts.attempts import Attempt
    from cameo_verifier.types import MediaInfo

_SAME_SUBJECT = 12


@dataclass(frozen=True, slots=True)
class Other:
    """An attempt to compare this one with; `why` says what the two share."""

    attempt: Attempt
    why: str


@dataclass(frozen=True, slots=True)
class Lost:
    """An attempt whose tracks cannot be read; `why` says the reason."""

    attempt: Attempt
    why: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two attempts.

    Attributes:
        attempt: the attempt.
        axis: its time axis; None if its tracks cannot be read.
        lost: why they cannot be read; empty otherwise.
        answers: its check results by name.
        shown: True if its recording is revealed to the viewer.
        crops: True if its face crops are revealed to the viewer.
        hidden: True if there is a face that is not revealed yet.
        previewed: media properties of a recording that is shown as a preview; None otherwise.
    """

    attempt: Attempt
    axis: Axis | None
    lost: str
    answers: dict[str, Answer]
    shown: bool
    crops: bool
    hidden: bool
    previewed: MediaInfo | None


class Compare:
    """Handler of the comparison page."""

    def __init__(
        self,
        cases: Cases,
        sessions: Sessions,
        recall: DuplicateSearch,
        links: Links,
        *,
        profile: Profile,
        clock: Callable[[], datetime],
    ) -> None:
        self._cases, self._sessions, self._recall, self._links = cases, sessions, recall, links
        self._profile, self._clock = profile, clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/attempts/{id}/compare", self._show)]

    def _show(self, request: Request) -> Response:
        opened = self._cases.open(request.path_params["id"], reader_of(request, OPENED))
        others = list(self._others(opened))
        chosen = request.query_params.get("with", "") or (others[0].attempt.id if others else "")
        other = self._chosen(request, chosen) if chosen else None
        left = self._side(request, opened, other)
        right = self._side(request, other, opened) if other else None
        names = dict.fromkeys([*left.answers, *(right.answers if right else ())])
        return page(request, "compare.html", left=left, right=right, others=others, checks=list(names))

    def _chosen(self, request: Request, attempt_id: str) -> Opened | Lost:
        """Return the other attempt; if its tracks are gone, what is known of it is shown in any case."""
        try:
            return self._cases.open(attempt_id, reader_of(request, OPENED))
        except (EvidenceError, TracksError) as error:
            return Lost(self._cases.attempt(attempt_id), str(error))

    def _others(self, opened: Opened) -> Iterator[Other]:
        """Yield attempts linked by face or recording, the nearest recordings at any score, then the account's other attempts."""
        own = opened.attempt
        links = [link for link in self._links.of(own, opened).links if link.attempt.verdict is not None]
        same: list[Other] = []
        theirs: list[Other] = []
        for link in links:
            (theirs if link.shares == [SAME_SUBJECT] else same).append(Other(link.attempt, ", ".join(link.shares)))
        yield from same
        found = self._recall.nearest(opened.tracks.evidence.fingerprint, now=self._clock(), but=own.id)
        near = {found.motion_attempt: f"moves alike, {found.motion:.2f}", found.sound_attempt: f"sounds alike, {found.sound:.2f}"}
        if found.motion_attempt == found.sound_attempt:
            near = {found.motion_attempt: f"moves alike, {found.motion:.2f}, sounds alike, {found.sound:.2f}"}
        shown = {other.attempt.id for other in same} | {""}
        for attempt_id, why in near.items():
            if attempt_id not in shown and Kind.TRACKS in self._cases.kept(attempt_id):
                yield Other(self._cases.attempt(attempt_id), why)
        with_tracks = (
            each for each in theirs if each.attempt.id not in near and Kind.TRACKS in self._cases.kept(each.attempt.id)
        )
        yield from islice(with_tracks, _SAME_SUBJECT)

    def _side(self, request: Request, found: Opened | Lost, other: Opened | Lost | None) -> Side:
        attempt = found.attempt
        if attempt.verdict is None:
            raise NotFoundError("the attempt was not judged")
        profile = self._profile.judging(minor=attempt.minor_safeguards)
        revealed, kept = self._sessions.may_see(request.state.cookie, attempt.id), self._cases.kept(attempt.id)
        media = None if isinstance(found, Lost) else found.tracks.evidence.media
        shown = revealed and Kind.RECORDING in kept
        return Side(
            attempt=attempt,
            axis=None if isinstance(found, Lost) else _axis(found, other, profile),
            lost=found.why if isinstance(found, Lost) else "",
            answers={answer.result.name: answer for answer in answers(attempt.checks, profile)},
            shown=shown,
            crops=revealed and Kind.CROPS in kept,
            previewed=media if media is not None and shown and not media_type(media) else None,
            hidden=not revealed and bool(kept & {Kind.RECORDING, Kind.CROPS}),
        )


def _axis(found: Opened, other: Opened | Lost | None, profile: Profile) -> Axis:
    """Return the time axis of one, with the other's movement and sound drawn over it, and the lanes of both shown."""
    against = pointed_at(found.attempt.checks)
    laid = Earlier(other.attempt.id, other.tracks.evidence.fingerprint) if isinstance(other, Opened) else None
    beside = {"moves", "sounds"} | (pointed_at(other.attempt.checks) if other else frozenset())
    evidence, challenge = found.tracks.evidence, found.challenge
    return axis(evidence, challenge, profile, pointed_at=against, beside=beside, moves_as=laid, sounds_as=laid)
