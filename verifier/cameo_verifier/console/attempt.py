"""The attempt page: verdict, checks over time, labels, and the recording once a reason to see the face is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.console.overlay import overlay
from cameo_verifier.console.previews import media_type
from cameo_verifier.console.questions import question
from cameo_verifier.console.rendering import compared, number, page, refusal
from cameo_verifier.console.shown_challenge import shown_challenge
from cameo_verifier.console.species import known
from cameo_verifier.console.viewer import view
from cameo_verifier.console.walk import back, walk
from cameo_verifier.decision import counts_against
from cameo_verifier.evidence.tracks import TracksError
from cameo_verifier.profile import CheckRole
from cameo_verifier.review.browser_facts import facts, misfits
from cameo_verifier.store.attempts.labels import Truth
from cameo_verifier.store.cameos.holdings import Holdings
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.store.evidence.errors import EvidenceError
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.types import CheckResult, Direction, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from starlette.requests import Request

    from cameo_verifier.checks.question import Question
    from cameo_verifier.console.cases import Cases, Opened
    from cameo_verifier.console.decision import DecisionForm
    from cameo_verifier.console.previews import Previews
    from cameo_verifier.console.sessions import Sessions
    from cameo_verifier.console.suspension import SuspensionForm
    from cameo_verifier.profile import Profile
    from cameo_verifier.store.attempts.attempts import Attempt

OPENED = "opened in the console"
REVEALED = "revealed in the console"


@dataclass(frozen=True, slots=True)
class Answer:
    """A check result as the page shows it; `against` is True if it counts against the recording."""

    result: CheckResult
    question: Question
    role: str
    against: bool

    @property
    def passed(self) -> bool:
        """True if the check passed."""
        return self.result.outcome is Outcome.PASS

    @property
    def score(self) -> str:
        """The score for people; empty if nothing was measured."""
        return "" if self.result.score is None else self._compared()[0]

    @property
    def limit(self) -> str:
        """The comparison of the score with its threshold, such as `> 6.4`; empty without either."""
        return "" if self.result.score is None else self._compared()[1]

    def _compared(self) -> tuple[str, str]:
        result = self.result
        assert result.score is not None  # noqa: S101 - required of the caller
        if result.threshold is None or result.direction is None:
            return number(result.score), ""
        return compared(result.score, result.threshold, at_least=result.direction is Direction.AT_LEAST)


def answers(results: Sequence[CheckResult], profile: Profile) -> list[Answer]:
    """Return the checks for people, in order: those that count against the recording, failed ones that only advise, the rest."""
    shown = []
    for result in results:
        role = profile.roles.get(result.name, CheckRole.ADVISE)
        shown.append(Answer(result, question(result.name), role.value, counts_against(result, role)))
    return sorted(shown, key=lambda answer: (not answer.against, answer.result.outcome is Outcome.PASS))


class AttemptPages:
    """Handlers of the attempt page and its evidence."""

    def __init__(
        self,
        cases: Cases,
        sessions: Sessions,
        decision: DecisionForm,
        suspension: SuspensionForm,
        previews: Previews,
        *,
        profile: Profile,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._cases, self._sessions, self._decision, self._profile = cases, sessions, decision, profile
        self._suspension, self._holdings = suspension, Holdings(cases.engine)
        self._previews, self._clock, self._new_id = previews, clock, new_id

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/attempts/{id}", self._show),
            Route("/attempts/{id}/overlay", self._overlay),
            Route("/attempts/{id}/recording", self._recording),
            Route("/attempts/{id}/crops", self._crops),
            Route("/attempts/{id}/reveal", self._reveal, methods=["POST"]),
            Route("/attempts/{id}/label", self._label, methods=["POST"]),
            Route("/attempts/{id}/unlabel", self._unlabel, methods=["POST"]),
        ]

    def _show(self, request: Request) -> Response:
        attempt = self._cases.attempt(request.path_params["id"])
        profile = self._profile.judging(minor=attempt.minor_safeguards)
        opened, lost = self._opened(request, attempt)
        hello = self._cases.hello(attempt.id)
        history, who = self._cases.labels.history(attempt.id), request.state.person.name
        consensus = self._cases.labels.consensus([attempt.id]).get(attempt.id)
        kept = self._cases.kept(attempt.id)
        revealed = self._sessions.may_see(request.state.cookie, attempt.id)
        shown = revealed and opened is not None and Kind.RECORDING in kept
        return page(
            request,
            "attempt.html",
            attempt=attempt,
            answers=answers(attempt.checks, profile),
            view=view(self._cases, opened, profile) if opened else None,
            opened=opened,
            lost=lost,
            kept=sorted(kept - {Kind.RECEIPT}),
            has_recording=Kind.RECORDING in kept,
            has_crops=Kind.CROPS in kept,
            asked=shown_challenge(self._cases, attempt),
            browser=facts(hello, opened.tracks.evidence.media if opened else None),
            misfits=misfits(hello),
            holdings=self._suspension.of(self._holdings.of_attempt(attempt.id)),
            walk=walk(self._cases, attempt, request),
            decision=self._decision.of(attempt) if attempt.verdict is Verdict.REVIEW else None,
            revealed=revealed,
            previewed=shown and opened is not None and not media_type(opened.tracks.evidence.media),
            history=history,
            own_last=max((each.number for each in history if each.analyst == who and not each.withdrawn_at), default=0),
            consensus=consensus,
            truths=tuple(Truth),
            species_known=known(self._cases.labels),
        )

    def _opened(self, request: Request, attempt: Attempt) -> tuple[Opened | None, str]:
        """Return the attempt with its tracks, or why they cannot be read: the rest of the page is shown in any case."""
        try:
            return self._cases.open(attempt.id, reader_of(request, OPENED)), ""
        except (EvidenceError, TracksError) as error:
            return None, str(error)

    def _overlay(self, request: Request) -> Response:
        opened = self._cases.open(request.path_params["id"], reader_of(request, OPENED))
        return JSONResponse(overlay(opened.tracks.evidence))

    def _reveal(self, request: Request) -> Response:
        attempt = self._cases.attempt(request.path_params["id"])
        form = dict(request.state.form)
        # One reason covers both when two attempts are shown side by side.
        beside = [self._cases.attempt(form["beside"])] if form.get("beside") else []
        for each in (attempt, *beside):
            self._cases.reveal(each.id, reader_of(request, form.get("why", "")))
            self._sessions.reveal(request.state.cookie, each.id)
        if beside:
            return RedirectResponse(f"/attempts/{attempt.id}/compare?with={beside[0].id}", 303)
        return back(request, attempt.id)

    def _crops(self, request: Request) -> Response:
        attempt_id = request.path_params["id"]
        if not self._sessions.may_see(request.state.cookie, attempt_id):
            return refusal(request, 403, "The face is hidden", "Say on the attempt's page why you need to see it.")
        return Response(self._cases.crops(attempt_id, reader_of(request, REVEALED)), media_type="image/jpeg")

    def _recording(self, request: Request) -> Response:
        attempt_id = request.path_params["id"]
        if not self._sessions.may_see(request.state.cookie, attempt_id):
            return refusal(request, 403, "The face is hidden", "Say on the attempt's page why you need to see it.")
        reader = reader_of(request, REVEALED)
        recording = self._cases.recording(attempt_id, reader)
        kind = media_type(self._cases.open(attempt_id, reader).tracks.evidence.media)
        if not kind:
            recording, kind = self._previews.of(attempt_id, recording, who=reader.who), "video/webm"
        return _part(recording, request.headers.get("range", ""), kind)

    def _label(self, request: Request) -> Response:
        form = dict(request.state.form)
        try:
            truth = Truth(form.get("truth", ""))
        except ValueError:
            raise InvalidRequestError("a label is bona fide, attack or unsure") from None
        attempt = self._cases.attempt(request.path_params["id"])
        answer = back(request, attempt.id, "#labels")
        label = self._cases.labels.add(
            self._new_id(),
            attempt_id=attempt.id,
            truth=truth,
            species=form.get("species", "").strip() if truth is Truth.ATTACK else "",
            note=form.get("note", ""),
            analyst=request.state.person.name,
            now=self._clock(),
        )
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"truth": truth.value, "number": label.number})
        return answer

    def _unlabel(self, request: Request) -> Response:
        try:
            number = int(dict(request.state.form).get("number", ""))
        except ValueError:
            raise InvalidRequestError("say which label is taken back, by its number") from None
        attempt_id, now = request.path_params["id"], self._clock()
        answer = back(request, attempt_id, "#labels")
        who = request.state.person.name
        self._cases.labels.withdraw(attempt_id, number, analyst=who, audit=self._cases.room.audit, now=now)
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"number": number})
        return answer


def reader_of(request: Request, why: str) -> Reader:
    """Return the person who made the request, for the audit log."""
    return Reader(request.state.person.name, why)


def _part(recording: bytes, wanted: str, media_type: str) -> Response:
    """Return a recording, or the one range of it that a player requests."""
    size = len(recording)
    headers = {"Accept-Ranges": "bytes", "Content-Disposition": "inline"}
    unit, _, spec = wanted.partition("=")
    first, dash, last = spec.partition("-")
    if unit.strip() != "bytes" or not dash or not (first + last).isdecimal():
        return Response(recording, media_type=media_type, headers=headers)
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start >= size or start > end:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    return Response(recording[start : end + 1], 206, media_type=media_type, headers=headers)
