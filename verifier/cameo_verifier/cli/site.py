"""The existing site that a command works on. Only `cameo serve` creates a new one."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.review.evidence_room import EvidenceRoom
from cameo_verifier.settings import Settings
from cameo_verifier.store.attempts.search import AttemptSearch
from cameo_verifier.store.db.engine import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the site: its keys, and its database unless CAMEO_DATABASE_URL names one."),
]


@dataclass(frozen=True, slots=True)
class Site:
    """An open database and its evidence."""

    engine: Engine
    room: EvidenceRoom

    def require_attempts(self, *attempt_ids: str) -> None:
        """Check that every id is an attempt's.

        Raises:
            NotFoundError: it names the unknown ids.
            StoreError: the database cannot be used.
        """
        AttemptSearch(self.engine).require(attempt_ids)

    def require_subject(self, subject: str) -> None:
        """Check that the site knows an account.

        Raises:
            NotFoundError: it names the account.
            StoreError: the database cannot be used.
        """
        AttemptSearch(self.engine).require_subject(subject)


def site_settings(data: Path | None, **given: object) -> Settings:
    """Return the settings of an existing site.

    Args:
        data: its folder; without one that of `CAMEO_DATA`.
        given: further settings.

    Raises:
        InvalidRequestError: there is no site; a command that reads would otherwise create one and find nothing in it.
    """
    named: dict[str, Any] = {**given} if data is None else {**given, "data": data}
    settings = Settings(**named)
    if (lacking := _lacking(settings)) is not None:
        raise InvalidRequestError(
            f"no site in {settings.data}: {lacking} is missing. Say with --data or CAMEO_DATA where it is; "
            f"`cameo serve --data {settings.data}` makes one"
        )
    return settings


def is_there(settings: Settings) -> bool:
    """Return whether these settings name an existing site."""
    return _lacking(settings) is None


@contextmanager
def open_site(settings: Settings) -> Iterator[Site]:
    """Open the database and the evidence of a site, and close them afterwards.

    Raises:
        StoreError: the database cannot be used.
        KeyFileError: a key file is malformed or open to others.
    """
    engine = open_database(settings.database)
    try:
        yield Site(engine, EvidenceRoom.open(settings, engine))
    finally:
        engine.dispose()


def _lacking(settings: Settings) -> Path | None:
    """Return the first path that a site needs and this one lacks, or None."""
    keys, database = settings.vault_key.parent, None
    # A malformed URL is reported when the database is opened.
    with suppress(ArgumentError):
        url = make_url(settings.database)
        database = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
    return next((path for path in (keys, database) if path is not None and not path.exists()), None)
