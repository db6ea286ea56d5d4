"""The issuer's validation of a token that it just signed, before the token leaves."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cameo_credential.encoding import from_base64url
from cameo_credential.issuer_keys import IssuerKeys, SigningKey
from cameo_credential.signer import TokenType, sign
from cameo_credential.validator import validate_issued

if TYPE_CHECKING:
    from conftest import World


def said(world: World) -> dict[str, Any]:
    """Return the claims of a receipt."""
    return json.loads(from_base64url(world.issue().receipt.split(".")[1]))


def test_what_was_composed_is_what_was_signed(world: World) -> None:
    """It says exactly the claims: any other is a bug, and does not leave."""
    claims = said(world)
    token = world.sign_receipt(claims)
    validate_issued(token, claims, issuer_keys=world.keys.public(), typ=TokenType.RECEIPT)
    with pytest.raises(RuntimeError, match="something else than what was composed"):
        validate_issued(token, {**claims, "jti": "another"}, issuer_keys=world.keys.public(), typ=TokenType.RECEIPT)


def test_no_token_outlives_its_key(world: World) -> None:
    """A token that ends after its key is a bug, and does not leave."""
    claims = said(world)
    keys = IssuerKeys(SigningKey.generate(now=world.expectations()["now"], lifetime=timedelta(days=1)))
    token = sign(claims, key=keys.active, typ=TokenType.RECEIPT)
    with pytest.raises(RuntimeError, match="outlives its key"):
        validate_issued(token, claims, issuer_keys=keys.public(), typ=TokenType.RECEIPT)
