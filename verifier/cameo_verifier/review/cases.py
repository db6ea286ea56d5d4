"""Manifests: recordings to judge, with their ground truth and challenges.

A manifest is a JSON Lines file; paths are relative to it. A line needs `file` and the ground truth: `"species": NAME` for an
attack, `"species": "bona_fide"` or `"bona_fide": true` for a live person. It may also have `condition` (of a bona fide),
`challenge` (an object, JSON text, or the path of a file; without it only checks that need none are run), `id`, `half`
(`calibrate` or `report`), `received_s` (seconds from the issue of its challenge until all of it was received) and `groups` (an
object of texts: the age group, gender, light, kind of device or skin tone of a bona fide, by any names). Other keys are ignored,
except for one that is nearly one of these, which is refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cameo_challenges.model import Challenge, InvalidChallengeError, from_json
from cameo_credential.errors import InvalidRequestError
from cameo_verifier.spelling import misspelt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

MANIFEST = "manifest.jsonl"
BONA_FIDE = "bona_fide"
_PLAIN = "plain"
_KEYS = ("file", "species", BONA_FIDE, "condition", "challenge", "id", "half", "received_s", "groups")


@dataclass(frozen=True, slots=True)
class Case:
    """One presentation.

    Attributes:
        id: its id in the manifest, or else the file.
        file: the recording.
        species: the attack species; empty for a bona fide presentation.
        condition: the condition of a bona fide presentation; empty for an attack.
        half: `calibrate`, `report` or empty.
        challenge: the challenge, without steps if there was none.
        received_at: when the recording was complete, None if unknown.
        groups: demographic groups, value by attribute.
    """

    id: str
    file: Path
    species: str
    condition: str
    half: str
    challenge: Challenge
    received_at: datetime | None = None
    groups: Mapping[str, str] = field(default_factory=dict)


def read_cases(path: Path, *, half: str = "") -> tuple[Case, ...]:
    """Read a manifest, or the one in a folder; with `half`, only the cases of that half.

    Raises:
        InvalidRequestError: it cannot be read, a line is malformed, a recording is missing, or no case is left.
    """
    manifest = path / MANIFEST if path.is_dir() else path
    try:
        lines = manifest.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequestError(f"cannot read the manifest: {error}") from None
    cases = tuple(_case(line, number, manifest) for number, line in enumerate(lines, 1) if line.strip())
    kept = tuple(case for case in cases if not half or case.half == half)
    if not kept:
        raise InvalidRequestError(f"{manifest.name} has no recording" + (f" of the half {half!r}" if half else ""))
    return kept


def _case(line: str, number: int, manifest: Path) -> Case:
    where, wrong = f"line {number} of {manifest.name}", ""
    try:
        row = json.loads(line)
        wrong = misspelt(row, _KEYS)
        file = manifest.parent / row["file"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise InvalidRequestError(f'{where} is not a JSON object with "file"{f": {wrong}" if wrong else ""}') from None
    if wrong:
        raise InvalidRequestError(f"{where}: {wrong}")
    if not file.is_file():
        raise InvalidRequestError(f"{where}: no such file: {file}")
    species = BONA_FIDE if row.get(BONA_FIDE) is True else row.get("species")
    if not isinstance(species, str) or not species:
        raise InvalidRequestError(f'{where} says neither "species" nor "bona_fide": true')
    challenge = _challenge(row.get("challenge"), manifest.parent, where)
    attack = "" if species == BONA_FIDE else species
    return Case(
        id=str(row.get("id", row["file"])),
        file=file,
        species=attack,
        condition="" if attack else str(row.get("condition") or _PLAIN),
        half=str(row.get("half", "")),
        challenge=challenge,
        received_at=_received_at(row.get("received_s"), challenge, where),
        groups=_groups(row.get("groups", {}), where),
    )


def _groups(given: object, where: str) -> Mapping[str, str]:
    if not isinstance(given, dict) or not all(isinstance(value, str) and value for value in given.values()):
        raise InvalidRequestError(f'{where}: "groups" is not an object of texts')
    return given


def _challenge(given: Any, folder: Path, where: str) -> Challenge:  # noqa: ANN401 - whatever the line has
    if given is None:
        return Challenge(())
    try:
        if isinstance(given, str):
            given = json.loads(given if given.lstrip().startswith("{") else (folder / given).read_text("utf-8"))
        return from_json(given)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, InvalidChallengeError) as error:
        raise InvalidRequestError(f"{where}: the challenge cannot be read: {error}") from None


def _received_at(given: object, challenge: Challenge, where: str) -> datetime | None:
    if given is None:
        return None
    if challenge.issued_at is None:
        raise InvalidRequestError(f'{where}: "received_s" needs a challenge with "issued_at"')
    if not isinstance(given, int | float) or isinstance(given, bool):
        raise InvalidRequestError(f'{where}: "received_s" is not a number of seconds')
    return challenge.issued_at + timedelta(seconds=given)
