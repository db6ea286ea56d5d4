"""The rows of one person: of every table, all of theirs and nothing of anybody else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import JSON, BigInteger, Boolean, Integer, LargeBinary, SmallInteger, func, insert, select

from cameo_credential.encoding import from_base64url
from cameo_verifier.store.db import tables
from cameo_verifier.store.subject_rows import EXCLUDED, EXPORTED, of_subject
from tests.unit.store.conftest import NOW

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Engine, Table

ANN, MALLORY = "ann", "mallory"
_PERSON = {"subject", "owner", "minor", "requester", "creator", "follower"}
_REFERENCES = {f"{name}_id": f"{name}s" for name in ("attempt", "challenge", "cameo", "grant", "output", "removal")}
_FIXED = {("faces", "collection"): "enrolled", ("guardianships", "state"): "linked"}


def plant(connection: Connection, person: str) -> None:
    """Add a row of a person's to every table, with a mark of theirs in each column that can hold one."""
    for number, table in enumerate(tables.metadata.sorted_tables):
        if connection.execute(select(func.count()).select_from(table)).scalar_one() and table.name in EXCLUDED and person == ANN:
            continue  # the one row of the site
        values = {column.name: _value(table, column, person, number) for column in table.c}
        if table.name in EXCLUDED and not _is_free(connection, table, values):
            continue
        connection.execute(insert(table).values(values))


def _is_free(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    same = [column == values[column.name] for column in table.primary_key.columns]
    return connection.execute(select(table).where(*same)).first() is None


def _value(table: Table, column: Column[Any], person: str, number: int) -> Any:
    at = number + (1000 if person == MALLORY else 0)
    fixed = _FIXED.get((table.name, column.name))
    if fixed is not None:
        return fixed
    if column.name in _PERSON:
        return person
    if column.name in _REFERENCES:
        return f"{person}-{_REFERENCES[column.name]}"
    if column.foreign_keys:
        return at - number + next(iter(column.foreign_keys)).column.table.metadata.sorted_tables.index(tables.status_lists)
    return _of_type(column, person, at, f"{person}-{table.name if column.name == 'id' else column.name}")


def _of_type(column: Column[Any], person: str, at: int, text: str) -> Any:
    match column.type:
        case JSON():
            return {"of": person, "column": text}
        case tables.UtcMicroseconds():
            return NOW
        case Boolean():
            return False
        case Integer() | SmallInteger() | BigInteger():
            return at
        case LargeBinary():
            return text.encode()
        case _:
            return text[: column.type.length] if getattr(column.type, "length", None) else text


@pytest.fixture
def planted(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Ann's rows, in a database that has as many of Mallory's."""
    with engine.begin() as connection:
        plant(connection, ANN)
        plant(connection, MALLORY)
        return dict(of_subject(connection, ANN))


def test_every_table_is_exported_or_excluded_by_name() -> None:
    """A new table has to say which, and a column that is left out exists and has a reason."""
    assert set(tables.metadata.tables) == set(EXPORTED) | set(EXCLUDED)
    assert not set(EXPORTED) & set(EXCLUDED)
    assert all(EXCLUDED.values())
    for name, rule in EXPORTED.items():
        assert set(rule.left_out) <= {column.name for column in tables.metadata.tables[name].c}, name
        assert all(rule.left_out.values()), name


def test_a_table_with_a_person_is_excluded_only_for_its_keys() -> None:
    """Of the excluded tables one alone has a column of a person."""
    named = {name for name in EXCLUDED if _PERSON & {column.name for column in tables.metadata.tables[name].c}}
    assert named == {"subject_keys"}


def test_all_of_a_persons_rows_are_in_the_export(planted: dict[str, list[dict[str, Any]]]) -> None:
    """One row of each exported table, with every column that is not left out."""
    assert list(planted) == list(EXPORTED)
    for name, rows in planted.items():
        [row] = rows
        other = {"guardian_consent"} if name == "guardianships" else set()
        shown = {column.name for column in tables.metadata.tables[name].c} - set(EXPORTED[name].left_out) - other
        assert set(row) == shown, name
    marked = {name for name, rows in planted.items() if ANN in json.dumps(rows)}
    assert marked == set(EXPORTED)


def test_nothing_of_anybody_else_is(planted: dict[str, list[dict[str, Any]]]) -> None:
    """Another person's mark stands in every column of every table, and in none of the rows."""
    assert MALLORY not in json.dumps(planted)
    sealed = [row[column] for name, rows in planted.items() for row in rows for column in row if _is_bytes(name, column)]
    assert sealed
    assert not any(MALLORY.encode() in from_base64url(each) for each in sealed)


def _is_bytes(name: str, column: str) -> bool:
    return isinstance(tables.metadata.tables[name].c[column].type, LargeBinary)


def test_who_is_not_known_has_no_rows(engine: Engine) -> None:
    """Nor has nobody: what is left of deleted people has an empty subject."""
    with engine.begin() as connection:
        plant(connection, MALLORY)
        assert not any(rows for _, rows in of_subject(connection, ANN))


def test_uses_by_and_of_a_person_are_theirs(engine: Engine) -> None:
    """A grant that Mallory requested for Ann's cameo is in both exports; Ann's cameo is not in Mallory's."""
    with engine.begin() as connection:
        plant(connection, ANN)
        connection.execute(tables.grants.update().values(requester=MALLORY))
        connection.execute(tables.outputs.update().values(creator=MALLORY))
        of_ann, of_mallory = dict(of_subject(connection, ANN)), dict(of_subject(connection, MALLORY))
    assert of_ann["grants"] == of_mallory["grants"] != []
    assert of_ann["outputs"] == of_mallory["outputs"] != []
    assert {name for name, rows in of_mallory.items() if rows} == {"grants", "outputs"}


def test_a_guardian_gets_their_own_consent_alone(engine: Engine) -> None:
    """And the minor theirs."""
    with engine.begin() as connection:
        plant(connection, ANN)
        [row] = dict(of_subject(connection, f"{ANN}-guardian"))["guardianships"]
    assert "guardian_consent" in row
    assert "minor_consent" not in row
