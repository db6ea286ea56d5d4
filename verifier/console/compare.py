"""Two attempts side by side: of the same person, or the one whose recording is most like this one's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.routing import Route

from verifier.console.attempt import OPENED, answers, reader_of
from verifier.console.axis import axis
from verifier.console.rendering import page
from verifier.errors import NotFoundError
from verifier.store import tables
from verifier.store.sealed_object import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from verifier.console.attempt import Answer
    from verifier.console.axis import Axis
    from verifier.console.cases import Cases, Opened
    from verifier.console.sessions import Sessions
    from verifier.profiles import Profile
    from verifier.server.recall import Recall
    from verifier.store.attempts import Attempt

_SAME_SUBJECT = 12


@dataclass(frozen=True, slots=True)
class Other:
    """An attempt that this one can be held against, and what the two share."""

    attempt: Attempt
    why: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two; `shown` where its face was revealed to whoever looks."""

    attempt: Attempt
    axis: Axis
    answers: dict[str, Answer]
    shown: bool


class Compare:
    """The page."""

    def __init__(
        self, cases: Cases, sessions: Sessions, recall: Recall, *, profile: Profile, clock: Callable[[], datetime]
    ) -> None:
        self._cases, self._sessions, self._recall = cases, sessions, recall
        self._profile, self._clock = profile, clock

    def routes(self) -> list[Route]:
        """Return what answers."""
        return [Route("/attempts/{id}/compare", self._show)]

    def _show(self, request: Request) -> Response:
        opened = self._cases.open(request.path_params["id"], reader_of(request, OPENED))
        others = list(self._others(opened))
        chosen = request.query_params.get("with", "") or (others[0].attempt.id if others else "")
        left = self._side(request, opened)
        right = self._side(request, self._cases.open(chosen, reader_of(request, OPENED))) if chosen else None
        names = dict.fromkeys([*left.answers, *(right.answers if right else ())])
        return page(request, "compare.html", left=left, right=right, others=others, checks=list(names))

    def _others(self, opened: Opened) -> Iterator[Other]:
        """Yield the nearest recordings by their fingerprints, then the latest attempts of the same subject."""
        own = opened.attempt
        found = self._recall.nearest(opened.tracks.evidence.fingerprint, now=self._clock(), but=own.id)
        near = {found.motion_attempt: f"moves alike, {found.motion:.2f}", found.sound_attempt: f"sounds alike, {found.sound:.2f}"}
        if found.motion_attempt == found.sound_attempt:
            near = {found.motion_attempt: f"moves alike, {found.motion:.2f}, sounds alike, {found.sound:.2f}"}
        for attempt_id, why in near.items():
            if attempt_id and Kind.TRACKS in self._cases.kept(attempt_id):
                yield Other(self._cases.attempt(attempt_id), why)
        table = tables.attempts
        condition = (table.c.subject == own.subject) & (table.c.id != own.id) & table.c.verdict.is_not(None)
        for attempt in self._cases.search.page(condition, limit=_SAME_SUBJECT):
            if attempt.id not in near and Kind.TRACKS in self._cases.kept(attempt.id):
                yield Other(attempt, "same subject")

    def _side(self, request: Request, opened: Opened) -> Side:
        attempt = opened.attempt
        if attempt.verdict is None:
            raise NotFoundError("the attempt was not judged")
        profile = self._profile.judging(minor=attempt.minor_safeguards)
        shown = self._sessions.may_see(request.state.cookie, attempt.id) and Kind.RECORDING in self._cases.kept(attempt.id)
        own = {answer.result.name: answer for answer in answers(attempt.checks, profile)}
        return Side(attempt, axis(opened.tracks.evidence, opened.challenge, profile), own, shown)
