"""What the console costs with many attempts: the queue's page, and what-if over all of them against judging their recordings.

    python -m tests.bench.console [--attempts 10000] [--pages 200] [--replayed 10000]

Attempts are those of the committed recordings, judged once by the real pipeline, whose tracks are kept again and again under new
ids. Recordings are judged one after another with the models loaded, tracks by the console's own run in one process: both are
seconds of processor time of this run, an attempt. The queue's page is what a browser gets, filters in turn: milliseconds on the
wall, server and database together, and of the processor, which a busy machine does not lengthen as much. Cold: another attempt
was judged before each page, so that everything is counted anew.
"""

from __future__ import annotations

import random
import secrets
import time
from argparse import ArgumentParser
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console as Terminal
from sqlalchemy import insert
from starlette.testclient import TestClient

from cameo_challenges.model import to_json
from cameo_verifier import profiles
from cameo_verifier.console.app import SignInMethods, application, new_id
from cameo_verifier.console.cases import Cases
from cameo_verifier.console.local_token import LocalToken
from cameo_verifier.console.runs import Run, Runs
from cameo_verifier.evidence.tracks import Tracks, to_bytes
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.pipeline import verify
from cameo_verifier.review.vault_file import open_vault
from cameo_verifier.settings import Settings
from cameo_verifier.store.attempts import result as attempt_result
from cameo_verifier.store.attempts.attempts import judged_values
from cameo_verifier.store.attempts.result import AttemptResult
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence.evidence import EvidenceVault
from cameo_verifier.store.evidence.sealed_object import Kind, seal
from cameo_verifier.store.evidence.subject_keys import DataKey
from fixtures.manifest import load
from tests.unit.console.conftest import Visitor
from tests.unit.store.evidence_site import open_site

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine, Table

    from cameo_challenges.model import Challenge
    from cameo_verifier.types import Judgement

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FILTERS = (
    "",
    "verdict=REJECTED",
    "reason=PHRASE_MISMATCH",
    "since=2026-11-01&until=2026-11-10",
    "label=none",
    "subject=subject-7",
)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Made:
    """One recording, judged."""

    judgement: Judgement
    challenge: Challenge
    tracks: bytes
    result: bytes


def _judged() -> tuple[list[_Made], list[float]]:
    """Judge every committed recording; also how many seconds of processor time each took."""
    made, spent_s = [], []
    settings, profile = Settings(overlap=False), profiles.load()
    with ModelKit.open(settings) as kit:
        kit.preload()
        for fixture in load():
            challenge = replace(fixture.challenge, id="c", issued_at=NOW, expires_at=NOW + timedelta(minutes=3))
            recording = fixture.file.read_bytes()
            began = time.process_time()
            judgement = verify(
                recording, challenge, profile=profile, kit=kit, settings=settings, received_at=NOW + timedelta(seconds=25)
            )
            spent_s.append(time.process_time() - began)
            tracks = to_bytes(Tracks(judgement.evidence, judgement.circumstances))
            made.append(_Made(judgement, challenge, tracks, attempt_result.to_bytes(AttemptResult.of(judgement, challenge))))
    return made, spent_s


class _Repeated:
    """Objects that are sealed anew when they are read, the same few under any attempt's name; that is counted as reading."""

    def __init__(self, made: list[_Made]) -> None:
        self._made = made
        self.key = DataKey("0" * 32, bytes(32))

    def get(self, name: str) -> bytes:
        """Return a sealed piece."""
        _, attempt_id, kind = name.split("/")
        each = self._made[int(attempt_id.rpartition("-")[2]) % len(self._made)]
        piece = each.tracks if kind == Kind.TRACKS.value else each.result
        return seal(piece, attempt_id=attempt_id, kind=Kind(kind), key=self.key, random_bytes=secrets.token_bytes)


def _fill(engine: Engine, made: list[_Made], numbers: range) -> tuple[str, ...]:
    """Keep the rows of so many attempts, over sixty days; a hundred subjects take turns."""
    randomly = random.Random(numbers.start)  # noqa: S311 - a benchmark
    ids = tuple(f"attempt-{number:06d}" for number in numbers)
    for start in range(0, len(ids), _AT_ONCE):
        rows: dict[Table, list[dict[str, object]]] = {tables.challenges: [], tables.attempts: [], tables.evidence: []}
        for number, attempt_id in zip(numbers[start:], ids[start : start + _AT_ONCE], strict=False):
            at = NOW - timedelta(seconds=randomly.uniform(0, 60 * 86400))
            _add(rows, attempt_id, f"subject-{number % 100}", at, made[number % len(made)])
        with engine.begin() as connection:
            for table, values in rows.items():
                connection.execute(insert(table), values)
    return ids


