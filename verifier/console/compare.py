"""Two attempts side by side: of the same face or person, or the one whose recording is most like this one's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.routing import Route

from verifier.console.attempt import OPENED, answers, reader_of
from verifier.console.axis import axis
from verifier.console.decision import matches
from verifier.console.rendering import page
from verifier.errors import NotFoundError
from verifier.evidence.tracks import TracksError
from verifier.store import tables
from verifier.store.attempts import Attempt
from verifier.store.evidence_errors import EvidenceError
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
    from verifier.profile import Profile
    from verifier.server.recall import Recall

_SAME_SUBJECT = 12


@dataclass(frozen=True, slots=True)
class Other:
    """An attempt that this one can be held against, and what the two share."""

    attempt: Attempt
    why: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two.

    axis: None where its tracks cannot be read, `lost` says why. shown, crops: its face was revealed to whoever looks, as a
    recording or as pictures. hidden: there is a face to be revealed.
    """

    attempt: Attempt
    axis: Axis | None
    lost: str
    answers: dict[str, Answer]
    shown: bool
    crops: bool
    hidden: bool


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
        right = self._chosen(request, chosen) if chosen else None
        names = dict.fromkeys([*left.answers, *(right.answers if right else ())])
        return page(request, "compare.html", left=left, right=right, others=others, checks=list(names))

    def _chosen(self, request: Request, attempt_id: str) -> Side:
        """Return the other one; what was kept of it may be gone, and what is known of it is shown all the same."""
        try:
            return self._side(request, self._cases.open(attempt_id, reader_of(request, OPENED)))
        except (EvidenceError, TracksError) as error:
            return self._side(request, self._cases.attempt(attempt_id), str(error))

    def _others(self, opened: Opened) -> Iterator[Other]:
        """Yield whose face the gallery found, the nearest recordings by their fingerprints, the latest of the same subject."""
        own = opened.attempt
        alike: set[str] = set()
        for match in matches(self._cases, own):
            if match.holder is not None and match.holder.attempt_id:
                alike.add(match.holder.attempt_id)
                cosine = "" if match.cosine is None else f", {match.cosine:.2f}"
                yield Other(self._cases.attempt(match.holder.attempt_id), f"same face{cosine}")
        found = self._recall.nearest(opened.tracks.evidence.fingerprint, now=self._clock(), but=own.id)
        near = {found.motion_attempt: f"moves alike, {found.motion:.2f}", found.sound_attempt: f"sounds alike, {found.sound:.2f}"}
        if found.motion_attempt == found.sound_attempt:
            near = {found.motion_attempt: f"moves alike, {found.motion:.2f}, sounds alike, {found.sound:.2f}"}
        for attempt_id, why in near.items():
            if attempt_id and attempt_id not in alike and Kind.TRACKS in self._cases.kept(attempt_id):
                yield Other(self._cases.attempt(attempt_id), why)
        table = tables.attempts
        condition = (table.c.subject == own.subject) & (table.c.id != own.id) & table.c.verdict.is_not(None)
        for attempt in self._cases.search.page(condition, limit=_SAME_SUBJECT):
            if attempt.id not in alike | near.keys() and Kind.TRACKS in self._cases.kept(attempt.id):
                yield Other(attempt, "same subject")

    def _side(self, request: Request, found: Opened | Attempt, lost: str = "") -> Side:
        attempt = found if isinstance(found, Attempt) else found.attempt
        if attempt.verdict is None:
            raise NotFoundError("the attempt was not judged")
        profile = self._profile.judging(minor=attempt.minor_safeguards)
        revealed, kept = self._sessions.may_see(request.state.cookie, attempt.id), self._cases.kept(attempt.id)
        return Side(
            attempt=attempt,
            axis=None if isinstance(found, Attempt) else axis(found.tracks.evidence, found.challenge, profile),
            lost=lost,
            answers={answer.result.name: answer for answer in answers(attempt.checks, profile)},
            shown=revealed and Kind.RECORDING in kept,
            crops=revealed and Kind.CROPS in kept,
            hidden=not revealed and bool(kept & {Kind.RECORDING, Kind.CROPS}),
        )
