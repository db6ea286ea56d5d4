"""A site whose attempts come from the committed recordings, and how long judging them again takes.

    python -m tests.bench.replay [--only ID …] [--attempts 600] [--data FOLDER] [--workers 1] [--no-measure]

Each recording, or each that `--only` names, is judged by the real pipeline; its evidence is then kept under as many ids as asked
for, in FOLDER if one is given, where `CAMEO_DATA=FOLDER cameo replay …` finds it. Those that are clearly one or the other are
labelled. Minutes are of the wall clock and hold everything: reading, decrypting, the audit log; processor time is that of this
process alone. `--no-measure` makes the site and ends.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from cameo_verifier import profiles
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.pipeline import verify
from cameo_verifier.review.rejudge import complete
from cameo_verifier.review.replay import OpenReplay, Replayed, Source, materials
from cameo_verifier.review.replay_engine import replay_all
from cameo_verifier.settings import Settings
from cameo_verifier.store.attempts.labels import LabelStore, Truth
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence.audit import Reader
from cameo_verifier.types import Recalled
from fixtures.manifest import Fixture, load
from tests.unit.review.stored import keep
from tests.unit.store.evidence_site import Site, open_site

ATTACKS = {"screen_replay", "still_photo", "face_swapped"}
PEOPLE = {"", "dark", "silent"}
READER = Reader("bench", "a measurement")


def store(site: Site, fixture: Fixture, kit: ModelKit, attempt_ids: list[str], now: datetime) -> None:
    """Judge a recording and keep it as these attempts."""
    recording = fixture.file.read_bytes()
    challenge = replace(fixture.challenge, id=fixture.id, issued_at=now)
    settings, profile = Settings(), profiles.load()
    received_at = now + timedelta(seconds=20)
    judgement = verify(recording, challenge, profile=profile, kit=kit, settings=settings, received_at=received_at)
    told = replace(judgement.circumstances, recalled=Recalled(), has_gallery=False)
    judgement = complete(judgement, challenge, told, profile)
    labels = LabelStore(site.engine)
    species = fixture.defect
    for number, attempt_id in enumerate(attempt_ids):
        keep(site, attempt_id, judgement, challenge, recording, subject=f"person-{number}")
        if fixture.defect in ATTACKS:
            labels.add(
                f"label-{attempt_id}", attempt_id=attempt_id, truth=Truth.ATTACK, species=species, analyst="studio", now=now
            )
        elif fixture.defect in PEOPLE:
            labels.add(f"label-{attempt_id}", attempt_id=attempt_id, truth=Truth.BONA_FIDE, analyst="studio", now=now)


def measure(console: Console, site: Site, attempt_ids: list[str], source: Source, workers: int) -> None:
    """Replay attempts and print how long that takes, and how many it reproduces."""
    began, busy = time.perf_counter(), time.process_time()
    given = materials(site.room.vault, attempt_ids, source, reader=READER, now=datetime.now(UTC))
    found = list(replay_all(given, OpenReplay(profiles.load(), source, Settings()), workers=workers))
    spent, busy = time.perf_counter() - began, time.process_time() - busy
    exact = sum(isinstance(each, Replayed) and each.reproduced for each in found)
    console.print(
        f"{source.value:9} {len(found)} attempts, {60 * len(found) / spent:.0f} a minute, "
        f"{busy / len(found) * 1e3:.0f} ms of processor time each, {exact} reproduced bit for bit"
    )


def main() -> None:
    """Print the figures."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--only", nargs="+", metavar="ID", choices=[fixture.id for fixture in load()])
    asked.add_argument("--attempts", type=int, default=600)
    asked.add_argument("--data", type=Path)
    asked.add_argument("--workers", type=int, default=1)
    asked.add_argument("--no-measure", action="store_true")
    arguments = asked.parse_args()
    console = Console(highlight=False, width=160)
    with tempfile.TemporaryDirectory() as temporary:
        data = arguments.data or Path(temporary)
        engine = open_database(f"sqlite:///{data / 'cameo.sqlite3'}")
        site = open_site(engine, data)
        committed = [fixture for fixture in load() if not arguments.only or fixture.id in arguments.only]
        each = max(1, arguments.attempts // len(committed))
        now = datetime.now(UTC)
        ids = {fixture.id: [f"{fixture.id}-{number:04}" for number in range(each)] for fixture in committed}
        with ModelKit.open(Settings()) as kit:
            for fixture in committed:
                store(site, fixture, kit, ids[fixture.id], now)
        every = sorted(attempt_id for some in ids.values() for attempt_id in some)
        if not arguments.no_measure:
            measure(console, site, every, Source.TRACKS, arguments.workers)
            measure(console, site, sorted(some[0] for some in ids.values()), Source.RECORDING, 1)
        engine.dispose()


if __name__ == "__main__":
    main()
