"""A site with data keys of each kind that the vault key wraps, for tests of its rotation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, insert

from cameo_verifier.review.vault_file import open_vault
from cameo_verifier.store.attempts.spool import Spool
from cameo_verifier.store.cameos import likenesses
from cameo_verifier.store.cameos.vault import SealedLikeness
from cameo_verifier.store.db import tables
from cameo_verifier.store.db.engine import open_database, writing
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.types import Verdict
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import PIECES, READER, Site, open_site

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from cameo_verifier.store.cameos.vault import Vault

SUBJECTS = ("ann", "bob")


@dataclass(frozen=True, slots=True)
class VaultSite:
    """Likenesses of two cameos, one that waits, evidence of two people, and a recording in the spool."""

    site: Site
    vault: Vault
    path: Path

    def fill(self) -> None:
        """Keep all that; nothing else is in the database."""
        engine = self.site.engine
        for number, subject in enumerate(SUBJECTS):
            self.site.kept(f"r{number}", subject)
            self.site.judged(f"a{number}", subject, Verdict.ACCEPTED)
            with writing(engine).begin() as connection:
                likenesses.add(connection, f"a{number}", self.vault.seal(f"cameo-{number}", f"face {number}".encode()), now=NOW)
        self.site.judged("w", "ann", Verdict.REVIEW)
        with writing(engine).begin() as connection:
            likenesses.wait(connection, "w", self.vault.seal("cameo-w", b"face w"), now=NOW)
            sealed = Spool(engine, self.site.room.keys).seal("w", "ann", b"recording", now=NOW)
            connection.execute(insert(tables.spooled_recordings).values(attempt_id="w", sealed=sealed, judgings=1))

    def check(self) -> None:
        """Open everything that `fill` kept."""
        rows: list[Any] = []
        with self.site.engine.connect() as connection:
            for table in (tables.likenesses, tables.waiting_likenesses):
                rows += connection.execute(table.select()).all()
        opened = {row.cameo_id: self.vault.open(SealedLikeness(row.cameo_id, row.wrapped_key, row.sealed)) for row in rows}
        assert opened == {"cameo-0": b"face 0", "cameo-1": b"face 1", "cameo-w": b"face w"}
        for number in range(len(SUBJECTS)):
            found = self.site.room.vault.read(f"r{number}", Kind.TRACKS, reader=READER, now=NOW)
            assert found == PIECES[Kind.TRACKS]
        assert self.site.room.keys.unreadable() == 0
        assert Spool(self.site.engine, self.site.room.keys).open("w") == b"recording"

    def wrapped(self) -> set[bytes]:
        """Return every wrapped data key."""
        with self.site.engine.connect() as connection:
            found = [
                connection.execute(table.select().with_only_columns(table.c.wrapped_key)).scalars().all()
                for table in (tables.likenesses, tables.waiting_likenesses, tables.subject_keys)
            ]
        return {key for some in found for key in some if key is not None}


def vault_site(engine: Engine, data: Path) -> VaultSite:
    """Open it."""
    site = open_site(engine, data)
    return VaultSite(site, open_vault(site.settings.vault_key), site.settings.vault_key)


def of_folder(data: Path) -> VaultSite:
    """Open the one in a folder, with SQLite, which flushes nothing; the caller disposes of its engine."""
    engine = open_database(f"sqlite:///{data / 'cameo.sqlite3'}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    engine.dispose()
    return vault_site(engine, data)
