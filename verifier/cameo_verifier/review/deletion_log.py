"""The deletion log: an append-only file outside the database with a line for each final deletion or revocation (end).

A line has a number, the kind of the end and the HMAC-SHA256 of the id under the site's audit key: without the key it names
nobody, and it has no time. Its `mac` is over the previous line's and itself, so nobody without the key adds, alters or removes a
line in between. A line that a crash cut off does not count, and the next one takes its place.
"""

from __future__ import annotations

import hmac
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cameo_credential import key_files, owner_only
from cameo_verifier.errors import StoreError
from cameo_verifier.store.evidence.ends import End

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log. `of` is the digest of what ended, `mac` authenticates this and all lines before; both hex."""

    number: int
    kind: End
    of: str
    mac: str


class DeletionLog:
    """The log at `path`, under a secret of the site; a file that is not there has no lines."""

    def __init__(self, path: Path, secret: bytes) -> None:
        self.path, self._secret = path, hmac.digest(secret, b"cameo deletion log", "sha256")

    def make(self) -> None:
        """Make an empty log, if there is none.

        Raises:
            StoreError: the folder cannot be written.
        """
        try:
            owner_only.make_folder(self.path.parent)
            if (made := owner_only.make_file(self.path)) is not None:
                os.close(made)
        except OSError as error:
            raise StoreError(f"cannot make the deletion log {self.path}: {error.strerror}") from None

    def locked(self) -> AbstractContextManager[None]:
        """Hold the log, across processes; `KeyFileError` if its folder cannot be written."""
        owner_only.make_folder(self.path.parent)
        return key_files.locked(self.path)

    def digest(self, kind: End, of_id: str) -> str:
        """Return the digest by which the log names what ended."""
        return hmac.digest(self._secret, f"{kind.value} {of_id}".encode(), "sha256").hex()

    def lines(self) -> list[Line]:
        """Return all lines.

        Raises:
            StoreError: the file cannot be read, or a line was altered or is of another key.
        """
        found: list[Line] = []
        for text in self._text().splitlines():
            try:
                line = _parsed(text)
            except (KeyError, TypeError, ValueError):
                raise StoreError(f"{self.path} is not a deletion log: line {len(found) + 1} cannot be read") from None
            before = found[-1] if found else None
            if line.mac != self._mac(before, line.number, line.kind, line.of) or (before and line.number <= before.number):
                raise StoreError(
                    f"line {len(found) + 1} of {self.path} was altered, or is of another audit.jwk: put both back as they were"
                )
            found.append(line)
        return found

    def append(self, ended: Iterable[tuple[End, str]], *, after: int) -> int:
        """Append a line for each end, flushed to disk, and return the number of the last one; the log must be held.

        Args:
            ended: kinds and ids.
            after: the number that the first line has to be above.

        Raises:
            StoreError: the file cannot be read or written.
        """
        lines = self.lines()
        before = lines[-1] if lines else None
        for kind, of_id in ended:
            number, of = max(after, before.number if before else 0) + 1, self.digest(kind, of_id)
            before = Line(number, kind, of, self._mac(before, number, kind, of))
            lines.append(before)
        text = "".join(_written(line) for line in lines).encode()
        self.make()
        try:
            with self.path.open("r+b") as file:
                kept = len(self._text().encode())
                file.seek(kept)
                file.write(text[kept:])
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
            key_files.flush_folder(self.path.parent)
        except OSError as error:
            raise StoreError(f"cannot write the deletion log {self.path}: {error.strerror}") from None
        return max(after, before.number if before else 0)

    def _mac(self, before: Line | None, number: int, kind: End, of: str) -> str:
        said = f"{before.mac if before else ''} {number} {kind.value} {of}"
        return hmac.digest(self._secret, said.encode(), "sha256").hex()

    def _text(self) -> str:
        try:
            text = self.path.read_text("ascii")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"cannot read the deletion log {self.path}: {error}") from None
        return text[: text.rfind("\n") + 1]


def _parsed(text: str) -> Line:
    document = json.loads(text)
    number = document["number"]
    if type(number) is not int:
        raise ValueError("'number' is not a whole number")
    return Line(number, End(document["kind"]), str(document["of"]), str(document["mac"]))


def _written(line: Line) -> str:
    return json.dumps({"number": line.number, "kind": line.kind.value, "of": line.of, "mac": line.mac}) + "\n"
