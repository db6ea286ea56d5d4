"""The issuer's validation of a token that it just signed, before the token leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.signer import TokenType, sign
from cameo_credential.validator import validate_issued
from tests.issued_claims import claims_inside

if TYPE_CHECKING:
    from conftest import World


def said(world: World) -> dict[str, Any]:
    """Return the claims of a credential."""
    return claims_inside(world.issue().credential, world.audience_key)


def test_what_was_composed_is_what_was_signed(world: World) -> None:
    """It says exactly the claims: any other is a bug, and does not leave."""
    claims = said(world)
    token = sign(claims, key=world.keys.active, typ=TokenType.CREDENTIAL)
    validate_issued(token, claims, issuer_keys=world.keys.public())
    with pytest.raises(RuntimeError, match="something else than what was composed"):
        validate_issued(token, {**claims, "jti": "another"}, issuer_keys=world.keys.public())


def test_no_token_outlives_its_key(world: World) -> None:
    """A token that ends after its key is a bug, and does not leave."""
    claims = said(world)
    keys = IssuerKeys(SigningKey.generate(now=world.expectations()["now"], lifetime=timedelta(days=1)))
    token = sign(claims, key=keys.active, typ=TokenType.CREDENTIAL)
    with pytest.raises(RuntimeError, match="outlives its key"):
        validate_issued(token, claims, issuer_keys=keys.public())
