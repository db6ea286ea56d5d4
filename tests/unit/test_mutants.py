"""The list of faults that `make mutants` puts in stays one that can be put in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: f"{mutation.file}: {mutation.was.strip()[:40]}")
def test_each_fault_has_its_place_and_its_tests(mutation: Mutation) -> None:
    """What is changed stands in the file once, the change changes it, and the tests exist."""
    assert (ROOT / mutation.file).read_text("utf-8").count(mutation.was) == 1
    assert mutation.was != mutation.becomes
    assert (ROOT / mutation.tests).is_file()
