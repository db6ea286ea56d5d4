"""Runs: a what-if profile over all labelled attempts, from their tracks, compared with the stored verdicts. One runs at a time.

The latest runs are kept, in memory only: the result can be computed again while the evidence is kept.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cameo_credential.errors import CameoError, InvalidRequestError
from cameo_verifier.console.people import ConsoleRole, only
from cameo_verifier.console.rendering import page
from cameo_verifier.errors import NotFoundError
from cameo_verifier.review.kept import told
from cameo_verifier.review.replay import OpenReplay, Source, materials
from cameo_verifier.review.replay_diff import difference
from cameo_verifier.review.replay_engine import replay_all
from cameo_verifier.store.evidence.audit import Reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.requests import Request

    from cameo_verifier.console.cases import Cases
    from cameo_verifier.console.what_if import WhatIf
    from cameo_verifier.profile import Profile
    from cameo_verifier.review.replay_diff import Difference
    from cameo_verifier.settings import Settings

_KEPT = 20
_WAITING = 4
_FEW = 200
"""Number of attempts below which starting other processes would take longer."""
EVERYONE = 2000
"""Number of attempts judged by a run over everyone: about a minute."""
SHOWN = 500
"""Number of attempts that a page lists individually."""


@dataclass(slots=True)
class Run:
    """One run over stored attempts.

    Attributes:
        id: the run's id.
        who: who started it.
        begun_at: start time in UTC.
        profile: the profile tried.
        moved: thresholds that differ from the base profile.
        attempt_ids: the attempts to judge.
        everyone: True if it is over the latest attempts instead of the labelled ones.
        done: attempts judged so far.
        found: the result, None until done.
        error: why it failed; empty otherwise.
    """

    id: str
    who: str
    begun_at: datetime
    profile: Profile
    moved: frozenset[str]
    attempt_ids: tuple[str, ...]
    everyone: bool = False
    done: int = 0
    found: Difference | None = None
    error: str = ""

    @property
    def running(self) -> bool:
        """True until it is done or has failed."""
        return self.found is None and not self.error


@dataclass(slots=True)
class Runs:
    """Starts runs and keeps the latest.

    Attributes:
        cases: attempts and their evidence.
        settings: the site's settings.
        workers: number of processes for a run over many attempts.
        clock: the time in UTC.
        new_id: generates ids of runs.
    """

    cases: Cases
    settings: Settings
    workers: int
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    _latest: dict[str, Run] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _closed: Event = field(default_factory=Event)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "run"))

    def begin(self, who: str, profile: Profile, moved: frozenset[str], *, everyone: bool = False) -> Run:
        """Start a run over all labelled attempts, or over the latest `EVERYONE` whose tracks are kept.

        Raises:
            InvalidRequestError: there are no such attempts, or too many runs wait.
            StoreError: the database failed.
        """
        labels, search = self.cases.labels, self.cases.search
        attempt_ids = tuple(search.with_tracks(limit=EVERYONE)) if everyone else labels.labelled()
        if not attempt_ids:
            raise InvalidRequestError(
                "of no attempt are tracks kept" if everyone else "no attempt is labelled yet: label some, then run again"
            )
        with self._lock:
            if sum(run.running for run in self._latest.values()) >= _WAITING:
                raise InvalidRequestError("too many runs are waiting: look at one of them first")
            run = Run(self.new_id(), who, self.clock(), profile, moved, attempt_ids, everyone)
            self._latest = dict([*self._latest.items(), (run.id, run)][-_KEPT:])
        self._thread.submit(self.carry_out, run)
        return run

    def get(self, run_id: str) -> Run:
        """Return a run.

        Raises:
            NotFoundError: no run has this id, or it is not kept any more.
        """
        try:
            return self._latest[run_id]
        except KeyError:
            raise NotFoundError("no run has this id, or the console was started again since") from None

    def latest(self) -> list[Run]:
        """Return the runs that are kept, the latest first."""
        return list(self._latest.values())[::-1]

    def carry_out(self, run: Run) -> None:
        """Judge every attempt of a run again, and compare the verdicts."""
        try:
            reader = Reader(run.who, f"what if, run {run.id}")
            held = materials(self.cases.vault, run.attempt_ids, Source.TRACKS, reader=reader, now=self.clock())
            workers = self.workers if len(run.attempt_ids) > _FEW else 1
            found = []
            for each in replay_all(held, OpenReplay(run.profile, Source.TRACKS, self.settings), workers=workers):
                found.append(each)
                run.done += 1
                if self._closed.is_set():
                    run.error = "the console was stopped"
                    return
            consensus = self.cases.labels.consensus(run.attempt_ids)
            verdicts = self.cases.search.verdicts(run.attempt_ids)
            run.found = difference(
                found, consensus, verdicts=verdicts, source=Source.TRACKS, profile=run.profile, made_at=self.clock()
            )
        except CameoError as error:
            run.error = str(error)
        except Exception as error:
            run.error = f"a fault of the console's own: {type(error).__name__}"
            raise

    def close(self) -> None:
        """Cancel the current run, and start no other."""
        self._closed.set()
        self._thread.shutdown(cancel_futures=True)


class RunPages:
    """Handlers of the pages of runs."""

    def __init__(self, runs: Runs, what_if: WhatIf) -> None:
        self._runs, self._what_if = runs, what_if

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/runs", self._list),
            Route("/runs", self._begin, methods=["POST"]),
            Route("/runs/{id}", self._show),
        ]

    def _list(self, request: Request) -> Response:
        return page(request, "runs.html", runs=self._runs.latest())

    def _begin(self, request: Request) -> Response:
        only(request.state.person, ConsoleRole.LEAD)
        profile, moved = self._what_if.vary(request.state.form, request.state.person.name)
        everyone = dict(request.state.form).get("over", "") == "everyone"
        run = self._runs.begin(request.state.person.name, profile, moved, everyone=everyone)
        return RedirectResponse(f"/runs/{run.id}", 303)

    def _show(self, request: Request) -> Response:
        return page(request, "run.html", run=self._runs.get(request.path_params["id"]), shown=SHOWN, told=told)