def _add(rows: dict[Table, list[dict[str, object]]], attempt_id: str, subject: str, at: datetime, made: _Made) -> None:
    times = {"issued_at": at, "expires_at": at, "spent_at": at}
    rows[tables.challenges].append(
        {"id": f"c-{attempt_id}", "subject": subject, "request_id": attempt_id, "document": to_json(made.challenge), **times}
    )
    values = judged_values(made.judgement, now=at)
    rows[tables.attempts].append(
        {
            "id": attempt_id,
            "challenge_id": f"c-{attempt_id}",
            "subject": subject,
            "audience": "https://g.example",
            "request_id": attempt_id,
            "created_at": at,
            **values,
        }
    )
    for kind in (Kind.TRACKS, Kind.RESULT):
        kept = {"kind": kind.value, "size_bytes": 0, "sha256": "", "kept_at": at}
        rows[tables.evidence].append({"attempt_id": attempt_id, **kept})


def _pages(visitor: Visitor, count: int, before: Callable[[int], object] = lambda _: None) -> tuple[list[float], list[float]]:
    """Ask for the queue's page again and again, after something else each time; milliseconds on the wall and of the processor."""
    wall_ms, processor_ms = [], []
    for number, query in enumerate(islice(cycle(FILTERS), count)):
        before(number)
        began, began_processor = time.perf_counter(), time.process_time()
        answer = visitor.get(f"/?{query}")
        wall_ms.append((time.perf_counter() - began) * 1e3)
        processor_ms.append((time.process_time() - began_processor) * 1e3)
        if answer.status_code != 200:
            raise RuntimeError(answer.text)
    return wall_ms, processor_ms


def _told(spent_ms: list[float]) -> str:
    return f"p50 {median(spent_ms):.0f} ms, p95 {quantiles(spent_ms, n=20)[-1]:.0f} ms"


def main() -> None:
    """Print the figures."""
    parser = ArgumentParser(description="What the console costs with many attempts.")
    parser.add_argument("--attempts", type=int, default=10_000)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--replayed", type=int, default=0, help="how many the what-if goes over; all by default")
    given = parser.parse_args()
    terminal = Terminal(highlight=False)
    made, recording_s = _judged()
    with TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/cameo.sqlite3")
        objects = _Repeated(made)
        site = open_site(engine, Path(folder))
        with engine.begin() as connection:
            vault = open_vault(site.settings.vault_key)
            wrapped = {"vault_key_id": vault.id, "wrapped_key": vault.wrap(objects.key.key, objects.key.id)}
            connection.execute(insert(tables.subject_keys).values(id=objects.key.id, subject="all", created_at=NOW, **wrapped))
        ids = _fill(engine, made, range(given.attempts))
        site = replace(site, room=replace(site.room, vault=EvidenceVault(engine, objects, site.room.keys, site.room.audit)))
        cases = Cases(engine, site.room, clock=lambda: NOW)
        runs = Runs(cases, site.settings, 1, lambda: NOW, new_id)
        token = LocalToken()
        app = application(site.settings, cases, runs, SignInMethods(token, None), hosts={"testserver"})
        visitor = Visitor(TestClient(app), site, token.value).sign_in()
        first = len(ids)
        for name, (wall_ms, processor_ms) in (
            ("warm", _pages(visitor, given.pages)),
            ("cold", _pages(visitor, given.pages, lambda page: _fill(engine, made, range(first + page, first + page + 1)))),
        ):
            terminal.print(f"queue      {first:,} attempts, {name}: {_told(wall_ms)} of {given.pages} pages")
            terminal.print(f"           of the processor: {_told(processor_ms)}")
        profile = profiles.varied("default", "tried", {"lips_part_min": 0.4}, source="", date="")
        chosen = ids[: given.replayed or len(ids)]
        run = Run("r", "bench", NOW, profile, frozenset(), chosen)
        began, wall = time.process_time(), time.perf_counter()
        runs.carry_out(run)
        tracks_s, wall_s = (time.process_time() - began) / len(chosen), time.perf_counter() - wall
        if run.found is None or len(run.found.replayed) != len(chosen):
            raise RuntimeError(run.trouble or "not every attempt was judged again")
        engine.dispose()
    flipped = sum(len(flip.attempt_ids) for flip in run.found.flips)
    terminal.print(
        f"what if    {tracks_s * 1e3:.1f} ms an attempt, {wall_s:.0f} s for {len(chosen):,}, {flipped:,} verdicts flip"
    )
    per_recording_s = sum(recording_s) / len(recording_s)
    terminal.print(f"recording  {per_recording_s * 1e3:.0f} ms an attempt, {per_recording_s / tracks_s:.0f} times as long")


if __name__ == "__main__":
    main()
