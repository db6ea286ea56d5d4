"""A database's own errors become `StoreError`: what happened and what to do, without the statement or its values."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError, StatementError

from verifier.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SQLITE = {
    "SQLITE_BUSY": "the database is busy: another process holds it; try again",
    "SQLITE_LOCKED": "the database is busy: another process holds it; try again",
    "SQLITE_FULL": "the disk of the database is full: free some space, then try again",
    "SQLITE_CORRUPT": "the database file is damaged: stop the service and restore it from a backup",
    "SQLITE_NOTADB": "the database file is not a database, or is damaged: restore it from a backup or set another one",
    "SQLITE_READONLY": "the database cannot be written: check the owner and the mode of the file and its folder",
    "SQLITE_PERM": "the database cannot be written: check the owner and the mode of the file and its folder",
    "SQLITE_CANTOPEN": "the database file cannot be opened: check that its folder exists and may be written",
    "SQLITE_IOERR_SHORT_READ": "the database file is damaged: stop the service and restore it from a backup",
    "SQLITE_IOERR": "the disk of the database reports an error: check the disk, then try again",
}


@contextmanager
def store_errors() -> Iterator[None]:
    """Raise `StoreError` for whatever the database raises inside."""
    try:
        yield
    except DBAPIError as error:
        # The driver's own error stays out of the chain: its text holds the statement and the values.
        raise StoreError(_message(error)) from None
    except NoSuchModuleError as error:
        raise StoreError(f"no driver for this database is installed: {error}") from None
    except StatementError as error:
        # A value of ours that could not be turned into a column's.
        raise (error.orig or RuntimeError("a statement of ours is malformed")) from None
    except SQLAlchemyError as error:
        raise StoreError(f"the database could not be used: {type(error).__name__}") from None


def _message(error: DBAPIError) -> str:
    name = str(getattr(error.orig, "sqlite_errorname", ""))
    for prefix, message in _SQLITE.items():
        if name.startswith(prefix):
            return message
    if error.connection_invalidated:
        return "the connection to the database was lost; try again"
    return f"the database refused: {name or type(error.orig).__name__}"
