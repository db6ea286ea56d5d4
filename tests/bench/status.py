"""What it costs to publish a status list of a million entries of which one in a hundred is revoked.

Run it with `python -m tests.bench.status`: one entry in sixteen is a credential in a SQLite file, seven are its decoys. The
time is that of everything: reading the store, laying out the decoys, packing, compressing, signing, reading back what was signed.
"""

from __future__ import annotations

import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from rich.console import Console
from sqlalchemy import insert, update

from cameo_credential import decoys
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.status_list import read_list
from cameo_credential.token_status import Status
from cameo_verifier.status.index_allocator import uri_of
from cameo_verifier.status.publisher import StatusPublisher
from cameo_verifier.store.credentials.statuses import StatusStore
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database

BASE = "https://issuer.example"
ENTRIES = 1_000_000
REVOKED_SHARE = 0.01
ROUNDS = 5
LIMIT_S, LIMIT_BYTES = 1.0, 150_000


def main() -> None:
    """Fill a database, publish from it a few times and print the figures."""
    now = datetime.now(UTC)
    draw = random.Random(1)  # noqa: S311 - the same list on every run
    keys = IssuerKeys(SigningKey.generate(now=now))
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{Path(folder) / 'cameo.sqlite3'}")
        store = StatusStore(engine)
        key = draw.randbytes(decoys.KEY_BYTES)
        kept = store.open_list(capacity=ENTRIES, new_key=lambda: key, now=now)
        rows = [
            {
                "list_number": kept.number,
                "idx": index,
                "jti": draw.randbytes(16).hex(),
                "group_number": group,
                "status": Status.INVALID if draw.random() < REVOKED_SHARE else Status.VALID,
            }
            for group, index in enumerate(decoys.groups(key, ENTRIES)[: kept.room, 0].tolist())
        ]
        with engine.begin() as connection:
            connection.execute(insert(tables.status_entries), rows)
            connection.execute(update(tables.status_lists).values(used=kept.room))

        uri, seconds = uri_of(BASE, kept.number), []
        for _ in range(ROUNDS):
            publisher = StatusPublisher(
                store, keys=lambda: keys, base=BASE, interval=timedelta(minutes=5), clock=lambda: datetime.now(UTC)
            )
            start = perf_counter()
            published = publisher.get(uri)
            seconds.append(perf_counter() - start)
        engine.dispose()
    start = perf_counter()
    read = read_list(published.token, issuer_keys=keys.public(), expected_uri=uri, now=datetime.now(UTC))
    reading_s = perf_counter() - start
    revoked = sum(read.statuses[index] == Status.INVALID for index in range(ENTRIES))
    console = Console()
    console.print(f"entries    {len(read.statuses):,}, {kept.room:,} of them credentials; shown as revoked {revoked:,}")
    console.print(f"publishing {min(seconds):.3f} to {max(seconds):.3f} s in {ROUNDS} rounds (limit {LIMIT_S:.1f} s)")
    console.print(f"token      {len(published.token):,} bytes (limit {LIMIT_BYTES:,})")
    console.print(f"reading    {reading_s:.3f} s")


if __name__ == "__main__":
    main()
