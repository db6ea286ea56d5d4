from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cameo_credential.claims import NAMESPACE, NO_TERMS, OwnerTerms, StatusReference
from cameo_credential.errors import CredentialError
from tests.issued_claims import SCHEMA, claims_inside, is_described

if TYPE_CHECKING:
    from conftest import World

TERMS = OwnerTerms("ef" * 32, ("never in a uniform",), ("politics",), ("say the name like Ada", "left-handed"))


def test_the_owners_terms_come_back(world: World) -> None:
    """What the owner asks for is read out of the credential as it went in, and lies where the schema says."""
    issued = world.issue(terms=TERMS, status=StatusReference(1, "https://issuer.example/status/1"))
    told = replace(TERMS, consent_sha256=world.pairwise.digest(TERMS.consent_sha256, issued.audience))
    assert world.open(issued.credential).terms == told
    identity = claims_inside(issued.credential, world.audience_key)[NAMESPACE]
    assert identity["consent"] == {"sha256": told.consent_sha256}
    assert identity["restrictions"] == {"words": ["never in a uniform"], "categories": ["politics"]}
    assert identity["appearance_notes"] == ["say the name like Ada", "left-handed"]


def test_terms_that_are_not_set_are_not_there(world: World) -> None:
    """A credential without terms has none of the three members, and one with a single restriction only that."""
    issued = world.issue()
    assert world.open(issued.credential).terms == NO_TERMS
    identity = claims_inside(issued.credential, world.audience_key)[NAMESPACE]
    assert {"consent", "restrictions", "appearance_notes"}.isdisjoint(identity)
    one = claims_inside(world.issue(terms=OwnerTerms(restrictions=("no",))).credential, world.audience_key)[NAMESPACE]
    assert one["restrictions"] == {"words": ["no"]}


@pytest.mark.parametrize(
    "bent",
    [
        {"consent": "x"},
        {"consent": {}},
        {"restrictions": []},
        {"restrictions": {"words": "never"}},
        {"appearance_notes": [1]},
        {"appearance_notes": "none"},
    ],
)
def test_bent_terms_are_malformed(world: World, bent: dict[str, Any]) -> None:
    """Signed terms of another layout are refused, by the reader and by the schema."""
    claims = claims_inside(world.issue().credential, world.audience_key)
    claims[NAMESPACE].update(bent)
    with pytest.raises(CredentialError) as refused:
        world.open(world.sign_credential(claims))
    assert refused.value.reason == "malformed"
    assert not is_described(claims)


def test_the_schema_allows_nothing_else(world: World) -> None:
    """A claim too many, one missing, a score, two audiences, one embedding without the other: none is described."""
    good = claims_inside(world.issue().credential, world.audience_key)
    assert is_described(good)
    identity = good[NAMESPACE]
    for wrong in (
        {**good, "name": "Ada"},
        {name: value for name, value in good.items() if name != "aud"},
        {**good, "aud": ["https://generator.example"]},
        {**good, "exp": 1.5},
        {**good, "status": {"status_list": {"idx": -1, "uri": "u"}}},
        {**good, NAMESPACE: {**identity, "score": 0.9}},
        {**good, NAMESPACE: {**identity, "liveness": {"confirmed": [], "scores": {}}}},
        {**good, NAMESPACE: {**identity, "face": {}}},
    ):
        assert not is_described(wrong)


def test_every_claim_of_the_schema_is_in_the_page() -> None:
    """The table of docs/credential.md names each claim the schema knows."""
    page = (Path(__file__).parents[3] / "docs" / "credential.md").read_text("utf-8")
    names = {*SCHEMA["properties"], *SCHEMA["properties"][NAMESPACE]["properties"]} - {NAMESPACE}
    rows = " ".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))
    assert {name for name in names if f"`{name}" not in rows} == set()
    assert json.dumps(SCHEMA).count("description") >= 10
