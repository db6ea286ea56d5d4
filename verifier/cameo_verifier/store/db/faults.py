"""Conversion of database errors to `StoreError`: what happened and what to do, without the statement or its values."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.errors import StoreConflictError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUSY = "the database is busy: another process holds it; try again"
_SQLITE = {
    "SQLITE_BUSY": _BUSY,
    "SQLITE_LOCKED": _BUSY,
    "SQLITE_FULL": "the disk of the database is full: free some space, then try again",
    "SQLITE_CORRUPT": "the database file is damaged: stop the service and restore it from a backup",
    "SQLITE_NOTADB": "the database file is not a database, or is damaged: restore it from a backup or set another one",
    "SQLITE_READONLY": "the database cannot be written: check the owner and the mode of the file and its folder",
    "SQLITE_PERM": "the database cannot be written: check the owner and the mode of the file and its folder",
    "SQLITE_CANTOPEN": "the database file cannot be opened: check that its folder exists and may be written",
    "SQLITE_IOERR_SHORT_READ": "the database file is damaged: stop the service and restore it from a backup",
    "SQLITE_IOERR": "the disk of the database reports an error: check the disk, then try again",
}
_POSTGRESQL = {
    "40001": _BUSY,
    "40P01": _BUSY,
    "55P03": _BUSY,
    "25006": "the database cannot be written: it is a standby, or was set read-only",
    "28": "the database refuses this role: check the user and the password in its URL",
    "42501": "the database does not let this role do that: make it the owner of the tables",
    "53100": "the disk of the database is full: free some space, then try again",
    "53300": "the database takes no more connections: raise its max_connections, or run fewer servers",
    "57P": "the database is shutting down or starting; try again",
    "58": "the disk of the database reports an error: check the disk, then try again",
    "XX001": "the database is damaged: stop the service and restore it from a backup",
    "XX002": "the database is damaged: stop the service and restore it from a backup",
}
"""Messages by prefix of PostgreSQL's SQLSTATE."""


@contextmanager
def store_errors() -> Iterator[None]:
    """Convert any database error inside to `StoreError`, and a value the database cannot store to `InvalidRequestError`."""
    try:
        yield
    except DataError:
        # SQLite stores any text; PostgreSQL refuses NUL, and texts longer than their column.
        raise InvalidRequestError("a text has a character that cannot be kept, or is too long") from None
    except DBAPIError as error:
        # The driver's own error stays out of the exception chain: its text contains the statement and the values.
        raise (StoreConflictError if _is_conflict(error) else StoreError)(_message(error)) from None
    except NoSuchModuleError as error:
        raise StoreError(f"no driver for this database is installed: {error}") from None
    except StatementError as error:
        # A value of ours without a conversion to its column.
        raise (error.orig or RuntimeError("a statement of ours is malformed")) from None
    except SQLAlchemyError as error:
        raise StoreError(f"the database could not be used: {type(error).__name__}") from None


def _is_conflict(error: DBAPIError) -> bool:
    return isinstance(error, IntegrityError) or _state(error) in {"40001", "40P01"}


def _state(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", "") or "")


def _message(error: DBAPIError) -> str:
    name = str(getattr(error.orig, "sqlite_errorname", ""))
    state = _state(error)
    for code, messages in ((name, _SQLITE), (state, _POSTGRESQL)):
        for prefix, message in messages.items():
            if code.startswith(prefix):
                return message
    if error.connection_invalidated:
        return "the connection to the database was lost; try again"
    if isinstance(error, OperationalError) and not (name or state):
        return "the database cannot be reached: check its URL, and that it runs"
    return f"the database refused: {name or type(error.orig).__name__}"
